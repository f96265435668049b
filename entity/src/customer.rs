//! A person who is, or may become, a customer.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CustomerId, OrganizationId},
    kind::EmailAddress,
};

/// A person who is, or may become, a customer. Name, e-mail and phone are personal data.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "customer")]
#[noun(prefix = "cust", read = RecordRead, write = CustomersWrite, operations = FULL, external_ids)]
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
    #[noun(optional, ordered, searchable, max = 200, personal = Identifier)]
    pub name: Option<String>,
    /// The name folded for search.
    pub name_folded: Option<String>,
    /// E-mail address. Never an identity: two customers may share one.
    #[noun(optional, searchable, personal = Contact)]
    pub email: Option<EmailAddress>,
    /// The address folded for search.
    pub email_folded: Option<String>,
    /// Telephone number as given.
    #[noun(optional, max = 64, personal = Contact)]
    pub phone: Option<String>,
    /// Customer segment.
    #[noun(optional, ordered, max = 200)]
    pub segment: Option<String>,
    /// When customerErase took everything personal away, UTC. The row stays, so that what is counted stays counted, and
    /// cannot be changed any more.
    pub erased_at: Option<ChronoUnixTimestampMillis>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
