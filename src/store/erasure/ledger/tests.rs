//! Tests how ledgers are diagnosed that were damaged on purpose or by a crash.

use super::*;

fn erasure(number: u128) -> Entry {
    Entry::Erasure(Erasure {
        id: Uuid::from_u128(number),
        organization: Uuid::from_u128(2),
        person: Uuid::from_u128(3),
        erased_at: 4,
        salt: "salt".to_owned(),
        identifiers: vec!["hash".to_owned()],
    })
}

fn part(number: u128, rows: u128) -> Entry {
    Entry::Part(Part {
        id: Uuid::from_u128(number),
        organization: Uuid::from_u128(2),
        erasure: Uuid::from_u128(1),
        rows: BTreeMap::from([("Customer".to_owned(), (0..rows).map(Uuid::from_u128).collect())]),
        identifiers: Vec::new(),
    })
}

/// Returns a ledger of four entries, one of which is longer than one read.
fn ledger() -> (tempfile::TempDir, PathBuf, Vec<Entry>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let entries = vec![erasure(1), part(11, 1), part(12, 5_000), erasure(4)];
    append(&path, &entries[..1]).unwrap();
    append(&path, &entries[1..3]).unwrap();
    append(&path, &entries[3..]).unwrap();
    assert_eq!(read(&path, false).unwrap(), entries);
    (folder, path, entries)
}

fn edit(path: &Path, edit: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    edit(&mut lines);
    std::fs::write(path, lines.into_iter().map(|line| line + "\n").collect::<String>()).unwrap();
}

#[test]
fn whatever_is_done_to_its_lines_is_refused_by_the_line_it_was_done_to() {
    type Edit = fn(&mut Vec<String>);
    let table: [(&str, Edit, &str); 8] = [
        ("edited", |lines| lines[1] = lines[1].replace(":\"salt\"", ":\"pepper\""), "line 3"),
        ("the last edited", |lines| lines[4] = lines[4].replace(":\"salt\"", ":\"pepper\""), "line 5"),
        ("removed", |lines| drop(lines.remove(2)), "line 3"),
        ("in another order", |lines| lines.swap(2, 3), "line 3"),
        ("added", |lines| lines.insert(2, "{}".to_owned()), "line 3"),
        ("cut short", |lines| lines.truncate(4), "line 4 of 5"),
        ("cut down to its header", |lines| lines.truncate(1), "line 1 of 5"),
        ("without its header", |lines| drop(lines.remove(0)), "line 1"),
    ];
    for (what, change, expected) in table {
        let (_folder, path, _) = ledger();
        edit(&path, change);
        let refused = read(&path, true).unwrap_err().to_string();
        assert!(refused.contains(expected) && refused.contains("copy"), "{what}: {refused}");
    }
}

#[test]
fn an_empty_file_is_no_ledger_and_a_missing_one_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    assert!(matches!(read(&path, true), Err(LedgerError::Unusable(..))));
    std::fs::write(&path, "").unwrap();
    assert!(matches!(read(&path, true), Err(LedgerError::Empty(_))));
    // The format of an earlier version.
    std::fs::write(&path, "{\"id\":\"00000000-0000-0000-0000-000000000001\"}\n").unwrap();
    assert!(matches!(read(&path, true), Err(LedgerError::NoLedger(_))));
    assert!(matches!(append(&path, &[erasure(1)]), Err(LedgerError::NoLedger(_))), "nothing is written over");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(complete(&path, Vec::new()).unwrap(), 0);
    assert_eq!(read(&path, false).unwrap(), [], "nobody was erased yet");
}

#[test]
fn a_line_that_a_crash_cut_off_is_told_from_one_that_was_cut_off_later() {
    let (_folder, path, entries) = ledger();
    let whole = std::fs::read(&path).unwrap();
    // A line was written but not yet counted in the header when the writer crashed.
    let torn = [&whole[..], b"{\"line\":6,\"prev"].concat();
    std::fs::write(&path, &torn).unwrap();
    assert!(matches!(read(&path, false), Err(LedgerError::Torn { line: 6, .. })));
    assert_eq!(read(&path, true).unwrap(), entries);
    append(&path, &[erasure(5)]).unwrap();
    assert_eq!(
        read(&path, false).unwrap(),
        [entries.as_slice(), &[erasure(5)]].concat(),
        "its writer goes on without it"
    );
    // A counted line was acknowledged.
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    assert!(matches!(read(&path, true), Err(LedgerError::Short { lines: 4, counted: 5, .. })));
    assert!(matches!(append(&path, &[erasure(5)]), Err(LedgerError::Short { lines: 4, counted: 5, .. })));
}

/// Returns the text with the header as of one line earlier.
fn counted_less(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut header: Header = serde_json::from_str(lines[0]).unwrap();
    (header.lines, header.last) = ("000000000004".to_owned(), hash(lines[3].as_bytes()));
    text.replacen(lines[0], &serde_json::json!(header).to_string(), 1)
}

#[test]
fn lines_that_are_whole_and_not_counted_yet_count() {
    let (_folder, path, entries) = ledger();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, counted_less(&text)).unwrap();
    assert_eq!(read(&path, false).unwrap(), entries);
    append(&path, &[erasure(5)]).unwrap();
    assert_eq!(read(&path, false).unwrap().len(), 5);
}

#[test]
fn what_the_file_lacks_is_added_once() {
    let (_folder, path, _) = ledger();
    assert_eq!(complete(&path, vec![erasure(4), erasure(5), part(11, 1), part(13, 1)]).unwrap(), 2);
    assert_eq!(complete(&path, vec![erasure(5), part(13, 1)]).unwrap(), 0);
    assert_eq!(read(&path, false).unwrap().len(), 6);
}
