//! The ledger of erasures outside the database: one line of JSON each, forced to disk before the erasure commits.
//!
//! It survives the restore of an older backup, which brings back those who were erased since. It holds ids and salted
//! hashes, nothing that tells about a person.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};

/// One erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// The erasure.
    pub id: Uuid,
    /// The tenant.
    pub organization: Uuid,
    /// Who was erased.
    pub person: Uuid,
    /// When, epoch milliseconds.
    pub erased_at: i64,
    /// What the hashes are salted with.
    pub salt: String,
    /// Ids of the rows that were emptied, by the name of their noun.
    pub rows: BTreeMap<String, Vec<Uuid>>,
    /// Hashes of the external ids that were taken away.
    pub identifiers: Vec<String>,
}

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file is away, closed to us, or the disk is full.
    #[error("the erasure ledger {} cannot be used", .0.display())]
    Unusable(PathBuf, #[source] io::Error),
    /// A line is none of ours.
    #[error("line {line} of the erasure ledger {} is no erasure", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// Appends entries and forces them to disk. Several processes may do it at once.
pub fn append(path: &Path, entries: &[Entry]) -> Result<(), LedgerError> {
    let unusable = |error| LedgerError::Unusable(path.to_owned(), error);
    let mut file = open(path).map_err(unusable)?;
    let lines: Vec<String> = entries.iter().map(|entry| serde_json::json!(entry).to_string() + "\n").collect();
    file.write_all(lines.concat().as_bytes()).and_then(|()| file.sync_all()).map_err(unusable)
}

/// Appends those that the file lacks, and answers how many.
pub fn complete(path: &Path, entries: Vec<Entry>) -> Result<usize, LedgerError> {
    let is_new = !path.exists();
    let known: HashSet<Uuid> = if is_new { HashSet::new() } else { read(path)?.iter().map(|entry| entry.id).collect() };
    let missing: Vec<Entry> = entries.into_iter().filter(|entry| !known.contains(&entry.id)).collect();
    append(path, &missing)?;
    if is_new {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| LedgerError::Unusable(path.to_owned(), error))?;
    }
    Ok(missing.len())
}

/// Every erasure of the file, in its order.
pub fn read(path: &Path) -> Result<Vec<Entry>, LedgerError> {
    let text = std::fs::read_to_string(path).map_err(|error| LedgerError::Unusable(path.to_owned(), error))?;
    // What does not end with a line break was cut off while it was written: that erasure never committed.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let entry = |(place, line)| {
        serde_json::from_str(line).map_err(|_| LedgerError::Malformed { file: path.to_owned(), line: place + 1 })
    };
    whole.lines().enumerate().map(entry).collect()
}

/// Opens the file at its end, alone, without the rest of a line that a crash cut off.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    file.lock()?;
    let length = file.seek(SeekFrom::End(0))?;
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            let mut text = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut text)?;
            let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
            file.set_len(u64::try_from(end).map_err(io::Error::other)?)?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: Uuid::from_u128(1),
            organization: Uuid::from_u128(2),
            person: Uuid::from_u128(3),
            erased_at: 4,
            salt: "salt".to_owned(),
            rows: BTreeMap::from([("Customer".to_owned(), vec![Uuid::from_u128(3)])]),
            identifiers: vec!["hash".to_owned()],
        }
    }

    #[test]
    fn what_is_appended_is_read_and_a_line_cut_off_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        append(&path, &[entry()]).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"id\":").unwrap();
        assert_eq!(read(&path).unwrap(), [entry()]);
        let other = Entry { id: Uuid::from_u128(9), ..entry() };
        append(&path, std::slice::from_ref(&other)).unwrap();
        assert_eq!(read(&path).unwrap(), [entry(), other.clone()]);
        assert_eq!(complete(&path, vec![other, entry(), Entry { id: Uuid::from_u128(5), ..entry() }]).unwrap(), 1);
        assert_eq!(read(&path).unwrap().len(), 3);
    }

    #[test]
    fn a_ledger_with_a_line_of_something_else_is_refused_and_a_missing_one_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        assert!(matches!(read(&path), Err(LedgerError::Unusable(..))));
        append(&path, &[entry()]).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"something\n").unwrap();
        append(&path, &[entry()]).unwrap();
        assert!(matches!(read(&path), Err(LedgerError::Malformed { line: 2, .. })));
    }
}
