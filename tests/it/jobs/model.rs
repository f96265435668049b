//! Claims, steps and the clock in any order, compared with a model.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use rapport::store::operation::jobs::{Claim, LEASE, StepResult};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{COUNT, begin, effects, server};
use crate::app::{App, now};

/// What happens.
#[derive(Clone, Debug)]
enum Event {
    /// A job of so many steps begins, due so many seconds from now.
    Begin(u8, i64),
    /// So many seconds pass.
    Pass(i64),
    /// A server claims up to so many jobs.
    Claim(usize, usize),
    /// A server performs a step of a job that it claimed once.
    Step(usize, usize),
    /// It gives the job back.
    Release(usize, usize),
}

/// A job as it should be.
#[derive(Clone, Debug)]
struct Expected {
    run_at: DateTime<Utc>,
    left: u8,
    fence: i64,
    held: Option<(usize, DateTime<Utc>)>,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1..4_u8, -20..40_i64).prop_map(|(steps, seconds)| Event::Begin(steps, seconds)),
        3 => (0..20_i64).prop_map(Event::Pass),
        4 => (0..2_usize, 1..4_usize).prop_map(|(server, most)| Event::Claim(server, most)),
        6 => (0..2_usize, any::<usize>()).prop_map(|(server, place)| Event::Step(server, place)),
        1 => (0..2_usize, any::<usize>()).prop_map(|(server, place)| Event::Release(server, place)),
    ]
}

async fn check(events: &[Event]) {
    let first = server(&App::start().await, &[&COUNT]).await;
    let servers = [server(&first, &[&COUNT]).await, first];
    let organization = servers[0].organization("one").await;
    let (mut time, mut done) = (now(), 0);
    let mut jobs: BTreeMap<Uuid, Expected> = BTreeMap::new();
    let mut claims: [Vec<Claim>; 2] = Default::default();
    for event in events {
        match *event {
            Event::Begin(left, seconds) => {
                let run_at = time + TimeDelta::seconds(seconds);
                let id = begin(&servers[0], organization, &COUNT, &left.to_string(), run_at).await;
                jobs.insert(id, Expected { run_at, left, fence: 0, held: None });
            }
            Event::Pass(seconds) => time += TimeDelta::seconds(seconds),
            Event::Claim(server, most) => {
                let is_free = |job: &Expected| job.held.is_none_or(|(_, until)| until <= time);
                let mut due: Vec<_> = jobs
                    .iter()
                    .filter(|(_, job)| job.run_at <= time && is_free(job))
                    .map(|(id, job)| (job.run_at, *id))
                    .collect();
                due.sort_unstable();
                let mut due: Vec<Uuid> = due.into_iter().take(most).map(|(_, id)| id).collect();
                let claimed = servers[server].store.claim(organization, most, time).await.unwrap();
                let mut ids: Vec<Uuid> = claimed.iter().map(|claim| claim.id).collect();
                due.sort_unstable();
                ids.sort_unstable();
                assert_eq!(ids, due, "the longest due first, and none that another server holds");
                for claim in claimed {
                    let job = jobs.get_mut(&claim.id).unwrap();
                    job.fence += 1;
                    job.held = Some((server, time + LEASE));
                    assert_eq!(claim.fence, job.fence);
                    claims[server].push(claim);
                }
            }
            Event::Step(server, place) | Event::Release(server, place) => {
                let Some(claim) = (!claims[server].is_empty()).then(|| &claims[server][place % claims[server].len()])
                else {
                    continue;
                };
                // A lease that has ended is still good while nobody else has claimed the job.
                let job = jobs.get_mut(&claim.id);
                let job =
                    job.filter(|job| job.fence == claim.fence && job.held.is_some_and(|(holder, _)| holder == server));
                if let Event::Release(..) = event {
                    servers[server].store.release(claim, time, time).await.unwrap();
                    if let Some(job) = job {
                        (job.held, job.run_at) = (None, time);
                    }
                    continue;
                }
                let stepped = servers[server].store.step_claimed(claim, time).await.unwrap();
                let Some(job) = job else {
                    assert_eq!(stepped, StepResult::Lost, "{claim:?}");
                    continue;
                };
                done += 1;
                job.left -= 1;
                job.held = Some((server, time + LEASE));
                assert_eq!(stepped, if job.left == 0 { StepResult::Done } else { StepResult::On });
                if job.left == 0 {
                    jobs.remove(&claim.id);
                }
            }
        }
        assert_eq!(effects(&servers[0], organization).await, done, "after {event:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_steps_of_two_servers_in_any_order_have_each_effect_once() {
    let handle = Handle::current();
    let config = Config { cases: 12, rng_seed: RngSeed::Fixed(14), failure_persistence: None, ..Config::default() };
    let done = tokio::task::spawn_blocking(move || {
        TestRunner::new(config).run(&prop::collection::vec(event(), 10..40), |events| {
            handle.block_on(check(&events));
            Ok(())
        })
    });
    done.await.unwrap().unwrap();
}
