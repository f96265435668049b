//! The erasure ledger outside the database: a file of hash-chained, numbered lines, synced to disk before an erasure
//! commits.
//!
//! The ledger allows erasures to be repeated after an older backup was restored, which brings erased people back. It
//! contains ids and salted hashes, and no data about a person.
//!
//! Line 1 is the header: the ledger's id, the number of lines and the hash of the last line. Each further line is JSON
//! with its number, the hash of the previous line and an entry. The header is updated after the lines are on disk, so a
//! truncated file has fewer lines than its header says, and a file whose writer crashed has at most more.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::id;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};

/// The format version that this program writes and reads.
const FORMAT: u32 = 1;

/// Length of a hash as text.
const HASH: usize = 43;

/// Number of bytes per read when searching for the last line.
const PIECE: u64 = 1 << 16;

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// The erasure of a person began.
    Erasure(Erasure),
    /// Rows about a person were emptied.
    Part(Part),
    /// An organization was deleted.
    Deletion(Deletion),
}

/// The start of a person's erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Erasure {
    /// Id of the erasure.
    pub id: Uuid,
    /// The organization.
    pub organization: Uuid,
    /// The erased person.
    pub person: Uuid,
    /// Time of the erasure, in epoch milliseconds.
    pub erased_at: i64,
    /// Salt of the hashes of this erasure and its parts.
    pub salt: String,
    /// Hashes of the person's external ids.
    pub identifiers: Vec<String>,
}

/// The rows that an erasure empties in one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// Id of the part.
    pub id: Uuid,
    /// The organization.
    pub organization: Uuid,
    /// Id of the erasure.
    pub erasure: Uuid,
    /// Ids of the rows, by the name of their noun.
    pub rows: BTreeMap<String, Vec<Uuid>>,
    /// Hashes of the removed external ids.
    pub identifiers: Vec<String>,
}

/// The deletion of an organization with all of its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deletion {
    /// Id of the deletion.
    pub id: Uuid,
    /// The organization.
    pub organization: Uuid,
    /// Time of the deletion, in epoch milliseconds.
    pub deleted_at: i64,
}

impl Entry {
    /// The id of the erasure, the part or the deletion.
    pub const fn id(&self) -> Uuid {
        match self {
            Self::Erasure(erasure) => erasure.id,
            Self::Part(part) => part.id,
            Self::Deletion(deletion) => deletion.id,
        }
    }

    /// The erased person; `None` for a part and for a deletion.
    pub const fn person(&self) -> Option<Uuid> {
        match self {
            Self::Erasure(erasure) => Some(erasure.person),
            Self::Part(_) | Self::Deletion(_) => None,
        }
    }

    /// The organization.
    pub const fn organization(&self) -> Uuid {
        match self {
            Self::Erasure(erasure) => erasure.organization,
            Self::Part(part) => part.organization,
            Self::Deletion(deletion) => deletion.organization,
        }
    }
}

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file is missing or not accessible, or the disk is full.
    #[error("the erasure ledger {} cannot be used", .0.display())]
    Unusable(PathBuf, #[source] io::Error),
    /// The file is empty: it lacks the header that even a ledger without erasures has.
    #[error("the erasure ledger {} is empty, which a ledger never is; use an unchanged copy", .0.display())]
    Empty(PathBuf),
    /// The first line is not a header of this format.
    #[error(
        "line 1 of {} is not the header of an erasure ledger of this version: use an unchanged copy of the ledger; to begin \
         a new one from what the database knows, move this file away and start the server", .0.display()
    )]
    NoLedger(PathBuf),
    /// A line cannot be parsed, or is not the line that was written at this place.
    #[error(
        "line {line} of the erasure ledger {} {flaw}: it was edited, or lines were removed, added or put in another order. \
         Use an unchanged copy of it", .file.display()
    )]
    Broken {
        /// The file.
        file: PathBuf,
        /// The line number, from 1.
        line: u64,
        /// What is wrong with the line.
        flaw: &'static str,
    },
    /// The file has fewer lines than were written.
    #[error(
        "the erasure ledger {} is truncated after line {lines} of {counted}; use a complete copy",
        .file.display()
    )]
    Short {
        /// The file.
        file: PathBuf,
        /// Number of complete lines.
        lines: u64,
        /// Number of lines according to the header.
        counted: u64,
    },
    /// The last line is incomplete: its writer crashed.
    #[error(
        "line {line} of the erasure ledger {}, the last, has no end: its writer crashed. Nobody was told that this erasure \
         was done. --drop-torn-line goes on without it", .file.display()
    )]
    Torn {
        /// The file.
        file: PathBuf,
        /// The line number, from 1.
        line: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    ledger: Uuid,
    format: u32,
    /// Number of lines, including this one. Has a fixed width, so that the header can be overwritten in place.
    lines: String,
    /// Hash of the last line.
    last: String,
}

impl Header {
    /// Formats the header of a ledger with this end.
    fn line(end: &End) -> String {
        let (lines, last) = (format!("{:012}", end.lines), end.hash.clone());
        serde_json::json!(Self { ledger: end.ledger, format: FORMAT, lines, last }).to_string() + "\n"
    }

    /// Parses the header line.
    fn read(text: &str) -> Option<End> {
        let header: Self = serde_json::from_str(text).ok()?;
        let lines = header.lines.parse().ok().filter(|lines| *lines > 0)?;
        let is_ours = header.format == FORMAT && header.lines.len() == 12 && header.last.len() == HASH;
        is_ours.then_some(End { ledger: header.ledger, lines, hash: header.last })
    }
}

/// The end of the ledger, where the next line is appended.
struct End {
    ledger: Uuid,
    lines: u64,
    hash: String,
}

impl End {
    /// Returns the end of a ledger without entries.
    fn of_none(ledger: Uuid) -> Self {
        // The first entry refers to this hash as its previous line: it covers only the part of the header that never
        // changes.
        Self { ledger, lines: 1, hash: hash(ledger.as_bytes()) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    line: u64,
    previous: String,
    entry: Entry,
}

/// Hash of a line, which the next line refers to.
fn hash(line: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, line))
}

/// Appends entries and syncs them to disk. Several processes may append at once.
pub fn append(path: &Path, entries: &[Entry]) -> Result<(), LedgerError> {
    let unusable = |error| LedgerError::Unusable(path.to_owned(), error);
    let (mut file, mut end) = open(path)?;
    if entries.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for entry in entries {
        end.lines += 1;
        let line = Numbered { line: end.lines, previous: end.hash, entry: entry.clone() };
        let line = serde_json::json!(line).to_string();
        end.hash = hash(line.as_bytes());
        text.push_str(&line);
        text.push('\n');
    }
    let header = Header::line(&end);
    let write = |file: &mut File| {
        file.seek(SeekFrom::End(0))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(header.as_bytes())?;
        file.sync_all()
    };
    write(&mut file).map_err(unusable)
}

/// Appends the entries that the file lacks, and returns their number.
pub fn complete(path: &Path, entries: Vec<Entry>) -> Result<usize, LedgerError> {
    // Creates a missing file, and removes an incomplete last line.
    drop(open(path)?);
    let mut known: HashSet<Uuid> = HashSet::new();
    each(path, false, |entry| {
        known.insert(entry.id());
    })?;
    let missing: Vec<Entry> = entries.into_iter().filter(|entry| !known.contains(&entry.id())).collect();
    append(path, &missing)?;
    Ok(missing.len())
}

/// Reads all entries of the file, in order.
pub fn read(path: &Path, drops_torn: bool) -> Result<Vec<Entry>, LedgerError> {
    let mut entries = Vec::new();
    each(path, drops_torn, |entry| entries.push(entry))?;
    Ok(entries)
}

/// Reads the file line by line; Err unless each line follows from the previous one and none is missing. If
/// `drops_torn`, an incomplete last line is skipped.
fn each(path: &Path, drops_torn: bool, mut take: impl FnMut(Entry)) -> Result<(), LedgerError> {
    let unusable = |error| LedgerError::Unusable(path.to_owned(), error);
    let broken = |line, flaw| LedgerError::Broken { file: path.to_owned(), line, flaw };
    let mut file = BufReader::new(File::open(path).map_err(unusable)?);
    let mut text = Vec::new();
    let mut next = |text: &mut Vec<u8>| -> Result<Option<bool>, LedgerError> {
        text.clear();
        if file.read_until(b'\n', text).map_err(unusable)? == 0 {
            return Ok(None);
        }
        let is_whole = text.pop_if(|last| *last == b'\n').is_some();
        Ok(Some(is_whole))
    };
    let Some(is_whole) = next(&mut text)? else { return Err(LedgerError::Empty(path.to_owned())) };
    let header = std::str::from_utf8(&text).ok().filter(|_| is_whole).and_then(Header::read);
    let Some(recorded) = header else { return Err(LedgerError::NoLedger(path.to_owned())) };
    let End { hash: mut previous, mut lines, .. } = End::of_none(recorded.ledger);
    let counted = recorded.lines;
    while let Some(is_whole) = next(&mut text)? {
        if !is_whole {
            if lines >= counted && drops_torn {
                break;
            }
            let file = path.to_owned();
            return Err(if lines < counted {
                LedgerError::Short { file, lines, counted }
            } else {
                LedgerError::Torn { file, line: lines + 1 }
            });
        }
        lines += 1;
        let line: Numbered = serde_json::from_slice(&text).map_err(|_| broken(lines, "is no entry"))?;
        if line.line != lines {
            return Err(broken(lines, "has another number"));
        }
        if line.previous != previous {
            return Err(broken(lines, "does not follow from the one before"));
        }
        previous = hash(&text);
        if lines == counted && previous != recorded.hash {
            return Err(broken(lines, "is not the one that the header counts"));
        }
        take(line.entry);
    }
    if lines < counted {
        return Err(LedgerError::Short { file: path.to_owned(), lines, counted });
    }
    Ok(())
}

/// Opens and locks the file, creates it with its header if it is missing, and removes an incomplete last line.
fn open(path: &Path) -> Result<(File, End), LedgerError> {
    let unusable = |error| LedgerError::Unusable(path.to_owned(), error);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let mut file = opened.and_then(|file| file.lock().map(|()| file)).map_err(unusable)?;
    if file.metadata().map_err(unusable)?.len() == 0 {
        let end = End::of_none(id::new());
        let made = file.write_all(Header::line(&end).as_bytes()).and_then(|()| file.sync_all());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        made.and_then(|()| File::open(folder)?.sync_all()).map_err(unusable)?;
        return Ok((file, end));
    }
    let mut header = String::new();
    BufReader::new(&file).read_line(&mut header).map_err(unusable)?;
    let Some(recorded) = Header::read(&header) else { return Err(LedgerError::NoLedger(path.to_owned())) };
    let broken = |line, flaw| LedgerError::Broken { file: path.to_owned(), line, flaw };
    let (last, whole) = last_line(&mut file).map_err(unusable)?;
    let end = if whole <= header.len() as u64 {
        End::of_none(recorded.ledger)
    } else {
        let line: Numbered = serde_json::from_slice(&last).map_err(|_| broken(recorded.lines, "is no entry"))?;
        End { ledger: recorded.ledger, lines: line.line, hash: hash(&last) }
    };
    if end.lines < recorded.lines {
        return Err(LedgerError::Short { file: path.to_owned(), lines: end.lines, counted: recorded.lines });
    }
    if end.lines == recorded.lines && end.hash != recorded.hash {
        return Err(broken(end.lines, "is not the one that the header counts"));
    }
    if file.metadata().map_err(unusable)?.len() > whole {
        tracing::warn!(file = %path.display(), "dropped an incomplete line of the erasure ledger");
        file.set_len(whole).map_err(unusable)?;
    }
    Ok((file, end))
}

/// Returns the last complete line without its line break, and the position after the break.
fn last_line(file: &mut File) -> io::Result<(Vec<u8>, u64)> {
    let mut start = file.metadata()?.len();
    let mut text: Vec<u8> = Vec::new();
    loop {
        let breaks: Vec<usize> = text.iter().enumerate().filter(|(_, it)| **it == b'\n').map(|(at, _)| at).collect();
        if let (true, Some(end)) = (breaks.len() > 1 || start == 0, breaks.last()) {
            let begin = breaks.len().checked_sub(2).map_or(0, |before| breaks[before] + 1);
            return Ok((text[begin..*end].to_vec(), start + *end as u64 + 1));
        }
        if start == 0 {
            return Ok((Vec::new(), 0));
        }
        // Doubles the size of each read, or a long line would be searched again and again.
        let piece = PIECE.max(text.len() as u64).min(start);
        start -= piece;
        let mut before = vec![0; usize::try_from(piece).map_err(io::Error::other)?];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut before)?;
        before.append(&mut text);
        text = before;
    }
}

#[cfg(test)]
mod tests;
