//! What of a clock depends on the current time.

use std::collections::HashMap;

use entity::{
    case,
    deadline::{COMPLETED_AT, DUE_AT, ID, NOUN},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    clock::{Clock, breached_at},
    policies::Calendars,
};
use crate::{
    Result,
    graphql::{
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{Scope, statement::cell::columns},
};

/// GraphQL module of deadlines.
pub const SLICE: Module = Module {
    computed: &[
        Computed {
            name: "remainingMinutes",
            doc: "Business minutes that are left, rounded down; negative once it is due. While it is paused they stay, and \
                  once completed they are what was left then. At most the last ten years are counted.",
            run: &ComputedFn::new(|scope, (), ids| Box::pin(remaining(scope, ids))),
        },
        Computed {
            name: "breachedAt",
            doc: "When it was due, UTC, if it was not completed by then; null otherwise. It is not stored: filter by dueAt \
                  and completedAt.",
            run: &ComputedFn::new(|scope, (), ids| Box::pin(breached(scope, ids))),
        },
    ],
    ..Module::new(&NOUN)
};

/// Computed field of cases.
pub const CASE_BREACHED_AT: Computed = Computed {
    name: "breachedAt",
    doc: "Since when the case is overdue, UTC: dueAt, if it is past; null otherwise. It is not stored: filter by dueAt.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(case_breached(scope, ids))),
};

async fn remaining(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<i64>> {
    let rows = scope.records_unchecked(&NOUN, &columns(&NOUN), ids).await?;
    let clocks: HashMap<Uuid, Clock> = rows.into_iter().filter_map(|(id, row)| Some((id, Clock::of(&row)?))).collect();
    let calendars = Calendars::read(scope, clocks.values().map(|clock| clock.terms.calendar)).await?;
    let minutes = clocks.into_iter().map(|(id, clock)| {
        let left = clock.remaining(scope.now(), calendars.get(clock.terms.calendar)?);
        Ok((id, left.num_milliseconds().div_euclid(60_000)))
    });
    minutes.collect()
}

async fn breached(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<ChronoUnixTimestampMillis>>> {
    let rows = scope.select_by_ids_unchecked((ID, DUE_AT, COMPLETED_AT), ids).await?;
    let breached = rows.into_iter().map(|(id, due, completed)| {
        let at = breached_at(due.map(|at| at.0), completed.map(|at| at.0), scope.now());
        (Uuid::from(id), at.map(ChronoUnixTimestampMillis))
    });
    Ok(breached.collect())
}

async fn case_breached(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<ChronoUnixTimestampMillis>>> {
    let rows = scope.select_by_ids_unchecked((case::ID, case::DUE_AT), ids).await?;
    let breached = rows.into_iter().map(|(id, due)| {
        let at = breached_at(due.map(|at| at.0), None, scope.now());
        (Uuid::from(id), at.map(ChronoUnixTimestampMillis))
    });
    Ok(breached.collect())
}
