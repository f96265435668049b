//! Jobs that recur, and jobs that are due later.

use chrono::{DateTime, TimeDelta, Utc};
use rapport::{auth::Actor, schedule::Schedule, store::operation::jobs::NewJob};
use serde_json::json;

use super::{COUNT, NIGHTLY, begin, effects, listed, server};
use crate::app::{App, now};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_job_of_every_night_runs_once_a_night_by_the_clock_of_the_organization() {
    let app = server(&App::start().await, &[&NIGHTLY]).await;
    let (caller, start) = (app.admin("one").await, at("2027-03-13T12:00:00Z"));
    // Begun by two servers, it is one.
    let other = server(&app, &[&NIGHTLY]).await;
    let (one, another) = tokio::join!(app.store.plan_jobs(start), other.store.plan_jobs(start));
    one.unwrap();
    another.unwrap();
    // New York skips 02:30 on 14 March: the clock goes from 02:00 to 03:00, at 07:00 UTC. Later nights are missed.
    for (time, runs) in [
        ("2027-03-13T12:00:00Z", 1),
        ("2027-03-14T06:59:59Z", 1),
        ("2027-03-14T07:00:00Z", 2),
        ("2027-03-15T06:29:59Z", 2),
        ("2027-03-15T06:30:00Z", 3),
        ("2027-03-20T12:00:00Z", 4),
        ("2027-03-21T06:29:59Z", 4),
        ("2027-03-21T06:30:00Z", 5),
    ] {
        app.run_jobs(at(time)).await;
        other.run_jobs(at(time)).await;
        assert_eq!(effects(&app, caller.organization()).await, runs, "{time}");
    }
    let jobs = listed(&caller).await;
    let nightly: Vec<_> = jobs.iter().filter(|job| job["kind"] == "TEST_NIGHTLY").collect();
    assert_eq!(nightly.len(), 1);
    let job = nightly[0];
    assert_eq!(
        (&job["state"], &job["runAt"], &job["steps"]),
        (&json!("WAITING"), &json!("2027-03-22T06:30:00Z"), &json!(5))
    );
}

#[tokio::test]
async fn a_job_that_is_due_later_runs_then_and_one_begins_once() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let organization = app.organization("one").await;
    let due = now() + TimeDelta::hours(1);
    begin(&app, organization, &COUNT, "1", due).await;
    let early = due - TimeDelta::milliseconds(1);
    app.store.run_jobs(move || early).await.unwrap();
    assert_eq!(effects(&app, organization).await, 0);
    app.store.run_jobs(move || due).await.unwrap();
    assert_eq!(effects(&app, organization).await, 1);

    let job = |id| NewJob { id, kind: &COUNT, row: organization.0, progress: "1".to_owned(), run_at: Some(now()) };
    for is_new in [true, false] {
        let tx = app.store.scope(Actor::operator(organization), now()).begin().await.unwrap();
        assert_eq!(tx.begin_job_once(&job(entity::id::new())).await.unwrap(), is_new);
        tx.commit().await.unwrap();
    }
    app.store.run_jobs(now).await.unwrap();
    assert_eq!(effects(&app, organization).await, 2);
}

#[tokio::test]
async fn a_rolled_back_transaction_begins_no_job() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let organization = app.organization("one").await;
    for is_kept in [false, true] {
        let tx = app.store.scope(Actor::operator(organization), now()).begin().await.unwrap();
        let id = entity::id::new();
        let job = NewJob { id, kind: &COUNT, row: id, progress: "1".to_owned(), run_at: None };
        tx.begin_job(&job).await.unwrap();
        if is_kept { tx.commit().await } else { tx.roll_back().await }.unwrap();
        app.store.run_jobs(now).await.unwrap();
        assert_eq!(effects(&app, organization).await, usize::from(is_kept));
    }
}

#[tokio::test]
async fn every_schedule_can_be_read() {
    let app = App::start().await;
    let recurring: Vec<_> = app
        .store
        .job_kinds()
        .filter_map(|kind| kind.standing.as_ref().and_then(|standing| standing.recurs.as_ref()))
        .collect();
    assert!(recurring.len() >= 2);
    for recurrence in recurring {
        assert!(Schedule::parse(recurrence.cron).is_some(), "{recurrence:?}");
        assert!(recurrence.next(now(), chrono_tz::UTC).unwrap() > now());
    }
}
