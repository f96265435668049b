//! Customers: persons who are, or may become, customers.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AccountId, CustomerId, OrganizationId},
    kind::{EmailAddress, LanguageTag},
};

/// A person who is, or may become, a customer. Name, e-mail address and phone number are personal data.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "customer")]
#[noun(prefix = "cust", read = RecordRead, write = CustomersWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of the customer.
    #[noun(optional, ordered, searchable, max = 200, personal = Identifier)]
    pub name: Option<String>,
    /// Folded copy of `name` for search.
    pub name_folded: Option<String>,
    /// The primary e-mail address; see contactPoints for others. Not unique: two customers may share one.
    #[noun(optional, searchable, personal = Contact)]
    pub email: Option<EmailAddress>,
    /// Folded copy of `email` for search.
    pub email_folded: Option<String>,
    /// The primary phone number, stored as given; see contactPoints for others.
    #[noun(optional, max = 64, personal = Contact)]
    pub phone: Option<String>,
    /// Customer segment, for example enterprise.
    #[noun(optional, ordered, max = 200)]
    pub segment: Option<String>,
    /// Language to address the customer in.
    #[noun(optional)]
    pub language: Option<LanguageTag>,
    /// IANA time zone of the customer; null if it is that of the organization.
    #[noun(optional, time_zone)]
    pub time_zone: Option<String>,
    /// Up to 50 topics of up to 64 characters that the customer is interested in, without duplicates, in alphabetical
    /// order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub interests: String,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Account that the customer belongs to.
    #[noun(optional, inverse(customers = "Persons of the account."))]
    pub account_id: Option<AccountId>,
    /// When customerErase removed the customer's personal data, UTC; null if it did not. The row remains for statistics
    /// and can no longer be changed.
    pub erased_at: Option<ChronoUnixTimestampMillis>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
