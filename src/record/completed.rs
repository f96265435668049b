//! The condition on interactions that took place in a range of time.

use entity::{
    interaction::{self, InteractionStatus},
    noun::StringEnum,
};

use crate::store::statement::{
    cell::Cell,
    filter::{Comparison, Predicate},
};

/// Returns the conditions on completed interactions whose time is known and not outside the limits, in epoch
/// milliseconds: the first instant of the range, and the first one after it.
pub fn completed((from, to): (Option<i64>, Option<i64>)) -> Vec<Predicate> {
    let completed = Cell::Text(InteractionStatus::Completed.name().to_owned());
    let mut all = vec![Predicate::Column(interaction::STATUS.into(), Comparison::Eq(completed))];
    let time = interaction::OCCURRED_AT.into();
    let is_known = || Predicate::Not(Box::new(Predicate::Column(time, Comparison::IsNull)));
    all.push(from.map_or_else(is_known, |from| Predicate::Column(time, Comparison::Gte(Cell::Int(from)))));
    all.extend(to.map(|to| Predicate::Column(time, Comparison::Lt(Cell::Int(to)))));
    all
}
