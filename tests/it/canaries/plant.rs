//! Rows of every noun whose every text is a canary, made through the server.

use std::sync::LazyLock;

use super::{SONG, Served};
use crate::{fixture::World, outline::Outline};

pub static OUTLINE: LazyLock<Outline> = LazyLock::new(Outline::read);

/// Fills every column a caller can write, of every noun.
pub async fn plant(served: &Served) -> World<'_> {
    let organization = served.app.store.organization_named("acme").await.unwrap().unwrap();
    let caller = served.app.caller(organization, []).at(served.server());
    World::filled(&OUTLINE, caller, SONG).await
}
