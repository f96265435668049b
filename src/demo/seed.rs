//! Puts the example organization into a database that holds nothing else.

use async_graphql::{Request, Variables};
use entity::{Permission, id::OrganizationId};
use serde_json::{Value, json};

use super::load;
use crate::{
    Error, Result,
    auth::Actor,
    clock,
    graphql::failure,
    schema::ApiSchema,
    store::{Store, system::NewOrganization},
};

/// Slug of the example organization.
pub const SLUG: &str = "consumer-desk";
/// Records of the example, all of which are there once it is whole.
const RECORDS: u64 = 3_186;

/// Who the example is loaded by, and whose token is printed: somebody who may do everything.
pub fn actor(organization: OrganizationId) -> Actor {
    Actor { organization, subject: "demo".to_owned(), client: None, permissions: Permission::ALL.into_iter().collect() }
}

/// Makes the example organization if the database is empty, and fills it if it is not whole. `None` when the
/// database holds other data, which is left alone. An example that is whole is left as its users changed it.
pub async fn seed(store: &Store, schema: &ApiSchema) -> Result<Option<OrganizationId>> {
    let slugs = store.organization_slugs().await?;
    if slugs.is_empty() {
        let new = NewOrganization { slug: SLUG, name: "Consumer desk", time_zone: "America/New_York" };
        store.create_organization(&new, clock::now()).await?;
    } else if slugs != [SLUG] {
        return Ok(None);
    }
    let organization = store.organization_by_slug(SLUG).await?;
    let organization = organization.ok_or_else(|| Error::internal("the example organization is gone"))?;
    let execute = async |document: String, variables: Value| {
        let scope = store.scope(actor(organization), clock::now());
        let request = Request::new(document).variables(Variables::from_json(variables)).data(scope);
        let mut response = schema.execute(request).await;
        failure::publish(&mut response, "demo");
        serde_json::to_value(&response).map_err(|error| Error::internal(error.to_string()))
    };
    let present = execute("{ feedbackRecords(first: 1) { totalCount } }".to_owned(), json!({})).await?;
    if present["data"]["feedbackRecords"]["totalCount"].as_u64() < Some(RECORDS) {
        load(execute).await?;
    }
    Ok(Some(organization))
}
