//! Each client's record of acknowledged writes, stored at once: the database must match it.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// The effect of one call on one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The row's id, as 32 hexadecimal digits.
    pub row: String,
    /// The operation, as in the audit event.
    pub operation: String,
    /// Hash of the row's values after the call.
    pub values: String,
    /// The row's external id after the call.
    pub external_id: Option<String>,
}

/// A line of the ledger.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// A call is about to be sent for the first time.
    Sent { key: String, payload: String },
    /// The server acknowledged the call.
    Acknowledged { key: String, payload: String, effects: Vec<Effect> },
}

/// A client's ledger, open for writing.
pub struct Ledger {
    file: File,
    /// Hash of the last payload sent.
    payload: String,
}

/// A client's ledger, read after the run.
#[derive(Debug, Default)]
pub struct Account {
    /// The client's `sub`.
    pub subject: String,
    /// Idempotency keys sent, in order.
    pub sent: Vec<String>,
    /// Acknowledged calls, in order: the key and the effects of each.
    pub acknowledged: VecDeque<(String, Vec<Effect>)>,
}

/// Returns the hash of a row's values, or of a payload.
pub fn hash(texts: &[&str]) -> String {
    let digest = digest(&SHA256, texts.join("\u{1f}").as_bytes());
    URL_SAFE_NO_PAD.encode(digest.as_ref())
}

fn path(folder: &Path, subject: &str) -> PathBuf {
    folder.join(format!("{subject}.ledger"))
}

impl Ledger {
    pub fn open(folder: &Path, subject: &str) -> Self {
        Self { file: File::create_new(path(folder, subject)).unwrap(), payload: String::new() }
    }

    pub fn sent(&mut self, key: &str, payload: String) {
        self.payload.clone_from(&payload);
        self.write(&Line::Sent { key: key.to_owned(), payload });
    }

    /// Writes an acknowledgement and syncs it to disk before it returns.
    pub fn acknowledged(&mut self, key: &str, effects: Vec<Effect>) {
        let payload = self.payload.clone();
        self.write(&Line::Acknowledged { key: key.to_owned(), payload, effects });
        tokio::task::block_in_place(|| self.file.sync_data().unwrap());
    }

    fn write(&mut self, line: &Line) {
        self.file.write_all(format!("{}\n", serde_json::to_string(line).unwrap()).as_bytes()).unwrap();
    }
}

impl Account {
    /// Reads a client's ledger.
    pub fn read(folder: &Path, subject: &str) -> Self {
        let mut account = Self { subject: subject.to_owned(), ..Self::default() };
        let (mut last, mut of_last) = (String::new(), String::new());
        for line in BufReader::new(File::open(path(folder, subject)).unwrap()).lines() {
            match serde_json::from_str(&line.unwrap()).unwrap() {
                Line::Sent { key, payload } => {
                    account.sent.push(key.clone());
                    (last, of_last) = (key, payload);
                }
                Line::Acknowledged { key, payload, effects } => {
                    assert_eq!((&key, &payload), (&last, &of_last), "a client does one thing at a time");
                    account.acknowledged.push_back((key, effects));
                }
            }
        }
        account
    }
}
