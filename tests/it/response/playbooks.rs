//! Playbooks: what makes them act, what they make, and what they refuse.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    elements::refused,
    journeys::{by_id, made},
};

/// A playbook, with a name of its own.
pub async fn playbook(caller: &Caller<'_>, trigger: &str, more: Value) -> String {
    let mut input =
        json!({ "name": format!("{trigger} {more}"), "trigger": trigger, "kind": "CONFIRM", "title": "Call" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(caller, "playbookCreate", input).await
}

/// All follow-ups, those that were made first in front.
pub async fn made_by_rule(caller: &Caller<'_>) -> Vec<Value> {
    let document = "{ followUps(orderBy: [{ field: ID }], first: 500) { nodes { id kind title status dueAt doneAt
        skippedBecause occurrence playbookVersion playbook { id } customer { id } account { id } department { name }
        owner { name } medium { name } interaction { id } case { id } feedbackRecord { id } occasion { id }
        improvement { id } contentItem { id } } } }";
    caller.ask(document).await["followUps"]["nodes"].as_array().unwrap().clone()
}

fn minutes(from: DateTime<Utc>, minutes: i64) -> Value {
    json!((from + TimeDelta::minutes(minutes)).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

async fn customer(caller: &Caller<'_>, more: Value) -> String {
    let mut input = json!({ "name": "Ann" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(caller, "customerCreate", input).await
}

#[tokio::test]
async fn a_completed_interaction_makes_one_follow_up_for_each_playbook_whose_filter_it_meets() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = customer(&caller, json!({})).await;
    let eve = made(&caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    let desk = made(&caller, "departmentCreate", json!({ "name": "Desk" })).await;
    let sales = json!({ "interactionFilter": { "purpose": { "eq": "SELL" } }, "offsetMinutes": 60, "kind": "THANK" });
    let thank = playbook(&caller, "INTERACTION_COMPLETED", sales).await;
    let other = json!({ "interactionFilter": { "purpose": { "eq": "REPAIR" } } });
    playbook(&caller, "INTERACTION_COMPLETED", other).await;
    let input = json!({ "status": "SCHEDULED", "purpose": "SELL", "customerRef": by_id(&ann), "staffSubject": "eve",
        "departmentRef": by_id(&desk) });
    let talk = made(&caller, "interactionCreate", input).await;
    assert_eq!(made_by_rule(&caller).await.len(), 0, "it did not take place yet");
    for _ in 0..2 {
        caller.mutate("interactionComplete", json!({ "by": by_id(&talk) }), "errors { code }").await;
    }
    caller.mutate("interactionUpdate", json!({ "by": by_id(&talk), "summary": "Good" }), "errors { code }").await;
    let all = made_by_rule(&caller).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    let one = &all[0];
    let facts = (&one["playbook"]["id"], &one["interaction"]["id"], &one["customer"]["id"], &one["dueAt"]);
    assert_eq!(facts, (&json!(thank), &json!(talk), &json!(ann), &minutes(now(), 60)));
    let more = (&one["owner"]["name"], &one["department"]["name"], &one["kind"], &one["playbookVersion"]);
    assert_eq!(more, (&json!("Eve"), &json!("Desk"), &json!("THANK"), &json!(1)));
    assert!(!eve.is_empty());
}

#[tokio::test]
async fn an_imported_history_makes_nothing_and_rows_of_one_call_make_their_own() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    playbook(&caller, "INTERACTION_COMPLETED", json!({ "offsetMinutes": 1440 })).await;
    let row = |place: usize, occurred: &str| {
        let key = json!({ "system": "crm", "id": place.to_string() });
        json!({ "externalId": key, "status": "COMPLETED", "occurredAt": occurred })
    };
    // Due a day later: 7 days before now at the earliest.
    let times = ["2026-11-14T11:59:59Z", "2026-11-14T12:00:00Z", "2026-11-22T11:00:00Z"];
    let rows: Vec<Value> = times.iter().enumerate().map(|(place, at)| row(place, at)).collect();
    for outcome in ["CREATED", "UNCHANGED"] {
        let payload = caller.mutate("interactionsBulkUpsert", json!({ "rows": rows }), "results { outcome }").await;
        assert_eq!(payload["results"][2]["outcome"], outcome);
    }
    let due: Vec<Value> = made_by_rule(&caller).await.iter().map(|row| row["dueAt"].clone()).collect();
    assert_eq!(due, [json!("2026-11-22T12:00:00Z"), json!("2026-11-23T11:00:00Z")], "never before it is made");
}

#[tokio::test]
async fn a_scheduled_interaction_is_to_be_confirmed_until_it_is_moved_confirmed_or_called_off() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    playbook(&caller, "INTERACTION_SCHEDULED", json!({ "offsetMinutes": -60 })).await;
    let at = |hour: i64| minutes(now(), hour * 60);
    let visit = made(&caller, "interactionCreate", json!({ "status": "SCHEDULED", "scheduledAt": at(10) })).await;
    let move_to = async |hour: i64| {
        let input = json!({ "by": by_id(&visit), "scheduledAt": at(hour) });
        caller.mutate("interactionReschedule", input, "errors { code }").await;
    };
    let shown = async || {
        let all = made_by_rule(&caller).await;
        let shown: Vec<(String, Value)> =
            all.iter().map(|row| (row["status"].as_str().unwrap().to_owned(), row["dueAt"].clone())).collect();
        shown
    };
    let row = |status: &str, hour: i64| (status.to_owned(), at(hour));
    assert_eq!(shown().await, [row("OPEN", 9)]);
    move_to(20).await;
    assert_eq!(shown().await, [row("SKIPPED", 9), row("OPEN", 19)]);
    move_to(10).await;
    assert_eq!(shown().await, [row("SKIPPED", 9), row("SKIPPED", 19), row("OPEN", 9)], "back to a time that was left");
    caller.mutate("interactionConfirm", json!({ "by": by_id(&visit) }), "errors { code }").await;
    assert_eq!(shown().await[2], row("DONE", 9));
    move_to(30).await;
    assert_eq!(shown().await[2..], [row("DONE", 9), row("OPEN", 29)], "it must be confirmed anew");
    caller.mutate("interactionCancel", json!({ "by": by_id(&visit) }), "errors { code }").await;
    assert_eq!(shown().await[3], row("SKIPPED", 29));
    let why = made_by_rule(&caller).await[3]["skippedBecause"].clone();
    assert_eq!(why, "the interaction is not due at that time any more");
}

#[tokio::test]
async fn a_playbook_also_confirms_what_was_scheduled_before_it_and_deleting_what_it_made_repeats_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let visit = json!({ "status": "CONFIRMED", "scheduledAt": minutes(now(), 600) });
    made(&caller, "interactionCreate", visit.clone()).await;
    made(&caller, "interactionCreate", visit).await;
    let id = playbook(&caller, "INTERACTION_SCHEDULED", json!({})).await;
    app.run_jobs(now()).await;
    let all = made_by_rule(&caller).await;
    assert_eq!(all.len(), 2);
    caller.mutate("followUpDelete", json!({ "by": by_id(all[0]["id"].as_str().unwrap()) }), "errors { code }").await;
    let input = json!({ "by": by_id(&id), "title": "Ring", "offsetMinutes": -5 });
    caller.mutate("playbookUpdate", input, "errors { code }").await;
    app.run_jobs(now() + TimeDelta::hours(1)).await;
    assert_eq!(made_by_rule(&caller).await, all[1..], "an edit repeats nothing, and neither does a deletion");
}

#[tokio::test]
async fn cases_and_feedback_make_follow_ups_of_their_department_and_owner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = made(&caller, "departmentCreate", json!({ "name": "Desk" })).await;
    let eve = made(&caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    playbook(
        &caller,
        "CASE_RESPONDED",
        json!({ "kind": "TELL_OUTCOME", "caseFilter": { "priority": { "eq": "HIGH" } } }),
    )
    .await;
    playbook(&caller, "FEEDBACK_RECEIVED", json!({ "kind": "THANK", "offsetMinutes": 5 })).await;
    let input =
        json!({ "title": "Leak", "priority": "HIGH", "departmentRef": by_id(&desk), "assigneeRef": by_id(&eve) });
    let case = made(&caller, "caseCreate", input).await;
    made(&caller, "caseCreate", json!({ "title": "Noise" })).await;
    let act = async |minute: i64, field: &str, more: Value| {
        let mut input = json!({ "by": by_id(&case) });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let payload = caller.after(minute).mutate(field, input, "errors { code path }").await;
        assert_eq!(payload["errors"], json!([]), "{field}");
    };
    act(1, "caseRespond", json!({})).await;
    let first = made_by_rule(&caller).await;
    assert_eq!(first.len(), 1);
    let facts = (&first[0]["case"]["id"], &first[0]["department"]["name"], &first[0]["owner"]["name"]);
    assert_eq!(facts, (&json!(case), &json!("Desk"), &json!("Eve")));
    assert_eq!(first[0]["dueAt"], minutes(now(), 1));
    let medium = made(&caller, "mediumCreate", json!({ "name": "Letter" })).await;
    act(2, "caseCommunicate", json!({ "toldWhat": "Mended", "toldMediumRef": by_id(&medium) })).await;
    act(3, "caseReopen", json!({})).await;
    act(4, "caseRespond", json!({})).await;
    let second = made_by_rule(&caller).await;
    assert_eq!(second.len(), 2, "it was decided anew");
    assert_eq!(second[1]["dueAt"], minutes(now(), 4));
    let record =
        made(&caller, "feedbackRecordCreate", json!({ "kind": "COMPLAINT", "mediumRef": by_id(&medium) })).await;
    let third = made_by_rule(&caller).await;
    let facts = (&third[2]["feedbackRecord"]["id"], &third[2]["medium"]["name"], &third[2]["dueAt"]);
    assert_eq!(facts, (&json!(record), &json!("Letter"), &minutes(now(), 5)));
}

#[tokio::test]
async fn an_audience_is_told_once_each_of_what_is_new() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = customer(&caller, json!({ "interests": ["garden"], "tags": ["regular"] })).await;
    let bob = customer(&caller, json!({ "interests": ["boats", "garden"] })).await;
    let cid = customer(&caller, json!({ "interests": ["boats"], "tags": ["regular"] })).await;
    let gone = customer(&caller, json!({ "interests": ["garden"], "tags": ["regular"] })).await;
    caller.mutate("customerArchive", json!({ "by": by_id(&gone) }), "errors { code }").await;
    playbook(&caller, "CONTENT_ADDED", json!({ "kind": "SHARE", "isInterestMatched": true })).await;
    let regular = json!({ "kind": "UPDATE", "audience": { "tags": { "hasAny": ["regular"] } } });
    playbook(&caller, "IMPROVEMENT_DONE", regular).await;
    let other = json!({ "kind": "SHARE", "contentItemFilter": { "kind": { "eq": "BOOK" } } });
    playbook(&caller, "CONTENT_ADDED", other).await;
    let article = json!({ "kind": "ARTICLE", "title": "Roses", "topics": ["garden", "roses"] });
    let article = made(&caller, "contentItemCreate", article).await;
    app.run_jobs(now()).await;
    let told = async |about: &str, id: &String| {
        let all = made_by_rule(&caller).await;
        let of = all.iter().filter(|row| row[about]["id"] == json!(id));
        let mut ids: Vec<String> = of.map(|row| row["customer"]["id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(told("contentItem", &article).await, [ann.clone(), bob]);
    let seal = super::improvements::proposed(&caller, &[]).await;
    super::notices::done(&caller, &seal).await;
    app.run_jobs(now() + TimeDelta::minutes(3)).await;
    assert_eq!(told("improvement", &seal).await, [ann, cid]);
    super::improvements::step(&caller.after(4), "Reopen", &seal, json!({})).await;
    super::notices::done(&caller.after(5), &seal).await;
    app.run_jobs(now() + TimeDelta::minutes(9)).await;
    assert_eq!(told("improvement", &seal).await.len(), 2, "nobody is told twice");
}

#[tokio::test]
async fn an_occasion_is_remembered_by_the_clock_of_the_customer_and_anew_if_its_day_changes() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    playbook(&caller, "OCCASION", json!({ "kind": "OCCASION", "offsetMinutes": 540 })).await;
    let ann = customer(&caller, json!({ "timeZone": "Asia/Tokyo" })).await;
    let on =
        |date: &str| json!({ "kind": "BIRTHDAY", "date": date, "recurrence": "YEARLY", "customerRef": by_id(&ann) });
    let day = made(&caller, "occasionCreate", on("1990-12-01")).await;
    made(&caller, "occasionCreate", on("1990-12-24")).await;
    app.run_jobs(now()).await;
    let all = made_by_rule(&caller).await;
    assert_eq!(all.len(), 1, "the other one is more than 14 days ahead");
    assert_eq!((&all[0]["dueAt"], &all[0]["occurrence"]), (&json!("2026-12-01T00:00:00Z"), &json!("2026-12-01")));
    caller.mutate("occasionUpdate", json!({ "by": by_id(&day), "date": "1990-12-02" }), "errors { code }").await;
    app.run_jobs(now() + TimeDelta::hours(1)).await;
    let all = made_by_rule(&caller).await;
    let shown: Vec<(&Value, &Value)> = all.iter().map(|row| (&row["status"], &row["occurrence"])).collect();
    assert_eq!(shown, [(&json!("SKIPPED"), &json!("2026-12-01")), (&json!("OPEN"), &json!("2026-12-02"))]);
}

#[tokio::test]
async fn business_time_counts_before_and_after() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = json!({ "name": "Week", "timeZone": "UTC" });
    let calendar = made(&caller, "businessCalendarCreate", calendar).await;
    for weekday in ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"] {
        let input = json!({ "calendarRef": by_id(&calendar), "weekday": weekday, "opens": "09:00", "closes": "17:00" });
        made(&caller, "businessIntervalCreate", input).await;
    }
    for (minutes, due) in [(-480, "2026-11-27T09:00:00Z"), (480, "2026-11-30T17:00:00Z")] {
        let more = json!({ "offsetMinutes": minutes, "calendarRef": by_id(&calendar) });
        playbook(&caller, "INTERACTION_SCHEDULED", more).await;
        // A Sunday.
        made(&caller, "interactionCreate", json!({ "status": "SCHEDULED", "scheduledAt": "2026-11-29T12:00:00Z" }))
            .await;
        let all = made_by_rule(&caller).await;
        assert_eq!(all.last().unwrap()["dueAt"], due);
    }
}

#[tokio::test]
async fn a_filter_fits_its_trigger_and_says_if_it_is_broken() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |trigger: &str, more: Value| {
        let mut input = json!({ "name": "One", "trigger": trigger, "kind": "THANK", "title": "Call" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let many = json!({ "interactionFilter": { "assessments": { "some": {} } } });
    let key = json!({ "interactionFilter": { "externalIds": { "some": { "system": { "eq": "crm" } } } } });
    let words = json!({ "interactionFilter": { "nextStep": { "eq": "Ann" } } });
    let all = json!({ "audience": {} });
    let cases = [
        ("OCCASION", json!({ "interactionFilter": {} }), "INVALID", "interactionFilter"),
        ("INTERACTION_COMPLETED", many, "INVALID", "interactionFilter"),
        ("INTERACTION_COMPLETED", key, "INVALID", "interactionFilter"),
        ("INTERACTION_COMPLETED", words, "INVALID", "interactionFilter"),
        ("INTERACTION_COMPLETED", all, "INVALID", "audience"),
        ("IMPROVEMENT_DONE", json!({ "isInterestMatched": true }), "INVALID", "isInterestMatched"),
        ("OCCASION", json!({ "offsetMinutes": 525_601 }), "OUT_OF_RANGE", "offsetMinutes"),
    ];
    let cases = cases.map(|(trigger, more, code, at)| ("playbookCreate", row(trigger, more), code, at));
    refused(&app, &caller, cases.to_vec()).await;
    let insight = caller.with([
        entity::Permission::ResponseRead,
        entity::Permission::ResponseWrite,
        entity::Permission::RecordRead,
    ]);
    let filter = json!({ "interactionFilter": { "purpose": { "eq": "SELL" } } });
    let id = made(&insight, "playbookCreate", row("INTERACTION_COMPLETED", filter)).await;
    let document = "query($id: ID!) { playbook(by: { id: $id }) { filterMistake interactionFilter } }";
    let shown = caller.data(document, json!({ "id": id })).await["playbook"].take();
    assert_eq!(shown["filterMistake"], Value::Null);
    assert_eq!(shown["interactionFilter"], json!({ "purpose": { "eq": "SELL" } }));
}

#[tokio::test]
async fn an_organization_has_at_most_a_hundred_playbooks_and_archived_ones_make_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |place: usize| {
        let key = json!({ "system": "test", "id": place.to_string() });
        json!({ "externalId": key, "name": format!("Rule {place}"), "trigger": "INTERACTION_COMPLETED", "kind": "THANK",
            "title": "Call" })
    };
    let rows: Vec<Value> = (0..101).map(row).collect();
    let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let payload = caller.mutate("playbooksBulkUpsert", input, "results { outcome errors { code path } }").await;
    let last = &payload["results"][100];
    assert_eq!((&last["outcome"], &last["errors"][0]["code"]), (&json!("FAILED"), &json!("TOO_LONG")));
    let input = json!({ "rows": (1..100).map(|place| json!({ "by": { "externalId": row(place)["externalId"] } })).collect::<Vec<_>>() });
    caller.mutate("playbooksBulkArchive", input, "errors { code }").await;
    made(&caller, "interactionCreate", json!({ "status": "COMPLETED" })).await;
    assert_eq!(made_by_rule(&caller).await.len(), 1);
}

#[tokio::test]
async fn nobody_who_was_erased_is_followed_up_and_nothing_is_given_to_what_is_archived() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = made(&caller, "departmentCreate", json!({ "name": "Desk" })).await;
    let eve = made(&caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    let to = json!({ "departmentRef": by_id(&desk), "ownerRef": by_id(&eve) });
    playbook(&caller, "CASE_RESPONDED", to).await;
    let opened = async |customer: &str| {
        made(&caller, "caseCreate", json!({ "title": "Leak", "customerRef": by_id(customer) })).await
    };
    let (ann, bob) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
    let (of_ann, of_bob) = (opened(&ann).await, opened(&bob).await);
    caller.mutate("customerErase", json!({ "by": by_id(&ann) }), "errors { code }").await;
    caller.mutate("departmentArchive", json!({ "by": by_id(&desk) }), "errors { code }").await;
    caller.mutate("memberArchive", json!({ "by": by_id(&eve) }), "errors { code }").await;
    for case in [&of_ann, &of_bob] {
        let payload = caller.mutate("caseRespond", json!({ "by": by_id(case) }), "errors { code }").await;
        assert_eq!(payload["errors"], json!([]));
    }
    let all = made_by_rule(&caller).await;
    let shown: Vec<_> =
        all.iter().map(|row| (&row["customer"]["id"], &row["department"]["name"], &row["owner"])).collect();
    assert_eq!(shown, [(&json!(bob), &json!("Unassigned"), &Value::Null)]);
}
