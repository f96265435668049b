//! Occasions of customers and accounts, and when they come next.

use std::collections::HashMap;

use chrono::{Datelike as _, NaiveDate};
use chrono_tz::Tz;
use entity::{
    customer,
    id::{CustomerId, NounId as _},
    kind::Date,
    occasion::{CUSTOMER_ID, DATE, ID, NOUN, RECURRENCE, Recurrence},
    organization,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    Error, Result,
    calendar::start_of_day,
    error::Code,
    graphql::{
        slice::{Computed, Module},
        typed::{
            fields::{ByRow, ComputedFn},
            output::Output,
        },
    },
    store::{Scope, writing::write::Hooks},
};

/// GraphQL module of occasions.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |_, drafts| {
            Box::pin(async {
                for draft in drafts.iter_mut().filter(|draft| draft.gives(DATE) && draft.get(DATE).is_none()) {
                    draft.refuse(Code::Required, "date", "a value is required");
                }
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    computed: &[Computed {
        name: "next",
        doc: "When the occasion comes next: today, if it is on; null if it is over.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(next(scope, ids))),
    }],
    ..Module::new(&NOUN)
};

/// A day on which an occasion comes.
#[derive(Output)]
#[output(read = CustomersRead)]
struct OccasionDay {
    /// The day.
    date: Date,
    /// When the day begins in the time zone of the customer, UTC; of the organization if the customer has none.
    starts_at: ChronoUnixTimestampMillis,
    /// Number of years since the first time.
    years: i64,
}

async fn next(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<OccasionDay>>> {
    let rows = scope.select_by_ids((ID, DATE, RECURRENCE, CUSTOMER_ID), ids).await?;
    let customers: Vec<Uuid> = rows.iter().filter_map(|(.., customer)| *customer).map(CustomerId::uuid).collect();
    let zones = scope.select_by_ids((customer::ID, customer::TIME_ZONE), &customers).await?;
    let zones: HashMap<Uuid, String> = zones.into_iter().filter_map(|(id, zone)| Some((id.uuid(), zone?))).collect();
    let own = scope.select_by_ids_unchecked((organization::TIME_ZONE,), &[scope.organization().0]).await?;
    let own = own.into_iter().next().map(|(zone,)| zone).unwrap_or_default();
    let mut days = HashMap::new();
    for (id, date, recurrence, customer) in rows {
        let Some(first) = date.and_then(Date::day) else { continue };
        let zone = customer.and_then(|id| zones.get(&id.uuid())).unwrap_or(&own);
        let zone: Tz = zone.parse().map_err(|_| Error::internal("a time zone is not known"))?;
        let today = scope.now().with_timezone(&zone).date_naive();
        let day = coming(first, recurrence, today).and_then(|day| Some((day, start_of_day(zone, day)?)));
        let day = day.map(|(day, start)| OccasionDay {
            date: Date::of(day),
            starts_at: ChronoUnixTimestampMillis(start),
            years: i64::from(day.year() - first.year()),
        });
        days.insert(id.uuid(), day);
    }
    Ok(days)
}

/// Returns the first day of an occasion that is not before `today`; `None` if there is none.
pub fn coming(first: NaiveDate, recurrence: Recurrence, today: NaiveDate) -> Option<NaiveDate> {
    if first >= today {
        return Some(first);
    }
    if recurrence == Recurrence::Once {
        return None;
    }
    // Of the days of February, the 28th is in every year.
    let in_year = |year| first.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 2, 28));
    let this_year = in_year(today.year())?;
    if this_year >= today { Some(this_year) } else { in_year(today.year() + 1) }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use entity::occasion::Recurrence;

    use super::coming;

    #[test]
    fn an_occasion_of_29_february_comes_on_28_february_in_other_years() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (first, today, wanted) in [
            ("2024-02-29", "2024-02-29", "2024-02-29"),
            ("2024-02-29", "2024-03-01", "2025-02-28"),
            ("2024-02-29", "2025-02-28", "2025-02-28"),
            ("2024-02-29", "2025-03-01", "2026-02-28"),
            ("2024-02-29", "2027-03-01", "2028-02-29"),
            ("1990-12-31", "2026-12-31", "2026-12-31"),
            ("1990-01-01", "2026-01-02", "2027-01-01"),
            ("2030-05-05", "2026-01-02", "2030-05-05"),
        ] {
            assert_eq!(coming(day(first), Recurrence::Yearly, day(today)), Some(day(wanted)), "{first} {today}");
        }
        assert_eq!(coming(day("2026-01-01"), Recurrence::Once, day("2026-01-02")), None);
        assert_eq!(coming(day("2026-01-02"), Recurrence::Once, day("2026-01-02")), Some(day("2026-01-02")));
    }
}
