//! Lists of work: whose, in which order, page by page, and as a calendar.

use entity::{
    Permission,
    id::{self, CalendarFeedId},
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rapport::{auth::Actor, response::calendar_feed::document};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    journeys::{by_id, made},
};

const ENTRIES: &str = "edges { kind dueAt isOverdue cursor node { __typename ... on Case { id title } ... on FollowUp { id title } } } \
                       pageInfo { hasNextPage hasPreviousPage endCursor startCursor }";

async fn work(caller: &Caller<'_>, arguments: &str) -> Value {
    caller.ask(&format!("{{ myWork{arguments} {{ {ENTRIES} }} }}")).await["myWork"].take()
}

fn titles(page: &Value) -> Vec<String> {
    page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["title"].as_str().unwrap().to_owned()).collect()
}

async fn follow_up(caller: &Caller<'_>, title: &str, due: &str, more: Value) -> String {
    let mut input = json!({ "title": title, "kind": "SOLVE", "dueAt": due });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(caller, "followUpCreate", input).await
}

/// Members and a department, and some work.
async fn desk(caller: &Caller<'_>) -> (String, String) {
    let desk = made(caller, "departmentCreate", json!({ "name": "Desk" })).await;
    let eve = made(caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    let calendar = made(caller, "businessCalendarCreate", json!({ "name": "Always", "timeZone": "UTC" })).await;
    let policy = json!({ "name": "High", "position": 1, "priority": "HIGH", "calendarRef": by_id(&calendar), "resolutionMinutes": 60 });
    made(caller, "responsePolicyCreate", policy).await;
    (desk, eve)
}

#[tokio::test]
async fn work_is_listed_by_what_is_due_and_ends_when_it_is_done() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, eve) = desk(&caller).await;
    let hers = || json!({ "ownerRef": by_id(&eve) });
    follow_up(&caller, "late", "2026-11-22T11:00:00Z", hers()).await;
    let soon = follow_up(&caller, "soon", "2026-11-22T12:30:00Z", hers()).await;
    follow_up(&caller, "nobody's", "2026-11-22T12:10:00Z", json!({ "departmentRef": by_id(&desk) })).await;
    let case = async |title: &str, more: Value| {
        let mut input = json!({ "title": title, "assigneeRef": by_id(&eve), "departmentRef": by_id(&desk) });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        made(&caller, "caseCreate", input).await
    };
    let open = case("without a deadline", json!({})).await;
    let urgent = case("urgent", json!({ "priority": "HIGH" })).await;
    case("closed", json!({ "stage": "CLOSED", "resolution": "DECLINED" })).await;
    let eves = caller.named("eve");
    let page = work(&eves, "").await;
    assert_eq!(titles(&page), ["late", "soon", "urgent", "without a deadline"]);
    let shown: Vec<(&Value, &Value, &Value)> = page["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| (&edge["kind"], &edge["dueAt"], &edge["isOverdue"]))
        .collect();
    assert_eq!(shown[0], (&json!("FOLLOW_UP"), &json!("2026-11-22T11:00:00Z"), &json!(true)));
    assert_eq!(shown[2], (&json!("CASE"), &json!("2026-11-22T13:00:00Z"), &json!(false)));
    assert_eq!(shown[3], (&json!("CASE"), &Value::Null, &json!(false)));
    assert_eq!(titles(&work(&caller, "(subject: \"eve\", kinds: [CASE])").await), ["urgent", "without a deadline"]);
    assert_eq!(titles(&work(&eves, "(between: { to: \"2026-11-22T12:30:00Z\" })").await), ["late"]);
    let department = format!("(department: {{ id: \"{desk}\" }})");
    assert_eq!(titles(&work(&caller, &department).await), ["nobody's", "urgent", "without a deadline"]);
    assert_eq!(titles(&work(&caller, "").await), Vec::<String>::new(), "the caller is no member");
    eves.mutate(
        "followUpSnooze",
        json!({ "by": by_id(&soon), "snoozedUntilAt": "2026-11-23T09:00:00Z" }),
        "errors { code }",
    )
    .await;
    assert_eq!(titles(&work(&eves, "").await), ["late", "urgent", "soon", "without a deadline"]);
    eves.mutate("followUpComplete", json!({ "by": by_id(&soon) }), "errors { code }").await;
    for case in [&open, &urgent] {
        let input = json!({ "by": by_id(case), "resolution": "DECLINED", "notToldBecause": "No address" });
        eves.mutate("caseClose", input, "errors { code }").await;
    }
    assert_eq!(titles(&work(&eves, "").await), ["late"]);
    let both = caller
        .run(&format!("{{ myWork(subject: \"eve\", department: {{ id: \"{desk}\" }}) {{ {ENTRIES} }} }}"), json!({}))
        .await;
    assert_eq!(both.body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn pages_in_both_directions_join_to_the_sorted_union_of_random_work() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, eve) = desk(&caller).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // Many fall on the same minute.
    let rows = vec((0..6_i64, any::<bool>(), any::<bool>()), 40).new_tree(&mut runner).unwrap().current();
    let mut expected: Vec<(String, String)> = Vec::new();
    for (place, (minute, is_case, is_open)) in rows.into_iter().enumerate() {
        let due = format!("2026-11-22T12:0{minute}:00Z");
        let id = if is_case {
            let received = format!("2026-11-22T11:0{minute}:00Z");
            let input = json!({ "title": format!("{place}"), "assigneeRef": by_id(&eve), "departmentRef": by_id(&desk),
                "priority": "HIGH", "receivedAt": received });
            let id = made(&caller, "caseCreate", input).await;
            if !is_open {
                let input = json!({ "by": by_id(&id), "resolution": "DECLINED", "notToldBecause": "No address" });
                caller.mutate("caseClose", input, "errors { code }").await;
            }
            id
        } else {
            let id = follow_up(&caller, "duty", &due, json!({ "ownerRef": by_id(&eve) })).await;
            if !is_open {
                caller
                    .mutate("followUpSkip", json!({ "by": by_id(&id), "skippedBecause": "No" }), "errors { code }")
                    .await;
            }
            id
        };
        if is_open {
            expected.push((due, id));
        }
    }
    let raw = |id: &str| id::decode(id).unwrap().1;
    expected.sort_by_key(|(due, id)| (due.clone(), raw(id)));
    let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
    let eves = caller.named("eve");
    let ids = |page: &Value| -> Vec<String> {
        page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()).collect()
    };
    let (mut forwards, mut after) = (Vec::new(), String::new());
    loop {
        let page = work(&eves, &format!("(first: 7{after})")).await;
        forwards.extend(ids(&page));
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            break;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!(forwards, expected);
    let (mut backwards, mut before) = (Vec::new(), String::new());
    loop {
        let page = work(&eves, &format!("(last: 5{before})")).await;
        backwards.splice(0..0, ids(&page));
        if page["pageInfo"]["hasPreviousPage"] != json!(true) {
            break;
        }
        before = format!(", before: {}", page["pageInfo"]["startCursor"]);
    }
    assert_eq!(backwards, expected);
}

#[tokio::test]
async fn a_calendar_feed_shows_open_work_with_titles_to_those_who_may_see_them_until_it_is_revoked() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (_, eve) = desk(&caller).await;
    follow_up(&caller, "Call, Ann; soon", "2026-11-22T12:30:00Z", json!({ "ownerRef": by_id(&eve) })).await;
    made(&caller, "caseCreate", json!({ "title": "Leak", "priority": "HIGH", "assigneeRef": by_id(&eve) })).await;
    made(&caller, "caseCreate", json!({ "title": "Some day", "assigneeRef": by_id(&eve) })).await;
    let feed = made(&caller, "calendarFeedCreate", json!({ "name": "Eve's work", "memberRef": by_id(&eve) })).await;
    let read = async |permissions: &[Permission]| {
        let permissions = permissions.iter().copied().collect();
        let actor = Actor { permissions, ..Actor::operator(caller.organization()) };
        let scope = app.store.scope(actor, now());
        document(&scope, CalendarFeedId(id::decode(&feed).unwrap().1)).await.unwrap()
    };
    let text = read(&Permission::ALL).await.unwrap().replace("\r\n ", "");
    for line in
        ["NAME:Eve's work", "SUMMARY:SOLVE: Call\\, Ann\\; soon", "SUMMARY:Case: Leak", "DTSTART:20261122T130000Z"]
    {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("Some day"), "it is not due at any time");
    let text = read(&[Permission::ResponseRead]).await.unwrap();
    assert!(text.contains("SUMMARY:SOLVE") && !text.contains("Ann"), "{text}");
    let shown = "node { url } errors { code }";
    let revoked = caller.mutate("calendarFeedRevoke", json!({ "by": by_id(&feed) }), shown).await;
    assert_eq!((&revoked["errors"], &revoked["node"]["url"]), (&json!([]), &Value::Null));
    assert_eq!(read(&Permission::ALL).await, None);
}
