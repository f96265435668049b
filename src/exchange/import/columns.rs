//! Which columns of a file become which fields of a row's input.

use entity::{
    Noun,
    noun::{Field, Kind, Link, Relationship, Writable},
};
use serde_json::{Map, Value, json};

use super::create::ImportColumn;
use crate::{
    UserError,
    error::Code,
    graphql::{
        slice::REFERENCE,
        types::money_types::{AMOUNT, CURRENCY},
    },
};

/// Field of the external id that identifies a row.
const EXTERNAL_ID: &str = "externalId";
/// What separates the items of a list in a cell, unless the column says otherwise.
const SEPARATOR: &str = ";";

/// The fields of a row's input, and where their values come from.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

#[derive(Debug)]
struct Column {
    /// Names of the fields that lead to the value.
    path: Vec<String>,
    form: Form,
    from: From,
    separator: String,
}

#[derive(Clone, Debug)]
enum From {
    /// The cell of the column with this name.
    Cell(String),
    /// The same value in each row.
    Value(String),
}

/// What a cell becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Int,
    Float,
    Bool,
    /// The items of a list.
    List,
    /// The value of the attribute with this name.
    Attribute(String),
}

impl Columns {
    /// Reads the columns of an input. `Err` with what is wrong.
    pub(super) fn read(noun: &'static Noun, columns: &[ImportColumn]) -> Result<Self, Vec<UserError>> {
        let (mut read, mut mistakes): (Vec<Column>, Vec<UserError>) = (Vec::new(), Vec::new());
        for (place, column) in columns.iter().enumerate() {
            let mut refuse = |field: &str, message: &str| {
                let path = vec!["columns".to_owned(), place.to_string(), field.to_owned()];
                mistakes.push(UserError { code: Code::Invalid, message: message.to_owned(), path });
            };
            let from = match (&column.column, &column.value) {
                (Some(name), None) => From::Cell(name.clone()),
                (None, Some(value)) => From::Value(value.clone()),
                _ => {
                    refuse("column", "give either column or value");
                    continue;
                }
            };
            let Some((path, form)) = place_of(noun, &column.field) else {
                refuse("field", UNKNOWN);
                continue;
            };
            if column.separator.as_ref().is_some_and(|_| form != Form::List) {
                refuse("separator", "only lists have a separator");
            }
            let separator = column.separator.clone().filter(|text| !text.is_empty());
            let separator = separator.unwrap_or_else(|| SEPARATOR.to_owned());
            if read.iter().any(|known| known.path == path && known.form == form) {
                refuse("field", "an earlier column has the same field");
            }
            read.push(Column { path, form, from, separator });
        }
        if !columns.is_empty() && mistakes.is_empty() {
            let has = |part: &str| read.iter().any(|column| column.path == [EXTERNAL_ID, part]);
            if !has("id") || !has("system") {
                let message = "columns for externalId.id and externalId.system are required: they identify the row";
                mistakes.push(UserError::new(Code::Required, "columns", message));
            }
        }
        if mistakes.is_empty() { Ok(Self(read)) } else { Err(mistakes) }
    }

    /// Returns the columns of a file whose header names the fields. `Err` with what is wrong.
    pub(super) fn of_header(noun: &'static Noun, header: &[String]) -> Result<Self, String> {
        let named = |name: &String| ImportColumn {
            field: name.trim().to_owned(),
            column: Some(name.clone()),
            value: None,
            separator: None,
        };
        let columns: Vec<ImportColumn> = header.iter().map(named).collect();
        Self::read(noun, &columns).map_err(|mistakes| {
            let Some(mistake) = mistakes.into_iter().next() else { return String::new() };
            match mistake.path.get(1).and_then(|place| place.parse::<usize>().ok()) {
                Some(place) => format!("column {} of the header: {}", place + 1, mistake.message),
                None => mistake.message,
            }
        })
    }

    /// Returns the place of the first column that a header lacks, from 0.
    pub(super) fn missing(&self, header: &[String]) -> Option<usize> {
        let is_missing = |column: &Column| matches!(&column.from, From::Cell(name) if !header.contains(name));
        self.0.iter().position(is_missing)
    }

    /// Returns the input of a row. Without columns, it is the line itself.
    pub(super) fn row(&self, mut line: Map<String, Value>) -> Value {
        if self.0.is_empty() {
            return line.into();
        }
        let mut row = Map::new();
        for column in &self.0 {
            let value = match &column.from {
                // Few columns are used twice, so the value is copied only then.
                From::Cell(name) if self.uses(name) > 1 => line.get(name).cloned().unwrap_or_default(),
                From::Cell(name) => line.remove(name).unwrap_or_default(),
                From::Value(value) => value.clone().into(),
            };
            put(&mut row, column, convert(value, column));
        }
        for root in row.values_mut() {
            // An object of which only fixed values are given stands for none.
            if let Value::Object(object) = root
                && object.remove(GIVEN) == Some(Value::Bool(false))
            {
                *root = Value::Null;
            }
        }
        row.into()
    }

    fn uses(&self, name: &str) -> usize {
        self.0.iter().filter(|column| matches!(&column.from, From::Cell(known) if known == name)).count()
    }
}

const UNKNOWN: &str = "the type has no such field for a file; give, for example, name, externalId.id, accountRef.externalId.id, \
                       attributes.plan or price.amount";
/// Mark in an object that is being put together: whether a cell gave it a value. No field of the API has this name.
const GIVEN: &str = "";

/// Returns where a field is in the input of a row, and what a cell becomes there.
fn place_of(noun: &'static Noun, field: &str) -> Option<(Vec<String>, Form)> {
    let parts: Vec<&str> = field.split('.').collect();
    let path = || parts.iter().map(|part| (*part).to_owned()).collect();
    match parts.as_slice() {
        [EXTERNAL_ID, "system" | "id"] => return Some((path(), Form::Text)),
        ["expectedVersion"] => return Some((path(), Form::Int)),
        _ => {}
    }
    if let Some(relation) = noun.relations.iter().find(|known| parts[0].strip_suffix(REFERENCE) == Some(known.name)) {
        return is_reference(relation, &parts[1..]).then(|| (path(), Form::Text));
    }
    let is_named = |known: &&Field| known.name == parts[0] && known.writable != Writable::Never && !known.is_currency();
    let known = noun.fields.iter().find(is_named)?;
    if noun.currency_of(known).is_some() {
        let is_part = parts.len() == 2 && (parts[1] == AMOUNT.name || parts[1] == CURRENCY.name);
        return is_part.then(|| (path(), Form::Text));
    }
    if let Kind::Attributes { .. } = known.kind {
        let (root, name) = field.split_once('.')?;
        return (!name.is_empty()).then(|| (vec![root.to_owned()], Form::Attribute(name.to_owned())));
    }
    let form = match known.kind {
        Kind::Tags { .. } => Form::List,
        Kind::Int { .. } => Form::Int,
        Kind::Float { .. } => Form::Float,
        Kind::Bool => Form::Bool,
        Kind::Filter(_) | Kind::Json | Kind::Names => return None,
        _ => Form::Text,
    };
    (parts.len() == 1).then(|| (path(), form))
}

fn is_reference(relation: &Relationship, rest: &[&str]) -> bool {
    let is_given = matches!(relation.link, Link::One { writable, .. } if writable != Writable::Never);
    is_given
        && match rest {
            ["id"] => true,
            [EXTERNAL_ID, "system" | "id"] => relation.target.has_external_ids,
            _ => false,
        }
}

/// Returns the value that a cell stands for. What cannot be read stays a text, which the row then refuses.
fn convert(value: Value, column: &Column) -> Value {
    let text = match value {
        Value::String(text) => text,
        // An id that another system writes as a number.
        Value::Number(number) if column.form == Form::Text => number.to_string(),
        other => return other,
    };
    if text.is_empty() {
        return Value::Null;
    }
    let own = || Value::String(text.clone());
    match column.form {
        Form::Int => text.trim().parse::<i64>().map_or_else(|_| own(), Value::from),
        Form::Float => text.trim().parse::<f64>().map_or_else(|_| own(), Value::from),
        Form::Bool => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => true.into(),
            "false" | "0" | "no" => false.into(),
            _ => own(),
        },
        Form::List => {
            let items = text.split(column.separator.as_str()).map(str::trim).filter(|item| !item.is_empty());
            items.collect()
        }
        Form::Text | Form::Attribute(_) => Value::String(text),
    }
}

fn put(row: &mut Map<String, Value>, column: &Column, value: Value) {
    if let (Form::Attribute(name), [root]) = (&column.form, column.path.as_slice()) {
        let all = row.entry(root.as_str()).or_insert(Value::Null);
        if value.is_null() {
            return;
        }
        if let Value::Array(all) = all {
            all.push(json!({ "name": name, "value": value }));
        } else {
            *all = json!([{ "name": name, "value": value }]);
        }
        return;
    }
    let Some((last, objects)) = column.path.split_last() else { return };
    let mut at = row;
    for (depth, name) in objects.iter().enumerate() {
        let Value::Object(inside) = at.entry(name.as_str()).or_insert_with(|| json!({})) else { return };
        if depth == 0 {
            let is_given = !value.is_null() && matches!(column.from, From::Cell(_));
            let known = inside.entry(GIVEN).or_insert(Value::Bool(false));
            *known = Value::Bool(is_given || *known == Value::Bool(true));
        }
        at = inside;
    }
    at.insert(last.clone(), value);
}

#[cfg(test)]
mod tests {
    use entity::{customer, purchase};

    use super::*;

    fn column(field: &str, from: &str) -> ImportColumn {
        let (column, value) = match from.strip_prefix('=') {
            Some(value) => (None, Some(value.to_owned())),
            None => (Some(from.to_owned()), None),
        };
        ImportColumn { field: field.to_owned(), column, value, separator: None }
    }

    fn keyed(more: &[(&str, &str)]) -> Vec<ImportColumn> {
        let key = [("externalId.system", "=crm"), ("externalId.id", "No")];
        key.iter().chain(more).map(|(field, from)| column(field, from)).collect()
    }

    fn row(noun: &'static Noun, more: &[(&str, &str)], line: Value) -> Value {
        let Value::Object(line) = line else { panic!("a line is an object") };
        Columns::read(noun, &keyed(more)).unwrap().row(line)
    }

    #[test]
    fn cells_become_the_values_of_the_fields() {
        let more = [
            ("name", "Name"),
            ("tags", "Tags"),
            ("attributes.plan", "Plan"),
            ("attributes.a.b", "Other"),
            ("accountRef.externalId.system", "=crm"),
            ("accountRef.externalId.id", "Account"),
            ("expectedVersion", "V"),
        ];
        let line = json!({ "No": "7", "Name": "Ada", "Tags": "a; b;;c", "Plan": "gold", "Other": "", "Account": "A1", "V": " 3" });
        let expected = json!({
            "externalId": { "system": "crm", "id": "7" },
            "name": "Ada",
            "tags": ["a", "b", "c"],
            "attributes": [{ "name": "plan", "value": "gold" }],
            "accountRef": { "externalId": { "system": "crm", "id": "A1" } },
            "expectedVersion": 3,
        });
        assert_eq!(row(&customer::NOUN, &more, line), expected);
        // Empty cells are null, and so is an object of which a file gives nothing.
        let expected = json!({
            "externalId": null, "name": null, "tags": null, "attributes": null, "accountRef": null, "expectedVersion": "x",
        });
        assert_eq!(row(&customer::NOUN, &more, json!({ "No": "", "V": "x" })), expected);
        let money = [("amount.amount", "Price"), ("amount.currency", "=EUR")];
        let bought = row(&purchase::NOUN, &money, json!({ "No": "1", "Price": "9.50" }));
        assert_eq!(bought["amount"], json!({ "amount": "9.50", "currency": "EUR" }));
        assert_eq!(row(&purchase::NOUN, &money, json!({ "No": "1", "Price": "" }))["amount"], json!(null));
    }

    #[test]
    fn fields_that_a_file_cannot_give_are_refused() {
        for field in [
            "",
            "nam",
            "name.x",
            "id",
            "version",
            "account",
            "accountRef",
            "accountRef.id.x",
            "createdAt",
            "externalId",
        ] {
            let mistakes = Columns::read(&customer::NOUN, &keyed(&[(field, "X")])).unwrap_err();
            assert_eq!(mistakes[0].path, ["columns", "2", "field"], "{field}");
        }
        let twice = Columns::read(&customer::NOUN, &keyed(&[("name", "A"), ("name", "B")])).unwrap_err();
        assert_eq!(twice[0].path, ["columns", "3", "field"]);
        let unnamed = Columns::read(&customer::NOUN, &[column("name", "A")]).unwrap_err();
        assert_eq!((unnamed[0].code, &*unnamed[0].path), (Code::Required, &["columns".to_owned()][..]));
        let both = ImportColumn { value: Some("x".to_owned()), ..column("name", "A") };
        let neither = ImportColumn { column: None, ..column("name", "A") };
        let separated = ImportColumn { separator: Some(",".to_owned()), ..column("name", "A") };
        for (wrong, place) in [(both, "column"), (neither, "column"), (separated, "separator")] {
            let columns: Vec<_> = keyed(&[]).into_iter().chain([wrong]).collect();
            assert_eq!(Columns::read(&customer::NOUN, &columns).unwrap_err()[0].path, ["columns", "2", place]);
        }
    }

    #[test]
    fn a_header_can_name_the_fields() {
        let header = ["externalId.system", "externalId.id", "name"].map(str::to_owned);
        let columns = Columns::of_header(&customer::NOUN, &header).unwrap();
        let Value::Object(line) = json!({ "externalId.system": "s", "externalId.id": "i", "name": "n" }) else {
            return;
        };
        assert_eq!(columns.row(line), json!({ "externalId": { "system": "s", "id": "i" }, "name": "n" }));
        let wrong = Columns::of_header(&customer::NOUN, &["externalId.id".to_owned(), "Name".to_owned()]).unwrap_err();
        assert!(wrong.starts_with("column 2 of the header: "), "{wrong}");
        assert_eq!(Columns::read(&customer::NOUN, &keyed(&[("name", "N")])).unwrap().missing(&header), Some(1));
    }
}
