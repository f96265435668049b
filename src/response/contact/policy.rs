//! The rows of contact policies: their quiet hours begin and end, and there are not too many.

use std::sync::Arc;

use entity::{
    contact_policy::{self, ID, Model as Policy, NOUN, QUIET_FROM, QUIET_UNTIL},
    kind::LocalTime,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    response::at_most::at_most,
    store::{
        Connection, Scope, Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// Maximum number of policies of an organization, archived ones included: each plan is compared with all others.
const MOST: usize = 100;

/// GraphQL module of contact policies.
pub const SLICE: Module =
    Module { rules: Hooks { prepare: |tx, drafts| Box::pin(check(tx, drafts)), ..Hooks::NONE }, ..Module::new(&NOUN) };

/// Returns the policies that are not archived, in the order of their creation.
pub(super) async fn active<C: Connection>(scope: &Scope<C>) -> Result<Arc<Vec<Policy>>> {
    let read = async {
        let active = contact_policy::Entity::find()
            .filter(contact_policy::Column::ArchivedAt.is_null())
            .order_by_asc(contact_policy::Column::Id);
        let policies = scope.all_unchecked(active).await?;
        let identities = policies.iter().map(|policy| (policy.id.0, policy.version)).collect();
        Ok((policies, Some(identities)))
    };
    scope.row_cache(&NOUN, read).await
}

/// Returns the times of day from which on and until which hours are quiet; `None` if none are.
pub(super) fn quiet_hours(from: Option<LocalTime>, until: Option<LocalTime>) -> Option<(LocalTime, LocalTime)> {
    if from.is_none() && until.is_none() {
        return None;
    }
    let from = from.filter(|from| *from < LocalTime::END).unwrap_or(LocalTime::START);
    Some((from, until.unwrap_or(LocalTime::END)))
}

async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let quiet = quiet_hours(draft.get(QUIET_FROM), draft.get(QUIET_UNTIL));
        if quiet.is_some_and(|quiet| quiet.0 == quiet.1 || quiet == (LocalTime::START, LocalTime::END)) {
            let field = if draft.gives(QUIET_UNTIL) { "quietUntil" } else { "quietFrom" };
            draft.refuse(Code::Invalid, field, "the quiet hours must begin at another time than they end");
        }
    }
    at_most(tx, drafts, ID, MOST).await
}
