//! Tokens that name departments: what their callers see, count and may write.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, refs},
    journeys::{by_id, made, mistakes, one, point},
    outline::codes,
};

/// Two departments, to which rules route feedback by product, and a caller of the first.
struct Two<'a> {
    whole: Caller<'a>,
    own: Caller<'a>,
    departments: [String; 2],
    customer: String,
    point: String,
}

impl<'a> Two<'a> {
    async fn settle(app: &'a App) -> Self {
        let whole = app.admin("one").await;
        let mut departments = Vec::new();
        for (position, name) in ["Repairs", "Sales"].into_iter().enumerate() {
            let department = made(&whole, "departmentCreate", json!({ "name": name })).await;
            let rule =
                json!({ "name": name, "position": position, "product": name, "departmentRef": by_id(&department) });
            made(&whole, "routingRuleCreate", rule).await;
            departments.push(department);
        }
        let own = whole.of_departments([departments[0].as_str()]);
        let customer = made(&whole, "customerCreate", json!({ "name": "Ada" })).await;
        let point = point(&whole, "Desk").await;
        Self { whole, own, departments: departments.try_into().unwrap(), customer, point }
    }

    async fn feedback(&self, product: &str, body: &str) -> String {
        let input = json!({
            "kind": "COMPLAINT", "product": product, "body": body, "nps": 7, "tags": [product],
            "customerRef": by_id(&self.customer), "pointRef": by_id(&self.point),
        });
        made(&self.whole, "feedbackRecordCreate", input).await
    }

    async fn case(&self, place: usize, feedback: &[&str]) -> String {
        let input = json!({
            "title": format!("Case of {place}"), "departmentRef": by_id(&self.departments[place]),
            "customerRef": by_id(&self.customer),
        });
        let case = made(&self.whole, "caseCreate", input).await;
        let links = json!({ "by": by_id(&case), "feedbackRecords": refs(feedback) });
        let done = self.whole.mutate("caseSetFeedbackRecords", links, "errors { code }").await;
        assert_eq!(done["errors"], json!([]));
        case
    }
}

#[tokio::test]
async fn counts_groups_and_timelines_hold_what_the_departments_have() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let mine = two.feedback("Repairs", "The boiler leaks").await;
    let theirs = two.feedback("Sales", "The seller shouts").await;
    let case = two.case(0, &[&mine, &theirs]).await;
    two.case(1, &[&theirs]).await;
    let improvement = json!({ "title": "Better boilers", "target": "PRODUCT" });
    let improvement = made(&two.whole, "improvementCreate", improvement).await;
    app.run_jobs(crate::app::now()).await;
    let everything = "{
        feedbackRecords { totalCount nodes { id department { name } cases { totalCount } } }
        cases { totalCount nodes { id feedbackRecords { totalCount nodes { id } } trace { kind feedbackRecord { id } } } }
        weekly: feedbackRecordGroups(groupBy: [POINT], bucket: { unit: WEEK }) { recordCount groupCount nodes { count } }
        groups: feedbackRecordGroups(groupBy: [DEPARTMENT, TAG]) { recordCount groupCount }
        customers { nodes { feedbackRecords { totalCount } cases { totalCount } timeline { nodes { __typename } } } }
        some: customers(filter: { cases: { some: { title: { eq: \"Case of 1\" } } } }) { totalCount }
        none: customers(filter: { cases: { none: { title: { eq: \"Case of 1\" } } } }) { totalCount }
        interactionPoints { nodes { feedbackRecords { totalCount } cases { totalCount } } }
        leak: search(text: \"shouts\") { nodes { id } }
        find: search(text: \"boiler leaks\") { nodes { id } }
        log: auditLog(filter: { rowType: { in: [\"Case\", \"FeedbackRecord\"] } }) { totalCount }
    }";
    let all = two.whole.ask(everything).await;
    let own = two.own.ask(everything).await;
    assert_eq!((&all["feedbackRecords"]["totalCount"], &own["feedbackRecords"]["totalCount"]), (&json!(2), &json!(1)));
    assert_eq!(own["feedbackRecords"]["nodes"][0]["id"], json!(mine));
    assert_eq!(own["feedbackRecords"]["nodes"][0]["cases"]["totalCount"], 1);
    assert_eq!((&all["cases"]["totalCount"], &own["cases"]["totalCount"]), (&json!(2), &json!(1)));
    let shown = &own["cases"]["nodes"][0];
    assert_eq!((&shown["id"], &shown["feedbackRecords"]["totalCount"]), (&json!(case), &json!(1)));
    assert!(!shown.to_string().contains(&theirs), "{shown:#}");
    for (groups, records, number) in [("weekly", 1, 1), ("groups", 1, 1)] {
        assert_eq!(
            (&own[groups]["recordCount"], &own[groups]["groupCount"]),
            (&json!(records), &json!(number)),
            "{own:#}"
        );
    }
    assert_eq!((&all["weekly"]["recordCount"], &all["groups"]["groupCount"]), (&json!(2), &json!(2)));
    let customer = &own["customers"]["nodes"][0];
    assert_eq!((&customer["feedbackRecords"]["totalCount"], &customer["cases"]["totalCount"]), (&json!(1), &json!(1)));
    assert_eq!(customer["timeline"]["nodes"].as_array().unwrap().len(), 2, "{customer:#}");
    assert_eq!(all["customers"]["nodes"][0]["timeline"]["nodes"].as_array().unwrap().len(), 4);
    assert_eq!((&all["some"]["totalCount"], &own["some"]["totalCount"]), (&json!(1), &json!(0)));
    assert_eq!((&all["none"]["totalCount"], &own["none"]["totalCount"]), (&json!(0), &json!(1)));
    let point = &own["interactionPoints"]["nodes"][0];
    assert_eq!(point["feedbackRecords"]["totalCount"], 1);
    assert_eq!(own["leak"]["nodes"], json!([]));
    assert_eq!(own["find"]["nodes"], json!([{ "id": mine }]));
    assert!(own["log"]["totalCount"].as_i64() < all["log"]["totalCount"].as_i64(), "{own:#}");
    let links = json!({ "by": by_id(&improvement), "feedbackRecords": refs([&theirs]) });
    two.whole.mutate("improvementSetFeedbackRecords", links, "errors { code }").await;
    let votes = "{ improvements { nodes { votes feedbackRecords { totalCount } } } }";
    assert_eq!(two.whole.ask(votes).await["improvements"]["nodes"][0]["votes"], 1);
    let seen = two.own.ask(votes).await["improvements"]["nodes"][0].take();
    assert_eq!(seen, json!({ "votes": 0, "feedbackRecords": { "totalCount": 0 } }));
    // Setting the list whole leaves the links to rows that the caller does not see.
    let links = json!({ "by": by_id(&improvement), "feedbackRecords": refs([&mine]) });
    let done = two.own.mutate("improvementSetFeedbackRecords", links, "errors { code } outcome").await;
    assert_eq!(done, json!({ "errors": [], "outcome": "UPDATED" }));
    let count = "{ improvements { nodes { feedbackRecords { totalCount } } } }";
    assert_eq!(two.whole.ask(count).await["improvements"]["nodes"][0]["feedbackRecords"]["totalCount"], 2);
    let none = json!({ "by": by_id(&improvement), "feedbackRecords": [] });
    two.own.mutate("improvementSetFeedbackRecords", none, "errors { code }").await;
    assert_eq!(two.whole.ask(count).await["improvements"]["nodes"][0]["feedbackRecords"]["totalCount"], 1);
}

#[tokio::test]
async fn a_case_can_be_forwarded_and_is_then_gone_for_the_caller() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let feedback = two.feedback("Repairs", "The boiler leaks").await;
    let case = two.case(0, &[&feedback]).await;
    let forward = json!({ "by": by_id(&case), "departmentRef": by_id(&two.departments[1]) });
    let shown = "outcome node { id title } errors { code path }";
    let done = two.own.mutate("caseUpdate", forward.clone(), shown).await;
    assert_eq!(done, json!({ "outcome": "UPDATED", "node": null, "errors": [] }));
    assert_eq!(mistakes(&two.own.mutate("caseUpdate", forward, shown).await), one("NOT_FOUND", &["by"]));
    let reroute = json!({ "by": by_id(&feedback), "departmentRef": by_id(&two.departments[1]), "reason": "Not ours" });
    let done =
        two.own.mutate("feedbackRecordReroute", reroute.clone(), "outcome node { id } errors { code path }").await;
    assert_eq!(done, json!({ "outcome": "UPDATED", "node": null, "errors": [] }));
    let again = two.own.mutate("feedbackRecordReroute", reroute, "errors { code path }").await;
    assert_eq!(mistakes(&again), one("NOT_FOUND", &["by"]));
    let seen = two.own.ask("{ cases { totalCount } feedbackRecords { totalCount } }").await;
    assert_eq!(seen, json!({ "cases": { "totalCount": 0 }, "feedbackRecords": { "totalCount": 0 } }));
    let other = two.whole.of_departments([two.departments[1].as_str()]);
    let routings = "{ feedbackRecords { nodes { routings { totalCount } } } }";
    // The routing to the first department is not theirs.
    assert_eq!(other.ask(routings).await["feedbackRecords"]["nodes"][0]["routings"]["totalCount"], 1);
    assert_eq!(two.whole.ask(routings).await["feedbackRecords"]["nodes"][0]["routings"]["totalCount"], 2);
}

#[tokio::test]
async fn what_a_caller_records_goes_to_the_department_that_the_rules_choose() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let shown = "outcome node { id } errors { code path }";
    let key = json!({ "system": "crm", "id": "1" });
    let input = json!({ "externalId": key, "kind": "COMPLAINT", "product": "Sales" });
    let done = two.own.mutate("feedbackRecordUpsert", input.clone(), shown).await;
    assert_eq!(done, json!({ "outcome": "CREATED", "node": null, "errors": [] }));
    // It is another department's now, and its external id is taken.
    assert_eq!(mistakes(&two.own.mutate("feedbackRecordUpsert", input, shown).await), one("TAKEN", &["externalId"]));
    let by = json!({ "by": { "externalId": key }, "product": "Repairs" });
    assert_eq!(mistakes(&two.own.mutate("feedbackRecordUpdate", by, shown).await), one("NOT_FOUND", &["by"]));
    let input = json!({ "title": "Theirs", "departmentRef": by_id(&two.departments[1]) });
    let done = two.own.mutate("caseCreate", input, shown).await;
    assert_eq!(done, json!({ "outcome": "CREATED", "node": null, "errors": [] }));
    assert_eq!(two.whole.ask("{ cases { totalCount } }").await["cases"]["totalCount"], 1);
}

#[tokio::test]
async fn a_part_that_the_caller_does_not_see_is_not_deleted() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let input = json!({
        "pointRef": by_id(&two.point), "customerRef": by_id(&two.customer), "status": "COMPLETED", "occurredAt": "2026-11-22T10:00:00Z",
        "feedbackRecords": { "upsert": [
            { "kind": "COMPLAINT", "product": "Repairs" }, { "kind": "COMPLAINT", "product": "Sales" },
        ] },
    });
    let interaction = made(&two.whole, "interactionCreate", input).await;
    let replace = json!({ "by": by_id(&interaction), "feedbackRecords": { "replace": [] } });
    let done = two.own.mutate("interactionUpdate", replace, "errors { code path }").await;
    assert_eq!(done["errors"], json!([]));
    let left = two.whole.ask("{ feedbackRecords { nodes { product } } }").await;
    assert_eq!(left["feedbackRecords"]["nodes"], json!([{ "product": "Sales" }]));
    let done = two.own.mutate("interactionDelete", json!({ "by": by_id(&interaction) }), "errors { code path }").await;
    assert_eq!(mistakes(&done), one("IN_USE", &["by"]));
}

#[tokio::test]
async fn what_decides_for_the_whole_organization_is_refused() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let rule = json!({ "name": "Mine", "position": 9, "departmentRef": by_id(&two.departments[0]) });
    let calls = [
        ("routingRuleCreate", rule),
        ("customerErase", json!({ "by": by_id(&two.customer) })),
        ("organizationUpdate", json!({ "name": "Mine" })),
        ("apiClientCreate", json!({ "name": "Mine", "scopes": ["admin"] })),
    ];
    for (field, input) in calls {
        let (first, rest) = field.split_at(1);
        let ty = format!("{}{rest}Input!", first.to_ascii_uppercase());
        let document = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ errors {{ code }} }} }}");
        let reply = two.own.run(&document, json!({ "input": input })).await.body;
        assert_eq!(codes(&reply), ["FORBIDDEN"], "{field} {reply:#}");
    }
    let export = format!("{{ customerExport(by: {{ id: \"{}\" }}) {{ rowCount }} }}", two.customer);
    assert_eq!(codes(&two.own.run(&export, json!({})).await.body), ["FORBIDDEN"]);
}

#[tokio::test]
async fn a_contact_is_refused_because_of_an_open_case_of_any_department() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let policy = json!({ "name": "No selling", "isRefusedDuringCase": true });
    made(&two.whole, "contactPolicyCreate", policy).await;
    two.case(1, &[]).await;
    let asked = format!("{{ contactAllowed(customer: {{ id: \"{}\" }}) {{ isAllowed }} }}", two.customer);
    assert_eq!(two.whole.ask(&asked).await["contactAllowed"]["isAllowed"], false);
    assert_eq!(two.own.ask(&asked).await["contactAllowed"]["isAllowed"], false);
}

#[tokio::test]
async fn the_viewer_says_which_departments_the_token_names() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    let document = "{ viewer { isNarrowed departments { department { id name } } } }";
    let expected = json!({ "isNarrowed": true, "departments": [
        { "department": { "id": two.departments[0], "name": "Repairs" } },
    ] });
    assert_eq!(two.own.ask(document).await["viewer"], expected);
    assert_eq!(two.whole.ask(document).await["viewer"], json!({ "isNarrowed": false, "departments": [] }));
    let nobody = two.own.with([Permission::RecordRead]).run(document, json!({})).await.body;
    assert_eq!(nobody["data"]["viewer"]["departments"], json!([{ "department": null }]));
    let none = two.whole.of_departments([]);
    assert_eq!(none.ask("{ cases { totalCount } }").await["cases"]["totalCount"], Value::from(0));
}

#[tokio::test]
async fn one_plan_serves_callers_with_and_without_departments() {
    let app = App::start().await;
    let two = Two::settle(&app).await;
    two.feedback("Repairs", "Mine").await;
    two.feedback("Sales", "Theirs").await;
    let document =
        "{ feedbackRecords { totalCount nodes { id customer { feedbackRecords { totalCount nodes { id } } } } } }";
    let mut statements = Vec::new();
    for _ in 0..3 {
        for (caller, count) in [(&two.whole, 2), (&two.own, 1)] {
            let before = app.store.statements();
            let seen = caller.ask(document).await["feedbackRecords"].take();
            statements.push(app.store.statements() - before);
            assert_eq!(
                (&seen["totalCount"], seen["nodes"].as_array().unwrap().len()),
                (&json!(count), usize::try_from(count).unwrap())
            );
            assert_eq!(seen["nodes"][0]["customer"]["feedbackRecords"]["totalCount"], count);
        }
    }
    assert!(statements.iter().all(|count| *count == statements[0]), "{statements:?}");
}
