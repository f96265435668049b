//! Builds one statement for either database. Only text known at compile time becomes SQL; everything else is bound.

use std::{borrow::Borrow, fmt};
#[cfg(debug_assertions)]
use std::{ops::Range, sync::Arc};

use entity::id::OrganizationId;
use sea_orm::{DbBackend, Statement, Value, prelude::Uuid, sea_query::ArrayType};

#[cfg(debug_assertions)]
use super::tenant_check::Switch;
use super::{
    cell::{Cell, CellKind},
    template::{Source, ids_value},
};
use crate::auth::Departments;

/// A value that can be bound anywhere in a statement. An organization id cannot: see [`Sql::filter_tenant`] and
/// [`Sql::bind_tenant`].
pub trait Bound: Into<Value> {}

impl Bound for &str {}
impl Bound for String {}
impl Bound for i64 {}
impl Bound for Uuid {}
impl Bound for Value {}

/// A statement under construction.
#[derive(Clone, Debug)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
    /// The source of each value.
    sources: Vec<Source>,
    /// Whether only the values of arguments are collected: see [`Sql::arguments_only`].
    is_mute: bool,
    pub(super) backend: DbBackend,
    /// The departments that the caller sees; `None` for all.
    pub(super) departments: Option<Departments>,
    /// The tables whose rows are narrowed to these departments.
    pub(super) narrowed: Vec<(&'static str, Alias)>,
    #[cfg(debug_assertions)]
    pub(in crate::store) switch: Option<Arc<Switch>>,
    /// Parts of the text that may name columns and tables that an erasure empties: see [`Sql::behind`].
    #[cfg(debug_assertions)]
    behind: Vec<Range<usize>>,
}

impl Sql {
    /// Creates an empty statement.
    pub const fn new(backend: DbBackend) -> Self {
        Self {
            text: String::new(),
            values: Vec::new(),
            sources: Vec::new(),
            is_mute: false,
            backend,
            departments: None,
            narrowed: Vec::new(),
            #[cfg(debug_assertions)]
            switch: None,
            #[cfg(debug_assertions)]
            behind: Vec::new(),
        }
    }

    /// Creates a statement that drops its text, the organization and ids of rows, and collects only the values of
    /// arguments, in the order of their placeholders.
    pub fn arguments_only(backend: DbBackend) -> Self {
        Self { is_mute: true, ..Self::new(backend) }
    }

    /// Sets the switch by which a test can disable tenant conditions.
    #[cfg(debug_assertions)]
    pub(in crate::store) fn watched(mut self, switch: &Arc<Switch>) -> Self {
        self.switch = Some(Arc::clone(switch));
        self
    }

    /// Creates a statement without values.
    pub fn text_only(backend: DbBackend, text: &'static str) -> Statement {
        Statement::from_string(backend, text)
    }

    /// Returns whether the statement is for PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// Returns whether the text is dropped.
    pub const fn is_mute(&self) -> bool {
        self.is_mute
    }

    /// Appends SQL.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        if !self.is_mute {
            self.text.push_str(text);
        }
        self
    }

    /// Appends a quoted identifier that is the concatenation of `parts`.
    pub fn name(&mut self, parts: &[&'static str]) -> &mut Self {
        if self.is_mute {
            return self;
        }
        self.text.push('"');
        for part in parts {
            self.text.push_str(part);
        }
        self.text.push('"');
        self
    }

    /// Appends `alias.column`, quoted.
    pub fn column(&mut self, alias: Alias, column: &'static str) -> &mut Self {
        self.alias(alias).push(".").name(&[column])
    }

    /// Appends the alias of a table.
    pub fn alias(&mut self, alias: Alias) -> &mut Self {
        if self.is_mute {
            return self;
        }
        self.text.push(alias.letter);
        if alias.depth > 0 {
            self.number(alias.depth);
        }
        self
    }

    /// Appends a number.
    pub fn number(&mut self, number: usize) -> &mut Self {
        if !self.is_mute {
            self.text.push_str(&number.to_string());
        }
        self
    }

    /// Appends a placeholder and binds a value to it.
    pub fn bind(&mut self, value: impl Bound) -> &mut Self {
        self.value(value.into(), Source::Argument)
    }

    /// Appends a placeholder and binds the organization of a new row to it.
    pub fn bind_tenant(&mut self, organization: OrganizationId) -> &mut Self {
        self.value(organization.into(), Source::Tenant)
    }

    pub(super) fn value(&mut self, value: Value, source: Source) -> &mut Self {
        if self.is_mute && source != Source::Argument {
            return self;
        }
        self.values.push(value);
        self.sources.push(source);
        if self.is_postgres() {
            self.text.push('$');
            return self.number(self.values.len());
        }
        // No numbered placeholders: SQLite treats them as names and searches a list of all names for each.
        self.push("?")
    }

    /// Appends a placeholder and binds a cell of the given kind.
    pub fn cell(&mut self, cell: &Cell, kind: CellKind) -> &mut Self {
        self.bind(cell.bound(kind))
    }

    /// Calls `item` for each of `items` and separates the results by commas.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut item: impl FnMut(&mut Self, T)) -> &mut Self {
        for (index, each) in items.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            item(self, each);
        }
        self
    }

    /// Appends the condition that `alias.column` is one of `ids`, as an argument: one bound array on PostgreSQL, so that one prepared
    /// statement serves every length; a JSON array on `SQLite` for the same reason.
    pub fn is_one_of(&mut self, alias: Alias, column: &'static str, ids: &[Uuid]) -> &mut Self {
        self.is_one_of_named(alias, &[column], ids)
    }

    /// Like [`Sql::is_one_of`], for a column whose name is the concatenation of several parts.
    pub fn is_one_of_named(&mut self, alias: Alias, column: &[&'static str], ids: &[Uuid]) -> &mut Self {
        self.is_among(alias, column, ids, Source::Argument)
    }

    /// Like [`Sql::is_one_of`], for ids of rows that a statement before this one has read.
    pub fn is_one_of_rows(&mut self, alias: Alias, column: &'static str, ids: &[Uuid]) -> &mut Self {
        self.is_among(alias, &[column], ids, Source::Rows)
    }

    fn is_among(&mut self, alias: Alias, column: &[&'static str], ids: &[Uuid], source: Source) -> &mut Self {
        let backend = self.backend;
        self.alias(alias).push(".").name(column);
        if let [only] = ids {
            // PostgreSQL plans a comparison with an array anew for each execution.
            let source = if source == Source::Rows { Source::Row } else { source };
            self.push(" = ").value((*only).into(), source)
        } else if self.is_postgres() {
            self.push(" = ANY(").value(ids_value(backend, ids), source).push(")")
        } else {
            self.push(" IN (SELECT unhex(value) FROM json_each(").value(ids_value(backend, ids), source).push("))")
        }
    }

    /// Appends the condition that `alias.column` is one of `cells`, none of which is null. The cells are bound as one
    /// value if possible: a statement of several ranges repeats its filter, and the number of bound values is limited.
    pub fn is_one_of_cells(&mut self, alias: Alias, column: &'static str, kind: CellKind, cells: &[Cell]) -> &mut Self {
        let ids: Vec<Uuid> = cells.iter().filter_map(Cell::id).collect();
        if kind == CellKind::Id {
            return self.is_one_of(alias, column, &ids);
        }
        self.column(alias, column);
        if self.is_postgres() {
            return self.push(" = ANY(").array(kind, cells).push(")");
        }
        let json: Option<Vec<serde_json::Value>> = cells
            .iter()
            .map(|cell| match cell {
                Cell::Text(text) => Some(text.as_str().into()),
                Cell::Int(number) => Some((*number).into()),
                // A floating-point number may not survive a round trip through JSON.
                _ => None,
            })
            .collect();
        if let Some(json) = json {
            let json = serde_json::Value::from(json).to_string();
            return self.push(" IN (SELECT value FROM json_each(").bind(json).push("))");
        }
        self.push(" IN (")
            .list(cells, |sql, cell| {
                sql.cell(cell, kind);
            })
            .push(")")
    }

    /// Appends one placeholder and binds ids to it: an array on PostgreSQL, a JSON array of hexadecimal strings on
    /// `SQLite`.
    pub fn ids(&mut self, ids: &[Uuid]) -> &mut Self {
        self.bind(ids_value(self.backend, ids))
    }

    /// Like [`Sql::ids`], for ids of rows that a statement before this one has read.
    pub fn rows(&mut self, ids: &[Uuid]) -> &mut Self {
        self.value(ids_value(self.backend, ids), Source::Rows)
    }

    /// Appends the source of new rows for an `INSERT`: the organization's id, then the cells of each row.
    pub fn tenant_rows<const N: usize>(
        &mut self,
        organization: OrganizationId,
        kinds: [CellKind; N],
        rows: &[[Cell; N]],
    ) -> &mut Self {
        if self.is_postgres() {
            self.push("SELECT ").bind_tenant(organization).push(", v.* FROM UNNEST(");
            self.list(kinds.into_iter().enumerate(), |sql, (place, kind)| {
                sql.array(kind, rows.iter().map(|row| &row[place]));
            });
            return self.push(") AS v");
        }
        self.push("VALUES ").list(rows, |sql, row| {
            sql.push("(").bind_tenant(organization);
            for (cell, kind) in row.iter().zip(kinds) {
                sql.push(", ").cell(cell, kind);
            }
            sql.push(")");
        })
    }

    /// Binds the cells of one column as one array. PostgreSQL only. A statement over arrays serves any number of rows,
    /// so it is prepared only once, and it costs less to parse than a placeholder for each cell.
    pub fn array<C: Borrow<Cell>>(&mut self, kind: CellKind, cells: impl IntoIterator<Item = C>) -> &mut Self {
        let values = cells.into_iter().map(|cell| cell.borrow().bound(kind)).collect();
        let ty = match kind {
            CellKind::Id => ArrayType::Uuid,
            CellKind::Text => ArrayType::String,
            CellKind::Int => ArrayType::BigInt,
            CellKind::Float => ArrayType::Double,
            CellKind::Bool => ArrayType::Bool,
        };
        self.bind(Value::Array(ty, Some(Box::new(values))))
    }

    /// Appends a placeholder for the id of the parent row; the statement is executed once per parent. `SQLite` only.
    pub fn parent(&mut self) -> &mut Self {
        self.value(Value::Uuid(None), Source::Parent)
    }

    /// Appends one placeholder and binds numbers to it as an array. PostgreSQL only.
    pub fn integers(&mut self, numbers: impl IntoIterator<Item = i64>) -> &mut Self {
        self.array(CellKind::Int, numbers.into_iter().map(Cell::Int))
    }

    /// Returns the current length of the text in bytes.
    pub(in crate::store) const fn length(&self) -> usize {
        self.text.len()
    }

    /// Marks the text from byte `from` as allowed to name columns and tables that an erasure empties, because it
    /// applies the mask or needs the stored values. Builds with debug assertions reject a statement that names them
    /// anywhere else.
    #[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "only a build for tests looks"))]
    pub(in crate::store) fn behind(&mut self, from: usize) -> &mut Self {
        #[cfg(debug_assertions)]
        self.behind.push(from..self.text.len());
        self
    }

    /// Like [`Sql::behind`], from the last occurrence of the table whose name is the concatenation of `table`.
    #[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "only a build for tests looks"))]
    pub(in crate::store) fn behind_last(&mut self, table: &[&'static str]) -> &mut Self {
        #[cfg(debug_assertions)]
        if let Some(from) = self.text.rfind(&format!("\"{}\"", table.concat())) {
            self.behind.push(from..self.text.len());
        }
        self
    }

    /// Returns the text.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the text is empty.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the number of bound values.
    pub const fn values(&self) -> usize {
        self.values.len()
    }

    /// Returns the finished statement.
    pub fn finish(self) -> Statement {
        let (backend, (text, values, _)) = (self.backend, self.parts());
        Statement::from_sql_and_values(backend, text, values)
    }

    /// Returns the text, the bound values and their sources.
    pub(in crate::store) fn parts(mut self) -> (String, Vec<Value>, Vec<Source>) {
        #[cfg(debug_assertions)]
        if let Some(switch) = &self.switch {
            switch.note(&self.text);
        }
        #[cfg(debug_assertions)]
        crate::store::erasure::mask::must_hide(&self.text, &self.behind);
        let text = std::mem::take(&mut self.text);
        (self.only_what_is_seen(text), self.values, self.sources)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth > 0 { write!(f, "{}{}", self.letter, self.depth) } else { write!(f, "{}", self.letter) }
    }
}

/// An alias of a table in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    letter: char,
    depth: usize,
}

impl Alias {
    /// The table whose rows the statement selects.
    pub const ROW: Self = Self { letter: 't', depth: 0 };
    /// The link table joined to that table.
    pub const LINK: Self = Self { letter: 'l', depth: 0 };
    /// The subquery that yields the selected rows to the outer statement.
    pub const OUTER: Self = Self { letter: 'c', depth: 0 };
    /// The parents of the selected rows.
    pub const PARENT: Self = Self { letter: 'p', depth: 0 };

    /// Creates the alias of a table in a nested condition.
    pub const fn nested(letter: char, depth: usize) -> Self {
        Self { letter, depth }
    }

    /// Returns the nesting depth.
    pub const fn depth(self) -> usize {
        self.depth
    }
}
