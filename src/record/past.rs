//! Checks of times in rows that say what happened.

use entity::{Col, col::ColumnType};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    error::Code,
    store::{Tx, statement::cell::Column, writing::draft::Draft},
};

/// Refuses a draft that sets the column to a time in the future.
pub fn refuse_future<T>(tx: &Tx, draft: &mut Draft, column: Col<T>)
where
    T: ColumnType<Value = ChronoUnixTimestampMillis>,
{
    if draft.gives(column) && draft.get(column).is_some_and(|at| at.0 > tx.now()) {
        let field = Column::from(column).field;
        draft.refuse(Code::OutOfRange, field, format!("{field} must not be in the future"));
    }
}

/// Refuses a draft whose `later` time is before the `earlier` one. The error is at the one that the caller gives.
pub fn refuse_before<T, U>(draft: &mut Draft, later: Col<T>, earlier: Col<U>)
where
    T: ColumnType<Value = ChronoUnixTimestampMillis>,
    U: ColumnType<Value = ChronoUnixTimestampMillis>,
{
    let is_before = draft.get(later).zip(draft.get(earlier)).is_some_and(|(later, earlier)| later.0 < earlier.0);
    if is_before && (draft.gives(later) || draft.gives(earlier)) {
        let (end, start) = (Column::from(later).field, Column::from(earlier).field);
        let field = if draft.gives(later) { end } else { start };
        draft.refuse(Code::OutOfRange, field, format!("{end} must not be before {start}"));
    }
}
