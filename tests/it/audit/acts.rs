//! Acts at the command line: each leaves an entry by `operator`.

use std::process::Command;

use rapport::store::operation::unscoped::NewOrganization;
use serde_json::json;

use crate::app::{App, now};

#[tokio::test]
async fn every_act_at_the_command_line_is_in_the_log_by_operator() {
    let app = App::start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
        command.args(arguments).args(["--database-url", &app.database.url]).args(["--signing-key", "key.pem"]);
        let output = command.env_clear().current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    std::fs::write(folder.path().join("key.pem"), key()).unwrap();
    let id = run(&["organization", "create", "--slug", "acme", "--name", "Acme"]);
    let client = run(&["api-client", "create", "--organization", "acme", "--name", "CRM", "--scope", "map:read"]);
    let client = client.split_whitespace().find(|word| word.starts_with("client_")).unwrap().to_owned();
    run(&["api-client", "revoke", "--organization", "acme", "--id", &client]);
    run(&["revoke", "--organization", "acme", "--subject", "ada"]);
    run(&["token", "--organization", "acme", "--scope", "admin", "--subject", "ada"]);
    run(&["organization", "suspend", "--slug", "acme"]);
    run(&["organization", "suspend", "--slug", "acme"]);
    run(&["organization", "resume", "--slug", "acme"]);

    let organization = app.store.organization_by_slug("acme").await.unwrap().unwrap();
    let id = id.split_whitespace().find(|word| word.starts_with("org_")).unwrap();
    let admin = app.caller(organization, [entity::Permission::Admin]);
    let data = admin
        .ask("{ auditLog(orderBy: [{ field: SEQUENCE }]) { nodes { operation rowType rowId fields subject clientId } } }")
        .await;
    let entry = |operation: &str, ty: &str, row: &str, fields: &[&str]| {
        json!({
            "operation": operation, "rowType": ty, "rowId": row, "fields": fields, "subject": "operator", "clientId": null,
        })
    };
    let expected = [
        entry("CREATED", "Organization", id, &["slug", "name", "timeZone"]),
        entry("CREATED", "ApiClient", &client, &["name", "scopes", "isTrustedDocumentsOnly"]),
        entry("UPDATED", "ApiClient", &client, &["revokedAt"]),
        entry("UPDATED", "Organization", id, &["revokedTokens"]),
        entry("UPDATED", "Organization", id, &["issuedToken"]),
        entry("UPDATED", "Organization", id, &["suspendedAt"]),
        entry("UPDATED", "Organization", id, &["suspendedAt"]),
    ];
    assert_eq!(data["auditLog"]["nodes"], json!(expected), "{data:#}");
}

#[tokio::test]
async fn an_organization_is_made_together_with_its_entry_or_not_at_all() {
    let app = App::start().await;
    let new = NewOrganization { slug: "acme", name: "Acme", time_zone: "UTC", is_noted: true };
    app.database.change("ALTER TABLE event RENAME TO event_away").await;
    assert!(app.store.create_organization(&new, now()).await.is_err());
    app.database.change("ALTER TABLE event_away RENAME TO event").await;
    assert_eq!(app.store.organization_by_slug("acme").await.unwrap(), None);
    assert!(app.store.create_organization(&new, now()).await.unwrap().is_some());
}

/// A key, as `openssl genpkey` writes one.
fn key() -> Vec<u8> {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
}
