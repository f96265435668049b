//! Reads an input object as a row that a caller wants.

use async_graphql::Value;
use entity::{
    Noun,
    noun::{Link, Operation, Relationship, Writable},
};

use super::{
    input::{Input, accept, bad, check_external_id, external_id, list},
    slice::REFERENCE,
};
use crate::{
    Result,
    error::Code,
    store::{
        cell::{Cell, CellKind, Column},
        draft::{Draft, Mode, Reference, Target},
    },
};

/// Reads the fields of a noun from an input object into a draft. Wrong values become its errors, except scalars
/// whose text has the wrong form: they fail the request.
pub fn draft(noun: &'static Noun, operation: Operation, input: &Input) -> Result<Draft> {
    let (target, mode) = match operation {
        Operation::Create => (Target::New, Mode::CreateOnly),
        Operation::Update => (Target::Id(input.id("id", noun)?), Mode::UpdateOnly),
        _ => {
            let key = input.present("externalId").ok_or_else(|| bad("externalId", "given"))?;
            (Target::External(external_id("externalId", key)?), Mode::Upsert)
        }
    };
    let mut draft = Draft::new(noun, target, mode);
    if let Target::External(key) = &draft.target {
        draft.errors.extend(check_external_id(key, "externalId"));
    }
    draft.expected_version = input.int("expectedVersion")?;
    for field in noun.fields.iter().filter(|field| field.writable != Writable::Never) {
        if let Some(value) = input.get(field.name) {
            match accept(field, value)? {
                Ok(cell) => draft.values.push((Column::of(field), cell)),
                Err(error) => draft.errors.push(error),
            }
        }
    }
    for relation in noun.relations {
        link(&mut draft, relation, input)?;
    }
    match input.get("externalIds") {
        Some(Value::Null) => draft.clears_external_ids = true,
        Some(value) => {
            for item in list(value) {
                let key = external_id("externalIds", item)?;
                if let Some(mistake) = check_external_id(&key, "externalIds") {
                    draft.errors.push(mistake);
                    continue;
                }
                if draft.external_ids.iter().any(|known| known.system == key.system) {
                    draft.refuse(Code::Invalid, "externalIds", "a system can be given once");
                }
                draft.external_ids.push(key);
            }
        }
        None => {}
    }
    Ok(draft)
}

fn link(draft: &mut Draft, relation: &'static Relationship, input: &Input) -> Result<()> {
    let Link::One { column, is_nullable, writable } = relation.link else { return Ok(()) };
    // Few of its relations are given, and this is asked for each row of a thousand.
    let given = input.fields().find(|(name, _)| name.strip_suffix(REFERENCE) == Some(relation.name));
    let Some((field, value)) = given.filter(|_| writable != Writable::Never) else { return Ok(()) };
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
        draft.refuse(Code::Required, field, "this cannot be cleared");
    }
    Ok(())
}
