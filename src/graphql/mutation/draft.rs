//! Reads an input object as a draft of the row that a caller wants to write.

use async_graphql::Value;
use entity::{
    Col, Noun,
    lifecycle::Transition,
    noun::{Field, Link, Operation, Relationship, StringEnum, Writable},
};

use super::input::{BY, Input, check_external_id, check_system, external_id};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        slice::REFERENCE,
        types::money_types::{AMOUNT, CURRENCY},
        values::accept,
    },
    store::{
        statement::cell::{Cell, CellKind, Column},
        writing::{
            draft::{Draft, Mode, OnNull, Reference, Removal, Target},
            external_id_changes::MAX_EXTERNAL_IDS,
        },
    },
};

/// Returns how null is handled in an operation's input: as its `onNull` says, otherwise `CLEAR` in updates and `KEEP`
/// in other operations.
pub fn on_null(operation: Operation, input: &Input) -> Result<OnNull> {
    let default = if operation == Operation::Update { OnNull::Clear } else { OnNull::Keep };
    Ok(input.text("onNull")?.and_then(OnNull::parse).unwrap_or(default))
}

/// Checks a value against the description of a column. Returns the column with its cell, or the user error.
pub fn accepted<T>(column: Col<T>, value: impl Into<Value>) -> Result<std::result::Result<(Column, Cell), UserError>> {
    let field = column.noun().all_fields().find(|field| field.column == column.name());
    let field = field.ok_or_else(|| Error::internal(format!("{column:?} is described by no field")))?;
    Ok(accept(field, &value.into())?.map(|cell| (Column::of(field), cell)))
}

/// Sets a column of a draft if a value is given. An invalid value is added to the errors of the draft.
pub fn give<T>(draft: &mut Draft, column: Col<T>, value: Option<impl Into<Value>>) -> Result<()> {
    match value.map(|value| accepted(column, value)).transpose()? {
        Some(Ok(value)) => draft.values.push(value),
        Some(Err(mistake)) => draft.errors.push(mistake),
        None => {}
    }
    Ok(())
}

/// Reads the fields of a noun from an input object into a draft. Invalid values are added to the draft's errors, after
/// the known errors `mistakes`. A value without the form of its type, such as a malformed `DateTime`, fails the request
/// instead; in a bulk call it is an error of its row.
pub fn draft(
    noun: &'static Noun,
    operation: Operation,
    input: &Input,
    on_null: OnNull,
    mistakes: Vec<UserError>,
) -> Result<Draft> {
    let (target, mode) = match operation {
        Operation::Create => (Target::New, Mode::CreateOnly),
        // A tenant has only one row of this noun, so the input does not reference it.
        Operation::Update if noun.tenant == "id" => (Target::Row(Reference::Id(None)), Mode::UpdateOnly),
        Operation::Update => (Target::Row(input.row(noun)?), Mode::UpdateOnly),
        _ => {
            let key = input.present("externalId").map(|key| external_id("externalId", key)).transpose()?;
            (key.map_or(Target::Row(Reference::Id(None)), Target::External), Mode::Upsert)
        }
    };
    let is_unnamed = operation != Operation::Update && matches!(target, Target::Row(_));
    let mut draft = Draft { errors: mistakes, ..Draft::new(noun, target, mode) };
    if is_unnamed && draft.errors.is_empty() {
        draft.refuse(Code::Required, "externalId", "a value is required");
    }
    if let Target::External(key) = &draft.target {
        draft.errors.extend(check_external_id(key, "externalId"));
    }
    fill(&mut draft, operation, input, on_null)?;
    Ok(draft)
}

/// Reads the values, references and external ids of an input object into a draft.
pub fn fill(draft: &mut Draft, operation: Operation, input: &Input, on_null: OnNull) -> Result<()> {
    let noun = draft.noun;
    draft.expected_version = input.int("expectedVersion")?;
    for field in noun.fields.iter().filter(|field| field.writable != Writable::Never && !field.is_currency()) {
        read_field(draft, field, operation, input, on_null)?;
    }
    for relation in noun.relations {
        link(draft, relation, input, on_null)?;
    }
    for relation in noun.sets().filter(|relation| input.present(relation.name).is_some()) {
        draft.sets.push((relation, input.references(relation.name, relation.target)?));
    }
    for item in at_most(draft, "externalIds", input) {
        let key = external_id("externalIds", item)?;
        if let Some(mistake) = check_external_id(&key, "externalIds") {
            draft.errors.push(mistake);
            continue;
        }
        draft.external_ids.push(key);
    }
    for item in at_most(draft, "externalIdsRemove", input) {
        let object = Input::of("externalIdsRemove", item)?;
        let system = object.text("system")?.unwrap_or_default().to_owned();
        draft.errors.extend(check_system(&system, "externalIdsRemove"));
        draft.removals.push(Removal { system, id: object.text("id")?.map(str::to_owned) });
    }
    Ok(())
}

/// Returns the external ids in a list of the input. If there are more than a row can have, adds an error and returns
/// none.
fn at_most<'a>(draft: &mut Draft, field: &str, input: &'a Input) -> Vec<&'a Value> {
    let items = input.list(field);
    if items.len() <= MAX_EXTERNAL_IDS {
        return items;
    }
    draft.refuse(Code::TooLong, field, format!("there are more than {MAX_EXTERNAL_IDS} external ids"));
    Vec::new()
}

/// Reads which row to delete, archive or restore, and its expected version, after the known errors `mistakes`. `Err` if
/// the input names no row and there are no errors.
pub fn named(noun: &'static Noun, input: &Input, mistakes: Vec<UserError>) -> Result<Draft> {
    let is_unnamed = input.present(BY).is_none() && !mistakes.is_empty();
    let reference = if is_unnamed { Reference::Id(None) } else { input.row(noun)? };
    let mut draft = Draft { errors: mistakes, ..Draft::new(noun, Target::Row(reference), Mode::UpdateOnly) };
    draft.expected_version = input.int("expectedVersion")?;
    Ok(draft)
}

/// Reads the input of a transition into a draft.
pub fn transition(noun: &'static Noun, transition: &'static Transition, input: &Input) -> Result<Draft> {
    let mut draft = Draft::new(noun, Target::Row(input.row(noun)?), Mode::UpdateOnly);
    draft.expected_version = input.int("expectedVersion")?;
    draft.transition = Some(transition);
    for (column, _) in transition.given() {
        if let Some(field) = noun.fields.iter().find(|field| field.column == column) {
            read_field(&mut draft, field, Operation::Update, input, OnNull::Keep)?;
        } else if let Some(relation) = noun.relations.iter().find(|relation| relation.is_by(column)) {
            link(&mut draft, relation, input, OnNull::Keep)?;
        }
    }
    Ok(draft)
}

/// Returns whether a given value has an effect: null has one only if it clears the column.
fn says_something(value: &Value, on_null: OnNull) -> bool {
    on_null == OnNull::Clear || *value != Value::Null
}

fn read_field(
    draft: &mut Draft,
    field: &'static Field,
    operation: Operation,
    input: &Input,
    on_null: OnNull,
) -> Result<()> {
    let Some(value) = input.get(field.name).filter(|value| says_something(value, on_null)) else { return Ok(()) };
    if let Some(currency) = draft.noun.currency_of(field) {
        return read_money(draft, (field, currency), operation, value);
    }
    read_cell(draft, field, operation, value)
}

/// Reads an amount of money with its currency.
fn read_money(
    draft: &mut Draft,
    (amount, currency): (&'static Field, &'static Field),
    operation: Operation,
    value: &Value,
) -> Result<()> {
    let null = (&Value::Null, &Value::Null);
    let money = if *value == Value::Null { None } else { Some(Input::of(amount.name, value)?) };
    let parts = money.as_ref().and_then(|money| Some((money.get(AMOUNT.name)?, money.get(CURRENCY.name)?)));
    for (field, part, value) in
        [(amount, AMOUNT.name, parts.unwrap_or(null).0), (currency, CURRENCY.name, parts.unwrap_or(null).1)]
    {
        let before = draft.errors.len();
        read_cell(draft, field, operation, value)?;
        for error in &mut draft.errors[before..] {
            error.path = vec![amount.name.to_owned(), part.to_owned()];
        }
    }
    Ok(())
}

fn read_cell(draft: &mut Draft, field: &'static Field, operation: Operation, value: &Value) -> Result<()> {
    match accept(field, value) {
        Ok(Ok(cell)) => draft.values.push((Column::of(field), cell)),
        Ok(Err(error)) => draft.errors.push(error),
        Err(Error::BadInput(message)) if operation == Operation::BulkUpsert => {
            draft.refuse(Code::Invalid, field.name, message);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn link(draft: &mut Draft, relation: &'static Relationship, input: &Input, on_null: OnNull) -> Result<()> {
    let Link::One { column, is_nullable, writable } = relation.link else { return Ok(()) };
    // The search starts from the given fields, because few relations are given and this runs for each of up to 1,000
    // rows.
    let given = input.fields().find(|(name, _)| name.strip_suffix(REFERENCE) == Some(relation.name));
    let Some((field, value)) = given.filter(|(_, value)| writable != Writable::Never && says_something(value, on_null))
    else {
        return Ok(());
    };
    let column = Column { name: column, kind: CellKind::Id, is_nullable, field: relation.name };
    if *value != Value::Null {
        let reference = Input::reference(field, value, relation.target)?;
        let mistake = if let Reference::External(key) = &reference { check_external_id(key, field) } else { None };
        match mistake {
            Some(mistake) => draft.errors.push(mistake),
            None => draft.references.push((relation, column, reference)),
        }
    } else if writable == Writable::Optional {
        draft.values.push((column, Cell::Null));
    } else {
        draft.refuse(Code::Required, field, "this field cannot be null");
    }
    Ok(())
}
