//! Personal data without `customers:read`.

use entity::{Noun, Permission, noun::Field};
use serde_json::{Value, json};

use super::all_but;
use crate::{
    app::{App, Caller},
    fixture::World,
    outline::{Kind, Outline, codes},
};

/// The columns that only those see who may see personal data, by noun.
fn personal() -> impl Iterator<Item = (&'static Noun, Vec<&'static Field>)> {
    let columns = |noun: &'static Noun| noun.all_fields().filter(|field| field.is_guarded()).collect::<Vec<_>>();
    entity::NOUNS.into_iter().map(move |noun| (noun, columns(noun))).filter(|(_, fields)| !fields.is_empty())
}

fn blind<'a>(world: &World<'a>) -> Caller<'a> {
    world.caller.with(all_but(Permission::CustomersRead))
}

#[test]
fn names_addresses_and_words_are_tagged_as_personal() {
    let tagged: Vec<String> = personal()
        .flat_map(|(noun, fields)| fields.into_iter().map(move |field| format!("{}.{}", noun.name, field.name)))
        .collect();
    // The complete list is a generated part of `docs/architecture/erasure.md`.
    for known in
        ["Customer.name", "Customer.email", "Customer.phone", "FeedbackRecord.body", "FeedbackRecord.attributes"]
    {
        assert!(tagged.iter().any(|tagged| tagged == known), "{known} {tagged:?}");
    }
}

#[tokio::test]
async fn personal_columns_are_null_and_refused_once_each_however_many_rows_there_are() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (noun, fields) in personal() {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let asked: Vec<String> =
            names.iter().map(|name| name.replace("attributes", "attributes { name value }")).collect();
        let document = format!("{{ list: {} {{ nodes {{ id {} version }} }} }}", noun.plural, asked.join(" "));
        let reply = blind(&world).run(&document, json!({})).await.body;
        let paths: Vec<Value> = reply["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
        let expected: Vec<Value> = names.iter().map(|name| json!(["list", "nodes", 0, name])).collect();
        assert_eq!(paths, expected, "{reply:#}");
        assert!(codes(&reply).iter().all(|code| *code == "FORBIDDEN"));
        let rows = reply["data"]["list"]["nodes"].as_array().unwrap();
        assert!(rows.len() > 1);
        for row in rows {
            assert!(names.iter().all(|name| row[name].is_null()), "{row}");
            assert!(row["id"].is_string() && row["version"].is_number(), "{row}");
        }
        let seen = world.caller.ask(&document).await;
        // Rows that a transition or another mutation made may have less.
        let is_created = |row: &&Value| world.rows[noun.name].iter().any(|known| row["id"] == known.id.as_str());
        let created: Vec<&Value> = seen["list"]["nodes"].as_array().unwrap().iter().filter(is_created).collect();
        assert!(created.len() > 1, "{}", noun.name);
        for row in created {
            assert!(names.iter().all(|name| row[name].is_string() || row[name].is_array()), "{row}");
        }
    }
}

#[tokio::test]
async fn personal_columns_are_null_wherever_a_row_is_reached() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let (customer, record) = (&world.newest("Customer").id, &world.newest("FeedbackRecord").id);
    let documents = [
        ("customer(by: {id: $id}) { email }", customer),
        ("node(id: $id) { ... on Customer { email } }", customer),
        ("nodes(ids: [$id]) { ... on Customer { phone } }", customer),
        ("customer(by: {id: $id}) { feedbackRecords { nodes { body } } }", customer),
        ("customer(by: {id: $id}) { feedbackRecords { edges { node { body } } } }", customer),
        ("feedbackRecord(by: {id: $id}) { customer { name } }", record),
    ];
    for (field, id) in documents {
        let document = format!("query($id: ID!) {{ {field} }}");
        let reply = blind(&world).run(&document, json!({"id": id})).await.body;
        assert_eq!(codes(&reply), ["FORBIDDEN"], "{field} {reply:#}");
        assert!(!reply.to_string().contains("One"), "{field} {reply:#}");
        let seen = world.caller.run(&document, json!({"id": id})).await.body;
        assert!(seen.to_string().contains("One"), "{field} {seen:#}");
    }
}

#[tokio::test]
async fn the_node_of_a_payload_hides_personal_columns() {
    let app = App::start().await;
    let one = app.organization("one").await;
    let caller = app.caller(one, [Permission::CustomersWrite, Permission::RecordRead]);
    let document = "mutation { customerCreate(input: {name: \"Ann\"}) { outcome node { id name } } }";
    let reply = caller.run(document, json!({})).await.body;
    assert_eq!(codes(&reply), ["FORBIDDEN"]);
    assert_eq!(reply["errors"][0]["path"], json!(["customerCreate", "node", "name"]));
    assert_eq!(reply["data"]["customerCreate"]["outcome"], "CREATED");
    assert!(reply["data"]["customerCreate"]["node"]["id"].is_string());
}

/// Every comparison of a column, each with a value of its type.
fn comparisons(outline: &Outline, noun: &Noun, field: &Field) -> Vec<Value> {
    let member = outline.input(&format!("{}Filter", noun.name), field.name).unwrap();
    let comparison = |operator: &crate::outline::Member| {
        let value = match operator.base() {
            "Boolean" => json!(true),
            "AttributeInput" => json!({"name": "One", "value": "One"}),
            "EmailAddress" => json!("one@example.org"),
            "Date" => json!("2026-01-01"),
            ty if ty.ends_with("Filter") => json!({}),
            _ => json!("One"),
        };
        let mut comparison = json!({&operator.name: value});
        // What compares one attribute needs its name.
        if ["text", "number", "date"].contains(&operator.name.as_str())
            || (operator.name == "isNull" && member.base() == "AttributesFilter")
        {
            comparison["name"] = json!("One");
        }
        comparison
    };
    outline.inputs(member.base()).iter().map(comparison).collect()
}

#[tokio::test]
async fn no_condition_on_a_personal_column_is_open_wherever_it_stands() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (noun, fields) in personal() {
        for field in fields {
            for comparison in comparisons(&outline, noun, field) {
                let own = json!({field.name: comparison});
                let mut cases = vec![
                    (noun.plural, noun.name, own.clone()),
                    (noun.plural, noun.name, json!({"and": [{"or": [{"not": own}]}]})),
                ];
                for other in entity::NOUNS.iter().filter(|other| other.offers(entity::noun::Operation::List)) {
                    for relation in other.relations.iter().filter(|relation| relation.target.name == noun.name) {
                        let is_list = outline
                            .input(&format!("{}Filter", other.name), relation.name)
                            .is_some_and(|member| member.base().ends_with("ListFilter"));
                        let inner = if is_list { json!({"none": own}) } else { own.clone() };
                        cases.push((other.plural, other.name, json!({relation.name: inner})));
                    }
                }
                for (plural, name, filter) in cases {
                    let document =
                        format!("query($filter: {name}Filter) {{ {plural}(filter: $filter) {{ totalCount }} }}");
                    let variables = json!({"filter": filter});
                    let reply = blind(&world).run(&document, variables.clone()).await.body;
                    assert_eq!(codes(&reply), ["FORBIDDEN"], "{plural} {filter}");
                    assert_eq!(reply["data"], json!({plural: null}), "{plural} {filter}");
                    let open = world.caller.run(&document, variables).await.body;
                    assert_eq!(open.get("errors"), None, "{plural} {filter} {open:#}");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_order_by_a_personal_column_is_open() {
    let (app, outline) = (App::start().await, Outline::read());
    let one = app.organization("one").await;
    let blind = app.caller(one, all_but(Permission::CustomersRead));
    let mut cases = 0;
    for (noun, fields) in personal() {
        let Some(Kind::Enum(columns)) = outline.types.get(&format!("{}OrderField", noun.name)) else { continue };
        for field in fields.iter().filter(|field| columns.contains(&field.name.to_uppercase())) {
            let column = field.name.to_uppercase();
            let document = format!(
                "{{ list: {}(orderBy: [{{field: CREATED_AT}}, {{field: {column}}}]) {{ totalCount }} }}",
                noun.plural
            );
            let reply = blind.run(&document, json!({})).await.body;
            assert_eq!(codes(&reply), ["FORBIDDEN"], "{document}");
            assert_eq!(reply["data"], json!({"list": null}));
            cases += 1;
        }
    }
    let ordered = personal().flat_map(|(_, fields)| fields).filter(|field| field.is_orderable).count();
    assert!(cases == ordered && cases > 0, "{cases} of {ordered}");
}

/// They are often e-mail addresses.
#[tokio::test]
async fn external_ids_of_people_are_personal_in_answers_look_ups_and_references() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let guarded: Vec<&'static Noun> =
        entity::NOUNS.into_iter().filter(|noun| entity::personal::guards_external_ids(noun)).collect();
    assert!(guarded.iter().any(|noun| noun.name == "Customer"));
    for noun in guarded {
        let document = format!("{{ list: {} {{ nodes {{ id externalIds {{ id }} }} }} }}", noun.plural);
        let reply = blind(&world).run(&document, json!({})).await.body;
        assert_eq!(codes(&reply), ["FORBIDDEN"], "{reply:#}");
        assert!(reply["data"]["list"]["nodes"].as_array().unwrap().iter().all(|row| row["externalIds"].is_null()));
        for test in ["some: {}", "none: { id: { startsWith: \"o\" } }"] {
            let document = format!(
                "{{ list: {}(filter: {{ not: {{ externalIds: {{ {test} }} }} }}) {{ totalCount }} }}",
                noun.plural
            );
            let reply = blind(&world).run(&document, json!({})).await.body;
            assert_eq!((codes(&reply), &reply["data"]), (vec!["FORBIDDEN"], &json!({ "list": null })), "{document}");
            assert_eq!(world.caller.run(&document, json!({})).await.body.get("errors"), None);
        }
        let key = world.newest(noun.name).external.clone();
        let document =
            format!("query($key: ExternalIdInput) {{ it: {}(by: {{ externalId: $key }}) {{ id }} }}", noun.singular);
        // Who may write them looks them up for a sync; who may neither read nor write them does not.
        let sync = blind(&world).run(&document, json!({ "key": key })).await.body;
        assert_eq!(sync["data"]["it"]["id"], json!(world.newest(noun.name).id), "{sync:#}");
        let reader = world.caller.with(noun.read);
        let refused = reader.run(&document, json!({ "key": key })).await.body;
        assert_eq!((codes(&refused), &refused["data"]["it"]), (vec!["FORBIDDEN"], &Value::Null), "{refused:#}");
    }
    let key = world.newest("Customer").external.clone();
    let clerk = world.caller.with([Permission::RecordRead, Permission::RecordWrite]);
    let document = "mutation($input: FeedbackRecordCreateInput!) { feedbackRecordCreate(input: $input) { outcome } }";
    let input = json!({ "input": { "kind": "PRAISE", "customerRef": { "externalId": key } } });
    assert_eq!(codes(&clerk.run(document, input).await.body), ["FORBIDDEN"]);
}
