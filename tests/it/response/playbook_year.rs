//! A year with playbooks, whose servers are stopped and killed, compared with a model: nothing is missed, and nothing is made
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::playbooks::{made_by_rule, playbook};
use crate::{
    app::{App, Caller, now},
    journeys::{by_id, made},
};

/// What happens on a day.
#[derive(Clone, Debug)]
enum Event {
    /// An occasion is recorded, whose day is so many days from now; its years begin so many years ago.
    Occasion { days: i64, years: u8, is_yearly: bool, is_account: bool },
    /// An interaction is scheduled in so many days.
    Schedule(i64),
    /// One of the scheduled interactions is moved to so many days from now.
    Move(usize, i64),
    /// One of them is called off.
    Cancel(usize),
    /// A playbook is edited.
    Edit(usize),
    /// One of the follow-ups is done.
    Complete(usize),
    /// A server that has begun its jobs is killed.
    Kill,
    /// The servers are stopped for so many days.
    Stop(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (-3..380_i64, 0..40_u8, any::<bool>(), any::<bool>())
            .prop_map(|(days, years, is_yearly, is_account)| Event::Occasion { days, years, is_yearly, is_account }),
        3 => (0..40_i64).prop_map(Event::Schedule),
        2 => (any::<usize>(), 0..40_i64).prop_map(|(which, days)| Event::Move(which, days)),
        1 => any::<usize>().prop_map(Event::Cancel),
        1 => any::<usize>().prop_map(Event::Edit),
        2 => any::<usize>().prop_map(Event::Complete),
        3 => Just(Event::Kill),
        1 => (1..5_u8).prop_map(Event::Stop),
    ]
}

/// An occasion, as it was recorded.
struct Occasion {
    first: NaiveDate,
    is_yearly: bool,
    zone: chrono_tz::Tz,
    created: DateTime<Utc>,
}

/// When each playbook makes follow-ups due, in minutes from the trigger.
const OCCASIONS: [i64; 2] = [540, -30 * 1440];
const VISITS: [i64; 2] = [-1440, 60];

fn start_of(zone: chrono_tz::Tz, day: NaiveDate) -> DateTime<Utc> {
    // None of these zones skips a midnight.
    day.and_time(NaiveTime::MIN).and_local_timezone(zone).earliest().unwrap().with_timezone(&Utc)
}

/// The day of an occasion in a year.
fn in_year(first: NaiveDate, year: i32) -> NaiveDate {
    first.with_year(year).unwrap_or_else(|| NaiveDate::from_ymd_opt(year, 2, 28).unwrap())
}

impl Occasion {
    /// The days that a playbook must have acted on at the end of the year, and those that it may have.
    fn days(&self, offset: i64, end: DateTime<Utc>) -> BTreeSet<String> {
        let years =
            if self.is_yearly { self.first.year()..=end.year() + 1 } else { self.first.year()..=self.first.year() };
        let days = years.map(|year| in_year(self.first, year));
        let is_owed = |day: &NaiveDate| {
            let at = start_of(self.zone, *day);
            at + TimeDelta::days(1) > self.created && at + TimeDelta::minutes(offset) <= end + TimeDelta::days(14)
        };
        days.filter(is_owed).map(|day| day.to_string()).collect()
    }
}

#[derive(Default)]
struct Model {
    occasions: BTreeMap<String, Occasion>,
    /// The times for which an interaction was ever scheduled, the present one last, and whether it still is.
    visits: BTreeMap<String, (Vec<DateTime<Utc>>, bool)>,
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// The time of day of what happens a number of days from now.
fn later(at: DateTime<Utc>, days: i64) -> DateTime<Utc> {
    at + TimeDelta::days(days) + TimeDelta::hours(3)
}

impl Model {
    async fn happen(&mut self, caller: &Caller<'_>, at: DateTime<Utc>, playbooks: &[String], event: &Event) {
        let planned: Vec<String> =
            self.visits.iter().filter(|(_, (.., is_planned))| *is_planned).map(|(id, _)| id.clone()).collect();
        match *event {
            Event::Occasion { days, years, is_yearly, is_account } => {
                let day = at.date_naive().checked_add_signed(TimeDelta::days(days)).unwrap();
                let years = if is_yearly { i32::from(years) } else { 0 };
                let first = in_year(day, day.year() - years);
                let (of, zone) = if is_account {
                    (
                        json!({ "accountRef": by_id(&made(caller, "accountCreate", json!({ "name": "One" })).await) }),
                        "America/New_York",
                    )
                } else {
                    let customer = json!({ "name": "Ann", "timeZone": "Pacific/Auckland" });
                    (
                        json!({ "customerRef": by_id(&made(caller, "customerCreate", customer).await) }),
                        "Pacific/Auckland",
                    )
                };
                let mut input = json!({ "kind": "BIRTHDAY", "date": first.to_string(),
                    "recurrence": if is_yearly { "YEARLY" } else { "ONCE" } });
                input.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
                let id = made(caller, "occasionCreate", input).await;
                self.occasions.insert(id, Occasion { first, is_yearly, zone: zone.parse().unwrap(), created: at });
            }
            Event::Schedule(days) => {
                let time = later(at, days);
                let input = json!({ "status": "SCHEDULED", "scheduledAt": text(time) });
                self.visits.insert(made(caller, "interactionCreate", input).await, (vec![time], true));
            }
            Event::Move(which, days) if !planned.is_empty() => {
                let (id, time) = (&planned[which % planned.len()], later(at, days));
                let input = json!({ "by": by_id(id), "scheduledAt": text(time) });
                caller.mutate("interactionReschedule", input, "errors { code }").await;
                let times = &mut self.visits.get_mut(id).unwrap().0;
                if times.last() != Some(&time) {
                    times.push(time);
                }
            }
            Event::Cancel(which) if !planned.is_empty() => {
                let id = &planned[which % planned.len()];
                caller.mutate("interactionCancel", json!({ "by": by_id(id) }), "errors { code }").await;
                self.visits.get_mut(id).unwrap().1 = false;
            }
            Event::Edit(which) => {
                let input =
                    json!({ "by": by_id(&playbooks[which % playbooks.len()]), "title": format!("Edited {at}") });
                caller.mutate("playbookUpdate", input, "errors { code }").await;
            }
            Event::Complete(which) => {
                let filter = "{ followUps(filter: { status: { eq: OPEN } }, first: 500) { nodes { id } } }";
                let open = caller.ask(filter).await["followUps"]["nodes"].as_array().unwrap().clone();
                if !open.is_empty() {
                    let input = json!({ "by": { "id": open[which % open.len()]["id"] } });
                    caller.mutate("followUpComplete", input, "errors { code }").await;
                }
            }
            Event::Move(..) | Event::Cancel(_) | Event::Kill | Event::Stop(_) => {}
        }
    }

    /// What must have been made, as often as that: by playbook, row and occurrence.
    fn expected(&self, playbooks: &[String], end: DateTime<Utc>) -> BTreeMap<(String, String, String), usize> {
        let mut all = BTreeMap::new();
        for (playbook, offset) in playbooks.iter().zip(OCCASIONS) {
            for (id, occasion) in &self.occasions {
                for day in occasion.days(offset, end) {
                    all.insert((playbook.clone(), id.clone(), day), 1);
                }
            }
        }
        for playbook in &playbooks[OCCASIONS.len()..] {
            for (id, (times, _)) in &self.visits {
                for time in times {
                    *all.entry((playbook.clone(), id.clone(), text(*time))).or_default() += 1;
                }
            }
        }
        all
    }
}

#[tokio::test]
async fn in_a_year_no_follow_up_is_missed_and_none_is_made_twice() {
    let app = App::start().await;
    let other = App::on(std::sync::Arc::clone(&app.database)).await;
    let caller = app.admin("one").await;
    let mut playbooks = Vec::new();
    for offset in OCCASIONS {
        playbooks.push(playbook(&caller, "OCCASION", json!({ "offsetMinutes": offset, "kind": "OCCASION" })).await);
    }
    for offset in VISITS {
        playbooks.push(playbook(&caller, "INTERACTION_SCHEDULED", json!({ "offsetMinutes": offset })).await);
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let year = vec(vec(event(), 0..3), 365).new_tree(&mut runner).unwrap().current();
    let (mut model, mut stopped) = (Model::default(), 0_u8);
    for (day, events) in year.iter().enumerate() {
        let minutes = i64::try_from(day).unwrap() * 1440;
        let (caller, at) = (caller.after(minutes), now() + TimeDelta::minutes(minutes));
        for event in events {
            model.happen(&caller, at, &playbooks, event).await;
            if let Event::Kill = event {
                app.store.plan_jobs(at).await.unwrap();
                for claim in app.store.claim(caller.organization(), 8, at).await.unwrap() {
                    app.store.step_claimed(&claim, at).await.unwrap();
                }
            }
            if let Event::Stop(days) = event {
                stopped = *days;
            }
        }
        if stopped > 0 {
            stopped -= 1;
            continue;
        }
        // Two servers look at the same hour; what the killed one held is free again.
        let later = at + TimeDelta::hours(1);
        tokio::join!(app.run_jobs(later), other.run_jobs(later));
    }
    let end = now() + Days::new(365);
    app.run_jobs(end).await;
    let mut found: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut open: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in all_of(&caller).await {
        let of = |field: &str| row[field]["id"].as_str().map(ToOwned::to_owned);
        let about = of("occasion").or_else(|| of("interaction")).unwrap();
        let occurrence = row["occurrence"].as_str().unwrap().to_owned();
        if row["status"] == "OPEN" && row["interaction"] != Value::Null {
            open.entry(about.clone()).or_default().insert(occurrence.clone());
        }
        *found.entry((of("playbook").unwrap(), about, occurrence)).or_default() += 1;
    }
    let expected = model.expected(&playbooks, end);
    assert!(expected.len() > 200, "{} occurrences", expected.len());
    for (occurrence, times) in &expected {
        assert_eq!(found.get(occurrence), Some(times), "{occurrence:?}");
    }
    assert_eq!(found.len(), expected.len());
    for (visit, times) in open {
        let (planned, is_planned) = &model.visits[&visit];
        let present = text(*planned.last().unwrap());
        assert_eq!((times.into_iter().collect::<Vec<_>>(), *is_planned), (vec![present], true), "{visit}");
    }
}

/// All follow-ups, page by page.
async fn all_of(caller: &Caller<'_>) -> Vec<Value> {
    assert!(made_by_rule(caller).await.len() <= 500);
    let document = "query($after: String) { followUps(orderBy: [{ field: ID }], first: 500, after: $after) {
        nodes { status occurrence playbook { id } interaction { id } occasion { id } }
        pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(document, json!({ "after": after })).await["followUps"].take();
        all.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
