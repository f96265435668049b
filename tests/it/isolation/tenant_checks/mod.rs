//! Each narrowing of the store is taken away in turn, and another wall still keeps every foreign row and number out:
//! the answer is the same, or there is none and the tripwire has gone off.
//!
//! Beside the hidden organization there is a twin, which keys cannot tell apart: its rows have the very ids and external
//! ids of the curious one's.

mod cases;
mod jobs;
mod merges;
mod narrowed;

use std::collections::{BTreeMap, BTreeSet};

use rapport::{
    Error,
    auth::Actor,
    graphql::failure::INTERNAL,
    store::{
        Effect, Key, Strategy, erasure::ledger::Entry, operation::unscoped::NewOrganization,
        statement::tenant_check::TenantCheck,
    },
};
use serde_json::{Value, json};

use self::cases::{Case, archive, copy, is_named_by_others, orders, questions};
use super::{
    Neighbours, SECRET,
    places::{Place, places},
};
use crate::{
    app::{App, Caller, now},
    fixture::{Extent, noun_of},
    outline::{Member, Outline, codes},
};

/// The mutation that takes away what it is about.
const ERASE: &str = "customerErase";

/// What deletes the organization; here, its dry run.
const CLOSE: &str = "organizationDelete";

/// What removes rows of a deleted organization.
const REMOVE: &str = "store::erasure::deletion::some_rows";

/// The key of an effect that both organizations have seen.
const KEY: &str = "playbook";

/// What deletes rows.
const DELETE: &str = "store::writing::delete::delete_rows";

/// What asks whether rows are in use.
const USED: [&str; 2] = ["store::writing::delete::used", "store::writing::delete::is_used"];

/// What stores a result for an idempotency key.
const STORE_RESULT: &str = "store::transaction::idempotency::remember";

/// What PostgreSQL compares with the rows that a server remembers.
const ROW_CACHE: &str = "store::transaction::row_cache::still_is";

/// What only PostgreSQL does.
const POSTGRES_ONLY: [&str; 5] = [
    "store::writing::write::lock_organization",
    "store::erasure::erased::are_still_not_erased",
    ROW_CACHE,
    "store::erasure::erase::lock_person",
    "store::merging::merge::lock_exclusively",
];

/// Most questions asked without one narrowing.
const MAX_QUESTIONS: usize = 12;

/// Changes made without one narrowing; more if another wall has yet to be seen.
const CHANGES: usize = 4;

/// How many people can be erased.
const PEOPLE: usize = 8;

/// The places that the database has.
fn places_of(app: &App) -> Vec<Place> {
    let is_there =
        |place: &Place| !app.database.is_sqlite() || !POSTGRES_ONLY.iter().any(|function| place.is_in(function));
    places().into_iter().filter(is_there).collect()
}

/// The idempotency key of a call that is made without the place.
fn used_key(place: &Place) -> String {
    format!("used {}", place.check)
}

/// What the tests saw.
#[derive(Default)]
struct Seen {
    /// While they were taken away.
    reached: BTreeSet<TenantCheck>,
    tripped: BTreeSet<TenantCheck>,
}

impl Seen {
    /// Notes that the place was reached, if it was, while it was taken away: not what others reached meanwhile.
    fn subject_paths(&mut self, app: &App, place: &Place) {
        self.reached.extend(app.store.reached().take(&place.check));
    }

    /// Whether there is no answer but the tripwire's alarm.
    fn is_alarm(&mut self, app: &App, place: &Place, before: u64, answer: &Value, what: &Case) -> bool {
        if !codes(answer).contains(&INTERNAL) {
            return false;
        }
        assert!(app.store.tenant_violations() > before, "{place} {what:?} failed by itself: {answer:#}");
        self.tripped.insert(place.check);
        true
    }
}

/// The caller of a world as the store knows one.
fn actor(caller: &Caller<'_>) -> Actor {
    Actor { subject: "tester".into(), ..Actor::operator(caller.organization()) }
}

fn uuid(id: &str) -> uuid::Uuid {
    entity::id::decode(id).unwrap().1
}

/// What both organizations have besides rows: keys, erasures, seals; the hidden one is suspended. Answers people who
/// can be erased.
async fn prepare(app: &App, both: &Neighbours<'_>, outline: &Outline, places: &[Place]) -> Vec<String> {
    let (curious, hidden) = (both.curious.caller.clone(), both.hidden.caller.named("tester"));
    for caller in [&curious, &hidden] {
        caller.mutate("departmentCreate", json!({"name": "Beta", "idempotencyKey": "known"}), "outcome").await;
    }
    let stores = places.iter().find(|place| place.is_in(STORE_RESULT)).expect("results are stored");
    let used = json!({"name": SECRET, "idempotencyKey": used_key(stores)});
    hidden.mutate("departmentCreate", used, "outcome").await;
    let scope = app.store.scope(actor(&hidden), now()).begin().await.unwrap();
    scope.suspend(true).await.unwrap();
    scope.commit().await.unwrap();
    // The newest salt is the hidden one's.
    for (world, at) in [(&both.curious, now()), (&both.hidden, now() + chrono::Duration::hours(1))] {
        let scope = app.store.scope(actor(&world.caller), at).begin().await.unwrap();
        assert!(scope.erase(uuid(&world.rows["Customer"][0].id)).await.unwrap());
        scope.commit().await.unwrap();
    }
    app.store.seal(hidden.organization(), now()).await.unwrap();
    // Mediums and influencers of names that are no one's own.
    curious.mutate("templateApply", json!({"key": "BASICS"}), "outcome").await;
    cases::publish(&curious).await;
    cases::staff(&curious).await;
    let make = |name: &str| outline.mutations().iter().find(|field| field.name == name).unwrap();
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let mut input = both.curious.input(make("customerCreate"), Extent::Full);
        input["idempotencyKey"] = json!(format!("person {number}"));
        let person = curious.mutate("customerCreate", input, "node { id }").await["node"]["id"].take();
        let mut input = both.curious.input(make("feedbackRecordCreate"), Extent::Full);
        input["customerRef"] = json!({ "id": person });
        let record = curious.mutate("feedbackRecordCreate", input, "errors { code }").await;
        assert_eq!(record["errors"], json!([]));
        people.push(person.as_str().unwrap().to_owned());
    }
    people
}

/// Asks without one narrowing what reaches it.
async fn ask(app: &App, both: &Neighbours<'_>, outline: &Outline, places: &[Place], seen: &mut Seen) {
    let mut expected: BTreeMap<TenantCheck, Vec<(Case, Value)>> = BTreeMap::new();
    for question in questions(both, outline).await {
        app.store.reached();
        let (answer, _) = both.probe(&question.document, question.variables.clone()).await;
        assert_eq!(answer.get("errors"), None, "{question:?} {answer:#}");
        for check in app.store.reached() {
            expected.entry(check).or_default().push((question.clone(), answer.clone()));
        }
    }
    for (check, cases) in &expected {
        let place = &places.iter().find(|place| place.check == *check).expect("the text shows every place");
        app.store.disable_for_test(Some(*check));
        app.store.reached();
        // Some places are reached by nearly every question: of those, questions from all over.
        for (question, expected) in cases.iter().step_by(cases.len() / MAX_QUESTIONS + 1) {
            // Planned for this once, planned to be cached, and from the cache.
            for is_cached in [false, true, true] {
                let before = app.store.tenant_violations();
                let (text, given) = (&question.document, question.variables.clone());
                let answer =
                    if is_cached { both.probe(text, given).await.0 } else { both.probe_anew(text, given).await };
                if !seen.is_alarm(app, place, before, &answer, question) {
                    assert_eq!(&answer, expected, "without {place} {question:?} is answered otherwise");
                }
            }
        }
        app.store.disable_for_test(None);
        seen.subject_paths(app, place);
    }
}

/// Changes rows without one narrowing.
async fn change(
    app: &App,
    (both, outline): (&Neighbours<'_>, &Outline),
    (field, place): (&Member, &Place),
    orders: Vec<Case>,
    people: &mut Vec<String>,
    seen: &mut Seen,
) {
    for order in orders {
        archive(both, outline, field).await;
        app.store.disable_for_test(Some(place.check));
        app.store.reached();
        let before = app.store.tenant_violations();
        let (answer, _) = both.probe(&order.document, order.variables.clone()).await;
        seen.subject_paths(app, place);
        app.store.disable_for_test(None);
        if !seen.is_alarm(app, place, before, &answer, &order) {
            assert_eq!(answer.get("errors"), None, "without {place} {order:?} {answer:#}");
            if noun_of(field) != "Organization" {
                assert_ne!(answer["data"][&field.name], Value::Null);
            }
            if field.name == ERASE {
                people.pop();
            }
        }
    }
}

/// Does without one narrowing what no document asks for. Answers how often it was stopped.
async fn work(
    app: &App,
    both: &Neighbours<'_>,
    place: &Place,
    (erased, jobs): (&[Entry], [uuid::Uuid; 3]),
    merges: &merges::Prepared,
) -> Vec<Error> {
    let own = both.curious.caller.organization();
    let scope = app.store.scope(actor(&both.curious.caller), now());
    let mut stopped = Vec::new();
    let tx = scope.begin().await.unwrap();
    stopped.extend(app.store.revocations_of(own).await.err());
    let key = std::iter::once(KEY.to_owned());
    stopped.extend(tx.first_effects(key.collect()).await.err());
    stopped.extend(tx.suspend(false).await.err());
    stopped.extend(tx.suspend(true).await.err());
    stopped.extend(tx.begin_epoch().await.err());
    for entry in erased {
        stopped.extend(match entry {
            Entry::Erasure(erasure) => tx.repeat_erasure(erasure).await.err(),
            Entry::Part(part) => tx.erase_part_again(part, 0).await.err(),
            Entry::Deletion(deletion) => tx.repeat_deletion(deletion).await.err(),
        });
    }
    tx.roll_back().await.unwrap();
    stopped.extend(merges.repeat(&scope).await);
    // PostgreSQL stores most results together with their keys.
    let key = Key { text: used_key(place), fingerprint: "another input".to_owned() };
    let effect = || Effect::Commit { done: (), replay: "[]".to_owned(), rows: Vec::new() };
    let used = scope.transact(Some(key), Strategy::Pessimistic, move |_| Box::pin(async move { Ok(effect()) })).await;
    stopped.extend(used.err());
    stopped.extend(scope.erasures(None).await.err());
    stopped.extend(scope.read_open_attributes().await.err());
    // Attributes as a server of before wrote them, everybody's.
    app.database.change("UPDATE feedback_record_attributes SET value_folded = NULL").await;
    stopped.extend(app.store.read_attributes().await.err());
    app.store.disable_for_test(None);
    app.store.read_attributes().await.unwrap();
    app.store.disable_for_test(Some(place.check));
    stopped.extend(cases::drop_external_id(app, both, place).await);
    stopped.extend(cases::keep_unique(&both.curious.caller, place).await);
    stopped.extend(cases::assign(&both.curious.caller, place).await);
    if place.is_in("store::writing::lifecycle::forget_states") {
        stopped.extend(cases::delete_published(&both.curious.caller).await);
    }
    stopped.extend(cases::index_again(app, own, place).await);
    stopped.extend(scope.expired_count(&entity::interaction::NOUN, 1).await.err());
    if place.is_in(REMOVE) {
        cases::leave(app, place).await;
    }
    let client = uuid(&both.curious.newest("ApiClient").id);
    stopped.extend(app.store.api_client_was_used(own, client, now()).await.err());
    stopped.extend(app.store.seal(own, now()).await.err());
    stopped.extend(jobs::count_weeks(app, &both.curious.caller).await);
    match app.store.verify(own, Vec::new(), 1).await {
        Err(error) => stopped.push(error),
        Ok(verdict) => assert!(verdict.is_ok(), "without {place} {verdict:?}"),
    }
    stopped.extend(jobs::work(app, both, place, jobs).await);
    let slug = place.check.to_string();
    let new = NewOrganization { slug: &slug, name: "New", time_zone: "UTC", is_noted: false };
    let made = app.store.create_organization(&new, now()).await;
    assert_eq!(made.is_err(), place.is_in("store::operation::unscoped::create_organization"), "without {place}");
    stopped
}

/// Makes a record of nothing but what it must have.
async fn route(caller: &Caller<'_>) {
    let input = json!({ "kind": "PRAISE", "receivedAt": "2026-01-01T00:00:00Z" });
    let done = caller.mutate("feedbackRecordCreate", input, "errors { code } node { id }").await;
    assert!(done["node"]["id"].is_string(), "{done:#}");
}

#[tokio::test]
async fn behind_every_narrowing_there_is_another_wall() {
    let (app, outline) = (App::start().await, Outline::read());
    let mut both = Neighbours::settle(&app, &outline).await;
    let twin = app.organization("twin").await;
    let places = places_of(&app);
    let mut people = prepare(&app, &both, &outline, &places).await;
    // One that goes on, one that has emptied the rows of every noun but the person's own, and one that has failed.
    let paths = entity::personal::paths().len();
    let (goes_on, ends) = (jobs::begin(&app, &both, 0).await, jobs::begin(&app, &both, paths).await);
    let jobs = [goes_on, ends, jobs::begin(&app, &both, 0).await];
    jobs::fail(&app, jobs[2]).await;
    let merges = merges::Prepared::of(&both.curious.caller).await;
    copy(&both, twin).await;
    for organization in [both.curious.caller.organization(), twin] {
        let tx = app.store.scope(Actor::operator(organization), now()).begin().await.unwrap();
        tx.first_effects(std::iter::once(KEY.to_owned()).collect()).await.unwrap();
        tx.commit().await.unwrap();
    }
    merges.complete(&app, twin).await;
    let twins = app.dump(twin).await;
    let routed = app.admin("routed").await;
    both.before = app.dump(both.hidden.caller.organization()).await;

    let mut seen = Seen::default();
    ask(&app, &both, &outline, &places, &mut seen).await;
    narrowed::ask(&app, &both, &places, &mut seen).await;

    // Deletions last: the others need the rows.
    let (last, first): (Vec<_>, Vec<_>) =
        outline.mutations().iter().partition(|field| field.name.ends_with("Delete") && field.name != CLOSE);
    // Which place each change reaches.
    let mut reaching: BTreeMap<&str, BTreeSet<TenantCheck>> = BTreeMap::new();
    for field in &first {
        archive(&both, &outline, field).await;
        app.store.reached();
        for order in orders(&both, &outline, field, None, &people) {
            let (answer, _) = both.probe(&order.document, order.variables.clone()).await;
            assert_eq!(answer.get("errors"), None, "{order:?} {answer:#}");
        }
        let reached = app.store.reached();
        reaching.insert(&field.name, reached);
    }
    people.pop();
    for field in &last {
        let is_bulk = field.name.ends_with("BulkDelete") && is_named_by_others(noun_of(field));
        let reached =
            places.iter().filter(|place| place.is_in(DELETE) || is_bulk && USED.iter().any(|it| place.is_in(it)));
        reaching.insert(&field.name, reached.map(|place| place.check).collect());
    }
    let fields: Vec<&Member> = first.into_iter().chain(last).collect();
    let erased = app.store.scope(actor(&both.curious.caller), now()).erasures(None).await.unwrap();
    for (turn, place) in places.iter().enumerate() {
        let mut reaching: Vec<&Member> =
            fields.iter().copied().filter(|field| reaching[field.name.as_str()].contains(&place.check)).collect();
        // Not the same ones each time.
        let start = turn * 7 % reaching.len().max(1);
        reaching.rotate_left(start);
        for (done, field) in reaching.into_iter().enumerate() {
            if done >= CHANGES && (place.is_doubled || seen.tripped.contains(&place.check)) {
                break;
            }
            let orders = orders(&both, &outline, field, Some(place), &people);
            change(&app, (&both, &outline), (field, place), orders, &mut people, &mut seen).await;
        }
        // Something to seal, and weeks to count anew.
        both.curious.caller.mutate("departmentCreate", json!({"name": "Beta"}), "outcome").await;
        let day = ["SUNDAY", "MONDAY"][turn % 2];
        both.curious.caller.mutate("organizationUpdate", json!({ "weekStart": day }), "outcome").await;
        // Rules and fallback, to be remembered.
        route(&routed).await;
        let before = app.store.tenant_violations();
        app.store.disable_for_test(Some(place.check));
        app.store.reached();
        if place.is_in(ROW_CACHE) {
            route(&routed).await;
        }
        let stopped = work(&app, &both, place, (&erased, jobs), &merges).await;
        seen.subject_paths(&app, place);
        app.store.disable_for_test(None);
        if !stopped.is_empty() {
            assert!(app.store.tenant_violations() > before, "without {place} {stopped:?}");
            seen.tripped.insert(place.check);
        }
        assert_eq!(app.dump(twin).await, twins, "without {place} a twin has changed");
        both.assert_unchanged().await;
    }

    let checks = |is_wanted: fn(&Place) -> bool| -> BTreeSet<TenantCheck> {
        places.iter().filter(|place| is_wanted(place)).map(|place| place.check).collect()
    };
    let missed: Vec<TenantCheck> = checks(|_| true).difference(&seen.reached).copied().collect();
    assert_eq!(missed, [], "a place that no case reaches");
    let wrong: Vec<TenantCheck> =
        seen.tripped.symmetric_difference(&checks(|place| !place.is_doubled)).copied().collect();
    assert_eq!(wrong, [], "what is narrowed twice trips no wire, and the others do");
}
