//! Tests what is signed, and that an address opens nothing else.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::auth::key::SigningKey;

const RESOURCE: &str = "/journeys/journey_1.svg?theme=dark";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn tokens() -> Tokens {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    Tokens::new(SigningKey::parse(pair.to_pkcs8v1().unwrap().as_ref()).unwrap(), "rapport").unwrap()
}

fn actor() -> Actor {
    let permissions = [Permission::MapRead, Permission::Admin].into_iter().collect();
    let organization = OrganizationId(entity::id::new());
    Actor {
        organization,
        subject: "ada".to_owned(),
        client: Some("crm".to_owned()),
        permissions,
        expires: None,
        departments: None,
    }
}

fn grant(life: Option<TimeDelta>) -> Grant<'static> {
    Grant { resource: RESOURCE, scopes: Permissions::default().with(Permission::MapRead), life }
}

fn signature(address: &str) -> &str {
    address.split_once("signature=").unwrap().1
}

#[test]
fn an_address_names_organization_subject_resource_scope_and_end_and_nothing_else() {
    let (addresses, actor) = (UrlSigner::new(tokens(), Some("https://rapport.example/")), actor());
    let address = addresses.sign(&actor, grant(Some(TimeDelta::hours(1))), now()).unwrap();
    assert!(address.starts_with(&format!("https://rapport.example{RESOURCE}&signature=")), "{address}");
    let claims = BASE64.decode(signature(&address).split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        claims,
        json!({
            "iss": "rapport", "aud": "rapport-address", "sub": "ada", "client_id": "crm", "res": RESOURCE,
            "org": entity::id::encode("org", actor.organization.into()), "scope": "map:read",
            "iat": 1_800_000_000, "exp": 1_800_003_600,
        })
    );
    let opened = addresses.verify(signature(&address), RESOURCE, now()).unwrap().actor;
    assert_eq!((opened.organization, opened.subject, opened.client), (actor.organization, actor.subject, actor.client));
    assert_eq!(opened.permissions, [Permission::MapRead].into_iter().collect());
}

#[test]
fn an_address_still_opens_once_the_server_has_a_public_url() {
    let (before, actor) = (tokens(), actor());
    let address = UrlSigner::new(before.clone(), None).sign(&actor, grant(None), now()).unwrap();
    let named = Tokens::new(before.key.clone(), "https://rapport.example").unwrap();
    let opened = |tokens: Tokens| UrlSigner::new(tokens, None).verify(signature(&address), RESOURCE, now());
    assert!(opened(named.clone().accepting_default()).is_ok());
    assert!(opened(named).is_err());
}

#[test]
fn it_opens_its_resource_until_it_ends() {
    let addresses = UrlSigner::new(tokens(), None);
    let address = addresses.sign(&actor(), grant(Some(TimeDelta::minutes(1))), now()).unwrap();
    assert!(address.starts_with("/journeys/"));
    let at = |seconds, resource| addresses.verify(signature(&address), resource, now() + TimeDelta::seconds(seconds));
    assert!(at(0, RESOURCE).is_ok() && at(89, RESOURCE).is_ok());
    assert_eq!(at(90, RESOURCE).unwrap_err(), Reason::Expired(1_800_000_060));
    for other in ["/journeys/journey_1.svg?theme=light", "/journeys/journey_2.svg?theme=dark", ""] {
        assert_eq!(at(0, other).unwrap_err(), Reason::Resource);
    }
    let endless = addresses.sign(&actor(), grant(None), now()).unwrap();
    assert!(addresses.verify(signature(&endless), RESOURCE, now() + TimeDelta::days(9_000)).is_ok());
}

#[test]
fn nobody_gives_what_they_do_not_have_nor_for_longer_than_a_week() {
    let addresses = UrlSigner::new(tokens(), None);
    for (life, is_signed) in [
        (TimeDelta::zero(), false),
        (TimeDelta::seconds(-1), false),
        (TimeDelta::days(7), true),
        (TimeDelta::days(7) + TimeDelta::seconds(1), false),
    ] {
        assert_eq!(addresses.sign(&actor(), grant(Some(life)), now()).is_ok(), is_signed, "{life}");
    }
    let others = Grant { scopes: Permissions::default().with(Permission::RecordRead), ..grant(None) };
    assert!(matches!(addresses.sign(&actor(), others, now()), Err(Error::Forbidden(Permission::RecordRead))));
}

#[test]
fn no_token_is_an_address_no_address_a_token_and_no_part_can_be_changed() {
    let tokens = tokens();
    let addresses = UrlSigner::new(tokens.clone(), None);
    let address = addresses.sign(&actor(), grant(Some(TimeDelta::hours(1))), now()).unwrap();
    let genuine = signature(&address);
    assert!(tokens.verify(genuine, now()).is_err());
    let token = tokens.issue(&actor(), TimeDelta::hours(1), now()).unwrap();
    assert_eq!(addresses.verify(token.expose_secret(), RESOURCE, now()).unwrap_err(), Reason::Header);
    let [header, claims, sign] = genuine.split('.').collect::<Vec<_>>()[..] else { panic!("{genuine}") };
    let known: Value = serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap();
    for (member, value) in [
        ("org", json!(entity::id::encode("org", entity::id::new()))),
        ("sub", json!("eve")),
        ("client_id", json!("other")),
        ("res", json!("/journeys/journey_2.svg?theme=dark")),
        ("scope", json!("admin")),
        ("iat", json!(1_800_000_001)),
        ("exp", json!(1_900_000_000)),
    ] {
        let mut changed = known.clone();
        changed[member] = value;
        let resource = changed["res"].as_str().unwrap().to_owned();
        let forged = format!("{header}.{}.{sign}", BASE64.encode(changed.to_string()));
        assert_eq!(addresses.verify(&forged, &resource, now()).unwrap_err(), Reason::Signature, "{member}");
    }
    for forged in
        ["", "..", genuine.rsplit_once('.').unwrap().0, &format!("{header}.{claims}."), &format!("{genuine}A")]
    {
        assert!(addresses.verify(forged, RESOURCE, now()).is_err(), "{forged}");
    }
    assert!(UrlSigner::new(self::tokens(), None).verify(genuine, RESOURCE, now()).is_err(), "another key");
}
