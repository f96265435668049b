//! Statements that are written once and bound for each request.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use entity::id::OrganizationId;
use sea_orm::{DbBackend, Statement, Value, prelude::Uuid, sea_query::ArrayType};

#[cfg(debug_assertions)]
use super::tenant_check::TenantCheck;
use super::{builder::Sql, cell::CellKind};
use crate::{
    Error, Result,
    auth::Departments,
    store::{Connection, Scope},
};

/// Maximum number of statements in one place of a plan. The oldest one makes room for another.
const MAX_SHAPES: usize = 8;

/// Determines the text of a statement.
pub trait Shape: Sized {
    /// Returns whether both give the same text. Their values may differ.
    fn has_shape_of(&self, other: &Self) -> bool;

    /// Returns a copy of the same shape without its values, which may be personal data.
    #[must_use]
    fn without_values(&self) -> Self;
}

/// The shape of a statement with no arguments but the ids of rows.
impl Shape for () {
    fn has_shape_of(&self, (): &Self) -> bool {
        true
    }

    fn without_values(&self) -> Self {}
}

/// Approximate memory of the statements of one plan, in bytes.
#[derive(Clone, Debug, Default)]
pub struct PlanSize(Arc<AtomicUsize>);

impl PlanSize {
    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds bytes.
    pub fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Where a bound value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The organization of the caller.
    Tenant,
    /// The departments that the caller's token names.
    Departments,
    /// The id of the only row that an earlier statement has read.
    Row,
    /// The ids of rows that an earlier statement has read.
    Rows,
    /// The parent row of the current execution.
    Parent,
    /// Everything else: the arguments of a field.
    Argument,
}

/// Returns ids as one value: an array on PostgreSQL, a JSON array of hexadecimal strings on `SQLite`.
pub(super) fn ids_value(backend: DbBackend, ids: &[Uuid]) -> Value {
    if backend == DbBackend::Postgres {
        let ids = ids.iter().map(|id| Value::from(*id)).collect();
        return Value::Array(ArrayType::Uuid, Some(Box::new(ids)));
    }
    let mut json = String::with_capacity(2 + 35 * ids.len());
    json.push('[');
    for (index, id) in ids.iter().enumerate() {
        json.push_str(if index > 0 { ",\"" } else { "\"" });
        json.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        json.push('"');
    }
    json.push(']');
    json.into()
}

/// Returns the indexes of the values that stand for the parent row.
pub(in crate::store) fn parents(sources: &[Source]) -> Vec<usize> {
    let places = sources.iter().enumerate().filter(|(_, source)| **source == Source::Parent);
    places.map(|(place, _)| place).collect()
}

/// The statements written so far in one place of a plan, by shape.
#[derive(Debug)]
pub struct Templates<S> {
    known: RwLock<Vec<(S, Arc<Template>)>>,
    size: PlanSize,
}

/// The text of a statement without its values.
#[derive(Debug)]
pub struct Template {
    text: String,
    sources: Vec<Source>,
    /// Whether the ids of rows are one id.
    is_single: bool,
    /// Whether it is for a caller whose token names departments.
    is_narrowed: bool,
    /// The kinds of the selected columns.
    pub kinds: Vec<CellKind>,
    /// The tenant condition that was disabled when the text was written.
    #[cfg(debug_assertions)]
    disabled: Option<TenantCheck>,
}

impl<S> Templates<S> {
    /// Creates a place without statements. `size` is that of its plan.
    pub fn new(size: &PlanSize) -> Self {
        Self { known: RwLock::default(), size: size.clone() }
    }
}

impl<S> Default for Templates<S> {
    fn default() -> Self {
        Self::new(&PlanSize::default())
    }
}

impl<S: Shape> Templates<S> {
    fn find(&self, shape: &S, fits: impl Fn(&Template) -> bool) -> Option<Arc<Template>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(known, template)| fits(template) && shape.has_shape_of(known));
        found.map(|(_, template)| Arc::clone(template))
    }

    fn keep(&self, shape: &S, template: &Arc<Template>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SHAPES {
            known.remove(0);
        } else {
            // A replaced statement counts for the new one: the texts of a place differ little.
            self.size.add(2 * template.text.len() + template.sources.len() + template.kinds.len());
        }
        known.push((shape.without_values(), Arc::clone(template)));
    }
}

impl Template {
    /// Returns the indexes of the values that stand for the parent row.
    pub fn parents(&self) -> Vec<usize> {
        parents(&self.sources)
    }

    /// Err if the number of arguments is not the one the text has placeholders for.
    fn statement(
        &self,
        backend: DbBackend,
        (organization, departments): (OrganizationId, Option<&Departments>),
        rows: &[Uuid],
        arguments: Vec<Value>,
    ) -> Result<Statement> {
        let mut arguments = arguments.into_iter();
        let value = |source: &Source| match source {
            Source::Tenant => Some(organization.into()),
            Source::Departments => Some(ids_value(backend, departments.map_or(&[], Departments::uuids))),
            Source::Row => rows.first().map(|id| (*id).into()),
            Source::Rows => Some(ids_value(backend, rows)),
            Source::Parent => Some(Value::Uuid(None)),
            Source::Argument => arguments.next(),
        };
        let values: Option<Vec<Value>> = self.sources.iter().map(value).collect();
        match values {
            Some(values) if arguments.next().is_none() => {
                Ok(Statement::from_sql_and_values(backend, self.text.as_str(), values))
            }
            _ => Err(Error::internal("a statement has another number of arguments than its template")),
        }
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the statement for `shape` and its template. The text is that of an earlier statement of the same shape,
    /// or else written by `write`; the values are those of this request. `rows` are the ids for [`Sql::rows`] and
    /// [`Sql::is_one_of_rows`].
    pub(in crate::store) fn templated<S: Shape>(
        &self,
        templates: &Templates<S>,
        shape: &S,
        rows: &[Uuid],
        kinds: impl FnOnce() -> Vec<CellKind>,
        write: impl Fn(&mut Sql) -> Result<()>,
    ) -> Result<(Statement, Arc<Template>)> {
        let (backend, is_single) = (self.store.backend(), rows.len() == 1);
        let (departments, is_narrowed) = (self.departments(), self.departments().is_some());
        let written = || {
            let mut sql = self.sql();
            write(&mut sql)?;
            Ok::<_, Error>(sql.parts())
        };
        #[cfg(debug_assertions)]
        let disabled = self.store.disabled();
        let fits = |template: &Template| {
            #[cfg(debug_assertions)]
            if template.disabled != disabled {
                return false;
            }
            template.is_single == is_single && template.is_narrowed == is_narrowed
        };
        let (template, arguments) = if let Some(template) = templates.find(shape, fits) {
            // A text that does not follow from its shape fails every test that meets it.
            #[cfg(debug_assertions)]
            assert_eq!(template.text, written()?.0, "the text of a template");
            let mut arguments = Sql::arguments_only(backend).narrowed_to(departments);
            if template.sources.contains(&Source::Argument) {
                write(&mut arguments)?;
            }
            (template, arguments.parts().1)
        } else {
            let (text, values, sources) = written()?;
            let arguments = values.into_iter().zip(&sources).filter(|(_, source)| **source == Source::Argument);
            let arguments = arguments.map(|(value, _)| value).collect();
            let template = Arc::new(Template {
                text,
                sources,
                is_single,
                is_narrowed,
                kinds: kinds(),
                #[cfg(debug_assertions)]
                disabled,
            });
            templates.keep(shape, &template);
            (template, arguments)
        };
        Ok((template.statement(backend, (self.organization(), departments), rows, arguments)?, template))
    }
}
