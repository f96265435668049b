//! Clients that violate HTTP, with direct access to the socket.

use std::time::Duration;

use futures_util::future::join;
use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::server::TIMEOUT;

/// A connection to the server.
pub struct Socket(TcpStream);

impl Socket {
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Sends bytes. Returns whether the server still accepts them.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Closes the sending half of the connection; responses can still be read.
    pub async fn close_half(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Closes the connection with a reset.
    pub fn reset(self) {
        set_socket_linger(&self.0, Some(Duration::ZERO)).unwrap();
    }

    /// Returns the next response, if it arrives in time.
    pub async fn answer(&mut self, acquire_timeout: Duration) -> Option<String> {
        let mut said = Vec::new();
        let whole = async {
            loop {
                let text = String::from_utf8_lossy(&said).into_owned();
                let length =
                    text.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok());
                if text
                    .split_once("\r\n\r\n")
                    .is_some_and(|(_, body)| length.is_some_and(|length: usize| body.len() >= length))
                {
                    return text;
                }
                assert!(self.0.read_buf(&mut said).await.unwrap() > 0, "hung up after {text:?}");
            }
        };
        tokio::time::timeout(acquire_timeout, whole).await.ok()
    }

    /// Reads until the server closes the connection.
    pub async fn rest(&mut self) -> String {
        listen(&mut self.0).await
    }

    /// Sends parts and reads until the server closes the connection. Returns how many parts it accepted and what it
    /// sent.
    pub async fn pour(&mut self, part: &[u8], times: usize) -> (usize, String) {
        let (mut reader, mut writer) = self.0.split();
        let pour = async {
            for sent in 0..times {
                if writer.write_all(part).await.is_err() {
                    return sent;
                }
            }
            times
        };
        join(pour, listen(&mut reader)).await
    }
}

async fn listen(from: &mut (impl AsyncRead + Unpin)) -> String {
    let mut said = Vec::new();
    // A reset after the last byte is as good as an orderly close.
    drop(tokio::time::timeout(TIMEOUT, from.read_to_end(&mut said)).await.expect("the server hangs up"));
    String::from_utf8_lossy(&said).into_owned()
}

/// Returns the head of a request to the API, without the final empty line.
pub fn head(token: &str, more: &str) -> String {
    let accept = "accept: application/graphql-response+json\r\ncontent-type: application/json";
    format!("POST /graphql HTTP/1.1\r\nhost: localhost\r\n{accept}\r\nauthorization: Bearer {token}\r\n{more}\r\n")
}

/// Returns status and error code of a response.
pub fn refused(answer: &str) -> (u16, String) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    (status, body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned())
}
