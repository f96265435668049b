//! Where requests go: a name that flips between look-ups leads nowhere that was not vetted.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Counts connections, and answers each with a status and headers.
async fn listener(address: [u8; 4], port: u16, answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::from(address), port)).await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4_096];
            drop(stream.read(&mut buffer).await);
            let text = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            drop(stream.write_all(text.as_bytes()).await);
        }
    });
    (port, count)
}

/// A look-up that gives the answers in turn, the last one for ever, and counts.
fn flipping(answers: Vec<Vec<[u8; 4]>>) -> (Lookup, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let lookup: Lookup = Arc::new(move |_| {
        let turn = counted.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found: Vec<IpAddr> = answers[turn].iter().map(|address| Ipv4Addr::from(*address).into()).collect();
        Box::pin(async move { Ok(found) })
    });
    (lookup, count)
}

fn networks(text: &[&str]) -> Vec<IpNet> {
    text.iter().map(|network| network.parse().unwrap()).collect()
}

async fn post(outbound: &Outbound, url: &str) -> Result<u16, NoAnswer> {
    let answer = outbound.post(&Url::parse(url).unwrap(), &[], "{}".to_owned(), DateTime::UNIX_EPOCH).await;
    answer.map(|answer| answer.status)
}

#[tokio::test]
async fn a_name_that_flips_reaches_only_the_address_that_was_vetted() {
    let (port, vetted) = listener([127, 0, 0, 2], 0, "200 OK").await;
    let (_, canary) = listener([127, 0, 0, 1], port, "200 OK").await;
    // What is connected to is what was vetted: there is one look-up for a request.
    let (lookup, count) = flipping(vec![vec![[127, 0, 0, 2]], vec![[127, 0, 0, 1]]]);
    let outbound = Outbound::with_lookup(networks(&["127.0.0.2/32"]), &lookup);
    assert_eq!(post(&outbound, &format!("http://flips.example:{port}/")).await, Ok(200));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    for _ in 0..3 {
        assert_eq!(post(&outbound, &format!("http://flips.example:{port}/")).await, Err(NoAnswer::Forbidden));
        assert_eq!(post(&outbound, &format!("https://flips.example:{port}/")).await, Err(NoAnswer::Forbidden));
    }
    assert_eq!((vetted.load(Ordering::SeqCst), canary.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_reached_are_tried() {
    let (port, vetted) = listener([127, 0, 0, 2], 0, "200 OK").await;
    let (_, canary) = listener([127, 0, 0, 1], port, "200 OK").await;
    let (lookup, _) = flipping(vec![vec![[127, 0, 0, 1], [10, 0, 0, 1], [127, 0, 0, 2]]]);
    let outbound = Outbound::with_lookup(networks(&["127.0.0.2/32"]), &lookup);
    assert_eq!(post(&outbound, &format!("http://many.example:{port}/")).await, Ok(200));
    assert_eq!((vetted.load(Ordering::SeqCst), canary.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn a_host_that_is_an_address_is_vetted_too() {
    let (port, canary) = listener([127, 0, 0, 1], 0, "200 OK").await;
    let (lookup, count) = flipping(vec![vec![[127, 0, 0, 1]]]);
    let outbound = Outbound::with_lookup(networks(&["10.0.0.0/8", "169.254.0.0/16"]), &lookup);
    for host in ["127.0.0.1", "0x7f000001", "2130706433", "127.1", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            assert_eq!(post(&outbound, &url).await, Err(NoAnswer::Forbidden), "{url}");
        }
    }
    assert_eq!((canary.load(Ordering::SeqCst), count.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (port, _) = listener([127, 0, 0, 1], 0, "302 There\r\nlocation: http://127.0.0.1:1/").await;
    let outbound = Outbound::new(networks(&["127.0.0.0/8"]));
    assert_eq!(post(&outbound, &format!("http://127.0.0.1:{port}/")).await, Ok(302));
}

#[test]
fn http_reaches_only_networks_that_the_operator_allows() {
    let public = Outbound::new(Vec::new());
    let inward = Outbound::new(networks(&["10.0.0.0/8", "169.254.0.0/16", "fe80::/10"]));
    for (url, by_default, if_allowed) in [
        ("https://8.8.8.8/", true, true),
        ("https://example.org/", true, true),
        ("http://example.org/", false, true),
        ("http://8.8.8.8/", false, false),
        ("http://10.1.2.3/", false, true),
        ("https://10.1.2.3/", false, true),
        ("https://192.168.0.1/", false, false),
        ("https://169.254.169.254/", false, false),
        ("http://[fe80::1]/", false, false),
        ("ftp://example.org/", false, false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!((public.may_be_sent_to(&url), inward.may_be_sent_to(&url)), (by_default, if_allowed), "{url}");
    }
}

#[test]
fn a_wait_is_a_number_of_seconds_or_a_date() {
    let now = DateTime::parse_from_rfc3339("2026-11-22T12:00:00Z").unwrap().to_utc();
    assert_eq!(wait("120", now), Some(TimeDelta::seconds(120)));
    assert_eq!(wait("Sun, 22 Nov 2026 12:00:30 GMT", now), Some(TimeDelta::seconds(30)));
    for text in ["Sun, 22 Nov 2026 11:00:00 GMT", "-1", "soon", "1.5", "99999999999"] {
        assert_eq!(wait(text, now), None, "{text}");
    }
}
