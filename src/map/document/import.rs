//! Takes in the whole map of another organization, or says what would come of it.

use std::any::Any;

use entity::{
    Noun, Permission,
    noun::{Link, Relationship},
};

use super::{Document, EXPORTED, Known, count, read::read, text, write};
use crate::{
    Result,
    graphql::{
        mutation::input::Input,
        slice::{Argument, Done, Mutation, Planned, Run, planned},
    },
    map::WRITE,
    store::{Tx, statement::cell::Cell, usage::meter::Meter, writing::draft::Outcome},
};

/// The mutation.
pub const IMPORT: Mutation = Mutation {
    name: "mapImport",
    doc: "Imports a document of mapExport, all or nothing. A row matches an existing one by its key: an external id \
          in the system `rapport-map`, or the id. Rows without a match are created. Omitted fields, lists and \
          rows keep their state. Importing the same document again changes nothing.",
    permissions: WRITE,
    input: &[
        Argument {
            name: "document",
            ty: "String!",
            default: None,
            doc: "The document as JSON text, up to 4 MiB and 10,000 rows and links. Error paths point into it.",
        },
        Argument {
            name: "dryRun",
            ty: "Boolean",
            default: Some("false"),
            doc: "Whether to make a dry run: the result reports what would change, and nothing is saved.",
        },
    ],
    run: Run::Planned { plan, run: |tx, plan| Box::pin(import(tx, plan)) },
};

/// The list of the payload that tells what came of it.
pub const REPORT: Relationship = Relationship {
    name: "importCounts",
    target: &COUNT,
    link: Link::Embedded { is_list: true },
    doc: "Changes by mapImport per type, made or, in a dry run, planned. Empty for other mutations and in a replay.",
};

/// What came of the rows of one noun.
pub(super) static COUNT: Noun = Noun {
    name: "MapImportCount",
    singular: "mapImportCount",
    plural: "mapImportCounts",
    table: "",
    prefix: "",
    doc: "Result of an import for the rows of a type.",
    tenant: "",
    system: &[],
    read: None,
    write: Permission::MapWrite,
    fields: &[
        text("type", "The type, for example InteractionPoint."),
        count("created", "Number of created rows."),
        count("updated", "Number of updated rows, including changes to their links."),
        count("unchanged", "Number of rows that already matched the document."),
    ],
    relations: &[],
    operations: &[],
    has_external_ids: false,
};

/// A document to write, or to try.
struct Import {
    document: Document,
    is_dry_run: bool,
}

fn plan(input: &Input<'_>, meter: &Meter) -> Result<Planned> {
    let is_dry_run = input.get("dryRun") == Some(&true.into());
    let document = read(input.text("document")?.unwrap_or_default(), meter)?;
    Ok(document.map(|document| Box::new(Import { document, is_dry_run }) as _))
}

async fn import(tx: &Tx, plan: &(dyn Any + Send + Sync)) -> Result<Done> {
    let Import { document, is_dry_run } = planned(plan)?;
    let done = match write(tx, document, Known::Update).await? {
        Ok(done) => done,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    if *is_dry_run {
        tx.set_dry_run();
    }
    let row = |(slice, rows): (&&crate::graphql::slice::Module, &Vec<(_, Outcome)>)| {
        let of = |wanted: Outcome| {
            let count = rows.iter().filter(|(_, outcome)| *outcome == wanted).count();
            Cell::Int(i64::try_from(count).unwrap_or(i64::MAX))
        };
        vec![
            ("type", Cell::Text(slice.noun.name.to_owned())),
            ("created", of(Outcome::Created)),
            ("updated", of(Outcome::Updated)),
            ("unchanged", of(Outcome::Unchanged)),
        ]
    };
    let rows = EXPORTED.iter().zip(&done.0).filter(|(_, rows)| !rows.is_empty());
    tx.add_report(REPORT.name, rows.map(row).collect());
    let outcome = if done.is_change() { Outcome::Updated } else { Outcome::Unchanged };
    Ok(Ok((tx.organization().0, outcome)))
}
