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
        merging::state::Merge,
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

/// The contact points of two customers who become one.
pub(super) struct United {
    /// E-mail address and phone number that the winner gets.
    pub changes: Vec<(Column, Cell)>,
    /// Contact points of the loser that become primary ones of the winner.
    pub moving: Vec<Uuid>,
    /// All primary contact points of the loser.
    pub primary: Vec<Uuid>,
}

/// Prepares the contact points of two customers for their merge: the primary ones of the winner stay, those of the loser
/// become primary where the winner has none.
pub(super) async fn unite(tx: &Tx, winner: &Record, loser: &Record) -> Result<United> {
    let known = primaries(tx, &[winner.id(), loser.id()]).await?;
    let is_held = |kind: ContactKind| known.iter().any(|((customer, of), _)| *customer == winner.id() && *of == kind);
    let own = known.iter().filter(|((customer, _), _)| *customer == loser.id());
    let (mut united, mut replaced) =
        (United { changes: Vec::new(), moving: Vec::new(), primary: Vec::new() }, Vec::new());
    for ((_, kind), id) in own {
        united.primary.push(*id);
        if is_held(*kind) {
            replaced.push(*id);
            continue;
        }
        united.moving.push(*id);
        united.changes.extend(column(*kind).map(|column| (column, loser.cell(column.name).clone())));
    }
    set_primary(tx, &replaced, false).await?;
    Ok(united)
}

/// The contact points of a customer who becomes two again.
pub(super) struct Divided {
    /// E-mail address and phone number of the customer who exists again.
    pub changes: Vec<(Column, Cell)>,
    /// Contact points that became primary ones of the winner since, and stay with it.
    pub staying: Vec<Uuid>,
    /// Primary contact points of the customer who exists again.
    pub returning: Vec<Uuid>,
    /// What the winner shows then.
    pub primary: Shown,
}

/// E-mail addresses and phone numbers that customers are to show.
pub(super) struct Shown(HashMap<Key, Option<String>>);

impl Shown {
    /// Writes them to the customers.
    pub(super) async fn show(self, tx: &Tx) -> Result<()> {
        show(tx, self.0).await
    }
}

/// Prepares the contact points of a customer for undoing a merge.
pub(super) async fn divide(tx: &Tx, merge: &Merge, winner: &Record) -> Result<Divided> {
    let kept = tx.moved_by(merge, &NOUN, &merge.kept()?).await?;
    let rows = tx.select_by_ids_unchecked((ID, CUSTOMER_ID, KIND, VALUE), &kept).await?;
    let returning: Vec<_> = rows.into_iter().filter(|(_, customer, ..)| customer.0 == winner.id()).collect();
    let ids: Vec<Uuid> = returning.iter().map(|(id, ..)| id.0).collect();
    let current = primaries(tx, &[winner.id()]).await?;
    let others: Vec<Uuid> = current.iter().map(|(_, id)| *id).filter(|id| !ids.contains(id)).collect();
    let staying = tx.moved_by(merge, &NOUN, &others).await?;
    let lost = current.iter().filter(|(_, id)| ids.contains(id)).map(|(key, _)| (*key, None));
    let primary = Shown(lost.collect());
    let mut changes = Vec::new();
    for kind in [ContactKind::Email, ContactKind::Phone] {
        let value = returning.iter().find(|(_, _, of, _)| *of == kind).map(|(.., value)| value.clone());
        changes.extend(column(kind).map(|column| (column, value.map_or(Cell::Null, Cell::Text))));
    }
    set_primary(tx, &ids, true).await?;
    Ok(Divided { changes, staying, returning: ids, primary })
}

async fn set_primary(tx: &Tx, ids: &[Uuid], is_primary: bool) -> Result<()> {
    let records = tx.lock(&NOUN, ids).await?.into_values();
    let changing = records.filter(|record| record.get(IS_PRIMARY) != Some(is_primary));
    tx.change(&NOUN, changing.map(|record| (record, vec![assign(IS_PRIMARY, is_primary)])).collect()).await
}
