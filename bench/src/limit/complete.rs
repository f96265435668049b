//! A completed interaction with the follow-ups of the playbooks whose filters it meets: one statement after the reads on
//! `PostgreSQL`, prepared statements in one transaction on `SQLite`.

use anyhow::{Context, Result, ensure};
use chrono::Utc;
use futures_util::future::try_join3;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    answer::{self, StringEnum},
    ask,
    door::Caller,
    postgres::{FALLBACK, Session},
};
use crate::{wire, words};

/// The playbooks that may act.
pub const PLAYBOOKS: &str = "SELECT id, version, title, kind, offset_minutes, interaction_filter, department_id FROM playbook \
    WHERE organization_id = $1 AND archived_at IS NULL AND trigger = 'INTERACTION_COMPLETED' ORDER BY id";
/// Whether the customer was erased.
pub const CUSTOMER: &str = "SELECT erased_at FROM customer WHERE organization_id = $1 AND id = $2";
/// Writes everything.
pub const WRITE: &str = "WITH v AS (SELECT * FROM unnest($15::uuid[], $16::text[], $17::text[], $18::text[], $19::bigint[], \
    $20::uuid[], $21::bigint[], $22::uuid[], $23::text[]) \
    AS v(id, title, folded, kind, due, playbook, version, department, effect)), \
    i AS (INSERT INTO interaction (organization_id, id, version, created_at, updated_at, status, direction, purpose, \
    is_automated, occurred_at, summary, summary_folded, tags, attributes, point_id, medium_id, customer_id) \
    VALUES ($1, $5, 1, $3, $3, $6, $7, $8, FALSE, $3, $9, $10, '[]', '[]', $11, $12, $13)), \
    h AS (INSERT INTO state_change (organization_id, id, row_id, to_state, changed_at, subject, row_version) \
    VALUES ($1, $14, $5, $6, $3, $2, 1)), \
    k AS (INSERT INTO effect_key (organization_id, effect) SELECT $1, effect FROM v), \
    f AS (INSERT INTO follow_up (organization_id, id, version, created_at, updated_at, title, title_folded, kind, status, \
    due_at, tags, playbook_id, playbook_version, customer_id, medium_id, interaction_id, department_id) \
    SELECT $1, id, 1, $3, $3, title, folded, kind, 'OPEN', due, '[]', playbook, version, $13, $12, $5, department FROM v), \
    w AS (INSERT INTO search_entry (organization_id, row_id, source, tokens) \
    SELECT $1, * FROM unnest($24::uuid[], $25::text[], $26::text[])), \
    s AS (UPDATE organization_sequence SET last = last + $4, rolled_to = rolled_to + $4 WHERE organization_id = $1 \
    RETURNING last - $4 AS base) \
    INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields) \
    SELECT $1, e.id, s.base + e.place, e.noun, e.row, 'CREATED', 1, $2, $3, e.fields FROM s CROSS JOIN \
    unnest($27::uuid[], $28::text[], $29::uuid[], $30::text[]) WITH ORDINALITY AS e(id, noun, row, fields, place)";

/// Noun and changed fields of the event of each kind of row, in Rapport's order.
const INTERACTION: (&str, &str) = (
    "Interaction",
    r#"["status","direction","purpose","occurredAt","summary","point","medium","customer","isAutomated","tags","attributes"]"#,
);
const FOLLOW_UP: (&str, &str) = (
    "FollowUp",
    r#"["title","kind","status","dueAt","tags","playbook","playbookVersion","customer","medium","interaction","department"]"#,
);

/// A playbook that may act.
struct Playbook {
    id: Uuid,
    version: i64,
    title: String,
    kind: String,
    offset_minutes: i64,
    filter: Option<String>,
    department: Option<Uuid>,
}

impl Playbook {
    /// Returns whether an interaction meets the filter. The data set has only filters of the purpose.
    fn is_met(&self, asked: &ask::Completed) -> Result<bool> {
        let Some(filter) = self.filter.as_deref().and_then(|filter| filter.split_once('\n')) else { return Ok(true) };
        let filter: Value = serde_json::from_str(filter.1)?;
        Ok(filter["purpose"]["eq"] == asked.purpose.as_str())
    }
}

struct FollowUp<'a> {
    id: Uuid,
    playbook: &'a Playbook,
    due: i64,
    department: Uuid,
    effect: String,
}

/// Everything that is written for an interaction.
struct Written<'a> {
    id: Uuid,
    change: Uuid,
    now: i64,
    folded: String,
    point: Uuid,
    medium: Uuid,
    customer: Uuid,
    follow_ups: Vec<FollowUp<'a>>,
    /// Row, source and words.
    entries: Vec<(Uuid, &'static str, String)>,
    /// Id, noun, row and fields.
    events: Vec<(Uuid, &'static str, Uuid, &'static str)>,
}

#[derive(Serialize)]
struct Created {
    outcome: &'static str,
    errors: [(); 0],
    node: StringEnum,
}

impl<'a> Written<'a> {
    fn of(organization: Uuid, asked: &ask::Completed, (playbooks, fallback): (&'a [Playbook], Uuid)) -> Result<Self> {
        let id_of = |reference: &ask::Reference| wire::uuid(&reference.id).context("no reference");
        let (id, now) = (Uuid::now_v7(), Utc::now().timestamp_millis());
        let mut follow_ups = Vec::new();
        for playbook in playbooks {
            if playbook.is_met(asked)? {
                follow_ups.push(FollowUp {
                    id: Uuid::now_v7(),
                    playbook,
                    due: now + playbook.offset_minutes * 60_000,
                    department: playbook.department.unwrap_or(fallback),
                    effect: format!("playbook/{}/{}/", playbook.id.simple(), id.simple()),
                });
            }
        }
        let mut entries = vec![(id, words::SUMMARY, words::indexed(organization, &asked.summary))];
        entries.extend(
            follow_ups.iter().map(|it| (it.id, words::TITLE, words::indexed(organization, &it.playbook.title))),
        );
        let mut events = vec![(Uuid::now_v7(), INTERACTION.0, id, INTERACTION.1)];
        events.extend(follow_ups.iter().map(|it| (Uuid::now_v7(), FOLLOW_UP.0, it.id, FOLLOW_UP.1)));
        Ok(Self {
            id,
            change: Uuid::now_v7(),
            now,
            folded: asked.summary.to_lowercase(),
            point: id_of(&asked.point_ref)?,
            medium: id_of(&asked.medium_ref)?,
            customer: id_of(&asked.customer_ref)?,
            follow_ups,
            entries,
            events,
        })
    }

    fn response(&self) -> Vec<u8> {
        let node = StringEnum { id: wire::id("inter", self.id) };
        answer::write("interactionCreate", &Created { outcome: "CREATED", errors: [], node })
    }
}

pub async fn postgres(session: &Session, caller: &Caller, asked: ask::Complete) -> Result<Vec<u8>> {
    let (asked, organization) = (asked.input, caller.organization);
    let customer = wire::uuid(&asked.customer_ref.id).context("no customer")?;
    let own: [&(dyn ToSql + Sync); 1] = [&organization];
    let of: [&(dyn ToSql + Sync); 2] = [&organization, &customer];
    let read = try_join3(session.rows(PLAYBOOKS, &own), session.rows(FALLBACK, &own), session.rows(CUSTOMER, &of));
    let (playbooks, fallback, customer) = read.await?;
    ensure!(customer.first().is_some_and(|row| row.get::<_, Option<i64>>(0).is_none()), "the customer was erased");
    let playbook = |row: &tokio_postgres::Row| Playbook {
        id: row.get(0),
        version: row.get(1),
        title: row.get(2),
        kind: row.get(3),
        offset_minutes: row.get(4),
        filter: row.get(5),
        department: row.get(6),
    };
    let playbooks: Vec<Playbook> = playbooks.iter().map(playbook).collect();
    let fallback = fallback.first().context("no organization")?.get(0);
    let written = Written::of(organization, &asked, (&playbooks, fallback))?;
    macro_rules! column {
        ($from:expr, $it:ident, $value:expr) => {
            $from.iter().map(|$it| $value).collect::<Vec<_>>()
        };
    }
    let Written { follow_ups, entries, events, .. } = &written;
    let folded = column!(follow_ups, it, it.playbook.title.to_lowercase());
    let count = events.len() as i64;
    let of: [&(dyn ToSql + Sync); 30] = [
        &organization,
        &caller.subject,
        &written.now,
        &count,
        &written.id,
        &asked.status,
        &asked.direction,
        &asked.purpose,
        &asked.summary,
        &written.folded,
        &written.point,
        &written.medium,
        &written.customer,
        &written.change,
        &column!(follow_ups, it, it.id),
        &column!(follow_ups, it, it.playbook.title.as_str()),
        &folded,
        &column!(follow_ups, it, it.playbook.kind.as_str()),
        &column!(follow_ups, it, it.due),
        &column!(follow_ups, it, it.playbook.id),
        &column!(follow_ups, it, it.playbook.version),
        &column!(follow_ups, it, it.department),
        &column!(follow_ups, it, it.effect.as_str()),
        &column!(entries, entry, entry.0),
        &column!(entries, entry, entry.1),
        &column!(entries, entry, entry.2.as_str()),
        &column!(events, event, event.0),
        &column!(events, event, event.1),
        &column!(events, event, event.2),
        &column!(events, event, event.3),
    ];
    session.execute(WRITE, &of).await?;
    Ok(written.response())
}

pub fn sqlite(writer: &Connection, organization: Uuid, subject: &str, asked: &ask::Complete) -> Result<Vec<u8>> {
    let asked = &asked.input;
    let mut read = writer.prepare_cached(&PLAYBOOKS.replace('$', "?"))?;
    let playbooks = read.query_map(params![organization], |row| {
        Ok(Playbook {
            id: row.get(0)?,
            version: row.get(1)?,
            title: row.get(2)?,
            kind: row.get(3)?,
            offset_minutes: row.get(4)?,
            filter: row.get(5)?,
            department: row.get(6)?,
        })
    })?;
    let playbooks: Vec<Playbook> = playbooks.collect::<Result<_, _>>()?;
    let fallback =
        writer.prepare_cached(&FALLBACK.replace('$', "?"))?.query_row(params![organization], |row| row.get(0))?;
    let written = Written::of(organization, asked, (&playbooks, fallback))?;
    let mut customer = writer.prepare_cached(&CUSTOMER.replace('$', "?"))?;
    let erased: Option<Option<i64>> =
        customer.query_row(params![organization, written.customer], |row| row.get(0)).optional()?;
    ensure!(erased == Some(None), "the customer was erased");
    let (id, now) = (written.id, written.now);
    writer
        .prepare_cached(
            "INSERT INTO interaction (organization_id, id, version, created_at, updated_at, status, direction, purpose, \
             is_automated, occurred_at, summary, summary_folded, tags, attributes, point_id, medium_id, customer_id) \
             VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, FALSE, ?3, ?7, ?8, '[]', '[]', ?9, ?10, ?11)",
        )?
        .execute(params![
            organization,
            id,
            now,
            asked.status,
            asked.direction,
            asked.purpose,
            asked.summary,
            written.folded,
            written.point,
            written.medium,
            written.customer
        ])?;
    writer
        .prepare_cached(
            "INSERT INTO state_change (organization_id, id, row_id, to_state, changed_at, subject, row_version) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
        )?
        .execute(params![organization, written.change, id, asked.status, now, subject])?;
    let mut key = writer.prepare_cached("INSERT INTO effect_key (organization_id, effect) VALUES (?1, ?2)")?;
    let mut follow_up = writer.prepare_cached(
        "INSERT INTO follow_up (organization_id, id, version, created_at, updated_at, title, title_folded, kind, status, \
         due_at, tags, playbook_id, playbook_version, customer_id, medium_id, interaction_id, department_id) \
         VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, 'OPEN', ?7, '[]', ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for it in &written.follow_ups {
        key.execute(params![organization, it.effect])?;
        let (title, folded) = (&it.playbook.title, it.playbook.title.to_lowercase());
        follow_up.execute(params![
            organization,
            it.id,
            now,
            title,
            folded,
            it.playbook.kind,
            it.due,
            it.playbook.id,
            it.playbook.version,
            written.customer,
            written.medium,
            id,
            it.department
        ])?;
    }
    let mut entry = writer
        .prepare_cached("INSERT INTO search_entry (organization_id, row_id, source, tokens) VALUES (?1, ?2, ?3, ?4)")?;
    let mut document = writer.prepare_cached("INSERT INTO search_text (rowid, tokens) VALUES (?1, ?2)")?;
    for (row, source, words) in &written.entries {
        let number = entry.insert(params![organization, row, source, words])?;
        document.execute(params![number, words])?;
    }
    let count = written.events.len() as i64;
    let base = super::sqlite::sequence(writer, organization, count)? - count;
    let mut event = writer.prepare_cached(
        "INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, \
         fields) VALUES (?1, ?2, ?3, ?4, ?5, 'CREATED', 1, ?6, ?7, ?8)",
    )?;
    for (place, (change, noun, row, fields)) in (1..).zip(&written.events) {
        event.execute(params![organization, change, base + place, noun, row, subject, now, fields])?;
    }
    Ok(written.response())
}
