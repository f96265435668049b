//! Shutdown: requests in progress finish, and a process that hangs still exits.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all, join3};
use serde_json::json;

use crate::{
    database::Database,
    server::{Server, TIMEOUT, organizations, until},
};

const ROUNDS: usize = 5;
/// Number of clients, each sending ten requests per second.
const CALLERS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_cut_off_when_a_server_is_told_to_stop() {
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    for round in 0..ROUNDS {
        let settings = ["--drain-delay", "3s", "--drain-timeout", "20s"];
        let mut server = Server::start(&database.url, &settings).await;
        // Behaves like a load balancer: sends nothing more to a server that is not ready.
        let (is_out, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
        let load = join_all((0..CALLERS).map(async |number| {
            let caller = server.caller(organization, &format!("{number}"));
            let mut ticks = tokio::time::interval(Duration::from_millis(100));
            let mut made = 0;
            while !is_out.load(Ordering::Relaxed) {
                ticks.tick().await;
                let name = format!("{round} {number} {made}");
                let answer = if made % 4 == 0 { caller.create(&name).await } else { caller.count().await };
                // A busy machine may reject some requests for lack of permits, which is allowed.
                assert!(answer.is_good() || answer.is_for_later(), "{answer:?}");
                answered.fetch_add(1, Ordering::Relaxed);
                made += 1;
            }
        }));
        let watch = async {
            until(async || (server.ready().await != 200).then_some(())).await;
            is_out.store(true, Ordering::Relaxed);
        };
        let stop = async {
            until(async || (answered.load(Ordering::Relaxed) > 5 * CALLERS).then_some(())).await;
            server.terminate();
            // A second SIGTERM must not kill the process.
            server.terminate();
        };
        let began = Instant::now();
        join3(load, watch, stop).await;
        let within = began.elapsed();
        let (status, took) = server.ended().await;
        println!("{} answers within {within:?}, ended {took:?} after the last", answered.into_inner());
        assert_eq!(status.code(), Some(0));
        assert!(took < Duration::from_secs(25), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_workers_stop_neither_health_nor_the_end() {
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let settings = ["--drain-delay", "1s", "--drain-timeout", "2s", "--exit-timeout", "1s"];
    let mut server = Server::start(&database.url, &settings).await;
    let victim = server.caller(organization, "fault:hang-at-read");
    let waiting = AtomicBool::new(true);
    let bombs = join_all((0..16).map(|_| async {
        // These requests get no response: they end with the process.
        assert!(victim.try_ask("{ departments { totalCount } }", json!({})).await.is_err());
        waiting.store(false, Ordering::Relaxed);
    }));
    let hang = async {
        // Once the health endpoint of the API address times out repeatedly, every worker hangs.
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(500)).build().unwrap();
        let url = format!("http://{}/healthz", server.address);
        let mut silent = 0;
        while silent < 8 {
            let is_silent = http.get(&url).header("connection", "close").send().await.is_err();
            silent = if is_silent { silent + 1 } else { 0 };
        }
        for _ in 0..10 {
            assert_eq!((server.alive().await, server.ready().await), (200, 200));
        }
        assert!(waiting.load(Ordering::Relaxed));
        server.terminate();
        until(async || (server.ready().await == 503).then_some(())).await;
        assert_eq!(server.alive().await, 200);
    };
    let began = Instant::now();
    join(bombs, hang).await;
    let (status, _) = server.ended().await;
    println!("hung and ended within {:?}", began.elapsed());
    assert_eq!(status.code(), Some(1));
    assert!(began.elapsed() < TIMEOUT);
    assert!(server.find(|line| line["level"] == "ERROR").is_some());
}
