//! What is asked and changed without one narrowing, and the twin.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use entity::noun::{Kind, Link};
use rapport::{Error, auth::Actor, store::operation::jobs::StepResult};
use serde_json::{Value, json};

use super::{
    super::{Neighbours, SECRET, places::Place},
    DELETE, ERASE, used_key,
};
use crate::{
    app::{App, Caller, now},
    fixture::{Extent, is_own, noun_of},
    outline::{Member, Outline},
    pointer::unknown_id,
};

/// A request of the curious caller.
#[derive(Clone, Debug)]
pub struct Case {
    pub document: String,
    pub variables: Value,
}

fn case(document: impl Into<String>, variables: Value) -> Case {
    Case { document: document.into(), variables }
}

/// Copies what the curious organization has to another one, under the same ids, with other words.
pub async fn copy(both: &Neighbours<'_>, twin: entity::id::OrganizationId) {
    let database = &both.app.database;
    let literal = |id: entity::id::OrganizationId| {
        let hex = id.0.simple();
        if database.is_sqlite() { format!("unhex('{hex}')") } else { format!("'{hex}'") }
    };
    let mut statements = Vec::new();
    for (table, columns) in both.app.tables().await {
        let has_tenant = columns.iter().any(|column| column == "organization_id");
        // Every organization has one of these, the twin has seals and a suspension of its own, and a client is of one only.
        let is_own = table.starts_with("audit_")
            || ["organization_sequence", "organization_slug", "api_client_owner", "token_withdrawal"]
                .contains(&&*table);
        if !has_tenant || is_own {
            continue;
        }
        let sql = "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE data_type = 'text'";
        let texts: BTreeSet<String> = if database.is_sqlite() {
            columns.iter().cloned().collect()
        } else {
            database.look(format!("{sql} AND table_name = '{table}'")).await.into_iter().flatten().flatten().collect()
        };
        let value = |column: &String| match column.as_str() {
            "organization_id" => literal(twin),
            "external_id" | "system" | "idempotency_key" => format!("\"{column}\""),
            _ if texts.contains(column) => {
                let other = format!("replace(replace(\"{column}\", 'Beta', '{SECRET}'), 'beta', 'alpha')");
                if database.is_sqlite() {
                    format!("CASE typeof(\"{column}\") WHEN 'text' THEN {other} ELSE \"{column}\" END")
                } else {
                    other
                }
            }
            _ => format!("\"{column}\""),
        };
        // The database makes a document of the search itself.
        let is_made = |column: &String| table == "search_entry" && column == "document";
        let columns: Vec<String> = columns.into_iter().filter(|column| !is_made(column)).collect();
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let values: Vec<String> = columns.iter().map(value).collect();
        let own = literal(both.curious.caller.organization());
        let (names, values) = (names.join(", "), values.join(", "));
        statements
            .push(format!("INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE organization_id = {own}"));
    }
    // The next event of the twin must not meet a key that its copied events have taken.
    let (own, twin) = (literal(both.curious.caller.organization()), literal(twin));
    statements.push(format!(
        "UPDATE organization_sequence SET last = (SELECT last FROM organization_sequence WHERE organization_id = {own})
            WHERE organization_id = {twin}"
    ));
    if database.is_sqlite() {
        statements.push("INSERT INTO search_text (search_text) VALUES ('rebuild')".to_owned());
    }
    database.force(statements).await;
}

/// Indexes an organization once more, until it ends or is stopped.
pub async fn index_again(app: &App, organization: entity::id::OrganizationId, place: &Place) -> Option<Error> {
    if !place.is_in("store::search::fill::next_rows") {
        return None;
    }
    let id = entity::id::new();
    let literal = |id: uuid::Uuid| {
        if app.database.is_sqlite() { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
    };
    let (organization_id, job) = (literal(organization.0), literal(id));
    let sql = format!(
        "INSERT INTO job (organization_id, id, kind, row_id, progress, steps, stepped_at)
            VALUES ({organization_id}, {job}, 'SEARCH_INDEX', {job}, '', 0, 0)"
    );
    app.database.change(&sql).await;
    loop {
        match app.store.step(organization, id, now()).await {
            Ok(StepResult::On) => {}
            Ok(_) => return None,
            Err(error) => return Some(error),
        }
    }
}

/// Makes a journey with a history and without an edition, which would keep it.
pub async fn publish(caller: &Caller<'_>) {
    let key = json!({ "system": "states", "id": "published" });
    let input = json!({ "externalId": key, "title": "Beta", "status": "PUBLISHED" });
    assert_eq!(caller.mutate("journeyUpsert", input, "outcome").await["outcome"], "CREATED");
}

/// Makes a department that gives its cases to its one member, who has one.
pub async fn staff(caller: &Caller<'_>) {
    let key = |id: &str| json!({ "system": "staff", "id": id });
    let desk = json!({ "externalId": key("desk") });
    for (field, input) in [
        ("departmentUpsert", json!({ "externalId": key("desk"), "name": "Beta", "assignment": "LEAST_OPEN" })),
        ("memberUpsert", json!({ "externalId": key("one"), "subject": "Beta", "name": "Beta", "departments": [desk] })),
        ("caseCreate", json!({ "title": "Beta", "departmentRef": desk })),
    ] {
        assert_eq!(caller.mutate(field, input, "outcome").await["outcome"], "CREATED");
    }
}

/// Opens one more case there.
pub async fn assign(caller: &Caller<'_>, place: &Place) -> Option<Error> {
    if !place.is_in("store::statement::tally::tallies") {
        return None;
    }
    let desk = json!({ "externalId": { "system": "staff", "id": "desk" } });
    let document = "mutation($input: CaseCreateInput!) { caseCreate(input: $input) { outcome } }";
    let input = json!({ "input": { "title": "Beta", "departmentRef": desk } });
    let reply = caller.run(document, input).await.body;
    reply.get("errors").map(|_| Error::internal("a case was not assigned"))
}

/// Deletes that journey.
pub async fn delete_published(caller: &Caller<'_>) -> Option<Error> {
    let document = "{ journey(by: { externalId: { system: \"states\", id: \"published\" } }) { id } }";
    let id = caller.ask(document).await["journey"]["id"].take();
    let document = "mutation($input: JourneyDeleteInput!) { journeyDelete(input: $input) { outcome } }";
    let reply = caller.run(document, json!({ "input": { "by": { "id": id } } })).await.body;
    reply.get("errors").map(|_| Error::internal("a history was not deleted"))
}

/// Gives a row the unique values that it has, as a row of the twin does.
pub async fn keep_unique(caller: &Caller<'_>, place: &Place) -> Option<Error> {
    if !place.is_in("store::writing::unique::rows_like") {
        return None;
    }
    let row = caller.ask("{ requiredFields(first: 1) { nodes { id pointKind field } } }").await;
    let row = &row["requiredFields"]["nodes"][0];
    let input = json!({ "by": { "id": row["id"] }, "pointKind": row["pointKind"], "field": row["field"] });
    let document = "mutation($input: RequiredFieldUpdateInput!) { requiredFieldUpdate(input: $input) { outcome } }";
    let reply = caller.run(document, json!({ "input": input })).await.body;
    reply.get("errors").map(|_| Error::internal("unique values were not compared"))
}

/// Deletes an organization of its own. Without the place it may come to no end; what it must not do is change others.
pub async fn leave(app: &App, place: &Place) {
    let leaving = app.organization(&format!("leaving without {place}")).await;
    let tx = app.store.scope(Actor::operator(leaving), now()).begin().await.unwrap();
    assert!(tx.delete_organization().await.unwrap());
    tx.commit().await.unwrap();
    let jobs = app.store.jobs(now() + TimeDelta::minutes(1)).await.unwrap();
    let (_, job) = jobs.into_iter().find(|(organization, _)| *organization == leaving).unwrap();
    while let Ok(StepResult::On) = app.store.step(leaving, job, now()).await {}
}

/// Everything a caller can ask, of own rows and of hidden ones.
pub async fn questions(both: &Neighbours<'_>, outline: &Outline) -> Vec<Case> {
    // The id of a merged row is looked for in filters.
    let one = json!({ "id": both.curious.newest("Customer").id });
    let document = "query($id: ID!) { customers(filter: { id: { eq: $id } }) { nodes { id } } }";
    let mut cases = vec![case(document, one)];
    // Each organization has an event with this sequence.
    cases.push(case("{ changes(afterSequence: 1) { nodes { sequence rowId } headSequence } }", json!({})));
    for field in outline.queries().iter().filter(|field| field.base() != "Node") {
        let document = Outline::document("query", field, &outline.select(&field.ty, 3));
        if let Some(by) = field.arguments.iter().find(|argument| argument.name == "by") {
            let noun = outline.referenced(&by.ty).unwrap();
            for row in [both.curious.newest(noun), both.hidden.newest(noun)] {
                cases.push(case(&document, json!({"by": {"id": row.id}})));
                if let Some(external) = &row.external {
                    cases.push(case(&document, json!({"by": {"externalId": external}})));
                }
            }
        } else if field.arguments.iter().all(|argument| !argument.is_required()) {
            cases.push(case(&document, json!({})));
            cases.push(case(&document, json!({"first": 1})));
        } else {
            let required = field.arguments.iter().filter(|argument| argument.is_required());
            let noun = field.base();
            let given = required.filter_map(|argument| {
                Some((argument.name.clone(), both.curious.value(&argument.ty, &argument.name, noun, Extent::Full)?))
            });
            cases.push(case(&document, Value::Object(given.collect())));
        }
    }
    for text in ["Beta", SECRET] {
        let document =
            "query($text: String!) { search(text: $text, first: 1000) { nodes { id type field snippet { text } } } }";
        cases.push(case(document, json!({ "text": text })));
        let document =
            "query($text: String!) { departments(filter: { name: { matches: $text } }) { totalCount nodes { id } } }";
        cases.push(case(document, json!({ "text": text })));
    }
    for (noun, field) in outline.lists() {
        let document = Outline::document("query", field, "{ totalCount nodes { id } }");
        let described = entity::NOUNS.into_iter().find(|known| known.name == noun).unwrap();
        for relation in described.relations {
            let words = relation.target.all_fields().find(|field| field.is_searchable);
            let conditions = match words {
                Some(field) => {
                    vec![json!({field.name: {"contains": SECRET}}), json!({field.name: {"contains": "Beta"}})]
                }
                None => vec![json!({"id": {"neq": "none"}})],
            };
            for inner in conditions {
                let one = matches!(relation.link, Link::One { .. });
                let inner = if one { inner } else { json!({"some": inner}) };
                cases.push(case(&document, json!({"filter": {relation.name: inner}})));
            }
        }
        for set in described.fields.iter().filter(|field| matches!(field.kind, Kind::Tags { .. })) {
            let ask = format!("{{ {} {{ nodes {{ {} }} }} }}", described.plural, set.name);
            let own = both.curious.caller.ask(&ask).await;
            for row in own[described.plural].as_object().unwrap()["nodes"].as_array().unwrap() {
                let theirs: Value = serde_json::from_str(&row.to_string().replace("Beta", SECRET)).unwrap();
                for items in [&row[set.name], &theirs[set.name]] {
                    cases.push(case(&document, json!({"filter": {set.name: {"hasAny": items}}})));
                    cases.push(case(&document, json!({"filter": {set.name: {"hasAll": items}}})));
                }
            }
        }
    }
    for noun in entity::NOUNS {
        let everything = outline.select(noun.name, 2);
        let document = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {} {everything} }} }}", noun.name);
        let ids = [&both.curious, &both.hidden].map(|world| world.newest(noun.name).id.clone());
        cases.push(case(&document, json!({"ids": [ids[0], ids[1], unknown_id(noun.name)]})));
    }
    let below = "interactionPoints { nodes { mediums(first: 1) { totalCount pageInfo { hasNextPage } nodes { name } }
        influencers(first: 1) { totalCount edges { strength node { name } } } expectations(first: 1) { totalCount pageInfo { hasNextPage } nodes { rank } } } }";
    cases.push(case(format!("{{ {below} }}"), json!({})));
    for arguments in
        ["groupBy: [TAG], first: 1", "groupBy: [POINT, TAG]", "bucket: {unit: MONTH}", "groupBy: [KIND], first: 1"]
    {
        let groups = "{ recordCount groupCount nodes { count meanNps { n } } }";
        cases.push(case(format!("{{ feedbackRecordGroups({arguments}) {groups} }}"), json!({})));
    }
    let of_rows = r#"filter: { version: { gte: 1 }, tags: { hasPrefix: "" } }"#;
    for (query, arguments) in [
        ("feedbackRecordTags", ""),
        ("feedbackRecordAttributeNames", ""),
        ("feedbackRecordAttributeValues", "name: \"x\","),
    ] {
        let document = format!("{{ {query}({arguments} {of_rows}) {{ distinctCount nodes {{ count }} }} }}");
        cases.push(case(document, json!({})));
    }
    cases
}

/// Archives what the mutation is to bring back.
pub async fn archive(both: &Neighbours<'_>, outline: &Outline, field: &Member) {
    let Some(noun) = field.name.strip_suffix("Unarchive") else { return };
    let name = format!("{noun}Archive");
    let archive = outline.mutations().iter().find(|field| field.name == name).expect("what comes back can go");
    both.curious.caller.mutate(&name, both.curious.input(archive, Extent::Full), "__typename").await;
}

/// Inputs of a mutation about own rows: everything, and every list and every null that says "none".
pub fn orders(
    both: &Neighbours<'_>,
    outline: &Outline,
    field: &Member,
    place: Option<&Place>,
    people: &[String],
) -> Vec<Case> {
    let selection = if field.base().ends_with("BulkPayload") {
        "{ errors { code } results { outcome node { id } } }"
    } else {
        "{ outcome deletedId node { id } errors { code } }"
    };
    let document = Outline::document("mutation", field, selection);
    if field.name == ERASE {
        let person = people.last().expect("there are enough people");
        return vec![case(&document, json!({"input": {"by": {"id": person}}}))];
    }
    let mut full = both.curious.input(field, Extent::Full);
    if field.name.ends_with("BulkDelete") {
        // Of several rows it is asked first whether they are in use.
        let first = &both.curious.rows[noun_of(field)][0];
        let rows = full["rows"].as_array_mut().unwrap();
        rows.push(json!({ "by": { "id": first.id } }));
        if !place.is_some_and(|place| place.is_in(DELETE)) {
            // Other cases need the rows.
            rows.push(json!({ "by": { "id": "none" } }));
        }
    }
    let mut cases = vec![case(&document, json!({"input": full}))];
    for member in outline.inputs(field.arguments[0].base()) {
        if is_own(field) && member.is_list() && member.is_required() {
            let mut none = full.clone();
            none[&member.name] = json!([]);
            cases.insert(0, case(&document, json!({"input": none})));
        }
    }
    if field.name == "customerUpsert" {
        let mut erased = full;
        erased.as_object_mut().unwrap().remove("externalIds");
        erased["externalId"] = both.curious.rows["Customer"][0].external.clone().unwrap();
        cases.push(case(&document, json!({ "input": erased })));
    }
    if field.name == "templateApply" {
        cases.push(case(&document, json!({"input": {"key": "BASICS"}})));
    }
    if field.name == "departmentCreate" {
        cases.push(case(&document, json!({"input": {"name": "Beta", "idempotencyKey": "known"}})));
        let key = place.map_or_else(|| "used".to_owned(), used_key);
        cases.push(case(&document, json!({"input": {"name": "Beta", "idempotencyKey": key}})));
    }
    cases
}

/// Gives a row the external id that the twin's has, and takes it away again without one narrowing.
pub async fn drop_external_id(app: &App, both: &Neighbours<'_>, place: &Place) -> Option<Error> {
    let row = both.curious.rows["Department"].iter().find(|row| row.external.is_some()).unwrap();
    let document = "mutation($input: DepartmentUpdateInput!) { departmentUpdate(input: $input) { errors { code } } }";
    app.store.disable_for_test(None);
    let given = json!({ "input": { "by": { "id": row.id }, "externalIds": [row.external] } });
    both.curious.caller.data(document, given).await;
    app.store.disable_for_test(Some(place.check));
    let taken = json!({ "input": { "by": { "id": row.id }, "externalIdsRemove": [row.external] } });
    let reply = both.curious.caller.run(document, taken).await.body;
    reply.get("errors").map(|_| Error::internal("an external id was not taken away"))
}

/// Whether rows of other nouns can refer to rows of a noun, so that it is asked whether they are in use.
pub fn is_named_by_others(noun: &str) -> bool {
    let relations = entity::NOUNS.into_iter().flat_map(|other| other.relations);
    relations.into_iter().any(|relation| relation.target.name == noun && matches!(relation.link, Link::One { .. }))
}
