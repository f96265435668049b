//! The terms, as they are written down. What they do to tokens is tested over HTTP.

use serde_json::{Value, json};

use super::*;

fn terms(change: impl FnOnce(&mut Value)) -> Result<Terms, String> {
    let mut terms = json!({
        "issuer": "https://id.example/", "jwks": "https://id.example/keys", "audience": "rapport", "algorithm": "RS256",
    });
    change(&mut terms);
    Terms::parse(&terms.to_string())
}

#[test]
fn the_terms_have_defaults() {
    let terms = terms(|_| {}).unwrap();
    assert_eq!((terms.organization_claim.as_str(), terms.scope_claim.as_str()), ("org", "scope"));
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
    let wrong: [(&str, Value); 12] = [
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
        ("organization", "org".into()),
        ("scope-claim", json!(["scope"])),
    ];
    for (member, value) in wrong {
        assert!(terms(|terms| terms[member] = value.clone()).is_err(), "{member} {value}");
    }
    for member in ["issuer", "jwks", "audience", "algorithm"] {
        let without = terms(|terms| drop(terms.as_object_mut().unwrap().remove(member)));
        assert!(without.is_err_and(|error| error.contains(member)), "{member}");
    }
}
