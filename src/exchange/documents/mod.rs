//! Trusted documents: GraphQL documents that are pushed before they are used, and found by their ids.

mod manifest;

use std::collections::HashMap;

use entity::{
    Permission,
    trusted_document::{BODY, Column, DOCUMENT_ID, Entity, NAME, NOUN, OPERATION_KIND},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Module, Mutation, Report},
        typed::{
            fields::{Planned, PlannedMutationFn, Planning},
            input::Input,
            output::Output,
        },
        types::schema_index::SchemaIndex,
    },
    store::{
        Connection, Scope, Tx,
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
        },
        writing::{
            draft::{Draft, Mode, Outcome, Target},
            write::Hooks,
        },
    },
};

pub use self::manifest::{Sound, id_of, normal_id};

/// GraphQL module of trusted documents.
pub const SLICE: Module = Module::new(&NOUN);

/// The mutation `trustedDocumentsPush`.
pub const PUSH: Mutation = Mutation {
    name: "trustedDocumentsPush",
    doc: "Stores the documents of a file that a tool of the client has written, all or nothing: Apollo's persisted query \
          manifest, or an object with a text for each id, as graphql-codegen and the Relay compiler write it. Each is \
          checked against the schema. Those that are stored already stay; a new text for an id that is no SHA-256 fails with \
          TAKEN while the document with the old one is stored.",
    permissions: &[Permission::Admin],
    run: &PlannedMutationFn::new(plan, |tx, documents| Box::pin(push(tx, documents))),
};

/// Documents to store.
#[derive(Input)]
struct TrustedDocumentsPush {
    /// The content of the file, up to 4 MiB and 1,000 documents. Error paths name the ids in it.
    manifest: String,
}

/// The payload list `pushedDocuments`.
pub const REPORT: Report = Report::of::<PushedDocument>(
    "pushedDocuments",
    "The documents of the file by trustedDocumentsPush, by their ids. Empty for other mutations and in a replay.",
);

/// A document of a file that was pushed.
#[derive(Output)]
#[output(read = Admin)]
struct PushedDocument {
    /// Id by which requests name it.
    document_id: String,
    /// Name of its operation; its id if the operation has none.
    name: String,
    /// Whether it was not stored before.
    is_new: bool,
}

fn plan(
    TrustedDocumentsPush { manifest }: TrustedDocumentsPush,
    planning: Planning<'_>,
) -> Result<Planned<Vec<Sound>>> {
    manifest::read(&manifest, planning.schema_index, || planning.computation.check())
}

async fn push(tx: &Tx, documents: &[Sound]) -> Result<Done> {
    let pushed = match keep(tx, documents).await? {
        Ok(pushed) => pushed,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let is_change = pushed.iter().any(|document| document.is_new);
    tx.add_report(REPORT.name, pushed.into_iter().map(|document| document.object().cells).collect());
    Ok(Ok((tx.organization().0, if is_change { Outcome::Updated } else { Outcome::Unchanged })))
}

/// Stores the documents that are not stored yet.
async fn keep(tx: &Tx, documents: &[Sound]) -> Result<Planned<Vec<PushedDocument>>> {
    let ids = documents.iter().map(|document| Cell::Text(document.id.clone())).collect();
    let with_ids = Predicate::Column(DOCUMENT_ID.into(), Comparison::In(ids));
    let known: HashMap<String, String> =
        tx.select_where_unchecked((DOCUMENT_ID, BODY), &with_ids, documents.len()).await?.into_iter().collect();
    let is_changed = |document: &&Sound| known.get(&document.id).is_some_and(|body| *body != document.body);
    let changed = documents.iter().filter(is_changed).map(|document| UserError {
        code: Code::Taken,
        message: "another text is stored with this id: delete that document, or give this one another id".to_owned(),
        path: vec!["manifest".to_owned(), document.id.clone()],
    });
    let changed: Vec<UserError> = changed.collect();
    if !changed.is_empty() {
        return Ok(Err(changed));
    }
    let new = documents.iter().filter(|document| !known.contains_key(&document.id)).map(|document| {
        let mut draft = Draft::new(&NOUN, Target::New, Mode::CreateOnly);
        draft.set(NAME, document.name.clone());
        draft.set(DOCUMENT_ID, document.id.clone());
        draft.set(OPERATION_KIND, document.kind);
        draft.set(BODY, document.body.clone());
        draft.find_words(tx.organization());
        draft
    });
    let mut new: Vec<Draft> = new.collect();
    let written = tx.write(&NOUN, &Hooks::NONE, &mut new, true).await?;
    let mistakes: Vec<UserError> = written.into_iter().flat_map(|row| row.errors).collect();
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let pushed = documents.iter().map(|document| PushedDocument {
        document_id: document.id.clone(),
        name: document.name.clone(),
        is_new: !known.contains_key(&document.id),
    });
    Ok(Ok(pushed.collect()))
}

/// Reads and checks a file, before a transaction begins; returns its documents, or what is wrong with it.
pub fn read_file(file: &str, schema_index: &SchemaIndex) -> Result<Planned<Vec<Sound>>> {
    manifest::read(file, schema_index, || Ok(()))
}

/// Stores documents. Returns how many are new and how many were stored before, or what is wrong.
pub async fn push_read(tx: &Tx, documents: &[Sound]) -> Result<Planned<(usize, usize)>> {
    Ok(keep(tx, documents).await?.map(|pushed| {
        let new = pushed.iter().filter(|document| document.is_new).count();
        (new, pushed.len() - new)
    }))
}

/// Returns the documents that the schema does not fit any more: name, id and why.
pub async fn broken(scope: &Scope, schema_index: &SchemaIndex) -> Result<Vec<(String, String, String)>> {
    let mut broken = Vec::new();
    for document in scope.all_unchecked(Entity::find().order_by_asc(Column::Id)).await? {
        if let Err(mistake) = manifest::check(&document.body, schema_index) {
            broken.push((document.name, document.document_id, mistake));
        }
    }
    Ok(broken)
}

/// Returns the text of the document with an id, for any caller of the organization.
pub async fn text<C: Connection>(scope: &Scope<C>, id: &str) -> Result<Option<String>> {
    let with_id = Predicate::Column(DOCUMENT_ID.into(), Comparison::Eq(Cell::Text(id.to_owned())));
    Ok(scope.select_where_unchecked((BODY,), &with_id, 1).await?.into_iter().next().map(|(body,)| body))
}

/// Returns the text of the document with an id, or else of the newest one with a name.
pub async fn text_by_name(scope: &Scope, name: &str) -> Result<Option<String>> {
    if let Some(text) = text(scope, &normal_id(name)).await? {
        return Ok(Some(text));
    }
    let newest = Entity::find().filter(Column::Name.eq(name)).order_by_desc(Column::Id).limit(1);
    Ok(scope.all_unchecked(newest).await?.pop().map(|document| document.body))
}
