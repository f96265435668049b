//! A table whose every row belongs to one tenant.

use sea_orm::{EntityTrait, TryIntoModel};

use crate::{Noun, id::OrganizationId};

/// Ties an entity to its noun, so that the store can narrow and check what it reads.
pub trait Tenanted: EntityTrait<ActiveModel: TryIntoModel<<Self as EntityTrait>::Model>> {
    /// The noun's description.
    const NOUN: &'static Noun;
    /// The column that holds the tenant: the first.
    const TENANT: Self::Column;
    /// The column of the row's own id.
    const ID: Self::Column;
    /// The tenant of a row.
    fn tenant(row: &Self::Model) -> OrganizationId;
}
