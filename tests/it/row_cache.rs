//! Rules are taken for what they were when they were last read, and never used when they are not.

use std::sync::Arc;

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::runtime::Handle;

use crate::{
    app::{App, Caller},
    database::Database,
};

const KINDS: [&str; 3] = ["PRAISE", "COMPLAINT", "QUESTION"];
const ROUTED: &str = "errors { code } node { department { id } priority routings(first: 1) { nodes { cause reason \
                      rule { id } ruleVersion } } }";

/// What somebody does at another server.
#[derive(Clone, Copy, Debug)]
enum Step {
    Make { kind: usize, department: usize, position: i64 },
    Change { rule: usize, kind: usize, department: usize },
    Archive { rule: usize, is_back: bool },
    Delete { rule: usize },
    Fallback { department: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (rule, kind, department) = (0_usize..8, 0_usize..3, 0_usize..3);
    prop_oneof![
        3 => (kind.clone(), department.clone(), 0_i64..4)
            .prop_map(|(kind, department, position)| Step::Make { kind, department, position }),
        3 => (rule.clone(), kind, department.clone())
            .prop_map(|(rule, kind, department)| Step::Change { rule, kind, department }),
        2 => (rule.clone(), any::<bool>()).prop_map(|(rule, is_back)| Step::Archive { rule, is_back }),
        1 => rule.prop_map(|rule| Step::Delete { rule }),
        1 => department.prop_map(|department| Step::Fallback { department }),
    ]
}

async fn departments(caller: &Caller<'_>) -> Vec<Value> {
    let mut made = Vec::new();
    for name in ["A", "B", "C"] {
        let done = caller.mutate("departmentCreate", json!({ "name": name }), "node { id }").await;
        made.push(done["node"]["id"].clone());
    }
    made
}

async fn take(caller: &Caller<'_>, departments: &[Value], rules: &mut Vec<Value>, step: Step) {
    let named = |rule: usize, rules: &[Value]| rules.get(rule % rules.len().max(1)).cloned();
    let (field, input) = match step {
        Step::Make { kind, department, position } => {
            let input = json!({ "name": "Some", "kind": KINDS[kind], "position": position,
                "departmentRef": { "id": departments[department] } });
            let done = caller.mutate("routingRuleCreate", input, "errors { code } node { id }").await;
            rules.push(done["node"]["id"].clone());
            return;
        }
        Step::Change { rule, kind, department } => {
            let Some(id) = named(rule, rules) else { return };
            (
                "routingRuleUpdate",
                json!({ "by": { "id": id }, "kind": KINDS[kind], "departmentRef": { "id": departments[department] } }),
            )
        }
        Step::Archive { rule, is_back } => {
            let Some(id) = named(rule, rules) else { return };
            (if is_back { "routingRuleUnarchive" } else { "routingRuleArchive" }, json!({ "by": { "id": id } }))
        }
        Step::Delete { rule } => {
            let Some(id) = named(rule, rules) else { return };
            ("routingRuleDelete", json!({ "by": { "id": id } }))
        }
        Step::Fallback { department } => {
            ("organizationUpdate", json!({ "fallbackDepartmentRef": { "id": departments[department] } }))
        }
    };
    // A rule that feedback was routed by cannot be deleted: that is no matter here.
    caller.mutate(field, input, "errors { code }").await;
}

/// Creates a record, and asks elsewhere where it should have gone.
async fn assert_routed_by_what_is_there(here: &Caller<'_>, elsewhere: &Caller<'_>, kind: &str) {
    let preview = "query($kind: FeedbackKind!) { routingPreview(input: { kind: $kind }) {
        cause ruleVersion priority reason department { id } rule { id } } }";
    let expected = elsewhere.data(preview, json!({ "kind": kind })).await["routingPreview"].take();
    let done =
        here.mutate("feedbackRecordCreate", json!({ "kind": kind, "receivedAt": "2026-01-01T00:00:00Z" }), ROUTED);
    let done = done.await;
    assert_eq!(done["errors"], json!([]));
    let (node, routing) = (&done["node"], &done["node"]["routings"]["nodes"][0]);
    let found = json!({ "cause": routing["cause"], "ruleVersion": routing["ruleVersion"], "priority": node["priority"],
        "reason": routing["reason"], "department": node["department"], "rule": routing["rule"] });
    assert_eq!(found, expected, "{kind}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_is_routed_by_rules_that_are_no_longer_there() {
    let database = Arc::new(Database::make().await);
    let (here, elsewhere) = (App::on(Arc::clone(&database)).await, App::on(database).await);
    let runtime = Handle::current();
    let config = Config { cases: 12, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Config::default() };
    let case = std::cell::Cell::new(0);
    tokio::task::block_in_place(|| {
        let steps = prop::collection::vec((step(), 0_usize..3, any::<bool>()), 1..12);
        TestRunner::new(config).run(&steps, |steps| {
            case.set(case.get() + 1);
            runtime.block_on(async {
                let caller = here.admin(&format!("case-{}", case.get())).await;
                let other = elsewhere.caller(caller.organization(), entity::Permission::ALL);
                let departments = departments(&other).await;
                let mut rules = Vec::new();
                for (step, kind, twice) in steps {
                    take(&other, &departments, &mut rules, step).await;
                    for _ in 0..=usize::from(twice) {
                        assert_routed_by_what_is_there(&caller, &other, KINDS[kind]).await;
                    }
                }
            });
            Ok(())
        })
    })
    .unwrap();
}

#[tokio::test]
async fn what_is_remembered_is_not_asked_for() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let departments = departments(&caller).await;
    let rule = json!({ "name": "Praise", "kind": "PRAISE", "position": 0, "departmentRef": { "id": departments[0] } });
    caller.mutate("routingRuleCreate", rule, "errors { code }").await;
    let mut costs = Vec::new();
    for kind in ["PRAISE", "COMPLAINT", "PRAISE", "COMPLAINT"] {
        let before = app.store.statements();
        let input =
            json!({ "kind": kind, "receivedAt": "2026-01-01T00:00:00Z", "idempotencyKey": format!("{costs:?}") });
        caller.mutate("feedbackRecordCreate", input, "errors { code }").await;
        costs.push(app.store.statements() - before);
    }
    if app.database.is_sqlite() {
        // To ask again costs next to nothing there; the fallback and whether it is archived are two questions more.
        assert_eq!((costs[0] + 2, costs[1]), (costs[3], costs[3]), "{costs:?}");
    } else {
        assert_eq!(costs[2..], [1, 1], "{costs:?}");
    }
}

#[tokio::test]
async fn an_interaction_and_its_follow_ups_take_two_statements() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let customer = caller.mutate("customerCreate", json!({ "name": "Ada" }), "node { id }").await["node"]["id"].take();
    for kind in ["THANK", "SOLVE"] {
        let playbook = json!({ "name": kind, "title": kind, "kind": kind, "trigger": "INTERACTION_COMPLETED" });
        assert_eq!(caller.mutate("playbookCreate", playbook, "errors { code path }").await["errors"], json!([]));
    }
    let policy = json!({ "name": "Few", "mostContacts": 100, "purpose": "RESEARCH" });
    assert_eq!(caller.mutate("contactPolicyCreate", policy, "errors { code path }").await["errors"], json!([]));
    let input = json!({ "status": "COMPLETED", "direction": "INBOUND", "occurredAt": "2026-11-22T11:00:00Z",
        "customerRef": { "id": customer } });
    let mut costs = Vec::new();
    for _ in 0..3 {
        let before = app.store.statements();
        let made =
            caller.mutate("interactionCreate", input.clone(), "errors { code } node { followUps { nodes { kind } } }");
        let made = made.await;
        costs.push(app.store.statements() - before);
        assert_eq!(made["node"]["followUps"]["nodes"].as_array().map(Vec::len), Some(2), "{made}");
    }
    // Whether the customer was erased, everything that is written, and the answer's list.
    if app.database.is_sqlite() {
        assert_eq!(costs[1], costs[2], "{costs:?}");
    } else {
        assert_eq!(costs[1..], [3, 3], "{costs:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_is_erased_meanwhile_gets_no_words() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let customer = caller.mutate("customerCreate", json!({ "name": "Ada" }), "node { id }").await["node"]["id"].take();
    let (_, row) = entity::id::decode(customer.as_str().unwrap()).unwrap();
    let input = json!({ "kind": "PRAISE", "body": "Ada says", "receivedAt": "2026-01-01T00:00:00Z",
        "customerRef": { "id": customer } });
    let create = caller.mutate("feedbackRecordCreate", input, "errors { code path } outcome");
    let erased = format!("UPDATE customer SET erased_at = 1 WHERE id = '{row}'");
    let refused = if app.database.is_sqlite() {
        app.database.try_change(&erased.replace(&format!("'{row}'"), &format!("x'{}'", row.simple()))).await.unwrap();
        create.await
    } else {
        let mut other = PgConnection::connect(&app.database.url).await.unwrap();
        other.execute("BEGIN").await.unwrap();
        let lock = format!("SELECT id FROM customer WHERE id = '{row}' FOR UPDATE");
        other.execute(AssertSqlSafe(lock)).await.unwrap();
        let erase = async {
            let waiting =
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while other.fetch_optional(waiting).await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
            other.execute(AssertSqlSafe(erased)).await.unwrap();
            other.execute("COMMIT").await.unwrap();
        };
        tokio::join!(create, erase).0
    };
    assert_eq!(refused["errors"], json!([{ "code": "ERASED", "path": ["customerRef"] }]));
}
