//! Canaries in what is sent to the door: credentials, headers, addresses, bodies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::json;

use super::{Canaries, Reply, Served, hold, refused};

/// Sends all of it; answers how many requests there were.
pub async fn knock(served: &Served, canaries: &Canaries) -> usize {
    let plant = |place: &str| canaries.plant(place);
    let mut sent = 0;
    let mut check = |reply: Reply, statuses: &[u16]| {
        hold(statuses.contains(&reply.status), || format!("not one of {statuses:?}: {reply:?}"));
        sent += 1;
    };

    // Tokens that are none.
    let question = json!({ "query": "{ organization { slug } }" });
    let ask = || served.post("/graphql").json(&question);
    let part = |text: String| BASE64.encode(text);
    let [_, claims, signature] = served.token.split('.').collect::<Vec<_>>()[..] else { panic!("a token has 3 parts") };
    let forged = |iss: &str| {
        let header = part(json!({ "alg": "ES256", "typ": "at+jwt", "kid": plant("a kid") }).to_string());
        let claims = json!({ "iss": iss, "sub": plant("a subject"), "org": plant("an organization") }).to_string();
        format!("{header}.{}.{}", part(claims), part(plant("a signature")))
    };
    for (why, header) in [
        ("no scheme", plant("a header without a scheme")),
        ("another scheme", format!("Basic {}", plant("basic credentials"))),
        ("no token", format!("Bearer {}", plant("a token"))),
        ("three parts", format!("Bearer {0}.{0}.{0}", plant("a token of three parts"))),
        ("no JSON", format!("Bearer {}.{claims}.{signature}", part(plant("a header")))),
        ("our issuer", format!("Bearer {}", forged("rapport"))),
        ("an unknown issuer", format!("Bearer {}", forged(&plant("an issuer")))),
        ("a long token", format!("Bearer {}", plant("a long token").repeat(900))),
    ] {
        check(refused(why, ask().header("authorization", header)).await, &[401, 431]);
    }
    // An issuer whose keys cannot be had.
    let token = forged("https://id.example/");
    check(refused("an issuer that is away", ask().bearer_auth(token)).await, &[401, 503]);
    let twice = ask().header("authorization", plant("a header")).header("authorization", plant("a header twice"));
    check(refused("two headers", twice).await, &[401]);
    let query = format!("/graphql?access_token={}&query={{organization{{slug}}}}", plant("a token in the address"));
    check(refused("a token in the address", served.get(&query)).await, &[401]);

    // Other headers, beside an anonymous question.
    for name in ["cookie", "user-agent", "referer", "x-request-id", "x-forwarded-for", "origin", "accept-language"] {
        check(refused(name, ask().header(name, plant(name))).await, &[401, 400]);
    }
    check(refused("accept", ask().header("accept", format!("text/{}", plant("accept")))).await, &[406]);
    for name in ["content-type", "content-encoding"] {
        let request = served.post("/graphql").header(name, plant(name)).body(plant("a body"));
        check(refused(name, request).await, &[415]);
    }

    // Addresses and methods.
    for path in ["/", "/graphql/", "/explorer/", "/oauth/", "/schema.graphql/", "/metrics?x=", "/.well-known/"] {
        check(refused(path, served.get(&format!("{path}{}", plant("a path")))).await, &[200, 404, 405]);
    }
    let escaped = format!("/%0d%0a2026-01-01T00:00:00Z%20{}%1b%5b2J", plant("a forged line"));
    check(refused("a forged line", served.get(&escaped)).await, &[404, 400]);
    let method = reqwest::Method::from_bytes(plant("a method").as_bytes()).unwrap();
    check(refused("a method", served.http.request(method, format!("{}/graphql", served.url))).await, &[405]);

    // Bodies and parameters.
    let canary = || plant("a body");
    for body in bodies(&canary) {
        for token in [None, Some(&served.token)] {
            let request = served.post("/graphql").header("content-type", "application/json").body(body.clone());
            let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
            check(refused(&body, request).await, &[200, 400, 401]);
        }
    }
    for name in ["query", "variables", "extensions", "operationName", "other"] {
        let path = format!("/graphql?{name}={0}&{name}={0}", plant("a parameter"));
        check(refused(name, served.get(&path)).await, &[400]);
    }

    // Credentials of clients.
    let token = || served.post("/oauth/token");
    let (id, secret) = (&served.client.0, plant("a client's secret"));
    let grant = ("grant_type", "client_credentials");
    check(refused("secret", token().basic_auth(id, Some(&secret)).form(&[grant])).await, &[401]);
    check(refused("client", token().basic_auth(plant("a client"), Some(&secret)).form(&[grant])).await, &[401]);
    let unknown = plant("a parameter");
    for (name, value) in [("grant_type", &unknown), ("scope", &unknown), ("audience", &unknown), ("resource", &unknown)]
    {
        let mut form = vec![("client_id", id.as_str()), ("client_secret", &served.client.1), (name, value)];
        if name != "grant_type" {
            form.push(grant);
        }
        check(refused(name, token().form(&form)).await, &[400]);
    }
    let form = [("client_id", id.as_str()), ("client_secret", &secret), ("client_secret", &unknown), grant];
    check(refused("twice", token().form(&form)).await, &[400]);
    check(refused("no form", token().body(plant("a body that is no form"))).await, &[400]);
    check(refused("long", token().form(&[("x", plant("a long body").repeat(2_000))])).await, &[413]);
    sent
}

/// Opens a signed address, whole and changed; answers with what of it no log may repeat.
pub async fn open_address(served: &Served) -> Vec<String> {
    let asked = served.ask("{ journeys(first: 1) { nodes { diagramUrl } } }", &json!({})).send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&asked.text().await.unwrap()).unwrap();
    let address =
        answer["data"]["journeys"]["nodes"][0]["diagramUrl"].as_str().expect("a journey was planted").to_owned();
    for (address, status) in
        [(address.clone(), 200), (format!("{address}A"), 401), (address.replace("auto", "dark"), 401)]
    {
        assert_eq!(served.get(&address).send().await.unwrap().status(), status, "{address}");
    }
    let signature = address.rsplit_once('=').unwrap().1;
    signature.split('.').skip(1).map(str::to_owned).collect()
}

/// Bodies that are no request, and requests that cannot be answered.
fn bodies(canary: &dyn Fn() -> String) -> Vec<String> {
    vec![
        canary(),
        format!("\"{}\"", canary()),
        format!("[\"{}\"]", canary()),
        format!("{{\"query\": \"{}", canary()),
        format!("{{\"query\": {{\"{}\": 1}}}}", canary()),
        format!("{{\"query\": \"{{a}}\", \"query\": \"{}\"}}", canary()),
        format!("{{\"query\": \"{{__typename}}\", \"variables\": \"{}\"}}", canary()),
        format!("{{\"query\": \"{{__typename}}\", \"extensions\": \"{}\"}}", canary()),
        format!("{{\"query\": \"{{__typename}}\", \"operationName\": \"{}\"}}", canary()),
        format!("{{\"query\": \"{{__typename\", \"operationName\": [\"{}\"]}}", canary()),
        json!({ "query": format!("{{ organization(a: \"{}\"", canary()) }).to_string(),
        json!({ "query": format!("# {}\n{{ a(", canary()) }).to_string(),
        json!({ "query": format!("{{ organization(a: \"{}\") {{ slug }} }}", canary()) }).to_string(),
        json!({ "query": format!("{{ __type(name: \"{}\") {{ name }} __typename @skip(if: \"x\") }}", canary()) })
            .to_string(),
        json!({ "query": "query($a: Int) { __typename }", "variables": { "a": canary() } }).to_string(),
        json!({ "query": "query($a: Boolean!) { __typename @skip(if: $a) }", "variables": { "a": canary() } })
            .to_string(),
        json!({ "query": canary().repeat(4_000) }).to_string(),
        json!({ "query": format!("{{ a(b: \"{}\") }}", canary().repeat(2_900)) }).to_string(),
    ]
}
