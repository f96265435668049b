//! The caller, as the API sees it.

use chrono::DateTime;
use entity::{
    Permission,
    id::{DepartmentId, OrganizationId},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    auth::Departments,
    graphql::{
        slice::Query,
        typed::{fields::QueryFn, output::Output},
    },
};

/// The caller: the subject of the token, and what the token allows.
#[derive(Output)]
pub struct Viewer {
    /// Subject of the token: a person's account at the issuer, or the id of an API client.
    pub subject: String,
    /// Client id of the token; null if the issuer does not say which program acts for the person.
    pub client_id: Option<String>,
    /// Scopes of the token, for example `map:read`. `@requiresScopes` of a field states the scopes that it requires.
    pub scopes: Vec<String>,
    /// When the token expires, UTC. Later requests fail with UNAUTHENTICATED.
    pub expires_at: Option<ChronoUnixTimestampMillis>,
    /// The organization of the token.
    pub organization_id: OrganizationId,
    /// Whether the token names departments. The caller then sees their cases, feedback and routings only, with what
    /// belongs to these.
    pub is_narrowed: bool,
    /// The departments that the token names; empty if it names none.
    pub departments: Vec<ViewerDepartment>,
}

/// A department that a token names.
#[derive(Output)]
pub struct ViewerDepartment {
    /// The department; null if it does not exist.
    pub department_id: Option<DepartmentId>,
}

fn department(id: &Uuid) -> ViewerDepartment {
    ViewerDepartment { department_id: Some(DepartmentId(*id)) }
}

/// The query `viewer`.
pub const VIEWER: Query = Query {
    name: "viewer",
    doc: "The caller: subject, organization, scopes and departments of the token.",
    permissions: &[],
    run: &QueryFn::new(|scope, ()| {
        Box::pin(async {
            let actor = scope.actor();
            let expires = actor.expires.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            Ok(Viewer {
                subject: actor.subject.clone(),
                client_id: actor.client.clone(),
                scopes: actor.permissions.iter().map(Permission::name).map(str::to_owned).collect(),
                expires_at: expires.map(ChronoUnixTimestampMillis),
                organization_id: actor.organization,
                is_narrowed: actor.departments.is_some(),
                departments: actor.departments.iter().flat_map(Departments::uuids).map(department).collect(),
            })
        })
    }),
};
