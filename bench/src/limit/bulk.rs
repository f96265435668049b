//! The bulk upsert of interactions with their assessments and offers: one statement over `UNNEST` on `PostgreSQL`,
//! prepared statements in one transaction on `SQLite`. It writes the index entries too, so that a search finds the rows
//! at once.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use chrono::Utc;
use futures_util::future::try_join;
use rusqlite::{Connection, OptionalExtension, params};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    answer::{self, StringEnum, Upserted, UpsertedRow},
    ask,
    door::Caller,
    postgres::Session,
};
use crate::{wire, words};

/// The external ids that are known already.
pub const KNOWN: &str = "SELECT interaction_id FROM interaction_external_id WHERE organization_id = $1 \
                         AND (system, external_id) IN (SELECT * FROM unnest($2::text[], $3::text[])) LIMIT 1";
/// The points of expectations: an assessment must be of the interaction's point.
pub const POINTS: &str = "SELECT id, point_id FROM expectation WHERE organization_id = $1 AND id = ANY($2)";
/// Writes everything.
pub const WRITE: &str = "WITH v AS (SELECT * FROM unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[], \
    $10::text[], $11::text[], $12::uuid[], $13::uuid[], $14::uuid[], $15::text[], $16::text[], $17::uuid[]) \
    AS v(id, status, direction, purpose, at, summary, folded, point, medium, customer, system, external_id, change)), \
    i AS (INSERT INTO interaction (organization_id, id, version, created_at, updated_at, status, direction, purpose, \
    is_automated, occurred_at, summary, summary_folded, tags, attributes, point_id, medium_id, customer_id) \
    SELECT $1, id, 1, $3, $3, status, direction, purpose, FALSE, at, summary, folded, '[]', '[]', point, medium, customer \
    FROM v), \
    x AS (INSERT INTO interaction_external_id (organization_id, interaction_id, system, external_id) \
    SELECT $1, id, system, external_id FROM v), \
    h AS (INSERT INTO state_change (organization_id, id, row_id, to_state, changed_at, subject, row_version) \
    SELECT $1, change, id, status, $3, $2, 1 FROM v), \
    a AS (INSERT INTO assessment (organization_id, id, version, created_at, updated_at, outcome, expected, perceived, \
    verified_by, assessed_at, tags, attributes, interaction_id, expectation_id) \
    SELECT $1, id, 1, $3, $3, outcome, expected, perceived, verified, at, '[]', '[]', interaction, expectation \
    FROM unnest($18::uuid[], $19::text[], $20::bigint[], $21::bigint[], $22::text[], $23::bigint[], $24::uuid[], \
    $25::uuid[]) AS a(id, outcome, expected, perceived, verified, at, interaction, expectation)), \
    o AS (INSERT INTO offer_made (organization_id, id, version, created_at, updated_at, status, tags, attributes, \
    interaction_id, offer_id) SELECT $1, id, 1, $3, $3, status, '[]', '[]', interaction, offer \
    FROM unnest($26::uuid[], $27::text[], $28::uuid[], $29::uuid[]) AS o(id, status, interaction, offer)), \
    w AS (INSERT INTO search_entry (organization_id, row_id, source, tokens) \
    SELECT $1, * FROM unnest($30::uuid[], $31::text[], $32::text[])), \
    s AS (UPDATE organization_sequence SET last = last + $4, rolled_to = rolled_to + $4 WHERE organization_id = $1 \
    RETURNING last - $4 AS base) \
    INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields) \
    SELECT $1, e.id, s.base + e.place, e.noun, e.row, 'CREATED', 1, $2, $3, e.fields FROM s CROSS JOIN \
    unnest($33::uuid[], $34::text[], $35::uuid[], $36::text[]) WITH ORDINALITY AS e(id, noun, row, fields, place)";

/// Noun and changed fields of the event of each kind of row, in Rapport's order.
const INTERACTION: (&str, &str) = (
    "Interaction",
    r#"["status","direction","purpose","occurredAt","summary","point","medium","customer","isAutomated","tags","attributes","externalIds"]"#,
);
const ASSESSMENT: (&str, &str) = (
    "Assessment",
    r#"["outcome","expected","perceived","verifiedBy","assessedAt","interaction","expectation","tags","attributes"]"#,
);
const OFFER_MADE: (&str, &str) = ("OfferMade", r#"["status","interaction","offer","tags","attributes"]"#);

struct Interaction {
    id: Uuid,
    change: Uuid,
    at: i64,
    folded: String,
    point: Uuid,
    medium: Uuid,
    customer: Uuid,
}

struct Assessment<'a> {
    id: Uuid,
    asked: &'a ask::Assessment,
    at: i64,
    interaction: Uuid,
    point: Uuid,
    expectation: Uuid,
}

struct OfferMade<'a> {
    id: Uuid,
    asked: &'a ask::OfferMade,
    interaction: Uuid,
    offer: Uuid,
}

/// An entry of the index: row, source, words.
type Entry = (Uuid, &'static str, String);
/// An event: its id, noun and fields, the row.
type Event = (Uuid, (&'static str, &'static str), Uuid);

/// Everything that is written for some interactions.
struct Written<'a> {
    interactions: Vec<Interaction>,
    assessments: Vec<Assessment<'a>>,
    offers: Vec<OfferMade<'a>>,
    entries: Vec<Entry>,
    events: Vec<Event>,
}

fn id_of(reference: &ask::Reference) -> Result<Uuid> {
    wire::uuid(&reference.id).context("no reference")
}

impl<'a> Written<'a> {
    fn of(organization: Uuid, rows: &'a [ask::Interaction]) -> Result<Self> {
        let (mut interactions, mut assessments, mut offers, mut entries) = (vec![], vec![], vec![], vec![]);
        for row in rows {
            let (id, point) = (Uuid::now_v7(), id_of(&row.point_ref)?);
            interactions.push(Interaction {
                id,
                change: Uuid::now_v7(),
                at: wire::millis(&row.occurred_at).context("no instant")?,
                folded: row.summary.to_lowercase(),
                point,
                medium: id_of(&row.medium_ref)?,
                customer: id_of(&row.customer_ref)?,
            });
            for asked in &row.assessments.upsert {
                let (at, expectation) = (wire::millis(&asked.assessed_at), id_of(&asked.expectation_ref)?);
                let at = at.context("no instant")?;
                assessments.push(Assessment { id: Uuid::now_v7(), asked, at, interaction: id, point, expectation });
            }
            for asked in &row.offers_made.upsert {
                let offer = id_of(&asked.offer_ref)?;
                offers.push(OfferMade { id: Uuid::now_v7(), asked, interaction: id, offer });
            }
            entries.push((id, words::EXTERNAL_IDS, words::indexed(organization, &row.external_id.id)));
            entries.push((id, words::SUMMARY, words::indexed(organization, &row.summary)));
        }
        let events = interactions.iter().map(|row: &Interaction| (INTERACTION, row.id));
        let events = events.chain(assessments.iter().map(|row| (ASSESSMENT, row.id)));
        let events = events.chain(offers.iter().map(|row| (OFFER_MADE, row.id)));
        let events = events.map(|(kind, row)| (Uuid::now_v7(), kind, row)).collect();
        Ok(Self { interactions, assessments, offers, entries, events })
    }

    /// Err if an assessment is of another point than its interaction.
    fn check(&self, points: &HashMap<Uuid, Uuid>) -> Result<()> {
        let is_right = |row: &Assessment<'_>| points.get(&row.expectation) == Some(&row.point);
        ensure!(self.assessments.iter().all(is_right), "an expectation is not of the interaction's point");
        Ok(())
    }

    fn response(&self) -> Vec<u8> {
        let row = |(index, row): (usize, &Interaction)| UpsertedRow {
            index,
            outcome: "CREATED",
            node: StringEnum { id: wire::id("inter", row.id) },
        };
        let results = self.interactions.iter().enumerate().map(row).collect();
        answer::write("interactionsBulkUpsert", &Upserted { errors: [], results })
    }
}

/// Inserts new rows. Err if a row exists, because the benchmark upserts only new rows.
pub async fn postgres(session: &Session, caller: &Caller, asked: ask::Interactions) -> Result<Vec<u8>> {
    let rows = asked.input.rows;
    let organization = caller.organization;
    let written = Written::of(organization, &rows)?;
    macro_rules! column {
        ($from:expr, $it:ident, $value:expr) => {
            $from.iter().map(|$it| $value).collect::<Vec<_>>()
        };
    }
    let systems = column!(rows, row, row.external_id.system.as_str());
    let externals = column!(rows, row, row.external_id.id.as_str());
    let expectations = column!(written.assessments, row, row.expectation);
    let known: [&(dyn ToSql + Sync); 3] = [&organization, &systems, &externals];
    let of: [&(dyn ToSql + Sync); 2] = [&organization, &expectations];
    let (known, points) = try_join(session.rows(KNOWN, &known), session.rows(POINTS, &of)).await?;
    ensure!(known.is_empty(), "a row is there");
    written.check(&points.iter().map(|row| (row.get(0), row.get(1))).collect())?;
    let Written { interactions, assessments, offers, entries, events } = &written;
    let (now, count) = (Utc::now().timestamp_millis(), events.len() as i64);
    let of: [&(dyn ToSql + Sync); 36] = [
        &organization,
        &caller.subject,
        &now,
        &count,
        &column!(interactions, row, row.id),
        &column!(rows, row, row.status.as_str()),
        &column!(rows, row, row.direction.as_str()),
        &column!(rows, row, row.purpose.as_str()),
        &column!(interactions, row, row.at),
        &column!(rows, row, row.summary.as_str()),
        &column!(interactions, row, row.folded.as_str()),
        &column!(interactions, row, row.point),
        &column!(interactions, row, row.medium),
        &column!(interactions, row, row.customer),
        &systems,
        &externals,
        &column!(interactions, row, row.change),
        &column!(assessments, row, row.id),
        &column!(assessments, row, row.asked.outcome.as_str()),
        &column!(assessments, row, row.asked.expected),
        &column!(assessments, row, row.asked.perceived),
        &column!(assessments, row, row.asked.verified_by.as_str()),
        &column!(assessments, row, row.at),
        &column!(assessments, row, row.interaction),
        &expectations,
        &column!(offers, row, row.id),
        &column!(offers, row, row.asked.status.as_str()),
        &column!(offers, row, row.interaction),
        &column!(offers, row, row.offer),
        &column!(entries, entry, entry.0),
        &column!(entries, entry, entry.1),
        &column!(entries, entry, entry.2.as_str()),
        &column!(events, event, event.0),
        &column!(events, event, event.1.0),
        &column!(events, event, event.2),
        &column!(events, event, event.1.1),
    ];
    session.execute(WRITE, &of).await?;
    Ok(written.response())
}

/// Inserts new rows in the writer's transaction. Err if a row exists.
pub fn sqlite(writer: &Connection, organization: Uuid, subject: &str, asked: &ask::Interactions) -> Result<Vec<u8>> {
    let rows = &asked.input.rows;
    let (written, now) = (Written::of(organization, rows)?, Utc::now().timestamp_millis());
    let mut known = writer.prepare_cached(
        "SELECT 1 FROM interaction_external_id WHERE organization_id = ?1 AND system = ?2 AND external_id = ?3",
    )?;
    let mut point = writer.prepare_cached("SELECT point_id FROM expectation WHERE organization_id = ?1 AND id = ?2")?;
    let mut points = HashMap::new();
    for row in &written.assessments {
        let of = point.query_row(params![organization, row.expectation], |row| row.get(0)).optional()?;
        points.extend(of.map(|point: Uuid| (row.expectation, point)));
    }
    written.check(&points)?;
    let mut interaction = writer.prepare_cached(
        "INSERT INTO interaction (organization_id, id, version, created_at, updated_at, status, direction, purpose, \
         is_automated, occurred_at, summary, summary_folded, tags, attributes, point_id, medium_id, customer_id) \
         VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, FALSE, ?7, ?8, ?9, '[]', '[]', ?10, ?11, ?12)",
    )?;
    let mut name = writer.prepare_cached(
        "INSERT INTO interaction_external_id (organization_id, interaction_id, system, external_id) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut change = writer.prepare_cached(
        "INSERT INTO state_change (organization_id, id, row_id, to_state, changed_at, subject, row_version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
    )?;
    for (row, asked) in written.interactions.iter().zip(rows) {
        let key = &asked.external_id;
        let found = known.exists(params![organization, key.system, key.id])?;
        ensure!(!found, "a row is there");
        let (status, direction, purpose, summary) = (&asked.status, &asked.direction, &asked.purpose, &asked.summary);
        let (of, to) = ((row.at, &row.folded), (row.point, row.medium, row.customer));
        interaction.execute(params![
            organization,
            row.id,
            now,
            status,
            direction,
            purpose,
            of.0,
            summary,
            of.1,
            to.0,
            to.1,
            to.2
        ])?;
        name.execute(params![organization, row.id, key.system, key.id])?;
        change.execute(params![organization, row.change, row.id, status, now, subject])?;
    }
    let mut assessment = writer.prepare_cached(
        "INSERT INTO assessment (organization_id, id, version, created_at, updated_at, outcome, expected, perceived, \
         verified_by, assessed_at, tags, attributes, interaction_id, expectation_id) \
         VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, ?7, ?8, '[]', '[]', ?9, ?10)",
    )?;
    for row in &written.assessments {
        let ask::Assessment { outcome, expected, perceived, verified_by, .. } = row.asked;
        let (interaction, expectation) = (row.interaction, row.expectation);
        let of = params![
            organization,
            row.id,
            now,
            outcome,
            expected,
            perceived,
            verified_by,
            row.at,
            interaction,
            expectation
        ];
        assessment.execute(of)?;
    }
    let mut offer = writer.prepare_cached(
        "INSERT INTO offer_made (organization_id, id, version, created_at, updated_at, status, tags, attributes, \
         interaction_id, offer_id) VALUES (?1, ?2, 1, ?3, ?3, ?4, '[]', '[]', ?5, ?6)",
    )?;
    for row in &written.offers {
        offer.execute(params![organization, row.id, now, row.asked.status, row.interaction, row.offer])?;
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
    for (place, (id, (noun, fields), row)) in (1..).zip(&written.events) {
        event.execute(params![organization, id, base + place, noun, row, subject, now, fields])?;
    }
    Ok(written.response())
}
