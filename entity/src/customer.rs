//! A person who is, or may become, a customer.

use sea_orm::entity::prelude::*;

use crate::{
    id::{CustomerId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Personal, Relationship, SYSTEM},
    permission::Permission,
};

/// A person who is, or may become, a customer.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name.
    pub name: Option<String>,
    /// The name folded for search.
    pub name_folded: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The address folded for search.
    pub email_folded: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Customer segment.
    pub segment: Option<String>,
    /// When the person was erased.
    pub erased_at: Option<ChronoUnixTimestampMillis>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a customer.
pub static NOUN: Noun = Noun {
    name: "Customer",
    singular: "customer",
    plural: "customers",
    table: "customer",
    prefix: "cust",
    doc: "A person who is, or may become, a customer. Name, e-mail and phone are personal data.",
    tenant: "organization_id",
    read: Some(Permission::RecordRead),
    write: Permission::CustomersWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name.")
            .optional()
            .ordered()
            .searchable()
            .personal(Personal::Identifier),
        Field::new(
            "email",
            "email",
            Kind::Text { max: 320 },
            "E-mail address. Never an identity: two customers may share one.",
        )
        .optional()
        .searchable()
        .personal(Personal::Contact),
        Field::new("phone", "phone", Kind::Text { max: 64 }, "Telephone number as given.")
            .optional()
            .personal(Personal::Contact),
        Field::new("segment", "segment", Kind::Text { max: 200 }, "Customer segment.").optional().ordered(),
        Field::new(
            "erasedAt",
            "erased_at",
            Kind::Instant,
            "When customerErase took everything personal away, UTC. The row stays, so that what is counted stays \
             counted, and cannot be changed any more.",
        )
        .nullable(),
    ],
    relations: &[Relationship {
        name: "feedbackRecords",
        target: &crate::feedback_record::NOUN,
        link: Link::Many { column: "customer_id" },
        doc: "What the customer told us.",
    }],
    operations: FULL,
    has_external_ids: true,
};
