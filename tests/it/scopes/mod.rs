//! What a token without a scope may not do, for every field of the schema.

mod personal;
mod relations;
mod roots;

use entity::Permission;

/// Every scope but one.
fn all_but(missing: Permission) -> impl Iterator<Item = Permission> {
    Permission::ALL.into_iter().filter(move |permission| *permission != missing)
}
