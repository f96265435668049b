//! A table whose every row belongs to one tenant.

use sea_orm::{EntityTrait, TryIntoModel};

use crate::{Noun, id::OrganizationId};

/// Ties an entity to its noun, so that the store can narrow and check what it reads.
pub trait Tenanted: EntityTrait<ActiveModel: TryIntoModel<<Self as EntityTrait>::Model>> {
    /// The noun's description.
    const NOUN: &'static Noun;
    /// The column that holds the tenant: the first.
    const TENANT: Self::Column;
    /// The tenant of a row.
    fn tenant(row: &Self::Model) -> OrganizationId;
}

/// Implements [`Tenanted`] for the entity of the module it stands in.
#[macro_export]
macro_rules! tenanted {
    ($noun:path) => {
        impl $crate::Tenanted for Entity {
            const NOUN: &'static $crate::Noun = &$noun;
            const TENANT: Column = Column::OrganizationId;
            fn tenant(row: &Model) -> $crate::id::OrganizationId {
                row.organization_id
            }
        }
    };
}
