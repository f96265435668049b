//! Tokens as common providers send them, believed on the terms that `docs/reference/issuers.md` gives for each.

use chrono::TimeDelta;
use entity::{Permission, Permissions};
use rapport::{
    Error,
    auth::{Actor, external_issuer::IssuerConfig},
    error::reason::Reason,
};
use serde_json::{Value, json};

use crate::server::{Door, Mode, Provider, Signer, now, with, without};

const DOCS: &str = include_str!("../../docs/reference/issuers.md");

/// A door that believes the provider of that heading, by its block in the documentation.
struct Believed {
    door: Door,
    signer: Signer,
    terms: Value,
    _provider: Provider,
}

impl Believed {
    async fn open(heading: &str) -> Self {
        let (_, section) = DOCS.split_once(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
        let block = section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let table: toml::Table = block.parse().unwrap();
        let mut terms = serde_json::to_value(&table["external-issuer"][0]).unwrap();
        IssuerConfig::parse(&terms.to_string()).unwrap();
        // Ids of keys as some providers make them.
        let signer = Signer::rs256("aB3+xY/9k=");
        let provider = Provider::start(Mode::Keys(vec![signer.jwk()]));
        terms["jwks"] = provider.url.clone().into();
        let door = Door::open(vec![terms.clone()]).await;
        Self { door, signer, terms, _provider: provider }
    }

    fn token(&self, typ: Option<&str>, claims: &Value) -> String {
        let header = without(self.signer.header(), "typ");
        let header = if let Some(typ) = typ { with(header, "typ", typ.into()) } else { header };
        self.signer.forge(&header.to_string(), &claims.to_string())
    }

    async fn judge(&self, typ: Option<&str>, claims: &Value) -> Result<Actor, Reason> {
        match self.door.gate.verify(&self.token(typ, claims), now() + TimeDelta::seconds(1)).await {
            Ok(actor) => Ok(actor),
            Err(Error::Unauthenticated(reason)) => Err(reason),
            Err(error) => panic!("{error}"),
        }
    }

    /// Asserts who the bearer is.
    async fn lets_in(&self, typ: Option<&str>, claims: &Value, client: &str, scopes: &str) {
        let actor = self.judge(typ, claims).await.unwrap_or_else(|reason| panic!("{reason}: {claims}"));
        assert_eq!((actor.organization, actor.client.as_deref()), (self.door.acme, Some(client)));
        let subject = format!("{}|{}", self.terms["issuer"].as_str().unwrap(), claims["sub"].as_str().unwrap());
        assert_eq!(actor.subject, subject);
        let granted: Permissions = scopes.split(' ').map(|name| Permission::parse(name).unwrap()).collect();
        assert_eq!(actor.permissions, granted, "{claims}");
    }
}

fn times(mut claims: Value) -> Value {
    let now = now().timestamp();
    for (member, value) in [("iat", now), ("exp", now + 3_600)] {
        claims[member] = value.into();
    }
    claims
}

#[actix_web::test]
async fn okta_sends_no_typ_and_scopes_as_a_list() {
    let okta = Believed::open("Okta").await;
    let claims = times(json!({
        "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": "https://example.okta.com/oauth2/default",
        "aud": "api://rapport", "cid": "0oaexample", "uid": "00uexample", "scp": ["openid", "map:read", "record:read"],
        "auth_time": 1_700_000_000, "sub": "ada@example.com",
    }));
    okta.lets_in(None, &claims, "0oaexample", "map:read record:read").await;
    assert_eq!(okta.judge(Some("JWT"), &claims).await.unwrap_err(), Reason::Header);
    // Its ID token has no `typ` either, and is for the client.
    let id = with(with(claims, "aud", "0oaexample".into()), "at_hash", "x".into());
    assert_eq!(okta.judge(None, &id).await.unwrap_err(), Reason::OtherKind);
}

#[actix_web::test]
async fn cognito_sends_no_aud_and_names_the_resource_server_before_each_scope() {
    let cognito = Believed::open("Amazon Cognito").await;
    let claims = times(json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "device_key": "x", "cognito:groups": ["admin"], "version": 2,
        "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE", "client_id": "7f9example",
        "origin_jti": "x", "token_use": "access", "scope": "openid rapport/map:read rapport/record:read other/record:write",
        "auth_time": 1_700_000_000, "jti": "x", "username": "ada",
    }));
    cognito.lets_in(None, &claims, "7f9example", "map:read record:read").await;
    let other = with(claims.clone(), "client_id", "other".into());
    assert_eq!(cognito.judge(None, &other).await.unwrap_err(), Reason::Audience);
    let id = with(with(claims, "token_use", "id".into()), "aud", "7f9example".into());
    assert_eq!(cognito.judge(None, &id).await.unwrap_err(), Reason::OtherKind);
}

#[actix_web::test]
async fn entra_sends_scp_for_people_and_roles_for_applications() {
    let tenant = "11111111-2222-3333-4444-555555555555";
    for (heading, issuer, audience, client, version) in [
        (
            "Microsoft Entra, v2.0",
            format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "66666666-7777-8888-9999-000000000000",
            "azp",
            "2.0",
        ),
        ("Microsoft Entra, v1.0", format!("https://sts.windows.net/{tenant}/"), "api://rapport", "appid", "1.0"),
    ] {
        let entra = Believed::open(heading).await;
        let claims = with(
            times(json!({
                "aud": audience, "iss": issuer, "nbf": now().timestamp(), "aio": "AXQAi/8TAAAA", "name": "Ada", "oid": "x",
                "rh": "I", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "tid": tenant, "uti": "x", "ver": version,
            })),
            client,
            "99999999-0000-1111-2222-333333333333".into(),
        );
        let client = "99999999-0000-1111-2222-333333333333";
        let person = with(claims.clone(), "scp", "map:read  record:write".into());
        entra.lets_in(Some("JWT"), &person, client, "map:read record:write").await;
        let application = with(claims.clone(), "roles", json!(["record:read", "User", "admin"]));
        entra.lets_in(Some("JWT"), &application, client, "record:read").await;
        entra
            .lets_in(
                Some("JWT"),
                &with(person, "roles", json!(["map:write"])),
                client,
                "map:read record:write map:write",
            )
            .await;
        assert!(matches!(entra.judge(Some("JWT"), &claims).await, Err(Reason::Claim(_))), "neither scp nor roles");
        let other = with(claims, "ver", "3.0".into());
        assert_eq!(entra.judge(Some("JWT"), &other).await.unwrap_err(), Reason::OtherKind);
    }
}

#[actix_web::test]
async fn auth0_sends_permissions_as_a_list_however_many() {
    let auth0 = Believed::open("Auth0").await;
    let permissions: Vec<String> =
        (0..64).map(|number| format!("read:thing{number}")).chain(["record:read".to_owned()]).collect();
    let claims = times(json!({
        "iss": "https://example.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "azp": "my_client_id",
        "aud": ["https://rapport.example/", "https://example.eu.auth0.com/userinfo"], "scope": "openid profile map:read",
        "org_id": "org_9ybsU1dN2dKfDkBi", "org_name": "acme", "permissions": permissions,
    }));
    auth0.lets_in(Some("JWT"), &claims, "my_client_id", "map:read record:read").await;
    auth0.door.app.organization("other").await;
    for elsewhere in ["other", "globex", "nobody"] {
        let token = with(claims.clone(), "org_name", elsewhere.into());
        assert_eq!(auth0.judge(Some("JWT"), &token).await.unwrap_err(), Reason::Organization, "{elsewhere}");
    }
}

#[actix_web::test]
async fn keycloak_sends_the_organization_as_a_list_or_as_an_object() {
    let keycloak = Believed::open("Keycloak").await;
    let claims = times(json!({
        "jti": "onrtac:9b1d", "iss": "https://id.example/realms/main", "aud": ["rapport-api", "account"],
        "sub": "f5a1cbd5-0c6f-4f4e-8f0b-0d2b8c8d8a53", "typ": "Bearer", "azp": "web", "sid": "x", "acr": "1",
        "realm_access": { "roles": ["offline_access", "clerk"] }, "resource_access": { "account": { "roles": ["view"] } },
        "scope": "openid email profile", "email_verified": true,
    }));
    for organization in [
        json!({ "acme": {} }),
        json!({ "acme": { "id": "42c3e46f", "tier": ["gold"] } }),
        json!(["acme"]),
        json!("acme"),
    ] {
        let claims = with(claims.clone(), "organization", organization);
        keycloak.lets_in(Some("JWT"), &claims, "web", "map:read record:read record:write").await;
    }
    for organization in [json!({ "acme": {}, "globex": {} }), json!({}), json!({ "acme": true }), json!([])] {
        let claims = with(claims.clone(), "organization", organization.clone());
        assert!(matches!(keycloak.judge(Some("JWT"), &claims).await, Err(Reason::Claim(_))), "{organization}");
    }
    let id = with(with(claims, "organization", json!(["acme"])), "typ", "ID".into());
    assert_eq!(keycloak.judge(Some("JWT"), &id).await.unwrap_err(), Reason::OtherKind);
}

#[actix_web::test]
async fn an_issuer_names_no_organization_and_gives_no_scope_that_its_terms_do_not() {
    let signer = Signer::es256("0a:1b:2c");
    let provider = Provider::start(Mode::Keys(vec![signer.jwk()]));
    let door = Door::open(Vec::new()).await;
    let other = door.app.organization("other").await;
    let id = |organization: entity::id::OrganizationId| entity::id::encode("org", organization.into());
    for (listed, org, is_in) in [
        (json!(["acme"]), json!("acme"), true),
        (json!(["acme"]), json!(id(door.acme)), true),
        (json!([id(door.acme)]), json!("acme"), true),
        (json!("*"), json!("other"), true),
        (json!(["acme"]), json!("other"), false),
        (json!(["acme"]), json!(id(other)), false),
        (json!([id(door.acme)]), json!("other"), false),
        (json!(["nobody"]), json!("acme"), false),
    ] {
        let mut terms = provider.terms("ES256");
        terms["organizations"] = listed.clone();
        terms["scopes"] = "map:read record:read".into();
        let gate = door.gate_with(&[terms]);
        let claims = with(crate::server::foreign_claims(now()), "org", org.clone());
        let token = signer.sign(&with(claims, "scope", "map:read admin".into()));
        match gate.verify(&token, now()).await {
            Ok(actor) => {
                assert!(is_in, "{listed} {org}");
                assert_eq!(actor.permissions, [Permission::MapRead].into_iter().collect(), "admin is not the issuer's");
            }
            Err(error) => assert!(
                !is_in && matches!(error, Error::Unauthenticated(Reason::Organization)),
                "{listed} {org}: {error}"
            ),
        }
    }
}
