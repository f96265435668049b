//! Claims and leases: servers share the jobs, and each effect happens once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rapport::{
    auth::Actor,
    store::operation::jobs::{Job, LEASE, StepResult},
};

use super::{CARELESS, COUNT, begin, effects, listed, server};
use crate::app::{App, now};

#[tokio::test]
async fn two_servers_share_the_jobs_and_each_effect_happens_once() {
    let first = server(&App::start().await, &[&COUNT]).await;
    let second = server(&first, &[&COUNT]).await;
    let organizations = [first.organization("one").await, first.organization("two").await];
    for organization in organizations {
        for _ in 0..20 {
            begin(&first, organization, &COUNT, "3", now()).await;
        }
    }
    let (one, other) = tokio::join!(first.store.claim_jobs(8, now()), second.store.claim_jobs(8, now()));
    let claimed: Vec<_> = one.unwrap().into_iter().chain(other.unwrap()).map(|claim| claim.id).collect();
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), claimed.len(), "no job is claimed twice");
    assert!(claimed.len() > 8, "neither waits for the other");
    // What was claimed and left alone is performed when the leases have ended.
    for at in [now(), now() + LEASE] {
        let (one, other) = tokio::join!(first.store.run_jobs(move || at), second.store.run_jobs(move || at));
        one.unwrap();
        other.unwrap();
    }
    for organization in organizations {
        assert_eq!(effects(&first, organization).await, 60);
    }
    assert_eq!(first.database.look("SELECT kind FROM job".to_owned()).await, Vec::<Vec<_>>::new());
}

#[tokio::test]
async fn a_step_of_a_server_that_was_too_slow_is_rolled_back() {
    let slow = server(&App::start().await, &[&COUNT, &CARELESS]).await;
    let other = server(&slow, &[&COUNT, &CARELESS]).await;
    let organization = slow.organization("one").await;
    for kind in [&COUNT, &CARELESS] {
        begin(&slow, organization, kind, "2", now()).await;
    }
    let claims = slow.store.claim(organization, 9, now()).await.unwrap();
    assert_eq!(claims.len(), 2);
    let before = LEASE - TimeDelta::milliseconds(1);
    assert!(other.store.claim(organization, 9, now() + before).await.unwrap().is_empty());
    let taken = other.store.claim(organization, 9, now() + LEASE).await.unwrap();
    assert_eq!(taken.iter().map(|claim| claim.fence).collect::<Vec<_>>(), [2, 2]);

    // It finds that it is late before it begins, or, if it had read the job before, when it ends.
    for claim in &claims {
        assert_eq!(slow.store.step_claimed(claim, now() + LEASE).await.unwrap(), StepResult::Lost);
        let (id, kind, progress) = (claim.id, claim.kind, "2".to_owned());
        let read = Job { id, kind, row: id, progress, steps: 0, fence: claim.fence };
        let scope = slow.store.scope(Actor::operator(organization), now() + LEASE);
        let stepped = (kind.step)(&scope, &read).await;
        assert!(matches!(stepped, Ok(StepResult::Lost) | Err(_)), "{stepped:?}");
        slow.store.release(claim, now(), now()).await.unwrap();
    }
    assert_eq!(effects(&slow, organization).await, 0, "nothing of it is stored");
    assert!(slow.store.claim(organization, 9, now() + LEASE).await.unwrap().is_empty(), "it gives no other's job back");
    for claim in &taken {
        while other.store.step_claimed(claim, now() + LEASE).await.unwrap() == StepResult::On {}
    }
    assert_eq!(effects(&slow, organization).await, 3);
}

#[tokio::test]
async fn each_step_extends_the_lease() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let (other, organization) = (server(&app, &[&COUNT]).await, app.organization("one").await);
    begin(&app, organization, &COUNT, "9", now()).await;
    let claim = app.store.claim(organization, 1, now()).await.unwrap().remove(0);
    for seconds in [10, 20, 30] {
        let at = now() + TimeDelta::seconds(seconds);
        assert!(other.store.claim(organization, 1, at).await.unwrap().is_empty(), "after {seconds} s");
        assert_eq!(app.store.step_claimed(&claim, at).await.unwrap(), StepResult::On);
    }
    assert_eq!(other.store.claim(organization, 1, now() + TimeDelta::seconds(45)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_organization_with_many_jobs_does_not_keep_another_waiting() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let (busy, calm) = (app.organization("busy").await, app.organization("calm").await);
    for minutes in 0..30 {
        begin(&app, busy, &COUNT, "1", now() - TimeDelta::minutes(100 - minutes)).await;
    }
    begin(&app, calm, &COUNT, "1", now()).await;
    let claims = app.store.claim_jobs(8, now()).await.unwrap();
    assert_eq!(claims.iter().filter(|claim| claim.organization == busy).count(), 4);
    assert_eq!(claims.iter().filter(|claim| claim.organization == calm).count(), 1);
    // One at a time, they take turns.
    for _ in 0..3 {
        begin(&app, calm, &COUNT, "1", now()).await;
    }
    let mut turns = Vec::new();
    for _ in 0..6 {
        let claims = app.store.claim_jobs(1, now()).await.unwrap();
        turns.extend(claims.iter().map(|claim| claim.organization));
    }
    assert_eq!(turns.len(), 6);
    assert!(turns.windows(2).all(|pair| pair[0] != pair[1]), "{turns:?}");
}

#[tokio::test]
async fn a_job_with_many_steps_lets_others_pass() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let caller = app.admin("one").await;
    let long = begin(&app, caller.organization(), &COUNT, "1000", now() - TimeDelta::hours(1)).await;
    let claim = app.store.claim(caller.organization(), 1, now()).await.unwrap().remove(0);
    assert_eq!(claim.id, long);
    for _ in 0..20 {
        assert_eq!(app.store.step_claimed(&claim, now()).await.unwrap(), StepResult::On);
    }
    app.store.release(&claim, now(), now()).await.unwrap();
    let short = begin(&app, caller.organization(), &COUNT, "1", now() - TimeDelta::minutes(1)).await;
    assert_eq!(app.store.claim(caller.organization(), 1, now()).await.unwrap()[0].id, short);
}

#[tokio::test]
async fn a_server_leaves_kinds_alone_that_it_does_not_know() {
    let (old, new) = (App::start().await, App::start().await);
    drop(new);
    let app = server(&old, &[&COUNT]).await;
    let caller = old.admin("one").await;
    begin(&app, caller.organization(), &COUNT, "1", now()).await;
    old.run_jobs(now()).await;
    let jobs = listed(&caller).await;
    assert_eq!(jobs.iter().filter(|job| job["kind"] == "TEST_COUNT" && job["state"] == "WAITING").count(), 1);
    app.run_jobs(now()).await;
    assert_eq!(effects(&app, caller.organization()).await, 1);
}

#[tokio::test]
async fn a_job_of_an_earlier_version_is_performed() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let organization = app.organization("one").await;
    let text = if app.database.is_sqlite() {
        let organization = format!("x'{}'", organization.0.simple());
        format!("{organization}, {organization}, 'TEST_COUNT', {organization}")
    } else {
        let organization = organization.0;
        format!("'{organization}', '{organization}', 'TEST_COUNT', '{organization}'")
    };
    let columns = "organization_id, id, kind, row_id, progress, steps, stepped_at";
    app.database.change(&format!("INSERT INTO job ({columns}) VALUES ({text}, '2', 5, 0)")).await;
    app.run_jobs(now()).await;
    assert_eq!(effects(&app, organization).await, 2);
}
