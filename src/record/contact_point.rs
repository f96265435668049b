//! Contact points of customers: the primary e-mail address and phone number are also those of the customer.

use std::collections::HashMap;

use entity::{
    contact_point::{ATTRIBUTES, CUSTOMER_ID, ContactKind, ID, IS_PRIMARY, KIND, NOUN, TAGS, VALUE, VERIFIED_AT},
    customer,
    id::CustomerId,
    kind::EmailAddress,
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        statement::{
            cell::{Cell, Column, Record},
            typed::assign,
        },
        writing::{
            draft::{Draft, Mode, Reference, Target},
            write::{ChildOf, Hooks, NewRow},
        },
    },
};

/// Maximum number of contact points of a customer.
const MAX: usize = 100;
/// Maximum number of contact points read in one call: those of 1,000 customers, each with the primary ones that came
/// with the customer.
const MAX_READ: usize = 1_000 * (MAX + 2);

/// GraphQL module of contact points.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |_, drafts| {
            Box::pin(async {
                for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
                    check_value(draft);
                }
                Ok(())
            })
        },
        written: |tx, drafts| Box::pin(written(tx, drafts)),
        deleted: |tx, records| Box::pin(deleted(tx, records)),
        child_of: Some(ChildOf { relation: "customer", position: None, most: MAX }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// A kind of contact point of a customer.
type Key = (Uuid, ContactKind);

/// Returns the kind of contact point that a draft without errors is about.
fn key(draft: &Draft) -> Option<Key> {
    let (customer, kind) = (draft.get(CUSTOMER_ID)?, draft.get(KIND)?);
    draft.errors.is_empty().then_some((customer.0, kind))
}

/// Replaces the former primary contact points, and shows the new ones at their customers.
async fn written(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    let (mut primary, mut lost) = (HashMap::new(), Vec::new());
    for draft in drafts {
        let Some(key) = key(draft) else { continue };
        let was = draft.current.as_ref().is_some_and(|current| current.get(IS_PRIMARY) == Some(true));
        let now = (draft.id, draft.get(VALUE));
        match draft.get(IS_PRIMARY) {
            // Of several, the last one that the caller makes primary.
            Some(true) if draft.gives(IS_PRIMARY) => drop(primary.insert(key, now)),
            Some(true) => drop(primary.entry(key).or_insert(now)),
            _ if was => lost.push(key),
            _ => {}
        }
    }
    let customers: Vec<Uuid> = primary.keys().map(|(customer, _)| *customer).collect();
    let known = primaries(tx, &customers).await?;
    let is_former = |(key, id): &&(Key, Uuid)| primary.get(key).is_some_and(|(new, _)| new != id);
    let former: Vec<Uuid> = known.iter().filter(is_former).map(|(_, id)| *id).collect();
    let records = tx.lock(&NOUN, &former).await?.into_values();
    tx.change(&NOUN, records.map(|record| (record, vec![assign(IS_PRIMARY, false)])).collect()).await?;
    let mut shown: HashMap<Key, Option<String>> = lost.into_iter().map(|key| (key, None)).collect();
    shown.extend(primary.into_iter().map(|(key, (_, value))| (key, value)));
    show(tx, shown).await
}

/// Checks an e-mail address. A new value is not verified yet.
fn check_value(draft: &mut Draft) {
    let Some(value) = draft.get(VALUE).filter(|_| draft.gives(VALUE)) else { return };
    let value = if draft.get(KIND) == Some(ContactKind::Email) {
        match EmailAddress::parse(&value) {
            Ok(address) => address.as_str().to_owned(),
            Err(_) => return draft.refuse(Code::Invalid, "value", "this is not an e-mail address"),
        }
    } else {
        value
    };
    let is_new = draft.current.as_ref().is_some_and(|current| current.get(VALUE).as_ref() != Some(&value));
    if is_new && !draft.gives(VERIFIED_AT) {
        draft.set(VERIFIED_AT, None);
    }
    draft.set(VALUE, value);
}

async fn deleted(tx: &Tx, records: &[Record]) -> Result<()> {
    let primary = records.iter().filter(|record| record.get(IS_PRIMARY) == Some(true));
    let lost = primary.filter_map(|record| Some(((record.get(CUSTOMER_ID)?.0, record.get(KIND)?), None)));
    show(tx, lost.collect()).await
}

/// Returns the ids of the primary contact points of customers.
async fn primaries(tx: &Tx, customers: &[Uuid]) -> Result<Vec<(Key, Uuid)>> {
    let rows = tx.select_unchecked((ID, CUSTOMER_ID, KIND, IS_PRIMARY), CUSTOMER_ID, customers, MAX_READ).await?;
    let primary = rows.into_iter().filter(|(.., is_primary)| *is_primary);
    Ok(primary.map(|(id, customer, kind, _)| ((customer.0, kind), id.0)).collect())
}

/// Returns the column of customers that shows the primary contact point of a kind.
fn column(kind: ContactKind) -> Option<Column> {
    match kind {
        ContactKind::Email => Some(customer::EMAIL.into()),
        ContactKind::Phone => Some(customer::PHONE.into()),
        ContactKind::Postal | ContactKind::Other => None,
    }
}

/// Writes primary e-mail addresses and phone numbers to their customers.
async fn show(tx: &Tx, shown: HashMap<Key, Option<String>>) -> Result<()> {
    let mut changes: HashMap<Uuid, Vec<(Column, Cell)>> = HashMap::new();
    for ((customer, kind), value) in shown {
        if let Some(column) = column(kind) {
            changes.entry(customer).or_default().push((column, value.map_or(Cell::Null, Cell::Text)));
        }
    }
    let ids: Vec<Uuid> = changes.keys().copied().collect();
    let mut rows = Vec::new();
    for (id, record) in tx.lock(&customer::NOUN, &ids).await? {
        let mut cells = changes.remove(&id).unwrap_or_default();
        cells.retain(|(column, cell)| record.cell(column.name) != cell);
        if !cells.is_empty() {
            rows.push((record, cells));
        }
    }
    tx.change(&customer::NOUN, rows).await
}

/// Writes the e-mail addresses and phone numbers of customers that changed to the primary contact points.
pub(super) async fn keep_primaries(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    let kinds = [ContactKind::Email, ContactKind::Phone];
    let new_value = |draft: &Draft, kind: ContactKind| -> Option<Cell> {
        let column = column(kind)?;
        let cell = draft.cell(column.name);
        let before = draft.current.as_ref().map_or(&Cell::Null, |current| current.cell(column.name));
        (draft.errors.is_empty() && draft.gives_cell(column.name) && before != cell).then(|| cell.clone())
    };
    let is_changed = |draft: &&Draft| !draft.is_new() && kinds.iter().any(|kind| new_value(draft, *kind).is_some());
    let changed: Vec<Uuid> = drafts.iter().filter(is_changed).map(|draft| draft.id).collect();
    let known: HashMap<Key, Uuid> = primaries(tx, &changed).await?.into_iter().collect();
    let (mut values, mut lost, mut new) = (HashMap::new(), Vec::new(), Vec::new());
    for draft in drafts {
        for kind in kinds {
            let Some(value) = new_value(draft, kind) else { continue };
            match (known.get(&(draft.id, kind)), value) {
                (Some(id), Cell::Text(value)) => drop(values.insert(*id, value)),
                (Some(id), _) => lost.push(Draft::new(&NOUN, Target::Row(Reference::Id(Some(*id))), Mode::UpdateOnly)),
                (None, Cell::Text(value)) => new.push(primary(draft.id, kind, value)),
                (None, _) => {}
            }
        }
    }
    let ids: Vec<Uuid> = values.keys().copied().collect();
    let mut rows = Vec::new();
    for (id, record) in tx.lock(&NOUN, &ids).await? {
        if let Some(value) = values.remove(&id) {
            rows.push((record, vec![assign(VALUE, value), assign(VERIFIED_AT, None)]));
        }
    }
    tx.change(&NOUN, rows).await?;
    tx.create(&NOUN, new).await?;
    if !lost.is_empty() {
        tx.delete(&NOUN, &Hooks::NONE, &mut lost, true).await?;
    }
    Ok(())
}

fn primary(customer: Uuid, kind: ContactKind, value: String) -> NewRow {
    vec![
        assign(KIND, kind),
        assign(VALUE, value),
        assign(IS_PRIMARY, true),
        assign(TAGS, "[]".to_owned()),
        assign(ATTRIBUTES, "[]".to_owned()),
        assign(CUSTOMER_ID, CustomerId(customer)),
    ]
}
