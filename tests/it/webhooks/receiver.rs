//! A receiver of webhooks in this process: records what it is sent, and answers as it is told.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Request {
    /// Headers by lower-case name.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn timestamp(&self) -> i64 {
        self.headers["webhook-timestamp"].parse().unwrap()
    }

    pub fn signatures(&self) -> Vec<&str> {
        self.headers["webhook-signature"].split(' ').collect()
    }
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    answers: VecDeque<String>,
    connections: usize,
}

/// Answers 200 unless it is told otherwise.
#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    address: IpAddr,
    state: Arc<Mutex<State>>,
    /// A permit for each answer that it may give.
    gate: Arc<Semaphore>,
    /// How many requests have been received.
    count: watch::Sender<usize>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into(), 0).await
    }

    /// A receiver that answers nothing until it is opened.
    pub async fn hanging() -> Self {
        let receiver = Self::start().await;
        receiver.gate.forget_permits(usize::MAX);
        receiver
    }

    pub async fn at(address: IpAddr, port: u16) -> Self {
        let listener = TcpListener::bind((address, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let receiver = Self { port, address, state: Arc::default(), gate, count: watch::Sender::new(0) };
        let this = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                this.state.lock().unwrap().connections += 1;
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}:{}/hook", self.address, self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Waits until it has received so many requests.
    pub async fn has_received(&self, requests: usize) {
        let mut count = self.count.subscribe();
        let enough = count.wait_for(|count| *count >= requests);
        timeout(Duration::from_secs(10), enough).await.expect("they arrive").unwrap();
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// The next answers: a status, or a status with headers, then a blank line and the body.
    pub fn will_answer<'a>(&self, answers: impl IntoIterator<Item = &'a str>) {
        self.state.lock().unwrap().answers.extend(answers.into_iter().map(str::to_owned));
    }

    pub fn forget_answers(&self) {
        self.state.lock().unwrap().answers.clear();
    }

    /// Lets a hanging receiver answer.
    pub fn open(&self) {
        self.gate.add_permits(10_000);
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut read = Vec::new();
        let mut buffer = [0; 4_096];
        let (head, length) = loop {
            let count = stream.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return;
            }
            read.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
                let headers: HashMap<String, String> =
                    headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
                let length: usize = headers["content-length"].parse().unwrap();
                if body.len() >= length {
                    break (headers, body.to_owned());
                }
            }
        };
        self.state.lock().unwrap().requests.push(Request { headers: head, body: length });
        self.count.send_modify(|count| *count += 1);
        self.gate.acquire().await.unwrap().forget();
        let answer = self.state.lock().unwrap().answers.pop_front().unwrap_or_else(|| "200 OK".to_owned());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let text = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        // The other side may have gone.
        drop(stream.write_all(text.as_bytes()).await);
    }
}
