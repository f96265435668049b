//! `customer export`: writes all data stored about a customer, with one page at a time in memory.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
};

use anyhow::{Context, Result};
use entity::{customer, id};
use serde_json::json;

use super::operator;
use crate::{
    config::{ExportRequest, Settings},
    graphql::mutation::input::wire_id,
    record::export,
    store::{ExternalId, Place, writing::draft::Reference},
};

/// Writes JSON lines: a header with the customer, one line per row, and a trailer with the number of rows. Without the
/// trailer, the export is incomplete.
pub async fn export(settings: &Settings, request: &ExportRequest) -> Result<String> {
    let scope = operator(settings, &request.organization).await?;
    let noun = &customer::NOUN;
    let (named, given) = match (&request.id, &request.external_id) {
        (_, Some(key)) => {
            let (system, id) = key.split_once(':').context("--external-id must have the form SYSTEM:ID")?;
            (Reference::External(ExternalId { system: system.to_owned(), id: id.to_owned() }), key)
        }
        (id, None) => {
            let id = id.as_ref().context("--id or --external-id is required")?;
            (Reference::Id(wire_id(noun.prefix, id)), id)
        }
    };
    let found = scope.references(noun, std::iter::once(&named)).await?;
    let person = *found.get(&named).with_context(|| format!("no customer {given}"))?;
    let mut output: BufWriter<Box<dyn Write + Send>> = BufWriter::new(match &request.output {
        None => Box::new(io::stdout()),
        Some(file) => {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
            Box::new(made.with_context(|| format!("cannot create {}", file.display()))?)
        }
    });
    let at = export::instant(scope.now().timestamp_millis());
    writeln!(output, "{}", json!({ "customer": id::encode(noun.prefix, person), "exportedAt": at }))?;
    let (mut counts, mut place) = (BTreeMap::<&str, u64>::new(), Some(Place::default()));
    while let Some(from) = place {
        let (rows, next) = export::page(&scope, person, from, PAGE).await?;
        for (name, row) in rows {
            *counts.entry(name).or_default() += 1;
            writeln!(output, "{}", json!({ "type": name, "row": row }))?;
        }
        place = next;
    }
    let all: u64 = counts.values().sum();
    writeln!(output, "{}", json!({ "complete": true, "rowCount": all, "rows": counts }))?;
    output.flush().context("cannot write the export")?;
    Ok(String::new())
}

/// Maximum number of rows held in memory.
const PAGE: usize = 500;
