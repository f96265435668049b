//! The real program, killed and disconnected while clients write: every acknowledged write must be stored exactly once.
//!
//! A separate test binary, because it starts many processes and `cargo test` runs one test binary at a time.
//! `RAPPORT_TEST_CRASH_TIMES=10` makes the run ten times as long.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says; only bare test functions may by themselves"
)]

mod check;
mod client;
mod cluster;
mod dice;
mod dropped;
mod faults;
mod jobs;
mod ledger;
mod proxy;
mod server;
mod writers;

use crate::{
    check::{Place, check},
    dice::Dice,
    server::Server,
    writers::Writers,
};

/// Whether the tests run on PostgreSQL. They start servers of their own and leave the one in the variable alone.
fn is_on_postgres() -> bool {
    std::env::var_os("RAPPORT_TEST_POSTGRES").is_some()
}

/// Returns the factor for the length of the run.
fn times() -> u64 {
    let given = std::env::var_os("RAPPORT_TEST_CRASH_TIMES");
    given.map_or(1, |text| text.to_str().and_then(|text| text.parse().ok()).expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_and_none_is_doubled() {
    let dice = Dice::of_this_run();
    if is_on_postgres() {
        faults::everything_fails_on_postgres(dice, times()).await;
    } else {
        // 50 acknowledged writes per kill suffice for a routine run.
        let each = if times() == 1 { 50 } else { 100 };
        the_server_is_killed_on_sqlite(dice, 20 * times(), each).await;
    }
}

async fn the_server_is_killed_on_sqlite(mut dice: Dice, kills: u64, each: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::new(folder.path(), "server", &[]);
    server.start().await;
    let servers = [server.address()];
    let mut writers = Writers::start(folder.path(), &["acme"], &[], &servers, &mut dice).await;
    let mut done = 0;
    while done < kills {
        writers.go_on(dice.number(each / 5..2 * each)).await;
        dice.moment(20).await;
        assert!(server.is_running(), "nobody killed it: {:?}", server.errors());
        server.kill();
        done += 1;
        if dice.one_in(4) {
            // Kill the server again while it starts, or just after.
            let started = server.spawn();
            dice.moment(500).await;
            server.kill();
            drop(started);
            done += 1;
        }
        server.start().await;
    }
    writers.reach(each * kills).await;
    let accounts = writers.finish(folder.path()).await;
    server.kill();
    let url = format!("sqlite://{}/rapport.db", folder.path().display());
    let mut wrong = check(&Place::Sqlite(url), &accounts).await;
    wrong.extend(server.errors());
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), first(&wrong));
    let acknowledged: usize = accounts.iter().map(|account| account.acknowledged.len()).sum();
    println!("{done} kills, {acknowledged} acknowledged writes: none lost, none doubled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_it_makes_its_file_and_its_key_can_start_again() {
    let mut dice = Dice::of_this_run();
    for _ in 0..3 * times() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::new(folder.path(), "server", &[]);
        for _ in 0..4 {
            let started = server.spawn();
            dice.moment(400).await;
            server.kill();
            drop(started);
        }
        server.start().await;
        server.kill();
        let left = Place::Sqlite(format!("sqlite://{}/rapport.db", folder.path().display()));
        assert_eq!(check(&left, &[]).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_nobody_waits_for_any_more_is_not_left_open() {
    let dice = Dice::of_this_run();
    if is_on_postgres() {
        dropped::on_postgres(dice).await;
    } else {
        dropped::on_sqlite(dice).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_killed_servers_go_on_and_each_effect_is_stored_once() {
    let dice = Dice::of_this_run();
    if is_on_postgres() {
        faults::jobs_go_on_with_two_servers(dice).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut servers = [Server::new(folder.path(), "server", &[])];
    servers[0].start().await;
    let place = Place::Sqlite(format!("sqlite://{}/rapport.db", folder.path().display()));
    jobs::are_performed_once(folder.path(), &[], &place, &mut servers, dice).await;
}

/// Returns the first items of a list that may be long, joined to one text.
fn first(wrong: &[String]) -> String {
    wrong[..wrong.len().min(20)].join("\n")
}
