//! The few statements that run without a caller's scope, each with its reason.

use entity::id::OrganizationId;

use super::Store;
use crate::{Error, Result};

/// What a new organization needs.
#[derive(Clone, Debug)]
pub struct NewOrganization<'a> {
    /// Name in commands, unique on the server.
    pub slug: &'a str,
    /// Name to show.
    pub name: &'a str,
    /// IANA time zone.
    pub time_zone: &'a str,
}

impl Store {
    /// Makes an organization with its fallback department. `None` if the slug is taken.
    pub async fn create_organization(&self, _new: &NewOrganization<'_>) -> Result<Option<OrganizationId>> {
        Err(Error::internal("stub"))
    }
    /// The organization of that slug: commands name tenants by slug, before any token exists.
    pub async fn organization_by_slug(&self, _slug: &str) -> Result<Option<OrganizationId>> {
        Err(Error::internal("stub"))
    }
    /// Slugs of all organizations, sorted: `demo` refuses a database that holds other data.
    pub async fn organization_slugs(&self) -> Result<Vec<String>> {
        Err(Error::internal("stub"))
    }
}
