//! Who may make endpoints, of what they are told, and which addresses are refused.

use entity::Permission;
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_address_must_be_one_of_the_internet_or_allowed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mutate = async |url: &str| {
        let input = json!({ "url": url, "eventTypes": ["*"] });
        caller.mutate("webhookEndpointCreate", input, WHOLE).await["errors"].take()
    };
    // The harness allows 127.0.0.0/8.
    for url in ["https://example.org/hook", "https://8.8.8.8/", "http://127.0.0.1:1/", "https://127.0.0.1/"] {
        assert_eq!(mutate(url).await, json!([]), "{url}");
    }
    for url in [
        "http://8.8.8.8/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::1]/",
        "https://0x0a000001/",
        "https://167772161/",
        "https://user:password@example.org/",
        "ftp://example.org/",
    ] {
        assert_eq!(mutate(url).await, json!([{ "code": "INVALID", "path": ["url"] }]), "{url}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_allowed_any_more() {
    let (mut app, receiver) = (App::start().await, Receiver::start().await);
    let organization = app.organization("one").await;
    let (id, _) = endpoint(&app.caller(organization, Permission::ALL), &receiver.url(), &["Department"]).await;
    app.store = app.store.with_outbound(rapport::outbound::Outbound::new(Vec::new()));
    let caller = app.caller(organization, Permission::ALL);
    department(&caller, "A").await;
    deliver(&app, now()).await;
    let failure = deliveries(&shown(&caller, &id).await)[0]["failure"].clone();
    assert_eq!(failure, "the host has no address that may be reached");
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn event_types_are_types_of_changes_that_the_caller_may_read() {
    let app = App::start().await;
    let organization = app.organization("one").await;
    let caller = app.caller(organization, [Permission::Admin, Permission::ExchangeRead, Permission::MapRead]);
    let mutate = async |types: Value| {
        let input = json!({ "url": "https://example.org", "eventTypes": types });
        caller.mutate("webhookEndpointCreate", input, WHOLE).await["errors"].take()
    };
    for types in [json!(["*"]), json!(["Department", "Department.CREATED", "Medium.DELETED"])] {
        assert_eq!(mutate(types.clone()).await, json!([]), "{types}");
    }
    let refused = json!([{ "code": "INVALID", "path": ["eventTypes"] }]);
    for types in [
        "Nothing",
        "department",
        "Department.",
        "Department.created",
        "Department.CREATED.x",
        "**",
        "WebhookDelivery",
        "AuditEntry",
        "Deadline",
        "FeedbackRecord",
    ] {
        assert_eq!(mutate(json!([types])).await, refused, "{types}");
    }
    assert_eq!(mutate(json!([])).await, json!([{ "code": "REQUIRED", "path": ["eventTypes"] }]));
}

#[tokio::test]
async fn an_endpoint_is_told_only_of_what_its_maker_may_read() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let all = app.admin("one").await;
    let maker = all.with([Permission::Admin, Permission::MapRead]);
    let input = json!({ "url": receiver.url(), "eventTypes": ["*"] });
    assert_eq!(maker.mutate("webhookEndpointCreate", input, "errors { code }").await["errors"], json!([]));
    let types = |receiver: &Receiver| -> BTreeSet<String> {
        receiver.requests().iter().map(|request| request.json()["type"].as_str().unwrap().to_owned()).collect()
    };
    department(&all, "A").await;
    all.mutate("customerCreate", json!({ "name": "Ada" }), "outcome").await;
    let other = app.admin("two").await;
    department(&other, "Elsewhere").await;
    deliver(&app, now()).await;
    assert_eq!(types(&receiver), BTreeSet::from(["Department.CREATED".to_owned()]));
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn admins_write_and_readers_of_the_exchange_read() {
    let app = App::start().await;
    let admin = app.admin("one").await;
    let (id, _) = endpoint(&admin, "https://example.org/", &["Department"]).await;
    let code = async |caller: Caller<'_>, document: &str| {
        caller.run(document, json!({ "id": id })).await.body["errors"][0]["extensions"]["code"].clone()
    };
    let read = "query($id: ID!) { webhookEndpoint(by: { id: $id }) { id deliveries { nodes { id } } } }";
    assert_eq!(code(admin.with([Permission::ExchangeRead]), read).await, Value::Null);
    assert_eq!(code(admin.with([Permission::MapRead]), read).await, "FORBIDDEN");
    let everything_else = Permission::ALL.into_iter().filter(|permission| *permission != Permission::Admin);
    let reader = admin.with(everything_else);
    for field in ["Test", "RotateSecret", "Delete"] {
        let document =
            format!("mutation($id: ID!) {{ webhookEndpoint{field}(input: {{ by: {{ id: $id }} }}) {{ outcome }} }}");
        assert_eq!(code(reader.clone(), &document).await, "FORBIDDEN", "{field}");
    }
    let department = department(&admin, "A").await;
    let narrowed = admin.of_departments([department.as_str()]);
    let tried =
        admin.mutate("webhookEndpointTest", json!({ "by": { "id": id } }), "node { deliveries { nodes { id } } }");
    let delivery = tried.await["node"]["deliveries"]["nodes"][0]["id"].take();
    let by = json!({ "id": id });
    for (field, input) in [
        ("webhookEndpointCreate", json!({ "url": "https://example.org", "eventTypes": ["*"] })),
        ("webhookEndpointUpdate", json!({ "by": by, "eventTypes": ["*"] })),
        ("webhookEndpointRotateSecret", json!({ "by": by })),
        ("webhookEndpointTest", json!({ "by": by })),
        ("webhookEndpointReplay", json!({ "by": by, "from": "2026-01-01T00:00:00Z" })),
        ("webhookDeliveryResend", json!({ "by": { "id": delivery } })),
    ] {
        let ty = format!("{}{}Input!", field[..1].to_uppercase(), &field[1..]);
        let document = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ outcome errors {{ code }} }} }}");
        let answer = narrowed.run(&document, json!({ "input": input })).await.body;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{field} {answer:#}");
        let answer = admin.run(&document, json!({ "input": input })).await.body;
        assert_eq!(answer["data"][field]["errors"], json!([]), "{field} {answer:#}");
    }
}

#[tokio::test]
async fn a_suspended_organization_sends_nothing_until_it_is_resumed() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    endpoint(&caller, &receiver.url(), &["Department"]).await;
    department(&caller, "A").await;
    let suspend = async |is_suspended: bool| {
        let operator = rapport::auth::Actor::operator(caller.organization());
        let tx = app.store.scope(operator, now()).begin().await.unwrap();
        tx.suspend(is_suspended).await.unwrap();
        tx.commit().await.unwrap();
    };
    suspend(true).await;
    deliver(&app, now()).await;
    assert_eq!(receiver.connections(), 0);
    suspend(false).await;
    deliver(&app, now()).await;
    assert_eq!(receiver.requests().len(), 1);
}
