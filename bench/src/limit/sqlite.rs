//! The limit on SQLite: one read connection per worker thread, and one writer thread that commits waiting writes
//! together.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono::Utc;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    answer::{self, *},
    ask, bulk, complete,
    door::Caller,
    postgres::{created, upserted},
    route::{self, COLUMNS, Routed, Rule},
    row::{list, maybe, text, write_expectation, write_record},
    search, timeline, work,
};
use crate::{data::EVENT_FIELDS, wire};

/// Maximum number of writes per commit.
const MAX_TOGETHER: usize = 64;
const WEEK: i64 = 7 * 86_400_000;
/// Milliseconds by which weeks are shifted so that they start on a Monday: the epoch is a Thursday.
const MONDAY: i64 = 3 * 86_400_000;

type Answer = Result<Vec<u8>>;

struct Write {
    organization: Uuid,
    subject: String,
    question: String,
    body: Vec<u8>,
    done: oneshot::Sender<Answer>,
}

/// The path of the file and the queue of the writer thread.
pub struct Sqlite {
    path: PathBuf,
    writer: SyncSender<Write>,
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

fn open(path: &Path) -> Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 268435456",
    )?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

impl Sqlite {
    pub fn open(path: PathBuf) -> Result<Self> {
        let (writer, writes) = sync_channel(1_024);
        let connection = open(&path)?;
        std::thread::spawn(move || write_on(&connection, &writes));
        Ok(Self { path, writer })
    }

    pub async fn answer(&self, caller: &Caller, question: &str, body: &[u8]) -> Answer {
        if matches!(question, "q5" | "q6" | "q7" | "q11") {
            let (done, wait) = oneshot::channel();
            let (organization, subject) = (caller.organization, caller.subject.clone());
            let write = Write { organization, subject, question: question.to_owned(), body: body.to_vec(), done };
            self.writer.send(write).map_err(|_| anyhow!("the writer has ended"))?;
            return wait.await?;
        }
        READER.with_borrow_mut(|reader| {
            let reader = match reader {
                Some(reader) => reader,
                none => none.insert(open(&self.path)?),
            };
            match question {
                "q1" => point(reader, caller.organization, ask::read(body)?),
                "q2" => points(reader, caller.organization, &ask::read(body)?),
                "q3" => page(reader, caller.organization, &ask::read(body)?),
                "q4" => groups(reader, caller.organization),
                "q8" => timeline::sqlite(reader, caller.organization, &ask::read(body)?),
                "q9" => search::sqlite(reader, caller.organization, &ask::read(body)?),
                "q10" => work::sqlite(reader, caller.organization, &ask::read(body)?),
                _ => bail!("no such question"),
            }
        })
    }
}

fn point(reader: &Connection, organization: Uuid, asked: ask::Point) -> Answer {
    let mut statement = reader.prepare_cached(
        "SELECT name, kind, description, created_at FROM interaction_point WHERE organization_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![organization, wire::uuid(&asked.id).context("no id")?])?;
    let Some(row) = rows.next()? else { return Ok(answer::write("interactionPoint", &None::<Point>)) };
    let (name, kind, description) = (text(row, 0)?, text(row, 1)?, maybe(row, 2)?);
    let point = Point { id: asked.id, name, kind, description, created_at: wire::instant(row.get(3)?) };
    Ok(answer::write("interactionPoint", &point))
}

/// Executes one look-up per point, which is cheaper than a join because SQLite runs in-process.
fn points(reader: &Connection, organization: Uuid, asked: &ask::Points) -> Answer {
    let mut points = reader.prepare_cached(
        "SELECT id, name, kind FROM interaction_point WHERE organization_id = ?1 AND archived_at IS NULL \
         ORDER BY id LIMIT ?2",
    )?;
    let mut top = reader.prepare_cached(
        "SELECT id, statement, kind, importance, rank FROM expectation WHERE organization_id = ?1 AND point_id = ?2 \
         AND rank IS NOT NULL AND archived_at IS NULL ORDER BY rank LIMIT 5",
    )?;
    let mut last = reader.prepare_cached(
        "SELECT id, kind, sentiment_score, body, received_at FROM feedback_record WHERE organization_id = ?1 \
         AND point_id = ?2 ORDER BY received_at DESC, id DESC LIMIT 3",
    )?;
    let mut json = Vec::with_capacity(32_768);
    json.extend_from_slice(b"{\"data\":{\"interactionPoints\":{\"nodes\":[");
    let mut rows = points.query(params![organization, asked.first])?;
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        if !std::mem::take(&mut is_first) {
            json.push(b',');
        }
        let id: Uuid = row.get(0)?;
        json.extend_from_slice(b"{\"id\":\"");
        json.extend_from_slice(wire::id("point", id).as_bytes());
        json.extend_from_slice(b"\",\"name\":");
        serde_json::to_writer(&mut json, text(row, 1)?)?;
        json.extend_from_slice(b",\"kind\":");
        serde_json::to_writer(&mut json, text(row, 2)?)?;
        json.extend_from_slice(b",\"expectations\":{\"nodes\":");
        list(&mut json, &mut top.query(params![organization, id])?, write_expectation)?;
        json.extend_from_slice(b"},\"feedbackRecords\":{\"nodes\":");
        list(&mut json, &mut last.query(params![organization, id])?, write_record)?;
        json.extend_from_slice(b"}}");
    }
    json.extend_from_slice(b"]}}}");
    Ok(json)
}

fn page(reader: &Connection, organization: Uuid, asked: &ask::Page) -> Answer {
    let mut statement = reader.prepare_cached(
        "SELECT id, kind, sentiment_score, body, received_at FROM feedback_record WHERE organization_id = ?1 \
         AND kind = ?2 AND (received_at, id) < (?5, ?6) AND received_at >= ?3 AND received_at < ?4 \
         ORDER BY received_at DESC, id DESC LIMIT ?7",
    )?;
    let (from, to) = asked.range()?;
    let mut rows =
        statement.query(params![organization, asked.kind, from, to, asked.before, asked.before_id, asked.first + 1])?;
    let mut json = Vec::with_capacity(16_384);
    json.extend_from_slice(b"{\"data\":{\"feedbackRecords\":{\"nodes\":[");
    let (mut count, mut end_cursor, mut has_next_page) = (0, None, false);
    while let Some(row) = rows.next()? {
        if count == asked.first {
            has_next_page = true;
            break;
        }
        if count > 0 {
            json.push(b',');
        }
        count += 1;
        write_record(&mut json, row)?;
        end_cursor = Some((row.get::<_, i64>(4)?, row.get::<_, Uuid>(0)?));
    }
    json.extend_from_slice(b"],\"pageInfo\":");
    let end_cursor = end_cursor.map(|(at, id)| format!("{at},{id}"));
    serde_json::to_writer(&mut json, &PageInfo { has_next_page, end_cursor })?;
    json.extend_from_slice(b"}}}");
    Ok(json)
}

fn groups(reader: &Connection, organization: Uuid) -> Answer {
    let mut statement = reader.prepare_cached(
        "SELECT point_id, (received_at + ?2) / ?3 AS week, COUNT(*), AVG(sentiment_score), COUNT(sentiment_score) \
         FROM feedback_record WHERE organization_id = ?1 GROUP BY 1, 2 ORDER BY 2, 1",
    )?;
    let mut rows = statement.query(params![organization, MONDAY, WEEK])?;
    let mut nodes = Vec::new();
    while let Some(row) = rows.next()? {
        nodes.push(Group {
            count: row.get(2)?,
            bucket_start: wire::instant(row.get::<_, i64>(1)? * WEEK - MONDAY),
            point: StringEnum { id: wire::id("point", row.get(0)?) },
            mean_sentiment_score: Mean { mean: row.get(3)?, n: row.get(4)? },
        });
    }
    Ok(answer::write("feedbackRecordGroups", &Groups { group_count: nodes.len(), nodes }))
}

fn write_on(writer: &Connection, writes: &Receiver<Write>) {
    while let Ok(first) = writes.recv() {
        let mut batch = vec![first];
        while batch.len() < MAX_TOGETHER {
            let Ok(next) = writes.try_recv() else { break };
            batch.push(next);
        }
        let mut done = Vec::with_capacity(batch.len());
        writer.execute_batch("BEGIN IMMEDIATE").expect("the writer is alone");
        for write in batch {
            writer.execute_batch("SAVEPOINT one").expect("a transaction is open");
            let answered = write_one(writer, &write);
            let end = if answered.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
            writer.execute_batch(end).expect("a savepoint is open");
            done.push((write.done, answered));
        }
        writer.execute_batch("COMMIT").expect("the disk takes it");
        for (done, answered) in done {
            drop(done.send(answered));
        }
    }
}

fn write_one(writer: &Connection, write: &Write) -> Answer {
    if write.question == "q11" {
        return complete::sqlite(writer, write.organization, &write.subject, &ask::read(&write.body)?);
    }
    if write.question == "q7" {
        return bulk::sqlite(writer, write.organization, &write.subject, &ask::read(&write.body)?);
    }
    let (rules, fallback) = desk(writer, write.organization)?;
    if write.question == "q6" {
        return upsert(writer, write, &rules, fallback);
    }
    let asked = ask::read::<ask::Create>(&write.body)?.input;
    let routed = route::route(&asked, Uuid::now_v7(), &rules, fallback)?;
    let (now, key) = (Utc::now().timestamp_millis(), asked.idempotency_key.as_deref().context("no key")?);
    let claimed = writer
        .prepare_cached(
            "INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, created_at, result) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            write.organization,
            write.subject,
            key,
            route::fingerprint(&write.body),
            now,
            route::memory(routed.id)
        ])?;
    ensure!(claimed == 1, "the key was used");
    let sequence = sequence(writer, write.organization, 1)?;
    store(writer, write, &asked, &routed, sequence, now)?;
    Ok(answer::write("feedbackRecordCreate", &created(routed)))
}

/// Returns the last of `count` new sequence numbers.
pub fn sequence(writer: &Connection, organization: Uuid, count: i64) -> Result<i64> {
    let mut statement = writer.prepare_cached(
        "UPDATE organization_sequence SET last = last + ?2, rolled_to = rolled_to + ?2 WHERE organization_id = ?1 \
         RETURNING last",
    )?;
    Ok(statement.query_row(params![organization, count], |row| row.get(0))?)
}

fn store(
    writer: &Connection,
    write: &Write,
    asked: &ask::Record,
    routed: &Routed,
    sequence: i64,
    now: i64,
) -> Result<()> {
    let organization = write.organization;
    writer
        .prepare_cached(
            "INSERT INTO feedback_record (organization_id, id, version, created_at, updated_at, kind, sentiment, \
             sentiment_score, body, body_folded, received_at, tags, attributes, priority, point_id, medium_id, \
             department_id) VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '[]', '[]', ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            organization,
            routed.id,
            now,
            asked.kind,
            asked.sentiment,
            asked.sentiment_score,
            asked.body,
            routed.folded,
            routed.received,
            routed.priority,
            routed.point,
            routed.medium,
            routed.department
        ])?;
    writer
        .prepare_cached(
            "INSERT INTO routing (organization_id, id, version, created_at, updated_at, feedback_record_id, cause, \
             rule_id, rule_version, department_id, priority, response_policy_id, reason, subject) \
             VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            organization,
            routed.routing,
            now,
            routed.id,
            routed.cause,
            routed.rule,
            routed.version,
            routed.department,
            routed.priority,
            routed.policy,
            routed.reason,
            write.subject
        ])?;
    writer
        .prepare_cached(
            "INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, \
             fields) VALUES (?1, ?2, ?3, 'FeedbackRecord', ?4, 'CREATED', 1, ?5, ?6, ?7)",
        )?
        .execute(params![organization, routed.event, sequence, routed.id, write.subject, now, EVENT_FIELDS])?;
    Ok(())
}

/// Inserts new rows. Err if a row exists, because the benchmark upserts only new rows.
fn upsert(writer: &Connection, write: &Write, rules: &[Rule], fallback: Uuid) -> Answer {
    let rows = ask::read::<ask::Bulk>(&write.body)?.input.rows;
    let now = Utc::now().timestamp_millis();
    let base = sequence(writer, write.organization, rows.len() as i64)? - rows.len() as i64;
    let mut known = writer.prepare_cached(
        "SELECT feedback_record_id FROM feedback_record_external_id WHERE organization_id = ?1 AND system = ?2 \
         AND external_id = ?3",
    )?;
    let mut name = writer.prepare_cached(
        "INSERT INTO feedback_record_external_id (organization_id, feedback_record_id, system, external_id) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut all = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let key = row.external_id.as_ref().context("no external id")?;
        let found: Option<Uuid> =
            known.query_row(params![write.organization, key.system, key.id], |row| row.get(0)).optional()?;
        ensure!(found.is_none(), "row {place} is there");
        let routed = route::route(row, Uuid::now_v7(), rules, fallback)?;
        store(writer, write, row, &routed, base + place as i64 + 1, now)?;
        name.execute(params![write.organization, routed.id, key.system, key.id])?;
        all.push(routed);
    }
    Ok(answer::write("feedbackRecordsBulkUpsert", &upserted(&vec![None; all.len()], &all)))
}

fn desk(writer: &Connection, organization: Uuid) -> Result<(Vec<Rule>, Uuid)> {
    let mut statement = writer.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM routing_rule WHERE organization_id = ?1 AND archived_at IS NULL ORDER BY position, id"
    ))?;
    let rule = |row: &Row| {
        Ok(Rule {
            id: row.get(0)?,
            version: row.get(1)?,
            name: row.get(2)?,
            kind: row.get(3)?,
            sentiment: row.get(4)?,
            score_from: row.get(5)?,
            score_to: row.get(6)?,
            point: row.get(7)?,
            medium: row.get(8)?,
            department: row.get(9)?,
            priority: row.get(10)?,
            policy: row.get(11)?,
        })
    };
    let rules = statement.query_map(params![organization], rule)?.collect::<Result<_, _>>()?;
    let mut fallback = writer.prepare_cached("SELECT fallback_department_id FROM organization WHERE id = ?1")?;
    Ok((rules, fallback.query_row(params![organization], |row| row.get(0))?))
}
