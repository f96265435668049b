//! Stored filters: checked when a caller saves them, and read again as conditions.

use async_graphql::Value;
use entity::{
    Noun, Permission,
    noun::{Field, Kind},
};

use super::filter::list_filter;
use crate::{
    Error, Result,
    auth::Actor,
    error::Code,
    graphql::{
        mutation::parts::RowDraft,
        values::filter::{parts, with_scopes},
    },
    store::{Connection, Scope, statement::cell::Cell, statement::filter::Predicate, writing::draft::Draft},
};

/// Checks the stored filters of rows to write, and notes the caller's scopes in them. What is wrong with a filter is
/// an error of its row. `Err` if the caller lacks the scope to filter so.
pub(in crate::graphql) async fn check(scope: &Scope, rows: &mut [RowDraft]) -> Result<()> {
    if !rows.iter().any(RowDraft::keeps_filters) {
        return Ok(());
    }
    check_drafts(scope, rows.iter_mut().flat_map(RowDraft::drafts).collect()).await
}

/// Checks the stored filters of drafts as those of rows to write.
pub async fn check_drafts(scope: &Scope, drafts: Vec<&mut Draft>) -> Result<()> {
    scope.read_open_attributes().await?;
    for draft in drafts {
        for (field, noun) in draft.noun.fields.iter().filter_map(|field| Some((field, filtered(field)?()))) {
            let given = draft.values.iter_mut().find(|(column, _)| column.name == field.column);
            let Some(Cell::Text(stored)) = given.map(|(_, cell)| cell) else { continue };
            match checked(scope, noun, stored) {
                Ok(scopes) => *stored = with_scopes(&scopes, parts(stored).1),
                Err(Error::BadInput(message)) => draft.refuse(Code::Invalid, field.name, message),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Returns the noun of the filters in a column.
fn filtered(field: &Field) -> Option<fn() -> &'static Noun> {
    if let Kind::Filter(noun) = field.kind { Some(noun) } else { None }
}

/// Returns the scopes to read that the caller has. `Err` if the filter is wrong.
fn checked(scope: &Scope, noun: &'static Noun, stored: &str) -> Result<String> {
    let access = scope.attribute_access();
    let condition = list_filter(noun, Some(&value(stored)?), access)?;
    if let Some(field) = condition.personal_literal(noun, access) {
        return Err(Error::BadInput(format!(
            "{field} is personal data, which is not kept in filters: of it, only isNull can be stored, and contains and \
             matches of a text"
        )));
    }
    let reads = |permission: &Permission| permission.name().ends_with(":read");
    let scopes: Vec<&str> = access.actor.permissions.iter().filter(reads).map(Permission::name).collect();
    Ok(scopes.join(" "))
}

fn value(stored: &str) -> Result<Value> {
    serde_json::from_str(parts(stored).1).map_err(|_| Error::BadInput("the filter is not JSON".to_owned()))
}

/// Returns the condition of a stored filter of a noun's rows, as its saver would read it today. `Err` if the saver's
/// scopes or the schema do not allow it any more: the filter is broken.
pub async fn condition<C: Connection>(scope: &Scope<C>, noun: &'static Noun, stored: &str) -> Result<Predicate> {
    let scopes = parts(stored).0.split(' ').filter_map(Permission::parse).collect();
    let saver = Actor { permissions: scopes, ..Actor::operator(scope.organization()) };
    let value = value(stored)?;
    match list_filter(noun, Some(&value), scope.attribute_access_of(&saver)) {
        Err(Error::NotRead) => {
            scope.read_open_attributes().await?;
            list_filter(noun, Some(&value), scope.attribute_access_of(&saver))
        }
        read => read,
    }
}

/// Like [`condition`]; `None` if the filter is broken: a rule with such a filter does nothing.
pub async fn sound_condition<C: Connection>(
    scope: &Scope<C>,
    noun: &'static Noun,
    stored: &str,
) -> Result<Option<Predicate>> {
    match condition(scope, noun, stored).await {
        Ok(condition) => Ok(Some(condition)),
        Err(Error::BadInput(_) | Error::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns why a stored filter is broken; `None` if it is not.
pub async fn mistake<C: Connection>(scope: &Scope<C>, noun: &'static Noun, stored: &str) -> Result<Option<String>> {
    match condition(scope, noun, stored).await {
        Ok(_) => Ok(None),
        Err(Error::BadInput(message)) => Ok(Some(message)),
        Err(Error::Forbidden(permission)) => {
            Ok(Some(format!("whoever saved it lacked the scope {}, which it needs", permission.name())))
        }
        Err(error) => Err(error),
    }
}
