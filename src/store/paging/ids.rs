//! Pages of the ids of rows that a condition of a slice selects.

use entity::{Col, id::NounId};

use super::{
    cursor::Codec,
    page::{PageQuery, Selection, Term, by_id},
};
use crate::{
    Result,
    store::{
        Scope,
        statement::{cell::Cell, filter::Predicate, template::PlanSize},
    },
};

/// A page of ids.
pub struct IdPage<I> {
    /// The ids.
    pub ids: Vec<I>,
    /// Whether there are more.
    pub has_next_page: bool,
    /// Cursor of the end of the page; `None` if the page is empty.
    pub end_cursor: Option<String>,
}

impl Scope {
    /// Returns the ids of rows that satisfy a condition, in descending order of a column: at most `first`, after the
    /// cursor.
    pub async fn newest_ids<I: NounId, T>(
        &self,
        filter: Predicate,
        column: Col<T>,
        first: i64,
        after: Option<String>,
    ) -> Result<IdPage<I>> {
        let order = vec![Term::new(column.into(), true), by_id(true)];
        let codec = Codec::new(I::NOUN, &order, self.organization());
        let after = after.map(|cursor| codec.decode(&cursor)).transpose()?;
        let limit = usize::try_from(first).unwrap_or_default();
        let query = PageQuery { filter, order, after, before: None, limit, looks_ahead: true, is_backward: false };
        // A page has the columns of the order.
        let page = self.page(&Selection::new(I::NOUN, Vec::new(), Vec::new(), &PlanSize::default()), &query).await?;
        let id = |row: &Vec<Cell>| row.last().and_then(Cell::id);
        Ok(IdPage {
            ids: page.rows.iter().filter_map(id).map(I::from).collect(),
            has_next_page: page.has_more,
            end_cursor: page.rows.last().map(|row| codec.encode(row)),
        })
    }
}
