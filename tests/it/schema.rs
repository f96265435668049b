//! The contract in the repository is the one the server has.

use serde_json::json;

use crate::{
    app::App,
    outline::{Kind, Outline},
};

#[test]
fn the_committed_schema_is_what_the_server_prints() {
    let committed = include_str!("../../schema.graphql");
    assert!(
        committed == rapport::schema::build().sdl(),
        "schema.graphql is out of date; write it anew with: cargo run -- schema > schema.graphql"
    );
}

/// What tools send to learn a schema.
const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    directives { name description locations args { ...Input } }
    types { kind name description specifiedByURL isOneOf interfaces { name } possibleTypes { name }
        fields(includeDeprecated: true) { name description isDeprecated type { ...Type } args { ...Input } }
        inputFields { ...Input }
        enumValues(includeDeprecated: true) { name description isDeprecated } }
} }
fragment Input on __InputValue { name description defaultValue type { ...Type } }
fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

async fn introspected() -> Vec<serde_json::Value> {
    let app = App::start().await;
    let organization = app.organization("one").await;
    let reply = app.caller(organization, []).ask(INTROSPECTION).await;
    reply["__schema"]["types"].as_array().unwrap().clone()
}

#[tokio::test]
async fn introspection_needs_no_scope_and_shows_every_type() {
    let types = introspected().await;
    let names: Vec<&str> = types.iter().map(|ty| ty["name"].as_str().unwrap()).collect();
    for name in Outline::read().types.keys() {
        assert!(names.contains(&name.as_str()), "introspection does not show {name}");
    }
}

#[tokio::test]
async fn everything_in_the_schema_has_a_description() {
    let mut bare = Vec::new();
    for ty in introspected().await.iter().filter(|ty| !ty["name"].as_str().unwrap().starts_with("__")) {
        let mut check = |path: String, item: &serde_json::Value| {
            if item["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
                bare.push(path);
            }
        };
        check(ty["name"].to_string(), ty);
        for list in ["fields", "inputFields", "enumValues"] {
            for item in ty[list].as_array().into_iter().flatten() {
                check(format!("{}.{}", ty["name"], item["name"]), item);
                for argument in item["args"].as_array().into_iter().flatten() {
                    check(format!("{}.{}({})", ty["name"], item["name"], argument["name"]), argument);
                }
            }
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|sign: char| sign.is_ascii_lowercase()) && name.chars().all(|sign| sign.is_ascii_alphanumeric())
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|sign: char| sign.is_ascii_uppercase()) && name.chars().all(|sign| sign.is_ascii_alphanumeric())
}

fn is_screaming(name: &str) -> bool {
    name.starts_with(|sign: char| sign.is_ascii_uppercase())
        && name.chars().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_')
}

#[test]
fn types_are_pascal_fields_camel_and_enum_values_screaming() {
    for (name, kind) in Outline::read().types {
        assert!(is_pascal(&name), "{name}");
        match kind {
            Kind::Enum(values) => values.iter().for_each(|value| assert!(is_screaming(value), "{name}.{value}")),
            Kind::Object(members) | Kind::Input(members) => {
                for member in members {
                    assert!(is_camel(&member.name), "{name}.{}", member.name);
                    member.arguments.iter().for_each(|given| assert!(is_camel(&given.name), "{}", given.name));
                }
            }
            Kind::Interface | Kind::Union | Kind::Scalar => {}
        }
    }
}

#[test]
fn booleans_are_named_is_and_has_and_instants_at() {
    let outline = Outline::read();
    for (name, kind) in &outline.types {
        let Kind::Object(fields) = kind else { continue };
        for field in fields {
            let is_said = field.name.starts_with("is") || field.name.starts_with("has");
            assert_eq!(field.base() == "Boolean", is_said, "{name}.{}", field.name);
            // The edges of a bucket are no moments at which something happened.
            let is_edge = ["bucketStart", "bucketEnd"].contains(&field.name.as_str());
            assert_eq!(field.base() == "DateTime", field.name.ends_with("At") || is_edge, "{name}.{}", field.name);
        }
    }
}

/// Mutations of rows of many nouns at once.
const NAMED_OTHERWISE: [&str; 4] = ["mapImport", "quickJourney", "templateApply", "trustedDocumentsPush"];

#[test]
fn mutations_start_with_their_noun_and_take_one_input_with_an_idempotency_key() {
    let outline = Outline::read();
    for field in outline.mutations() {
        let noun = crate::fixture::noun_of(field);
        let described = entity::NOUNS.iter().find(|known| known.name == noun).unwrap();
        if NAMED_OTHERWISE.contains(&field.name.as_str()) {
            continue;
        }
        let verb = field.name.strip_prefix(described.plural).or_else(|| field.name.strip_prefix(described.singular));
        assert!(verb.is_some_and(is_pascal), "{} of {noun}", field.name);
        let [input] = field.arguments.as_slice() else { panic!("{} takes more than an input", field.name) };
        let (first, rest) = field.name.split_at(1);
        assert_eq!(input.ty, format!("{}{rest}Input!", first.to_uppercase()));
        let key = outline.input(input.base(), "idempotencyKey").unwrap();
        assert_eq!(key.ty, "String", "{}", field.name);
    }
}

#[test]
fn root_fields_may_be_null_and_say_which_scopes_they_need() {
    let outline = Outline::read();
    for field in outline.queries().iter().chain(outline.mutations()).chain(outline.fields("Subscription")) {
        assert!(!field.ty.ends_with('!'), "{} cannot be null", field.name);
        assert!(field.scopes.is_some(), "{} says nothing of scopes", field.name);
    }
    for (name, kind) in &outline.types {
        if let Kind::Object(fields) = kind
            && !["Query", "Mutation", "Subscription"].contains(&name.as_str())
        {
            assert!(fields.iter().all(|field| field.scopes.is_none()), "{name}");
        }
    }
}

#[tokio::test]
async fn descriptions_of_root_fields_name_their_scopes() {
    let outline = Outline::read();
    let types = introspected().await;
    for root in ["Query", "Mutation", "Subscription"] {
        let shown = types.iter().find(|ty| ty["name"] == json!(root)).unwrap();
        for field in outline.fields(root) {
            let told = shown["fields"].as_array().unwrap().iter().find(|told| told["name"] == json!(field.name));
            let text = told.unwrap()["description"].as_str().unwrap();
            for permission in field.needed() {
                assert!(text.contains(&format!("`{}`", permission.name())), "{} {text}", field.name);
            }
        }
    }
}

#[test]
fn every_list_is_a_connection_with_the_four_paging_arguments_filter_and_order() {
    let outline = Outline::read();
    let lists = outline.types.values().filter_map(|kind| match kind {
        Kind::Object(fields) => Some(fields.iter().filter(|field| field.base().ends_with("Connection"))),
        _ => None,
    });
    for field in lists.flatten() {
        let names: Vec<&str> = field.arguments.iter().map(|argument| argument.name.as_str()).collect();
        let shown: Vec<&str> = outline.fields(field.base()).iter().map(|part| part.name.as_str()).collect();
        if outline.is_union(outline.fields(field.base())[0].base()) {
            // Rows of several types have no fields in common to filter and order by.
            assert_eq!(names[..6], ["first", "after", "last", "before", "kinds", "between"], "{}", field.name);
            assert_eq!(shown, ["nodes", "edges", "pageInfo"], "{}", field.ty);
            continue;
        }
        assert_eq!(names, ["first", "after", "last", "before", "filter", "orderBy"], "{}", field.name);
        assert_eq!(shown, ["nodes", "edges", "pageInfo", "totalCount"], "{}", field.ty);
    }
}

#[test]
fn relations_into_another_scope_may_be_null() {
    let outline = Outline::read();
    for noun in entity::NOUNS {
        for relation in noun.relations.iter().filter(|relation| relation.target.read != noun.read) {
            if relation.target.read.is_some() {
                let field = outline.fields(noun.name).iter().find(|field| field.name == relation.name).unwrap();
                assert!(!field.ty.ends_with('!'), "{}.{}", noun.name, relation.name);
            }
        }
    }
}

#[test]
fn every_type_can_be_reached() {
    let outline = Outline::read();
    let mut reached = ["Query", "Mutation", "Subscription"].map(str::to_owned).to_vec();
    let mut next = 0;
    while next < reached.len() {
        let name = reached[next].clone();
        next += 1;
        let members = match outline.types.get(&name) {
            Some(Kind::Object(members) | Kind::Input(members)) => members.as_slice(),
            _ => &[],
        };
        for member in members.iter().flat_map(|member| member.arguments.iter().chain([member])) {
            if !reached.iter().any(|known| known == member.base()) {
                reached.push(member.base().to_owned());
            }
        }
    }
    let nodes: Vec<&str> = entity::NOUNS.iter().map(|noun| noun.name).collect();
    for name in outline.types.keys().filter(|name| !nodes.contains(&name.as_str())) {
        assert!(reached.contains(name), "nothing leads to {name}");
    }
}

#[test]
fn only_columns_that_may_be_absent_are_asked_whether_they_are() {
    let outline = Outline::read();
    let listed = |noun: &&entity::Noun| outline.types.contains_key(&format!("{}Filter", noun.name));
    for noun in entity::NOUNS.into_iter().filter(listed) {
        for field in noun.shown_fields().filter(|field| field.kind.is_filterable() && !field.kind.is_set()) {
            let comparisons = outline.input(&format!("{}Filter", noun.name), field.name).unwrap();
            let asks = outline.inputs(comparisons.base()).iter().any(|member| member.name == "isNull");
            assert_eq!(asks, field.is_nullable, "{}.{}", noun.name, field.name);
        }
    }
}

/// What a field of a filter does is not what the column is.
#[tokio::test]
async fn filters_describe_their_own_fields() {
    let types = introspected().await;
    let shown = |name: &str| types.iter().find(|ty| ty["name"] == json!(name)).unwrap();
    let described = |ty: &serde_json::Value, list: &str| -> Vec<(String, String)> {
        let text = |member: &serde_json::Value, key: &str| member[key].as_str().unwrap().to_owned();
        let members = ty[list].as_array().unwrap().iter();
        members.map(|member| (text(member, "name"), text(member, "description"))).collect()
    };
    let is_shown = |name: &str| types.iter().any(|ty| ty["name"] == json!(name));
    for noun in entity::NOUNS {
        if is_shown(&format!("{}Ref", noun.name)) {
            let by = shown(&format!("{}Ref", noun.name))["description"].as_str().unwrap();
            assert_eq!(by.contains("an external id"), noun.has_external_ids, "{by}");
        }
        if !is_shown(&format!("{}Filter", noun.name)) {
            continue;
        }
        let filter = described(shown(&format!("{}Filter", noun.name)), "inputFields");
        for (name, doc) in described(shown(noun.name), "fields") {
            if let Some((_, told)) = filter.iter().find(|(known, _)| *known == name) {
                assert!(
                    *told != doc && told.starts_with("Matches rows ") && told.contains(&format!("`{name}`")),
                    "{told}"
                );
            }
        }
    }
}

#[tokio::test]
async fn scalars_of_our_own_name_what_specifies_them() {
    let types = introspected().await;
    let addresses: Vec<_> = types
        .iter()
        .filter_map(|ty| Some((ty["name"].as_str()?, ty["specifiedByURL"].as_str()?)))
        .inspect(|(name, url)| {
            let printed = format!("scalar {name} @specifiedBy(url: \"{url}\")");
            assert!(include_str!("../../schema.graphql").contains(&printed), "{printed}");
        })
        .collect();
    let listed = entity::kind::SCALARS.iter().filter_map(|scalar| Some((scalar.name, scalar.specified_by?)));
    let mut expected: Vec<_> = listed
        .chain([
            ("DateTime", "https://www.rfc-editor.org/rfc/rfc3339"),
            ("JSON", "https://www.rfc-editor.org/rfc/rfc8259"),
            ("TimeZone", "https://www.iana.org/time-zones"),
        ])
        .collect();
    expected.sort_unstable();
    assert_eq!(addresses, expected);
}

#[tokio::test]
async fn the_rows_of_lists_are_nodes_but_for_state_changes_which_are_read_with_their_row() {
    let types = introspected().await;
    let named = |name: &str| types.iter().find(|ty| ty["name"] == name).unwrap();
    let mut edges = 0;
    for edge in types.iter().filter(|ty| ty["name"].as_str().is_some_and(|name| name.ends_with("Edge"))) {
        let node = edge["fields"].as_array().unwrap().iter().find(|field| field["name"] == "node").unwrap();
        let name = node["type"]["ofType"]["name"].as_str().unwrap();
        let implements = |ty: &serde_json::Value| {
            ty["interfaces"].as_array().is_some_and(|all| all.iter().any(|known| known["name"] == "Node"))
        };
        let is_node = if named(name)["kind"] == "UNION" {
            let members = named(name)["possibleTypes"].as_array().unwrap();
            members.iter().all(|member| implements(named(member["name"].as_str().unwrap())))
        } else {
            implements(named(name))
        };
        assert_eq!(is_node, !name.ends_with("StateChange"), "{name}");
        edges += 1;
    }
    assert!(edges > 30, "{edges}");
}
