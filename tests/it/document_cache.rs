//! A document that was asked before answers as one that nobody has asked yet, whatever was given then and by whom.

use entity::Permission;
use rapport::graphql::documents::cache::DocumentCache;
use serde_json::{Value, json};

use crate::app::App;

/// Documents without strings, which are remembered, and what may be given with them.
fn documents() -> Vec<(&'static str, Vec<Value>)> {
    let known = json!({ "externalId": { "system": "crm", "id": "phone" } });
    vec![
        (
            "query ($from: DateTime, $first: Int = 2, $names: [String!], $order: MediumOrderField!) {
                mediums(first: $first, filter: {createdAt: {gte: $from}, name: {in: $names}}, orderBy: [{field: $order}]) {
                    totalCount nodes { name } } }",
            vec![
                json!({ "order": "NAME" }),
                json!({ "order": "NAME", "from": "2020-01-01T00:00:00Z", "names": ["Phone", "Mail"] }),
                json!({ "order": "NAME", "from": "2020-01-01T00:00:00Z", "names": "Phone", "first": 1 }),
                json!({ "order": "NAME", "from": "soon", "names": ["Phone"] }),
                json!({ "order": "NAME", "from": 7, "names": ["Phone"] }),
                json!({ "order": "NAME", "from": null, "names": [null] }),
                json!({ "order": "NAME", "from": null, "names": null, "first": null }),
                json!({ "order": "NAME", "names": [], "first": 0 }),
                json!({ "order": "NAME", "first": "1" }),
                json!({ "order": "NAME", "first": 3_000_000_000_i64 }),
                json!({ "order": "SIZE", "from": "2020-01-01T00:00:00Z" }),
                json!({ "order": null }),
                json!({}),
                json!({ "order": "ID", "unheard": { "of": 1 } }),
            ],
        ),
        (
            "query ($by: MediumRef!) { a: medium(by: $by) { name parent { id } } __typename }",
            vec![
                json!({ "by": known }),
                json!({ "by": { "id": "med_01m8c78v5qesm8ahffrzc6bjw7" } }),
                json!({ "by": { "id": "nonsense" } }),
                json!({ "by": { "id": 7 } }),
                json!({ "by": { "id": null } }),
                json!({ "by": {} }),
                json!({ "by": { "id": "x", "externalId": { "system": "crm", "id": "phone" } } }),
                json!({ "by": { "externalId": { "system": "crm" } } }),
                json!({ "by": "phone" }),
                json!({ "by": [known] }),
                json!({ "by": null }),
                json!({}),
            ],
        ),
        (
            "query ($id: ID, $key: ExternalIdInput) { medium(by: {id: $id}) { name } b: medium(by: {externalId: $key}) { name } }",
            vec![
                json!({ "id": "med_01m8c78v5qesm8ahffrzc6bjw7", "key": { "system": "crm", "id": "phone" } }),
                json!({ "id": null, "key": { "system": "crm", "id": "phone" } }),
                json!({ "key": { "system": "crm", "id": "phone" } }),
                json!({ "id": "x" }),
                json!({}),
            ],
        ),
        (
            "query ($kind: FeedbackKind) { feedbackRecords(filter: {kind: {eq: $kind}, bogus: 1}) { totalCount } }",
            vec![json!({}), json!({ "kind": "COMPLAINT" }), json!({ "kind": null })],
        ),
        (
            "query ($with: Boolean!, $names: Boolean = true) {
                mediums { totalCount @include(if: $with) nodes { ...N @skip(if: $with) name @include(if: $names) } } }
            fragment N on Medium { id name }",
            vec![
                json!({ "with": true }),
                json!({ "with": false }),
                json!({ "with": false, "names": false }),
                json!({ "with": true, "names": null }),
                json!({ "with": "yes" }),
                json!({}),
            ],
        ),
        (
            "query ($first: Int) { ...Q mediums(first: $first) { nodes { id ... on Medium { version } } } }
            fragment Q on Query { mediums(first: $first) { nodes { ...M } totalCount } departments { nodes { name } } }
            fragment M on Node { id }",
            vec![json!({ "first": 1 }), json!({ "first": 2_000 }), json!({})],
        ),
        (
            "mutation ($input: MediumUpsertInput!, $next: MediumUpsertInput!) {
                mediumUpsert(input: $input) { outcome errors { code path } node { name } }
                next: mediumUpsert(input: $next) { outcome errors { code path } node { name externalIds { id } } } }",
            {
                let next = json!({ "externalId": { "system": "crm", "id": "mail" }, "name": "Mail" });
                vec![
                    json!({ "input": { "externalId": known["externalId"], "name": "Phone" }, "next": next }),
                    json!({ "input": { "externalId": known["externalId"], "name": "" }, "next": next }),
                    json!({ "input": { "externalId": known["externalId"], "parentRef": known }, "next": next }),
                    json!({ "input": { "externalId": known["externalId"], "parentRef": {} }, "next": next }),
                    json!({ "input": { "externalId": known["externalId"], "size": 1 }, "next": next }),
                    json!({ "input": { "name": "Phone" }, "next": next }),
                    json!({ "input": "Phone", "next": next }),
                    json!({ "input": null, "next": next }),
                    json!({ "next": next }),
                ]
            },
        ),
        ("{ __schema { queryType { name } } mediums { totalCount } }", vec![json!({})]),
        ("{ __typename }", vec![json!({})]),
        ("{ mediums { nodes { bogus } } }", vec![json!({})]),
        ("{ mediums(first: 1001) { totalCount } departments { totalCount } }", vec![json!({})]),
        ("query ($v: Int!) { mediums { totalCount } }", vec![json!({ "v": 1 }), json!({})]),
    ]
}

#[tokio::test]
async fn a_remembered_document_answers_as_a_new_one_whatever_was_given_before() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    for name in ["Phone", "Mail"] {
        let made = "mutation ($input: MediumUpsertInput!) { mediumUpsert(input: $input) { errors { code } } }";
        let external_id = json!({ "system": "crm", "id": name.to_lowercase() });
        admin.data(made, json!({ "input": { "externalId": external_id, "name": name } })).await;
    }
    for (text, given) in documents() {
        let (mut fresh, nothing) = (Vec::new(), DocumentCache::default);
        for variables in &given {
            fresh.push(admin.run_remembering(&nothing(), text, variables.clone()).await.body);
        }
        for before in &given {
            let documents = DocumentCache::default();
            for _ in 0..2 {
                admin.run_remembering(&documents, text, before.clone()).await;
            }
            for (variables, expected) in given.iter().zip(&fresh) {
                let reply = admin.run_remembering(&documents, text, variables.clone()).await;
                assert_eq!(reply.body, *expected, "{text}\n{variables} after {before}");
            }
        }
    }
}

#[tokio::test]
async fn what_one_caller_may_do_is_not_remembered_for_another() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    let other = app.admin("other").await;
    let nobody = admin.with([Permission::RecordRead]);
    let made = "mutation ($input: MediumCreateInput!) { mediumCreate(input: $input) { outcome node { name } } }";
    let listed = "{ mediums { nodes { name } } customers { nodes { name } } }";
    let input = json!({ "input": { "name": "Phone" } });
    for _ in 0..2 {
        admin.data(made, input.clone()).await;
        admin.ask(listed).await;
    }
    assert_eq!(other.ask(listed).await["mediums"]["nodes"], json!([]));
    let documents = DocumentCache::default();
    for text in [made, listed] {
        let fresh = nobody.run_remembering(&documents, text, input.clone()).await.body;
        assert_eq!(nobody.run(text, input.clone()).await.body, fresh);
        assert!(fresh["errors"].as_array().unwrap().iter().any(|error| error["extensions"]["code"] == "FORBIDDEN"));
    }
    assert_eq!(admin.ask(listed).await["mediums"]["nodes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_field_whose_condition_does_not_hold_is_not_in_the_answer() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    admin.mutate("mediumCreate", json!({ "name": "Phone" }), "outcome").await;
    for (condition, shown) in [("include", true), ("skip", false)] {
        let document =
            format!("query($holds: Boolean!) {{ mediums {{ nodes {{ name version @{condition}(if: $holds) }} }} }}");
        for holds in [true, false, true] {
            let expected =
                if holds == shown { json!({ "name": "Phone", "version": 1 }) } else { json!({ "name": "Phone" }) };
            let data = admin.data(&document, json!({ "holds": holds })).await;
            assert_eq!(data["mediums"]["nodes"][0], expected, "{document} {holds}");
        }
    }
}
