//! The map's own rules: the tree of mediums, the top five, the sets of a point.

use serde_json::{Value, json};

use super::{TOLD, assert_refused, only};
use crate::app::{App, Caller, refs};

async fn id(caller: &Caller<'_>, field: &str, input: Value) -> Value {
    let payload = caller.mutate(field, input, TOLD).await;
    assert_eq!(payload["errors"], json!([]), "{field}");
    payload["node"]["id"].clone()
}

async fn medium(caller: &Caller<'_>, name: &str, parent: Option<&Value>) -> Value {
    let mut input = json!({"name": name, "externalIds": [{"system": "crm", "id": name}]});
    if let Some(parent) = parent {
        input["parentRef"] = json!({"id": parent});
    }
    id(caller, "mediumCreate", input).await
}

#[tokio::test]
async fn a_medium_cannot_stand_below_itself() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let top = medium(&caller, "top", None).await;
    let middle = medium(&caller, "middle", Some(&top)).await;
    let bottom = medium(&caller, "bottom", Some(&middle)).await;
    let below = |id: &Value, parent: &Value| json!({"by": { "id": id }, "parentRef": {"id": parent}});
    let upsert = json!({"externalId": {"system": "crm", "id": "top"}, "parentRef": {"externalId": {"system": "crm", "id": "bottom"}}});
    let cases = vec![
        ("below itself", "mediumUpdate", below(&top, &top), only("CYCLE", "parentRef")),
        ("below its child", "mediumUpdate", below(&top, &middle), only("CYCLE", "parentRef")),
        ("below its child's child", "mediumUpdate", below(&top, &bottom), only("CYCLE", "parentRef")),
        ("below its child's child by external id", "mediumUpsert", upsert, only("CYCLE", "parentRef")),
    ];
    assert_refused(&app, &caller, cases).await;
    let moved = caller.mutate("mediumUpdate", below(&bottom, &top), TOLD).await;
    assert_eq!(moved["errors"], json!([]));
}

#[tokio::test]
async fn the_rows_of_one_call_cannot_close_a_circle_together() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for name in ["a", "b", "c"] {
        medium(&caller, name, None).await;
    }
    let key = |id: &str| json!({"system": "crm", "id": id});
    let row = |id: &str, parent: &str| json!({"externalId": key(id), "parentRef": {"externalId": key(parent)}});
    let rows = json!([row("a", "b"), row("b", "c"), row("c", "a")]);
    let told = "results { outcome errors { code path } }";
    let before = app.dump(caller.organization()).await;
    let payload = caller.mutate("mediumsBulkUpsert", json!({"rows": rows}), told).await;
    assert_eq!(payload["results"][2]["errors"], json!([{"code": "CYCLE", "path": ["parentRef"]}]));
    assert_eq!(app.dump(caller.organization()).await, before);
    let payload = caller.mutate("mediumsBulkUpsert", json!({"rows": rows, "policy": "SKIP_INVALID"}), told).await;
    let outcomes: Vec<&Value> = payload["results"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["UPDATED", "UPDATED", "FAILED"]);
}

#[tokio::test]
async fn two_writers_cannot_close_a_circle_together() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for round in 0..5 {
        let (a, b) =
            (medium(&caller, &format!("a{round}"), None).await, medium(&caller, &format!("b{round}"), None).await);
        let below = |id: &Value, parent: &Value| json!({"by": { "id": id }, "parentRef": {"id": parent}});
        let (one, other) = futures_util::future::join(
            caller.mutate("mediumUpdate", below(&a, &b), TOLD),
            caller.mutate("mediumUpdate", below(&b, &a), TOLD),
        )
        .await;
        let mut outcomes = [one["outcome"].as_str().unwrap(), other["outcome"].as_str().unwrap()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["FAILED", "UPDATED"], "{one} {other}");
        let failed = if one["outcome"] == "FAILED" { &one } else { &other };
        assert_eq!(failed["errors"], json!([{"code": "CYCLE", "path": ["parentRef"]}]));
    }
}

/// A point with so many expectations.
async fn point(caller: &Caller<'_>, most: usize) -> (Value, Vec<Value>) {
    let point = id(caller, "interactionPointCreate", json!({"name": "Desk"})).await;
    let mut expectations = Vec::new();
    for place in 0..most {
        let input = json!({"statement": format!("s{place}"), "source": "RESEARCH", "pointRef": {"id": point}});
        expectations.push(id(caller, "expectationCreate", input).await);
    }
    (point, expectations)
}

#[tokio::test]
async fn only_five_expectations_of_the_point_are_ranked_each_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 6).await;
    let (_, others) = point(&caller, 1).await;
    let rank = |ids: &[&Value]| json!({"by": { "id": desk }, "expectations": refs(ids)});
    let field = "interactionPointRankExpectations";
    let sound = caller.mutate(field, rank(&[&own[0], &own[1]]), TOLD).await;
    assert_eq!(sound["outcome"], "UPDATED");
    let at = |code: &'static str, place: &str| vec![(code, json!(["expectations", place]))];
    let unknown = json!("exp_00000000000000000000000000");
    let cases = vec![
        ("six", field, rank(&own.iter().collect::<Vec<_>>()), only("TOO_LONG", "expectations")),
        ("another point's", field, rank(&[&own[0], &others[0]]), at("NOT_FOUND", "1")),
        ("an unknown one", field, rank(&[&unknown]), at("NOT_FOUND", "0")),
        ("no id", field, rank(&[&json!("x")]), at("NOT_FOUND", "0")),
        ("an id of another type", field, rank(&[&desk]), at("NOT_FOUND", "0")),
        ("one twice", field, rank(&[&own[0], &own[1], &own[0]]), at("INVALID", "2")),
    ];
    assert_refused(&app, &caller, cases).await;
    let ranks = "{ expectations(filter: {rank: {isNull: false}}, orderBy: [{field: RANK}]) { nodes { id rank } } }";
    let ranked = caller.ask(ranks).await;
    assert_eq!(ranked["expectations"]["nodes"], json!([{"id": own[0], "rank": 1}, {"id": own[1], "rank": 2}]));
}

#[tokio::test]
async fn the_sets_of_a_point_hold_known_rows_each_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, _) = point(&caller, 0).await;
    let phone = medium(&caller, "phone", None).await;
    let friend = id(&caller, "influencerCreate", json!({"name": "friend"})).await;
    let mediums = |ids: &[&Value]| {
        let refs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"by": { "id": desk }, "mediums": refs})
    };
    let influencers = |items: &[(&Value, i64)]| {
        let items: Vec<Value> =
            items.iter().map(|(id, strength)| json!({"influencer": {"id": id}, "strength": strength})).collect();
        json!({"by": { "id": desk }, "influencers": items})
    };
    let (set_mediums, set_influencers) = ("interactionPointSetMediums", "interactionPointSetInfluencers");
    let at = |code: &'static str, path: Value| vec![(code, path)];
    let unknown = json!("med_00000000000000000000000000");
    let many: Vec<&Value> = vec![&phone; 1001];
    let nul = json!({"by": { "id": desk }, "mediums": [{"externalId": {"system": "crm", "id": "a\0"}}]});
    let cases = vec![
        ("an unknown medium", set_mediums, mediums(&[&phone, &unknown]), at("NOT_FOUND", json!(["mediums", "1"]))),
        ("an influencer as medium", set_mediums, mediums(&[&friend]), at("NOT_FOUND", json!(["mediums", "0"]))),
        ("a medium twice", set_mediums, mediums(&[&phone, &phone]), at("INVALID", json!(["mediums", "1"]))),
        ("1,001 mediums", set_mediums, mediums(&many), only("TOO_LONG", "mediums")),
        ("a NUL byte", set_mediums, nul, at("NOT_FOUND", json!(["mediums", "0"]))),
        (
            "strength 0",
            set_influencers,
            influencers(&[(&friend, 0)]),
            at("OUT_OF_RANGE", json!(["influencers", "0", "strength"])),
        ),
        (
            "strength 6",
            set_influencers,
            influencers(&[(&friend, 6)]),
            at("OUT_OF_RANGE", json!(["influencers", "0", "strength"])),
        ),
        (
            "a medium as influencer",
            set_influencers,
            influencers(&[(&phone, 1)]),
            at("NOT_FOUND", json!(["influencers", "0"])),
        ),
        (
            "an influencer twice",
            set_influencers,
            influencers(&[(&friend, 1), (&friend, 2)]),
            at("INVALID", json!(["influencers", "1"])),
        ),
    ];
    assert_refused(&app, &caller, cases).await;
    for strength in [1, 5] {
        let payload = caller.mutate(set_influencers, influencers(&[(&friend, strength)]), TOLD).await;
        assert_eq!(payload["errors"], json!([]));
    }
}

#[tokio::test]
async fn what_is_referred_to_cannot_be_deleted() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let top = medium(&caller, "top", None).await;
    medium(&caller, "below", Some(&top)).await;
    let (desk, _) = point(&caller, 1).await;
    let own = caller.ask("{ organization { fallbackDepartment { id } } }").await;
    let fallback = &own["organization"]["fallbackDepartment"]["id"];
    let cases = vec![
        ("a medium with one below it", "mediumDelete", json!({"by": { "id": top }}), only("IN_USE", "by")),
        ("a point with an expectation", "interactionPointDelete", json!({"by": { "id": desk }}), only("IN_USE", "by")),
        ("the fallback department", "departmentDelete", json!({"by": { "id": fallback }}), only("IN_USE", "by")),
        ("the fallback department", "departmentArchive", json!({"by": { "id": fallback }}), only("IN_USE", "by")),
    ];
    assert_refused(&app, &caller, cases).await;
}

#[tokio::test]
async fn an_expectation_stays_at_its_point() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (_, own) = point(&caller, 1).await;
    let (other, _) = point(&caller, 0).await;
    let input = json!({"by": { "id": own[0] }, "pointRef": {"id": other}});
    let cases = vec![
        ("another point", "expectationUpdate", input, only("INVALID", "pointRef")),
        (
            "no point",
            "expectationUpdate",
            json!({"by": { "id": own[0] }, "pointRef": null}),
            only("REQUIRED", "pointRef"),
        ),
    ];
    assert_refused(&app, &caller, cases).await;
}
