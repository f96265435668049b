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
    doc: "Takes in a document of mapExport: all of it or nothing. A row is the one that carries its key as external id of the system `rapport-map`, or whose id it is; others are made. Fields and lists that a row leaves out stay as they are; rows that the document leaves out, too. Importing a document again changes nothing.",
    permissions: WRITE,
    input: &[
        Argument {
            name: "document",
            ty: "String!",
            default: None,
            doc: "The document as JSON text, up to 4 MiB and 10,000 rows and lines. Paths of errors lead into it.",
        },
        Argument {
            name: "dryRun",
            ty: "Boolean",
            default: Some("false"),
            doc: "Whether nothing is kept: the answer tells what would come of it.",
        },
    ],
    run: Run::Planned { plan, run: |tx, plan| Box::pin(import(tx, plan)) },
};

/// The list of the payload that tells what came of it.
pub const REPORT: Relationship = Relationship {
    name: "importCounts",
    target: &COUNT,
    link: Link::Embedded { is_list: true },
    doc: "What mapImport did to the rows of each type, or would do; empty for other mutations and in a replay.",
};

/// What came of the rows of one noun.
pub(super) static COUNT: Noun = Noun {
    name: "MapImportCount",
    singular: "mapImportCount",
    plural: "mapImportCounts",
    table: "",
    prefix: "",
    doc: "What came of the rows of one type in a document.",
    tenant: "",
    system: &[],
    read: None,
    write: Permission::MapWrite,
    fields: &[
        text("type", "The type, for example InteractionPoint."),
        count("created", "Rows that were made."),
        count("updated", "Rows that changed, what they are linked to included."),
        count("unchanged", "Rows that already were as the document says."),
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
