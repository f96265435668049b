//! The mutation `mapImport`, which imports the map of another organization, optionally as a dry run.

use super::{Document, EXPORTED, Known, read::read, write};
use crate::{
    Result,
    graphql::{
        slice::{Done, Module, Mutation, Report},
        typed::{
            fields::{Planned, PlannedMutationFn, Planning},
            input::Input,
            output::{Output, count},
        },
    },
    map::WRITE,
    store::{Tx, writing::draft::Outcome},
};

/// The mutation `mapImport`.
pub const IMPORT: Mutation = Mutation {
    name: "mapImport",
    doc: "Imports a document of mapExport, all or nothing. A row matches an existing one by its key: an external id \
          in the system `rapport-map`, or the id. Rows without a match are created. Omitted fields, lists and \
          rows keep their state. Importing the same document again changes nothing.",
    permissions: WRITE,
    run: &PlannedMutationFn::new(plan, |tx, plan| Box::pin(import(tx, plan))),
};

/// A document to import.
#[derive(Input)]
struct MapImport {
    /// The document as JSON text, up to 4 MiB and 10,000 rows and links. Error paths point into it.
    document: String,
    /// Whether to make a dry run: the result reports what would change, and nothing is saved.
    #[input(default)]
    dry_run: bool,
}

/// The payload list `importCounts`, which reports the number of changes per type.
pub const REPORT: Report = Report::of::<MapImportCount>(
    "importCounts",
    "Changes by mapImport per type, made or, in a dry run, planned. Empty for other mutations and in a replay.",
);

/// Result of an import for the rows of a type.
#[derive(Output)]
struct MapImportCount {
    /// The type, for example `InteractionPoint`.
    r#type: String,
    /// Number of created rows.
    created: i64,
    /// Number of updated rows, including changes to their links.
    updated: i64,
    /// Number of rows that already matched the document.
    unchanged: i64,
}

/// A parsed document to import, and whether it is a dry run.
struct Import {
    document: Document,
    is_dry_run: bool,
}

fn plan(input: MapImport, Planning { computation, .. }: Planning<'_>) -> Result<Planned<Import>> {
    let MapImport { document, dry_run } = input;
    Ok(read(&document, computation)?.map(|document| Import { document, is_dry_run: dry_run }))
}

async fn import(tx: &Tx, Import { document, is_dry_run }: &Import) -> Result<Done> {
    let done = match write(tx, document, Known::Update).await? {
        Ok(done) => done,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    if *is_dry_run {
        tx.set_dry_run();
    }
    let row = |(slice, rows): (&&Module, &Vec<(_, Outcome)>)| {
        let of = |wanted: Outcome| count(rows.iter().filter(|(_, outcome)| *outcome == wanted).count());
        MapImportCount {
            r#type: slice.noun.name.to_owned(),
            created: of(Outcome::Created),
            updated: of(Outcome::Updated),
            unchanged: of(Outcome::Unchanged),
        }
    };
    let rows = EXPORTED.iter().zip(&done.0).filter(|(_, rows)| !rows.is_empty());
    tx.add_report(REPORT.name, rows.map(row).map(|row| row.object().cells).collect());
    let outcome = if done.is_change() { Outcome::Updated } else { Outcome::Unchanged };
    Ok(Ok((tx.organization().0, outcome)))
}
