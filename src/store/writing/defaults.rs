//! Completes drafts before they are written.

use chrono::{DateTime, Utc};
use entity::{
    kind::money::is_exact,
    noun::{Field, Kind, Link, Writable},
};

use super::draft::{Draft, Target};
use crate::{
    error::Code,
    store::statement::cell::{Cell, Column},
};

/// Sets the default values of a new row, and adds errors for missing values and for changes of fixed fields.
pub(in crate::store) fn complete(draft: &mut Draft, now: DateTime<Utc>) {
    if !draft.errors.is_empty() && draft.current.is_none() && !matches!(draft.target, Target::New) {
        // If the row was not found, do not report missing values of a new row as well.
        return;
    }
    for field in draft.noun.fields {
        let is_given = draft.gives_cell(field.column) || draft.has_mistake_at(field.name);
        match field.writable {
            Writable::Required | Writable::Fixed if draft.is_new() && !is_given && !field.is_currency() => {
                draft.refuse(Code::Required, field.name, "a value is required");
            }
            Writable::Fixed if !draft.is_new() => fixed(draft, field.column, field.name),
            Writable::Default(literal) if draft.is_new() && !is_given => {
                let default = match (literal, field.kind) {
                    ("now", _) => Cell::Int(now.timestamp_millis()),
                    (literal, Kind::Scalar(scalar)) => {
                        (scalar.parse)(literal.trim_matches('"')).expect("a default of its scalar").into()
                    }
                    (literal, Kind::Bool) => Cell::Bool(literal == "true"),
                    (literal, Kind::Int { .. }) => Cell::Int(literal.parse().expect("a whole number as its default")),
                    (literal, _) => Cell::Text(literal.trim_matches('"').to_owned()),
                };
                draft.values.push((Column::of(field), default));
            }
            _ => {}
        }
    }
    for field in draft.noun.fields {
        check_money(draft, field);
    }
    for relation in draft.noun.relations {
        let Link::One { column, writable, .. } = relation.link else { continue };
        let field = format!("{}Ref", relation.name);
        let is_given = draft.gives_cell(column) || draft.has_mistake_at(&field);
        match writable {
            Writable::Required | Writable::Fixed if draft.is_new() && !is_given => {
                draft.refuse(Code::Required, &field, "a value is required");
            }
            Writable::Fixed if !draft.is_new() => fixed(draft, column, &field),
            _ => {}
        }
    }
    check_alternatives(draft);
}

/// Adds an error unless the row has exactly one of the relations of which the noun wants one.
fn check_alternatives(draft: &mut Draft) {
    let noun = draft.noun;
    let columns = || noun.exactly_one.iter().filter_map(|name| noun.relation(name)?.link.column());
    let is_given = draft.is_new() || columns().any(|column| draft.gives_cell(column));
    let fields: Vec<String> = noun.exactly_one.iter().map(|name| format!("{name}Ref")).collect();
    let count = columns().filter(|column| !draft.cell(column).is_null()).count();
    let Some(first) = fields.first().filter(|_| is_given && count != 1) else { return };
    if fields.iter().any(|field| draft.has_mistake_at(field)) {
        return;
    }
    let code = if count == 0 { Code::Required } else { Code::Invalid };
    draft.refuse(code, first, format!("give exactly one of {}", fields.join(", ")));
}

/// Adds an error if an amount of money is set without its currency, or with more digits than the currency has.
fn check_money(draft: &mut Draft, amount: &'static Field) {
    let Some(currency) = draft.noun.currency_of(amount) else { return };
    if !draft.gives_cell(amount.column) && !draft.gives_cell(currency.column) {
        return;
    }
    let message = match (draft.cell(amount.column), draft.cell(currency.column)) {
        (Cell::Int(units), Cell::Text(code)) if is_exact(*units, code) => return,
        (Cell::Null, Cell::Null) => return,
        (Cell::Int(_), Cell::Text(_)) => "the amount has more digits after the point than its currency",
        _ => "an amount and its currency are given together",
    };
    draft.refuse(Code::Invalid, amount.name, message);
}

fn fixed(draft: &mut Draft, column: &str, field: &str) {
    let before = draft.current.as_ref().map(|row| row.cell(column).clone());
    if draft.gives_cell(column) && before.as_ref() != Some(draft.cell(column)) {
        draft.refuse(Code::Invalid, field, "this cannot be changed");
    }
}
