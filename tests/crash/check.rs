//! Compares the database with the ledgers: every acknowledged write is stored once, and nothing is stored unsent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection, postgres::PgConnectOptions};

use crate::ledger::{Account, Effect, hash};

/// The database to check.
pub enum Place {
    /// The URL of a SQLite file.
    Sqlite(String),
    /// A database of a private PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// A row as it must be according to the events.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    version: i64,
    values: String,
    external_id: Option<String>,
}

impl Place {
    /// Returns the rows of a query whose columns are text.
    pub async fn look(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(url) => {
                let rows = SqliteConnection::connect(url).await.unwrap().fetch_all(sql).await.unwrap();
                rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
            }
            Self::Postgres(options) => {
                let rows = sqlx::PgConnection::connect_with(options).await.unwrap().fetch_all(sql).await.unwrap();
                rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
            }
        }
    }

    /// Returns the rows of a query whose columns are text and never null.
    async fn texts(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = self.look(sql).await;
        rows.into_iter().map(|row| row.into_iter().map(|cell| cell.expect("no null")).collect()).collect()
    }

    /// Returns the SQL for an id as 32 hexadecimal digits.
    fn id(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("replace(CAST({column} AS TEXT), '-', '')"),
        }
    }
}

/// Returns the errors found in the database, one sentence each.
pub async fn check(place: &Place, accounts: &[Account]) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected = follow(place, accounts, &mut wrong).await;
    compare_rows(place, &expected, &mut wrong).await;
    compare_keys(place, accounts, &mut wrong).await;
    if let Place::Sqlite(_) = place {
        let found = place.texts("PRAGMA integrity_check").await.concat();
        if found != ["ok"] {
            wrong.push(format!("integrity_check says {found:?}"));
        }
    }
    wrong
}

/// Replays the events in order and returns the resulting rows. Each client makes one call at a time, so each of its
/// events must belong to the first call with missing events, and no call may have missing events at the end.
async fn follow(place: &Place, accounts: &[Account], wrong: &mut Vec<String>) -> BTreeMap<String, Stored> {
    let (organization, row) = (place.id("organization_id"), place.id("row_id"));
    let events = place
        .texts(&format!(
            "SELECT {organization}, CAST(sequence AS TEXT), {row}, operation, CAST(version AS TEXT), subject \
             FROM event ORDER BY organization_id, event.sequence"
        ))
        .await;
    let mut waiting: HashMap<&str, _> =
        accounts.iter().map(|account| (account.subject.as_str(), account.acknowledged.clone())).collect();
    let (mut rows, mut last) = (BTreeMap::new(), BTreeMap::<String, i64>::new());
    for event in events {
        let [organization, sequence, row, operation, version, subject] = &event[..] else { unreachable!() };
        let place = last.entry(organization.clone()).or_default();
        *place += 1;
        if sequence.parse() != Ok(*place) {
            wrong.push(format!("instead of event {place} comes {event:?}"));
            *place = sequence.parse().unwrap();
        }
        // Events of the command line, from before the clients write.
        if subject == "operator" {
            continue;
        }
        let Some(calls) = waiting.get_mut(subject.as_str()) else {
            wrong.push(format!("nobody sent {event:?}"));
            continue;
        };
        let is_reported = |effect: &Effect| effect.row == *row && effect.operation == *operation;
        let Some(call) = calls.iter().position(|(_, effects)| effects.iter().any(is_reported)) else {
            wrong.push(format!("nobody was told of {event:?}"));
            continue;
        };
        for (key, effects) in calls.drain(..call) {
            wrong.push(format!("{key} should come before {event:?}: {effects:?}"));
        }
        let effects = &mut calls[0].1;
        let effect = effects.swap_remove(effects.iter().position(is_reported).expect("it was found"));
        if calls.front().is_some_and(|(_, effects)| effects.is_empty()) {
            calls.pop_front();
        }
        if version.parse() != Ok(apply(&mut rows, effect)) {
            wrong.push(format!("a version is missing or doubled at {event:?}"));
        }
    }
    for (subject, calls) in waiting.iter().filter(|(_, calls)| !calls.is_empty()) {
        wrong.push(format!("{subject} was told what no event tells: {calls:?}"));
    }
    let sequences = place.texts(&format!("SELECT {organization}, CAST(last AS TEXT) FROM organization_sequence")).await;
    for sequence in sequences {
        if last.get(&sequence[0]).copied().unwrap_or(0).to_string() != sequence[1] {
            wrong.push(format!("the last event is {:?}, the sequence says {}", last.get(&sequence[0]), sequence[1]));
        }
    }
    rows
}

/// Applies an effect to the rows; returns the new version of the row.
fn apply(rows: &mut BTreeMap<String, Stored>, effect: Effect) -> i64 {
    let before = rows.remove(&effect.row);
    let version = before.as_ref().map_or(0, |row| row.version) + 1;
    if effect.operation != "DELETED" {
        let external_id = effect.external_id.or_else(|| before.and_then(|row| row.external_id));
        rows.insert(effect.row, Stored { version, values: effect.values, external_id });
    }
    version
}

async fn compare_rows(place: &Place, expected: &BTreeMap<String, Stored>, wrong: &mut Vec<String>) {
    let (id, of) = (place.id("id"), place.id("influencer_id"));
    let found = place.look(&format!("SELECT {of}, external_id FROM influencer_external_id WHERE system = 'crm'")).await;
    let mut external_ids: HashMap<Option<String>, Option<String>> = HashMap::new();
    for row in found {
        let [id, external_id] = <[_; 2]>::try_from(row).unwrap();
        external_ids.insert(id, external_id);
    }
    let found = place.texts(&format!("SELECT {id}, CAST(version AS TEXT), name, description FROM influencer")).await;
    let mut seen = BTreeSet::new();
    for row in found {
        let stored = Stored {
            version: row[1].parse().unwrap(),
            values: hash(&[&row[2], &row[3]]),
            external_id: external_ids.remove(&Some(row[0].clone())).flatten(),
        };
        if expected.get(&row[0]) != Some(&stored) {
            wrong.push(format!("{row:?} should be {:?}", expected.get(&row[0])));
        }
        seen.insert(row[0].clone());
    }
    for (id, row) in expected.iter().filter(|(id, _)| !seen.contains(*id)) {
        wrong.push(format!("{id} is lost: {row:?}"));
    }
    if !external_ids.is_empty() {
        wrong.push(format!("external ids of no row: {external_ids:?}"));
    }
}

/// Checks that each acknowledged key is stored with a result, and that there are no other keys.
async fn compare_keys(place: &Place, accounts: &[Account], wrong: &mut Vec<String>) {
    let found = place.look("SELECT subject, idempotency_key, result FROM idempotency").await;
    let mut found: BTreeSet<(String, String)> = found
        .into_iter()
        .map(|row| {
            let [subject, key, result] = <[_; 3]>::try_from(row.clone()).unwrap();
            if result.is_none() {
                wrong.push(format!("{row:?} has no result"));
            }
            (subject.unwrap(), key.unwrap())
        })
        .collect();
    for account in accounts {
        let acknowledged: Vec<&String> = account.acknowledged.iter().map(|(key, _)| key).collect();
        if !acknowledged.iter().copied().eq(&account.sent) {
            wrong.push(format!("{} sent what was never acknowledged", account.subject));
        }
        for key in acknowledged {
            if !found.remove(&(account.subject.clone(), hash(&[key]))) {
                wrong.push(format!("the key {key} is forgotten"));
            }
        }
    }
    if !found.is_empty() {
        wrong.push(format!("keys nobody sent: {found:?}"));
    }
}
