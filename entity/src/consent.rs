//! Consents: what a customer allowed and withdrew.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ConsentId, CustomerId, MediumId, OrganizationId},
};

crate::string_enum! {
    /// What a customer is contacted for.
    ConsentPurpose as "ConsentPurpose" {
        /// To serve the customer in what they bought or asked for.
        Service = "SERVICE",
        /// To offer something.
        Marketing = "MARKETING",
        /// To quote the customer. A withdrawal for every medium withdraws the testimonials consented to before.
        Testimonial = "TESTIMONIAL",
        /// To ask the customer for opinions.
        Research = "RESEARCH",
    }
}

crate::string_enum! {
    /// What a customer decided.
    ConsentDecision as "ConsentDecision" {
        /// The customer allowed it.
        Granted = "GRANTED",
        /// The customer withdrew it, or refused.
        Withdrawn = "WITHDRAWN",
    }
}

/// A customer's decision about being contacted. Decisions are only added: a new one overrides the former for the same
/// purpose and medium, and the former stays as evidence. `customer { consentsHeld }` tells what holds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "consent")]
#[noun(prefix = "consent", read = RecordRead, write = CustomersWrite, operations = [List, Create, Upsert, BulkUpsert], external_ids,
    timeline(at(decided_at)))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What the decision is about.
    #[noun(fixed, ordered)]
    pub purpose: ConsentPurpose,
    /// What the customer decided.
    #[noun(fixed)]
    pub decision: ConsentDecision,
    /// When the customer decided, UTC. Defaults to the current time; fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub decided_at: ChronoUnixTimestampMillis,
    /// How the decision was given, for example a form or a call.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub source: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer who decided.
    #[noun(fixed, inverse(consents = "Decisions of the customer about being contacted."))]
    pub customer_id: CustomerId,
    /// Medium that the decision is about; null if it is about every medium.
    #[noun(optional, inverse(consents = "Decisions about the medium."))]
    pub medium_id: Option<MediumId>,
}
