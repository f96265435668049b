//! The database goes down and comes back while the server keeps running.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use sqlx::{Connection, PgConnection};

use crate::{
    cluster::Cluster,
    server::{Answer, Server, at_once, organizations, tally, until},
};

const CYCLES: usize = 3;
/// An error must arrive within a second; a busy machine gets three times that.
const LATE: Duration = Duration::from_secs(3);
/// A client that is told to retry makes one attempt per second; one within five seconds must succeed.
const ATTEMPTS: usize = 5;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Whether the tests run on PostgreSQL; a file cannot be unavailable.
fn is_on_postgres() -> bool {
    std::env::var_os("RAPPORT_TEST_POSTGRES").is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_are_told_to_come_back_and_are_served_once_the_database_is_there_again() {
    if !is_on_postgres() {
        return;
    }
    let mut cluster = Cluster::make().await;
    let [organization] = organizations(&cluster.url("rapport")).await;
    let mut server = Server::start(&cluster.url("rapport"), &["--database-connections", "4"]).await;
    for cycle in 0..CYCLES {
        let caller = server.caller(organization, "mia");
        let before = until(async || Some(caller.count().await).filter(Answer::is_good)).await.total();

        // Writers that never pause: every acknowledged write must persist.
        let (is_over, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let writers = join_all((0..4).map(async |number| {
            let caller = server.caller(organization, &format!("writer {number}"));
            let mut made = 0;
            while !is_over.load(Ordering::Relaxed) {
                let answer = caller.create(&format!("{cycle} {number} {made}")).await;
                if answer.is_good() {
                    made += 1;
                    done.fetch_add(1, Ordering::Relaxed);
                } else {
                    assert!(answer.is_for_later(), "{answer:?}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            // The last call may have succeeded without a response, so it is repeated.
            until(async || Some(caller.create(&format!("{cycle} {number} {made}")).await).filter(Answer::is_good))
                .await;
            done.fetch_add(1, Ordering::Relaxed);
        }));
        let outage = async {
            until(async || (done.load(Ordering::Relaxed) > 20).then_some(())).await;
            tokio::task::block_in_place(|| cluster.stop(if cycle % 2 == 0 { "immediate" } else { "fast" }));
            assert_eq!(server.alive().await, 200);
            for _ in 0..3 {
                let answers = at_once(8, |_| caller.count()).await;
                assert_eq!(tally(&answers).0, 0);
                let slowest = answers.iter().map(|answer| answer.took).max().unwrap();
                println!("away: the slowest of 8 answers took {slowest:?}");
                assert!(slowest < LATE, "{slowest:?}");
            }
            until(async || (server.ready().await == 503).then_some(())).await;
            // In the first cycle, wait longer than the maximum age of the cached revocations.
            tokio::time::sleep(Duration::from_secs(if cycle == 0 { 11 } else { 0 })).await;
            let answers = at_once(64, |_| caller.count()).await;
            assert_eq!(tally(&answers).0, 0);
            assert!(answers.iter().all(|answer| answer.took < LATE), "{answers:?}");
            cluster.start();
            let back = Instant::now();
            until(async || PgConnection::connect(&cluster.url("rapport")).await.ok()).await;
            let there = back.elapsed();
            let mut attempts = 1;
            loop {
                let answer = caller.count().await;
                if answer.is_good() {
                    break;
                }
                assert!(answer.is_for_later() && attempts < ATTEMPTS, "attempt {attempts}: {answer:?}");
                attempts += 1;
                tokio::time::sleep(RETRY_AFTER).await;
            }
            println!(
                "back: the database after {there:?}, the first success after {:?}, at attempt {attempts}",
                back.elapsed()
            );
            until(async || (server.ready().await == 200).then_some(())).await;
            is_over.store(true, Ordering::Relaxed);
        };
        join(writers, outage).await;
        let after = server.caller(organization, "mia").count().await.total();
        assert_eq!(after, before + done.into_inner());
    }
    assert!(server.runs());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_server_leaves_no_complaint_in_the_log_of_the_database() {
    if !is_on_postgres() {
        return;
    }
    let cluster = Cluster::make().await;
    let [organization] = organizations(&cluster.url("rapport")).await;
    let server = Server::start(&cluster.url("rapport"), &[]).await;
    let caller = server.caller(organization, "mia");
    for at in 0..10 {
        // The connection used by the ping must have been returned before the next one.
        assert_eq!(server.ready().await, 200);
        assert!(caller.count().await.is_good() && caller.create(&format!("{at}")).await.is_good());
    }
    let log = cluster.log();
    let complaints: Vec<_> = log.lines().filter(|line| line.contains("WARNING") || line.contains("ERROR")).collect();
    assert!(log.contains("ready to accept connections") && complaints.is_empty(), "{complaints:?}");
}
