//! Queries that name another organization's row.

use serde_json::{Map, Value, json};

use super::Neighbours;
use crate::{
    app::App,
    fixture::Extent,
    outline::{Member, Outline},
    pointer::{Pointer, Step, pointers, unknown_id},
};

/// How many relations the filters of the cases follow.
const DEPTH: usize = 2;

/// The noun a query is about.
fn noun_of(field: &Member) -> &str {
    field.base().strip_suffix("Connection").unwrap_or(field.base())
}

/// What a root field is asked for: of an object behind an interface, everything of each noun.
fn selection(outline: &Outline, field: &Member) -> String {
    if field.base() == "Node" { "{ __typename id }".to_owned() } else { outline.select(&field.ty, 3) }
}

/// The required arguments.
fn arguments(both: &Neighbours<'_>, field: &Member) -> Value {
    let required = field.arguments.iter().filter(|argument| argument.is_required() && field.base() != "Node");
    let given = required.filter_map(|argument| {
        Some((argument.name.clone(), both.curious.value(&argument.ty, &argument.name, noun_of(field), Extent::Least)?))
    });
    Value::Object(given.collect::<Map<_, _>>())
}

/// Whether the condition holds for no row when the row it names is not there.
fn is_positive(pointer: &Pointer) -> bool {
    let steps = || pointer.path.iter().filter_map(|step| if let Step::Field(name) = step { Some(name) } else { None });
    !steps().any(|name| ["neq", "not", "none"].contains(&name.as_str()))
}

#[tokio::test]
async fn naming_a_row_of_another_organization_in_a_query_is_naming_no_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let mut cases = 0;
    for field in outline.queries().iter().filter(|field| field.base() != "Node") {
        let document = Outline::document("query", field, &selection(&outline, field));
        let sound = arguments(&both, field);
        for pointer in field.arguments.iter().flat_map(|argument| pointers(&outline, argument, noun_of(field), DEPTH)) {
            for (hidden, unknown) in pointer.names(&both.hidden) {
                let answer = both.alike(&document, pointer.put(&sound, &hidden), pointer.put(&sound, &unknown)).await;
                let found = &answer["data"][&field.name];
                if field.name == "myWork" {
                    assert_eq!(found["nodes"], json!([]), "{pointer:?}");
                } else if field.base().ends_with("Connection") && is_positive(&pointer) {
                    assert_eq!(found["totalCount"], 0, "{} {pointer:?}", field.name);
                } else if field.arguments.iter().any(|argument| argument.name == "by") {
                    assert_eq!(answer, json!({"data": {&field.name: null}}), "{pointer:?}");
                }
                cases += 1;
            }
        }
    }
    assert!(cases > 150, "only {cases} cases were found");
    both.assert_unchanged().await;
}

#[tokio::test]
async fn the_same_conditions_find_the_rows_for_their_own_organization() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    for (noun, field) in outline.lists() {
        let document = Outline::document("query", field, "{ totalCount nodes { id } }");
        let filter = field.arguments.iter().find(|argument| argument.name == "filter").unwrap();
        for pointer in pointers(&outline, filter, noun, 1).iter().filter(|pointer| is_positive(pointer)) {
            let name = json!(both.hidden.newest(&pointer.noun).id);
            let reply = both.hidden.caller.run(&document, pointer.put(&json!({}), &name)).await.body;
            assert!(reply["data"][&field.name]["totalCount"].as_i64() > Some(0), "{pointer:?} {reply:#}");
        }
    }
}

#[tokio::test]
async fn node_and_nodes_answer_null_for_rows_of_another_organization() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let known: Vec<&str> =
        outline.queries().iter().filter(|field| field.base() == "Node").map(|field| field.name.as_str()).collect();
    assert_eq!(known, ["node", "nodes"], "there is no case for another field");
    for noun in entity::NOUNS {
        let everything = outline.select(noun.name, 2);
        let document = format!("query($id: ID!) {{ node(id: $id) {{ ... on {} {everything} }} }}", noun.name);
        let theirs = &both.hidden.newest(noun.name).id;
        let answer = both.alike(&document, json!({"id": theirs}), json!({"id": unknown_id(noun.name)})).await;
        assert_eq!(answer, json!({"data": {"node": null}}), "{}", noun.name);
        let (own, _) = both.probe(&document, json!({"id": both.curious.newest(noun.name).id})).await;
        assert_eq!(own["data"]["node"]["__typename"], noun.name, "{own:#}");

        let document = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {} {everything} }} }}", noun.name);
        let ids = |id: &str| json!({"ids": [both.curious.newest(noun.name).id, id, "nothing"]});
        let answer = both.alike(&document, ids(theirs), ids(&unknown_id(noun.name))).await;
        let nodes = answer["data"]["nodes"].as_array().unwrap();
        assert_eq!(nodes[0]["__typename"], noun.name, "{answer:#}");
        assert_eq!(nodes[1..], [Value::Null, Value::Null], "{answer:#}");
    }
}

#[tokio::test]
async fn lists_and_everything_below_them_hold_own_rows_only() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    for field in outline.queries().iter().filter(|field| field.base() != "Node") {
        let document = Outline::document("query", field, &outline.select(&field.ty, 3));
        let (answer, _) = both.probe(&document, arguments(&both, field)).await;
        assert_eq!(answer.get("errors"), None, "{} {answer:#}", field.name);
        if let Some(total) = answer["data"][&field.name].get("totalCount") {
            let (made, others) = (&both.curious.rows[noun_of(field)], both.curious.others.get(noun_of(field)));
            let own = made.len() + others.map_or(0, Vec::len);
            assert_eq!(total, own, "{}", field.name);
        }
    }
}

#[tokio::test]
async fn groups_count_own_records_only() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let keys = "[POINT, MEDIUM, DEPARTMENT, KIND, PRODUCT]";
    let document =
        format!("{{ feedbackRecordGroups(groupBy: {keys}) {{ recordCount groupCount nodes {{ count }} }} }}");
    let (answer, _) = both.probe(&document, json!({})).await;
    assert_eq!(answer["data"]["feedbackRecordGroups"]["recordCount"], both.curious.rows["FeedbackRecord"].len());
}

#[tokio::test]
async fn rules_of_another_organization_route_nothing() {
    let app = App::start().await;
    let hidden = app.admin("hidden").await;
    let department = hidden.ask(r#"mutation { departmentCreate(input: {name: "Theirs"}) { node { id } } }"#).await;
    let rule = "mutation($ref: DepartmentRef!) { routingRuleCreate(input: {name: \"All\", position: 0, departmentRef: $ref}) { errors { code } } }";
    let reply = hidden.run(rule, json!({"ref": {"id": department["departmentCreate"]["node"]["id"]}})).await;
    assert_eq!(reply.body["data"]["routingRuleCreate"]["errors"], json!([]));
    let curious = app.admin("curious").await;
    let preview = curious.ask("{ routingPreview(input: {}) { cause department { name } } }").await;
    assert_eq!(preview["routingPreview"], json!({"cause": "FALLBACK", "department": {"name": "Unassigned"}}));
    let create =
        "mutation { feedbackRecordCreate(input: {kind: COMPLAINT}) { node { department { name } } errors { code } } }";
    let made = curious.ask(create).await;
    assert_eq!(made["feedbackRecordCreate"]["node"]["department"]["name"], "Unassigned");
}
