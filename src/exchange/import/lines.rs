//! The lines of imports: they are removed after 7 days.

use chrono::TimeDelta;
use entity::{
    import,
    import_line::{CREATED_AT, ID, NOUN},
};

use crate::{
    exchange::old_rows,
    graphql::slice::Module,
    store::operation::jobs::kind::{Kind, Recurrence, ScheduleZone, Standing},
};

/// How long lines are kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// GraphQL module of the lines.
pub const SLICE: Module = Module::new(&NOUN);

/// The job that removes old lines.
pub static OLD_JOB: Kind = Kind {
    name: "IMPORT_LINES",
    step: |scope, job| Box::pin(old_rows::remove(scope, job, (ID, CREATED_AT), KEPT)),
    standing: Some(Standing {
        organizations: |store| Box::pin(store.with_rows(&import::NOUN)),
        recurs: Some(Recurrence { cron: "41 3 * * *", zone: ScheduleZone::Utc }),
    }),
};
