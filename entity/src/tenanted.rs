//! Entities whose rows belong to a tenant.

use sea_orm::{EntityTrait, TryIntoModel};

use crate::{Noun, id::OrganizationId};

/// Connects an entity to its noun, so that the store can filter by tenant and check the rows that it reads.
pub trait Tenanted: EntityTrait<ActiveModel: TryIntoModel<<Self as EntityTrait>::Model>> {
    /// Description of the noun.
    const NOUN: &'static Noun;
    /// Column of the tenant, the first one.
    const TENANT: Self::Column;
    /// Column of the row id.
    const ID: Self::Column;
    /// Returns the tenant of a row.
    fn tenant(row: &Self::Model) -> OrganizationId;
}
