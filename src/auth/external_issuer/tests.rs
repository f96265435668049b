//! Parsing of the terms. Their effect on tokens is tested over HTTP.

use serde_json::{Value, json};

use super::*;

fn terms(change: impl FnOnce(&mut Value)) -> Result<IssuerConfig, String> {
    let mut terms = json!({
        "issuer": "https://id.example/", "jwks": "https://id.example/keys", "audience": "rapport", "algorithm": "RS256",
        "organizations": "*", "scopes": "map:read",
    });
    change(&mut terms);
    IssuerConfig::parse(&terms.to_string())
}

#[test]
fn the_terms_have_defaults() {
    let terms = terms(|_| {}).unwrap();
    assert_eq!((terms.audience_claim.as_str(), terms.client_claim.as_str()), ("aud", "client_id"));
    assert_eq!((terms.organization_claim.as_ref(), &terms.scope_claim.0[..]), (None, &["scope".to_owned()][..]));
    assert!(matches!(terms.token_type, TokenType::AccessToken) && terms.role_scopes.is_empty());
}

#[test]
fn keys_come_from_where_nobody_can_change_them() {
    for (address, is_taken) in [
        ("https://id.example/keys", true),
        ("http://127.0.0.1:9/keys", true),
        ("http://[::1]:9/keys", true),
        ("http://localhost/keys", true),
        ("http://id.example/keys", false),
        ("http://127.0.0.1.example/keys", false),
        ("http://localhost.example/keys", false),
        ("http://10.0.0.1/keys", false),
        ("https://user:secret@id.example/keys", false),
        ("file:///etc/passwd", false),
        ("data:application/json,{}", false),
        ("keys", false),
    ] {
        assert_eq!(terms(|terms| terms["jwks"] = address.into()).is_ok(), is_taken, "{address}");
    }
}

#[test]
fn wrong_terms_are_refused() {
    let wrong: [(&str, Value); 22] = [
        ("issuer", "".into()),
        ("issuer", json!(null)),
        ("audience", "".into()),
        ("algorithm", "HS256".into()),
        ("algorithm", "none".into()),
        ("algorithm", json!(["RS256", "ES256"])),
        ("type", "logout+jwt".into()),
        ("role-claim", "roles".into()),
        ("role-scopes", json!({ "clerk": "map:read" })),
        ("role-scopes", json!({ "clerk": "map:red" })),
        ("organization", "acme".into()),
        ("organizations", json!([])),
        ("organizations", json!(["*", "acme"])),
        ("organizations", "Acme".into()),
        ("organizations", json!(["acme", "dept_01h455vb4pex5vsknk084sn02q"])),
        ("scopes", "".into()),
        ("scopes", "*".into()),
        ("scopes", json!(["map:read", "map:red"])),
        ("scope-claim", json!([])),
        ("scope-claim", json!(["scope", 1])),
        ("audience", json!([])),
        ("unknown", json!(1)),
    ];
    for (member, value) in wrong {
        assert!(terms(|terms| terms[member] = value.clone()).is_err(), "{member} {value}");
    }
    for member in ["issuer", "jwks", "audience", "algorithm", "organizations", "scopes"] {
        let without = terms(|terms| drop(terms.as_object_mut().unwrap().remove(member)));
        assert!(without.is_err_and(|error| error.contains(member)), "{member}");
    }
}

#[test]
fn an_issuer_is_bound_to_organizations_and_scopes() {
    let id = entity::id::encode("org", entity::id::new());
    for (organizations, is_all) in
        [(json!("*"), true), (json!(["*"]), true), (json!("acme"), false), (json!([id]), false)]
    {
        let terms = terms(|terms| terms["organizations"] = organizations).unwrap();
        assert_eq!(matches!(terms.bounds(), Bounds::All), is_all);
    }
    let fixed = terms(|terms| {
        drop(terms.as_object_mut().unwrap().remove("organizations"));
        terms["organization"] = "acme".into();
    });
    assert!(matches!(fixed.unwrap().bounds(), Bounds::Only("acme")));
    for scopes in [json!("map:read  admin"), json!(["map:read", "admin"])] {
        let terms = terms(|terms| terms["scopes"] = scopes).unwrap();
        assert_eq!(terms.scopes(), [Permission::MapRead, Permission::Admin].into_iter().collect());
    }
}
