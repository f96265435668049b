//! The pages of nouns and the tables over all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use entity::noun::Personal;

use super::api::{Api, Operation, base, doc};

/// The file of a noun's page: `interaction-point.md` for `InteractionPoint`.
pub fn file(noun: &str) -> String {
    let mut name = String::new();
    for letter in noun.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name + ".md"
}

fn link(noun: &str) -> String {
    format!("[{noun}]({})", file(noun))
}

/// The noun an operation is about: whose type it returns, or whose name its own begins with.
fn owner<'a>(api: &'a Api, operation: &Operation<'_>) -> Option<&'a str> {
    let ends: &[&str] = if operation.is_mutation { &["Payload", "BulkPayload"] } else { &["", "Connection"] };
    let returned = api.nouns().find(|noun| ends.iter().any(|end| operation.returns == format!("{noun}{end}")));
    let begins = |noun: &str| {
        let (first, rest) = noun.split_at(1);
        let rest = operation.name.strip_prefix(&format!("{}{rest}", first.to_lowercase()));
        rest.is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    returned.or_else(|| api.nouns().filter(|noun| begins(noun)).max_by_key(|noun| noun.len()))
}

fn needed(scopes: &[String]) -> String {
    match scopes {
        [] => "any token".to_owned(),
        _ => scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" "),
    }
}

fn table(operations: &[Operation<'_>]) -> String {
    let mut text = "| Operation | Scopes | What it does |\n|---|---|---|\n".to_owned();
    for operation in operations {
        let Operation { name, scopes, doc, .. } = operation;
        writeln!(text, "| `{name}` | {} | {doc} |", needed(scopes)).unwrap();
    }
    text
}

/// What the schema says of a noun.
pub fn page(api: &Api, noun: &str) -> String {
    let related = |ty: &str| {
        let target = ty.strip_suffix("Connection").unwrap_or(ty);
        api.nouns().find(|known| target == *known || ty.ends_with("Connection") && target.ends_with(known))
    };
    let (relations, fields): (Vec<_>, Vec<_>) =
        api.fields(noun).iter().partition(|field| related(base(&field.node.ty.node)).is_some());
    let mut text = String::from("## Fields\n\n| Field | Type | On write | Meaning |\n|---|---|---|---|\n");
    for field in &fields {
        let name = field.node.name.node.as_str();
        let call = if field.node.arguments.is_empty() { "" } else { "(…)" };
        let (ty, doc) = (&field.node.ty.node, doc(field.node.description.as_ref()));
        writeln!(text, "| `{name}{call}` | `{ty}` | {} | {doc} |", written(api, noun, name)).unwrap();
    }
    if !relations.is_empty() {
        text.push_str("\n## Relations\n\n| Relation | To | On write | Meaning |\n|---|---|---|---|\n");
    }
    for field in &relations {
        let name = field.node.name.node.as_str();
        let ty = base(&field.node.ty.node);
        let many = if ty.ends_with("Connection") { "many " } else { "" };
        let target = related(ty).expect("it is a relation");
        let (written, doc) = (written(api, noun, &format!("{name}Ref")), doc(field.node.description.as_ref()));
        writeln!(text, "| `{name}` | {many}{} | {written} | {doc} |", link(target)).unwrap();
    }
    let listed: BTreeSet<&str> = fields.iter().map(|field| base(&field.node.ty.node)).collect();
    for name in listed {
        let Some(values) = api.enumeration(name) else { continue };
        write!(text, "\n### `{name}`\n\n{}\n\n| Value | Meaning |\n|---|---|\n", api.doc(name)).unwrap();
        for value in &values.values {
            let doc = doc(value.node.description.as_ref());
            writeln!(text, "| `{}` | {doc} |", value.node.value.node).unwrap();
        }
    }
    let own: Vec<_> = api.operations().filter(|operation| owner(api, operation) == Some(noun)).collect();
    if !own.is_empty() {
        write!(text, "\n## Operations\n\n{}", table(&own)).unwrap();
    }
    if let Some(order) = api.enumeration(&format!("{noun}OrderField")) {
        let names: Vec<_> = order.values.iter().map(|value| format!("`{}`", value.node.value.node)).collect();
        write!(text, "\nLists can be sorted by {}.\n", names.join(", ")).unwrap();
    }
    text
}

/// Whether callers give a field: on create, and later.
fn written(api: &Api, noun: &str, field: &str) -> String {
    let given = |input: &str| {
        let fields = api.input(&format!("{noun}{input}Input"));
        fields.iter().find(|known| known.node.name.node == field)
    };
    if field == "id" {
        return String::new();
    }
    let (create, update) = (given("Create"), given("Update"));
    let fixed = if update.is_none() { ", create only" } else { "" };
    match (create, update) {
        (Some(value), _) if !value.node.ty.node.nullable => format!("required{fixed}"),
        (Some(value), _) => match &value.node.default_value {
            Some(default) => format!("default `{}`{fixed}", default.node),
            None => format!("optional{fixed}"),
        },
        (None, Some(_)) => "update only".to_owned(),
        (None, None) => String::new(),
    }
}

/// Every noun in a line.
pub fn index(api: &Api) -> String {
    let mut text = "| Noun | What it is | Read with | Written with |\n|---|---|---|---|\n".to_owned();
    for noun in api.nouns() {
        let scopes = |is_mutation: bool| {
            let own = api.operations().filter(|one| one.is_mutation == is_mutation && owner(api, one) == Some(noun));
            // The scopes of its plainest operation: others may need more.
            own.map(|one| one.scopes).min_by_key(Vec::len).map_or_else(|| "–".to_owned(), |scopes| needed(&scopes))
        };
        writeln!(text, "| {} | {} | {} | {} |", link(noun), api.doc(noun), scopes(false), scopes(true)).unwrap();
    }
    text
}

/// Every column that may contain personal data.
pub fn personal() -> String {
    let mut text = "| Column | Kind | Read with | When a customer is erased |\n|---|---|---|---|\n".to_owned();
    for noun in entity::NOUNS {
        for field in noun.all_fields().filter(|field| field.personal != Personal::None) {
            let kind = match field.personal {
                Personal::Identifier => "identifier",
                Personal::Contact => "contact",
                _ => "free text",
            };
            let scope = if field.is_guarded() { "`customers:read`" } else { "the scope of the row" };
            let end = field.kept.map_or_else(|| "erased".to_owned(), |reason| format!("kept: {reason}"));
            let link = format!("[{}](../nouns/{})", noun.name, file(noun.name));
            writeln!(text, "| {link} `{}` | {kind} | {scope} | {end} |", field.name).unwrap();
        }
    }
    text
}

/// Operations that are about no single noun.
pub fn other_operations(api: &Api) -> String {
    table(&api.operations().filter(|operation| owner(api, operation).is_none()).collect::<Vec<_>>())
}

/// What each scope opens.
pub fn scopes(api: &Api) -> String {
    let mut opened: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for operation in api.operations() {
        for scope in &operation.scopes {
            let what = owner(api, &operation)
                .map_or_else(|| format!("`{}`", operation.name), |noun| format!("[{noun}](../nouns/{})", file(noun)));
            opened.entry(scope.clone()).or_default()[usize::from(operation.is_mutation)].insert(what);
        }
    }
    let mut text = "| Scope | Queries about | Mutations of |\n|---|---|---|\n".to_owned();
    let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    for (scope, [queries, mutations]) in &opened {
        writeln!(text, "| `{scope}` | {} | {} |", list(queries), list(mutations)).unwrap();
    }
    text
}
