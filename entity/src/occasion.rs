//! Occasions: days of a customer or an account that are worth a word.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AccountId, CustomerId, OccasionId, OrganizationId},
    kind::Date,
};

crate::string_enum! {
    /// Kind of occasion.
    OccasionKind as "OccasionKind" {
        /// A birthday.
        Birthday = "BIRTHDAY",
        /// An anniversary, for example of a contract or a company.
        Anniversary = "ANNIVERSARY",
        /// A person got a new position.
        Promotion = "PROMOTION",
        /// The customer brings out a product.
        Launch = "LAUNCH",
        /// A holiday that the customer keeps.
        Holiday = "HOLIDAY",
        /// Another occasion.
        Other = "OTHER",
    }
}

crate::string_enum! {
    /// How often an occasion comes.
    Recurrence as "Recurrence" {
        /// On its date only.
        Once = "ONCE",
        /// Every year from its date on. One of 29 February comes on 28 February in years without that day.
        Yearly = "YEARLY",
    }
}

/// A day of a customer or of an account that is worth a word. The day begins and ends in the time zone of the customer,
/// or of the organization if the customer has none.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "occasion")]
#[noun(prefix = "occasion", read = RecordRead, write = CustomersWrite, operations = PART, external_ids,
    timeline(at(created_at)),
    exactly_one(customer, account))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OccasionId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of occasion.
    #[noun(required, ordered)]
    pub kind: OccasionKind,
    /// Its date; of one that comes every year, the first. Null only after an erasure.
    #[noun(required, personal = Identifier)]
    pub date: Option<Date>,
    /// How often it comes.
    #[noun(default = "ONCE")]
    pub recurrence: Recurrence,
    /// What the occasion is.
    #[noun(optional, searchable, max = 200, personal = FreeText)]
    pub name: Option<String>,
    /// Folded copy of `name` for search.
    pub name_folded: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer whose occasion it is.
    #[noun(optional, inverse(occasions = "Occasions of the customer."))]
    pub customer_id: Option<CustomerId>,
    /// Account whose occasion it is.
    #[noun(optional, inverse(occasions = "Occasions of the account."))]
    pub account_id: Option<AccountId>,
}
