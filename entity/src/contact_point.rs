//! Contact points: ways to reach a customer.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ContactPointId, CustomerId, OrganizationId},
};

crate::string_enum! {
    /// Kind of contact point.
    ContactKind as "ContactKind" {
        /// An e-mail address.
        Email = "EMAIL",
        /// A phone number.
        Phone = "PHONE",
        /// A postal address.
        Postal = "POSTAL",
        /// Another way, for example a name on a messenger.
        Other = "OTHER",
    }
}

/// A way to reach a customer. It is not an identity: two customers may share one. The primary e-mail address and the
/// primary phone number are also the customer's `email` and `phone`: a change of one changes the other.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "contact_point")]
#[noun(prefix = "contact", read = RecordRead, write = CustomersWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactPointId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of contact point.
    #[noun(fixed, ordered)]
    pub kind: ContactKind,
    /// The address or number, stored as given, an e-mail address with its domain in lower case. Fails with INVALID if the
    /// kind is EMAIL and this is no e-mail address.
    #[noun(required, searchable, max = 500, personal = Contact)]
    pub value: String,
    /// Folded copy of `value` for search.
    pub value_folded: String,
    /// Whether it is the first of its kind to use. A customer has at most one of each kind: a new primary one replaces the
    /// former.
    #[noun(default = "false")]
    pub is_primary: bool,
    /// When the customer was last reached this way or confirmed it, UTC; null if never. A new value clears it.
    #[noun(optional, ordered)]
    pub verified_at: Option<ChronoUnixTimestampMillis>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer who is reached this way.
    #[noun(fixed, part, inverse(contact_points = "Ways to reach the customer."))]
    pub customer_id: CustomerId,
}
