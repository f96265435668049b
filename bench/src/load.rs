//! Load generator: sends a fixed number of requests over a few keep-alive connections on loopback, at full speed or at
//! a fixed rate.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

/// An encoded request, and a text that a correct response contains.
pub struct Request {
    pub bytes: Vec<u8>,
    pub holds: &'static str,
}

/// Encodes a POST request.
pub fn post(address: SocketAddr, path: &str, headers: &str, body: &str, holds: &'static str) -> Request {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         {headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    Request { bytes: [head.as_bytes(), body.as_bytes()].concat(), holds }
}

/// A keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        Ok(Self { stream, buffer: vec![0; 1 << 16] })
    }

    /// Sends an encoded request. Returns the status and the body of the response.
    pub fn ask(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>)> {
        self.stream.write_all(request)?;
        let (mut got, mut head, mut length, mut is_chunked) = (Vec::new(), 0, 0, false);
        loop {
            let read = self.stream.read(&mut self.buffer)?;
            ensure!(read > 0, "closed after {}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&self.buffer[..read]);
            if head == 0 {
                let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                head = end + 4;
                let lines = String::from_utf8_lossy(&got[..end]).to_lowercase();
                is_chunked = lines.contains("transfer-encoding: chunked");
                let given = lines.lines().find_map(|line| line.strip_prefix("content-length:"));
                length = given.map_or(Ok(0), |given| given.trim().parse::<usize>())?;
            }
            let is_whole = if is_chunked { got.ends_with(b"0\r\n\r\n") } else { got.len() >= head + length };
            if is_whole {
                break;
            }
        }
        let status = std::str::from_utf8(got.get(9..12).context("no status")?)?.parse()?;
        got.drain(..head);
        Ok((status, if is_chunked { unchunk(&got)? } else { got }))
    }

    /// Sends a request and returns the response as JSON. Err if the response is not correct.
    pub fn answer(&mut self, request: &Request) -> Result<Value> {
        let (status, body) = self.ask(&request.bytes)?;
        check(status, &body, request.holds)?;
        Ok(serde_json::from_slice(&body)?)
    }
}

fn unchunk(mut chunks: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::with_capacity(chunks.len());
    loop {
        let end = chunks.windows(2).position(|two| two == b"\r\n").context("no chunk")?;
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..end])?.trim(), 16)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 4 + length..];
    }
}

fn check(status: u16, body: &[u8], holds: &str) -> Result<()> {
    let starts = |text: &str| body.windows(text.len()).take(64).any(|part| part == text.as_bytes());
    let is_right = status == 200
        && !starts("\"errors\":[{")
        && (holds.is_empty() || body.windows(holds.len()).any(|part| part == holds.as_bytes()));
    if is_right {
        return Ok(());
    }
    bail!("{status} {}", String::from_utf8_lossy(body).chars().take(400).collect::<String>())
}

/// Result of a load.
pub struct Outcome {
    /// Latencies in microseconds, sorted. At a fixed rate they are measured from the scheduled time of the request.
    pub latencies: Vec<u64>,
    pub seconds: f64,
    pub bytes: usize,
}

impl Outcome {
    /// Returns a percentile of the latencies, in milliseconds. `share` is from 0 to 1.
    pub fn percentile(&self, share: f64) -> f64 {
        self.latencies.get(((self.latencies.len() - 1) as f64 * share) as usize).map_or(0.0, |it| *it as f64 / 1e3)
    }
}

/// Sends every request once over `connections` connections, at `rate` requests per second or without pauses.
pub fn run(address: SocketAddr, requests: &[Request], connections: usize, rate: Option<f64>) -> Result<Outcome> {
    let next = AtomicUsize::new(0);
    // At a fixed rate, open connections at the first request; a server might close a connection that is idle until
    // then.
    let open = |_| if rate.is_some() { Ok(None) } else { Connection::open(address).map(Some) };
    let lines = (0..connections).map(open).collect::<Result<Vec<_>>>()?;
    let began = Instant::now() + Duration::from_millis(5);
    let one = |mut line: Option<Connection>| -> Result<(Vec<u64>, usize)> {
        let (mut latencies, mut bytes) = (Vec::new(), 0);
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(request) = requests.get(place) else { return Ok((latencies, bytes)) };
            let mut due = Instant::now();
            if let Some(rate) = rate {
                due = began + Duration::from_secs_f64(place as f64 / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let line = match &mut line {
                Some(line) => line,
                none => none.insert(Connection::open(address)?),
            };
            let (status, body) = line.ask(&request.bytes)?;
            latencies.push(due.elapsed().as_micros() as u64);
            bytes += body.len();
            check(status, &body, request.holds)?;
        }
    };
    let results: Vec<Result<(Vec<u64>, usize)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = lines.into_iter().map(|line| scope.spawn(|| one(line))).collect();
        threads.into_iter().map(|it| it.join().unwrap_or_else(|_| Err(anyhow!("a thread ended early")))).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let (mut latencies, mut bytes) = (Vec::with_capacity(requests.len()), 0);
    for result in results {
        let (some, more) = result?;
        latencies.extend(some);
        bytes += more;
    }
    latencies.sort_unstable();
    Ok(Outcome { latencies, seconds, bytes })
}
