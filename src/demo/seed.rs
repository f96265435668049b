//! Creates the example organization in a database without other data.

use async_graphql::Variables;
use entity::{Permission, id::OrganizationId};
use serde_json::{Value, json};

use super::{load, today};
use crate::{
    Error, Result,
    auth::Actor,
    clock,
    graphql::{execution::run, failure, types::schema_index::SchemaIndex},
    schema::ApiSchema,
    store::{
        Store,
        operation::unscoped::{Contents, NewOrganization},
    },
};

/// Slug of the example organization.
pub const SLUG: &str = "consumer-desk";

/// The organization's name, unless its users change it.
const NAME: &str = "Consumer desk";

/// Runs after all data is loaded. The change increments the organization's version, which then tells a complete example
/// from one whose loading was interrupted.
const FINISH: &str = r#"mutation {
    organizationUpdate(input: { locale: "en-US", weekStart: SUNDAY }) { node { version } errors { code message } }
}"#;

/// Returns the actor that loads the example and owns the printed token. Has all permissions.
pub fn actor(organization: OrganizationId) -> Actor {
    Actor {
        organization,
        subject: "demo".to_owned(),
        client: None,
        permissions: Permission::ALL.into_iter().collect(),
        expires: None,
        departments: None,
    }
}

/// Creates the example organization if the database is empty, and loads its data unless that is complete. Returns
/// `None` and changes nothing if the database contains only other data. Organizations added beside the example are
/// allowed. A complete example is left as its users changed it.
pub async fn seed(store: &Store, schema: &ApiSchema) -> Result<Option<OrganizationId>> {
    let others = match store.contents().await? {
        Contents::Nothing => 0,
        Contents::Organizations(slugs) if slugs.is_empty() => 0,
        Contents::Organizations(slugs) if slugs.iter().any(|slug| slug == SLUG) => slugs.len() - 1,
        Contents::Organizations(_) | Contents::OtherTables => return Ok(None),
    };
    store.migrate().await?;
    let organization = if let Some(organization) = store.organization_by_slug(SLUG).await? {
        organization
    } else {
        let new = NewOrganization { slug: SLUG, name: NAME, time_zone: "America/New_York", is_noted: false };
        let made = store.create_organization(&new, clock::now()).await?;
        made.ok_or_else(|| Error::internal("another process is creating the example"))?
    };
    let index = SchemaIndex::read(&schema.sdl())?;
    let execute = async |document: String, variables: Value| {
        let scope = store.scope(actor(organization), clock::now());
        let mut response = run::execute(schema, &index, (&document, Variables::from_json(variables)), scope).await;
        failure::publish(&mut response, "demo");
        serde_json::to_value(&response).map_err(|error| Error::internal(error.to_string()))
    };
    let found = execute("{ organization { version name } }".to_owned(), json!({})).await?;
    let found = &found["data"]["organization"];
    if found["version"] == 1 {
        // Beside other organizations, one with this slug may not be the example.
        if others > 0 && found["name"] != NAME {
            return Ok(None);
        }
        tracing::info!("loading the example: 3,186 complaints");
        load(&execute).await?;
        today::load(clock::now(), &execute).await?;
        let finished = execute(FINISH.to_owned(), json!({})).await?;
        if finished["data"]["organizationUpdate"]["node"]["version"] != 2 {
            return Err(Error::internal(format!("the example was not finished: {finished}")));
        }
    }
    Ok(Some(organization))
}
