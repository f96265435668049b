//! Webhook endpoints: how they are made, changed, tried, and sent again what they missed.

use async_graphql::parser::types::OperationType;
use chrono::TimeDelta;
use entity::{
    Permission,
    id::WebhookEndpointId,
    kind::Sequence,
    webhook_delivery,
    webhook_endpoint::{
        DISABLED_AT, DISABLED_REASON, DOCUMENT_ID, EVENT_TYPES, FIRST_FAILED_AT, IS_ENABLED, NOUN, POSITION,
        PREVIOUS_SECRET_EXPIRES_AT, SCOPES, SECRET_NUMBER, SIGNATURE, URL, WebhookDisabledReason, WebhookSignature,
    },
};
use sea_orm::prelude::ChronoUnixTimestampMillis;
use serde_json::json;
use url::Url;

use super::{
    event_types::{EventType, names},
    message::{Message, ROW_ID},
    replay,
    signing::SigningKey,
};
use crate::{
    Error, Result, UserError,
    error::Code,
    exchange::documents,
    graphql::{
        documents::{document::Document, limits::Limits},
        slice::{Done, Module, Mutation, OneTimeField},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Connection, Scope, Tx,
        paging::feed::FeedQuery,
        statement::{cell::Record, typed::assign},
        writing::{
            draft::{Draft, Outcome},
            write::Hooks,
        },
    },
};

/// Field of the payload that returns a secret once.
const SECRET: &str = "secret";

/// GraphQL module of webhook endpoints.
pub const SLICE: Module = Module {
    mutations: &[ROTATE, TEST, SET_DOCUMENT, replay::REPLAY],
    rules: RULES,
    one_time_fields: &[OneTimeField {
        name: SECRET,
        doc: "What the receiver verifies messages with: of HMAC_SHA256 the secret, `whsec_…`, of ED25519 the public key, \
              `whpk_…`. Returned only once, and null in a replay: if it is lost, rotate it.",
    }],
    ..Module::new(&NOUN)
};

const RULES: Hooks = Hooks {
    prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
    written: |tx, drafts| Box::pin(async move { written(tx, drafts) }),
    ..Hooks::NONE
};

const ROTATE: Mutation = Mutation {
    name: "webhookEndpointRotateSecret",
    doc: "Gives a webhook endpoint another secret and returns it once. For the time of `graceHours`, messages are signed \
          with both, so that the receiver can change over; one rotation later, the one before is of no use any more.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, input| Box::pin(rotate(tx, input))),
};

const TEST: Mutation = Mutation {
    name: "webhookEndpointTest",
    doc: "Sends a message of the type `Test` to a webhook endpoint: see `deliveries` for what became of it. Fails with \
          INVALID if the endpoint is disabled.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, WebhookEndpointTest { by }| Box::pin(test(tx, by))),
};

const SET_DOCUMENT: Mutation = Mutation {
    name: "webhookEndpointSetDocument",
    doc: "Chooses the trusted document whose answer for the changed row is `data.result` of each message, read when it is sent \
          with the scopes of the caller. It is left out of messages of rows that are gone, if the answer has an error, \
          and if the message would exceed 20,000 bytes. Fails with INVALID unless the document is a query with the \
          variable `$id: ID!`.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, input| Box::pin(set_document(tx, input))),
};

/// An endpoint whose messages carry what a document answers.
#[derive(Input)]
struct WebhookEndpointSetDocument {
    /// The endpoint.
    by: RefTo<WebhookEndpointId>,
    /// The `documentId`. Null for messages without values.
    #[input(max = 200)]
    document_id: Option<String>,
}

/// An endpoint that gets another secret.
#[derive(Input)]
struct WebhookEndpointRotateSecret {
    /// The endpoint.
    by: RefTo<WebhookEndpointId>,
    /// Hours in which messages are signed with the previous secret, too; 0 to 168.
    #[input(default = 24, range = 0..=168)]
    grace_hours: i64,
}

/// An endpoint to be tried.
#[derive(Input)]
struct WebhookEndpointTest {
    /// The endpoint.
    by: RefTo<WebhookEndpointId>,
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        check_event_types(tx, draft);
        check_url(tx, draft)?;
        if draft.is_new() {
            draft.set(SECRET_NUMBER, 1);
            draft.set(POSITION, head(tx).await?);
            // Without a key, no message could be signed.
            key(tx, draft.id.into(), draft.get(SIGNATURE), 1)?;
        }
        let was_enabled = draft.current.as_ref().map(|row| row.get(IS_ENABLED) == Some(true));
        match (was_enabled, draft.get(IS_ENABLED) == Some(true)) {
            (None | Some(true), false) => {
                draft.set(DISABLED_AT, Some(ChronoUnixTimestampMillis(tx.now())));
                draft.set(DISABLED_REASON, Some(WebhookDisabledReason::Manual));
            }
            (Some(false), true) => {
                draft.set(DISABLED_AT, None);
                draft.set(DISABLED_REASON, None);
                draft.set(FIRST_FAILED_AT, None);
                draft.set(POSITION, head(tx).await?);
            }
            _ => {}
        }
        let signed = draft.current.as_ref().and_then(|row| row.get(SIGNATURE));
        if signed.is_some() && signed != draft.get(SIGNATURE) {
            draft.refuse(Code::Invalid, "signature", "this cannot be changed");
        }
    }
    Ok(())
}

/// Checks the event types, and records the scopes of whoever sets them.
fn check_event_types(tx: &Tx, draft: &mut Draft) {
    if !draft.gives(EVENT_TYPES) {
        return;
    }
    let wanted = names(&draft.get(EVENT_TYPES).unwrap_or_default());
    if wanted.is_empty() {
        draft.refuse(Code::Required, "eventTypes", "at least one event type is required");
    }
    for name in wanted {
        let Some(known) = EventType::parse(&name) else {
            let message = "unknown event type; give a type such as Customer or Customer.CREATED, or *";
            draft.refuse(Code::Invalid, "eventTypes", message);
            continue;
        };
        if let Some(scope) = known.missing(tx.actor()) {
            draft.refuse(Code::Invalid, "eventTypes", format!("{name} requires the scope {}", scope.name()));
        }
    }
    draft.set(SCOPES, scopes(tx));
}

async fn set_document(tx: &Tx, input: &WebhookEndpointSetDocument) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::Admin, &input.by.reference, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let wanted = input.document_id.as_deref().map(|id| documents::normal_id(id).into_owned());
    if let Some(id) = &wanted {
        let mistake = match documents::text(tx, id).await? {
            Some(text) => is_about_a_row(&text).err(),
            None => Some("no trusted document has this documentId: push it first"),
        };
        if let Some(mistake) = mistake {
            return Ok(Err(vec![UserError::new(Code::Invalid, "documentId", mistake)]));
        }
    }
    let id = record.id();
    let changes = vec![assign(DOCUMENT_ID, wanted), assign(SCOPES, scopes(tx))];
    if changes.iter().all(|(column, cell)| record.cell(column.name) == cell) {
        return Ok(Ok((id, Outcome::Unchanged)));
    }
    tx.change(&NOUN, vec![(record, changes)]).await?;
    Ok(Ok((id, Outcome::Updated)))
}

/// Err if a document is none about a row with a given id.
fn is_about_a_row(text: &str) -> Result<(), &'static str> {
    let document = Document::read(text, None, &Limits::DEFAULT).map_err(|_| "the document cannot be read any more")?;
    match document.kind() {
        OperationType::Query if document.has_variable(ROW_ID) => Ok(()),
        OperationType::Query => Err("the document needs the variable $id: ID!"),
        _ => Err("the document must be a query"),
    }
}

/// Returns the scopes of the caller, as they are stored.
fn scopes(tx: &Tx) -> String {
    let mut scopes: Vec<&str> = tx.actor().permissions.iter().map(Permission::name).collect();
    scopes.sort_unstable();
    json!(scopes).to_string()
}

fn check_url(tx: &Tx, draft: &mut Draft) -> Result<()> {
    if !draft.gives(URL) {
        return Ok(());
    }
    let Some(url) = draft.get(URL).and_then(|url| Url::parse(url.as_str()).ok()) else { return Ok(()) };
    if !tx.outbound()?.may_be_sent_to(&url) {
        let message = "give an https address of a host on the internet; the operator may allow others";
        draft.refuse(Code::Invalid, "url", message);
    }
    Ok(())
}

fn written(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    for draft in drafts.iter().filter(|draft| draft.is_new() && draft.errors.is_empty()) {
        tx.add_secret(SECRET, key(tx, draft.id.into(), draft.get(SIGNATURE), 1)?.verifier());
    }
    Ok(())
}

/// Returns the sequence of the newest change.
async fn head(tx: &Tx) -> Result<Sequence> {
    let page = tx.feed(&FeedQuery { after: i64::MAX - 1, nouns: Vec::new(), operations: None, limit: 1 }).await?;
    Ok(Sequence::of(page.head.0))
}

fn key(tx: &Tx, endpoint: WebhookEndpointId, signature: Option<WebhookSignature>, number: i64) -> Result<SigningKey> {
    let signature = signature.ok_or_else(|| Error::internal("an endpoint has no kind of signature"))?;
    SigningKey::of(tx.addresses()?, (tx.organization(), endpoint), signature, number)
}

/// Returns the keys with which a message to an endpoint is signed now: the current one, and the previous one as long as
/// it may still be in use.
pub(super) fn keys<C: Connection>(scope: &Scope<C>, endpoint: &Record) -> Result<Vec<SigningKey>> {
    let signature = endpoint.get(SIGNATURE).ok_or_else(|| Error::internal("an endpoint has no kind of signature"))?;
    let number = endpoint.get(SECRET_NUMBER).unwrap_or(1);
    let has_previous = endpoint.get(PREVIOUS_SECRET_EXPIRES_AT).is_some_and(|until| until.0 > scope.now());
    let numbers = std::iter::once(number).chain(has_previous.then_some(number - 1));
    let named = (scope.organization(), endpoint.id().into());
    numbers.map(|number| SigningKey::of(scope.addresses()?, named, signature, number)).collect()
}

async fn rotate(tx: &Tx, input: &WebhookEndpointRotateSecret) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::Admin, &input.by.reference, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let (id, number) = (record.id(), record.get(SECRET_NUMBER).unwrap_or(1) + 1);
    tx.add_secret(SECRET, key(tx, id.into(), record.get(SIGNATURE), number)?.verifier());
    let until = ChronoUnixTimestampMillis(tx.now() + TimeDelta::hours(input.grace_hours));
    let changes = vec![assign(SECRET_NUMBER, number), assign(PREVIOUS_SECRET_EXPIRES_AT, Some(until))];
    tx.change(&NOUN, vec![(record, changes)]).await?;
    Ok(Ok((id, Outcome::Updated)))
}

async fn test(tx: &Tx, by: &RefTo<WebhookEndpointId>) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::Admin, &by.reference, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    if record.get(IS_ENABLED) != Some(true) {
        return Ok(Err(vec![UserError::new(Code::Invalid, "by", "the endpoint is disabled")]));
    }
    let message = Message::test(record.id(), tx.now()).delivery(record.id().into(), tx.now());
    tx.make(&webhook_delivery::NOUN, vec![message]).await?;
    Ok(Ok((record.id(), Outcome::Unchanged)))
}
