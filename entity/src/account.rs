//! Accounts: companies that are customers.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AccountId, DepartmentId, OrganizationId},
};

/// A company that is, or may become, a customer. The persons who work for it are customers of the account. Accounts form
/// a tree, for example of a group and its subsidiaries.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "account")]
#[noun(prefix = "acct", read = RecordRead, write = CustomersWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of the company.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Internet domain, for example example.com. Not unique: two accounts may share one.
    #[noun(optional, ordered, searchable, max = 253)]
    pub domain: Option<String>,
    /// Folded copy of `domain` for search.
    pub domain_folded: Option<String>,
    /// Customer segment, for example enterprise.
    #[noun(optional, ordered, max = 200)]
    pub segment: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200))]
    pub attributes: String,
    /// The account that this one belongs to. Fails with CYCLE if the account would be below itself.
    #[noun(optional, inverse(children = "Accounts that belong to this one."))]
    pub parent_id: Option<AccountId>,
    /// Department that looks after the account.
    #[noun(optional, inverse(accounts = "Accounts that the department looks after."))]
    pub owner_id: Option<DepartmentId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
