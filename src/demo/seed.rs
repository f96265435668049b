//! Puts the example organization into a database that holds nothing else.

use async_graphql::Variables;
use entity::{Permission, id::OrganizationId};
use serde_json::{Value, json};

use super::load;
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

/// Its name, until its users change it.
const NAME: &str = "Consumer desk";

/// Sent when everything is there. It changes the organization, whose version then tells a whole example from one
/// whose loading was cut short.
const FINISH: &str = r#"mutation {
    organizationUpdate(input: { locale: "en-US", weekStart: SUNDAY }) { node { version } errors { code message } }
}"#;

/// Who the example is loaded by, and whose token is printed: somebody who may do everything.
pub fn actor(organization: OrganizationId) -> Actor {
    Actor { organization, subject: "demo".to_owned(), client: None, permissions: Permission::ALL.into_iter().collect() }
}

/// Makes the example organization if the database is empty, and fills it if it is not whole. `None` when the
/// database holds only other data, which is left alone; organizations added beside the example do it no harm. An example that is whole is left as its users changed it.
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
        made.ok_or_else(|| Error::internal("another process is making the example"))?
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
        // Among others, one of that slug may be somebody's own.
        if others > 0 && found["name"] != NAME {
            return Ok(None);
        }
        tracing::info!("loading the example: 3,186 complaints");
        load(execute).await?;
        let finished = execute(FINISH.to_owned(), json!({})).await?;
        if finished["data"]["organizationUpdate"]["node"]["version"] != 2 {
            return Err(Error::internal(format!("the example was not finished: {finished}")));
        }
    }
    Ok(Some(organization))
}
