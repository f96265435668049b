//! Retention rules, and how many rows each would remove.

use entity::id::NounId;
use entity::retention_rule::{DAYS, ID, NOUN, NOUN_COLUMN};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    graphql::{
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Scope,
        operation::jobs::kind::{Kind, Recurrence, ScheduleZone, Standing},
    },
};

/// GraphQL module of retention rules.
pub const SLICE: Module = Module { computed: &[DUE], ..Module::new(&NOUN) };

/// The job that applies the rules.
pub static JOB: Kind = Kind {
    name: "RETENTION",
    step: |scope, job| Box::pin(scope.step_retention(job)),
    standing: Some(Standing {
        organizations: |store| Box::pin(store.with_rows(&NOUN)),
        recurs: Some(Recurrence { cron: "*/10 * * * *", zone: ScheduleZone::Utc }),
    }),
};

const DUE: Computed = Computed {
    name: "dueCount",
    doc: "Number of rows that the rule would remove now, without their parts. Rows that others refer to are not counted: \
          they stay.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(due(scope, ids))),
};

async fn due(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<i64>> {
    let mut counts = ByRow::new();
    for (id, noun, days) in scope.select((ID, NOUN_COLUMN, DAYS), ID, ids, ids.len()).await? {
        counts.insert(id.uuid(), scope.expired_count(noun.noun(), days).await?);
    }
    Ok(counts)
}
