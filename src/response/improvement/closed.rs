//! Whether the loop of an improvement is closed, and since when.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    customer,
    id::CustomerId,
    improvement::{DONE_AT, ID, ImprovementStatus, STATUS},
    notice::{self, NoticeStatus},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    Error, Result,
    graphql::{
        slice::Computed,
        typed::fields::{ByRow, ComputedFn},
    },
    store::Scope,
};

/// Maximum number of notices read to compute one field.
const MOST: usize = 100_000;

/// The computed field `isClosed`.
pub(super) const IS_CLOSED: Computed = Computed {
    name: "isClosed",
    doc: "Whether the loop is closed: the improvement is DONE, and no notice is PENDING. Notices of customers who were \
          erased do not count.",
    run: &ComputedFn::new(|scope, (), ids| {
        Box::pin(async move {
            let closed = closed(scope, ids).await?;
            Ok(closed.into_iter().map(|(id, at)| (id, at.is_some())).collect::<ByRow<bool>>())
        })
    }),
};

/// The computed field `closedAt`.
pub(super) const CLOSED_AT: Computed = Computed {
    name: "closedAt",
    doc: "When the loop was closed, UTC: when it was done, or the last customer was told or given up. Null while it is \
          open. It is not stored: for open ones, filter by status and by notices.",
    run: &ComputedFn::new(|scope, (), ids| {
        Box::pin(async move {
            let closed = closed(scope, ids).await?;
            let shown = |at: Option<DateTime<Utc>>| at.map(ChronoUnixTimestampMillis);
            Ok(closed.into_iter().map(|(id, at)| (id, shown(at))).collect::<ByRow<Option<_>>>())
        })
    }),
};

/// Returns when the loops of improvements were closed.
async fn closed(scope: &Scope, ids: &[Uuid]) -> Result<HashMap<Uuid, Option<DateTime<Utc>>>> {
    let improvements = scope.select_by_ids_unchecked((ID, STATUS, DONE_AT), ids).await?;
    let columns = (notice::IMPROVEMENT_ID, notice::STATUS, notice::TOLD_AT, notice::ABANDONED_AT, notice::CUSTOMER_ID);
    let notices = scope.select_unchecked(columns, notice::IMPROVEMENT_ID, ids, MOST).await?;
    if notices.len() > MOST {
        let message = format!("these improvements have more than {MOST} notices; ask for fewer improvements");
        return Err(Error::BadInput(message));
    }
    let waiting: HashSet<CustomerId> = notices
        .iter()
        .filter(|(_, status, ..)| *status == NoticeStatus::Pending)
        .map(|(.., customer)| *customer)
        .collect();
    let waiting: Vec<Uuid> = waiting.into_iter().map(|customer| customer.0).collect();
    let erased = scope.select_by_ids_unchecked((customer::ID, customer::ERASED_AT), &waiting).await?;
    let erased: HashSet<CustomerId> =
        erased.into_iter().filter(|(_, at)| at.is_some()).map(|(customer, _)| customer).collect();
    let mut closed: HashMap<Uuid, Option<DateTime<Utc>>> = improvements
        .into_iter()
        .map(|(id, status, done)| (id.0, done.filter(|_| status == ImprovementStatus::Done).map(|at| at.0)))
        .collect();
    for (improvement, status, told, abandoned, customer) in notices {
        let Some(at) = closed.get_mut(&improvement.0) else { continue };
        if status == NoticeStatus::Pending {
            if !erased.contains(&customer) {
                *at = None;
            }
            continue;
        }
        let settled = if status == NoticeStatus::Told { told } else { abandoned };
        *at = at.map(|at| settled.map_or(at, |settled| at.max(settled.0)));
    }
    Ok(closed)
}
