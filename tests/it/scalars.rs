//! Scalars: what each takes, keeps and shows; and that a database orders and compares them as Rust does.

use entity::kind::{CurrencyCode, Date, Decimal, Duration, EmailAddress, LanguageTag, Mistake, SCALARS, Sequence, Url};
use proptest::{collection::vec, prelude::*, test_runner};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes,
};

/// What a scalar shows of a text that it takes.
fn shown<T>(parsed: Result<T, Mistake>, show: impl Fn(T) -> String) -> Result<String, Mistake> {
    parsed.map(show)
}

#[test]
fn texts_are_taken_in_any_form_and_shown_in_one() {
    let decimal = |text: &str| shown(Decimal::<4>::parse(text), |it| it.to_string());
    for (text, expected) in
        [("12.50", "12.5"), ("-0.0001", "-0.0001"), ("007", "7"), ("-0", "0"), ("1.00000000", "1"), ("100", "100")]
    {
        assert_eq!(decimal(text), Ok(expected.to_owned()), "{text}");
    }
    assert_eq!(decimal("922337203685477.5807"), Ok("922337203685477.5807".to_owned()));
    assert_eq!(decimal("-922337203685477.5808"), Ok("-922337203685477.5808".to_owned()));
    assert!(matches!(decimal("922337203685477.5808"), Err(Mistake::OutOfRange(_))));
    assert!(matches!(decimal("0.00001"), Err(Mistake::Refused(_))));
    for text in ["", "-", "+1", ".5", "5.", "1e3", "1,5", " 1", "NaN", "١", &"1".repeat(65)] {
        assert_eq!(decimal(text), Err(Mistake::Form), "{text}");
    }
    let duration = |text: &str| shown(Duration::parse(text), |it| it.to_string());
    for (text, expected) in [
        ("PT90M", "PT1H30M"),
        ("P1W", "P7D"),
        ("PT36H", "P1DT12H"),
        ("pt1.5s", "PT1.5S"),
        ("PT0.25H", "PT15M"),
        ("PT0S", "PT0S"),
        ("P36525D", "P36525D"),
    ] {
        assert_eq!(duration(text), Ok(expected.to_owned()), "{text}");
    }
    for text in ["", "90", "1 hour", "P", "PT", "P1H", "1H"] {
        assert_eq!(duration(text), Err(Mistake::Form), "{text}");
    }
    assert!(matches!(duration("P1Y"), Err(Mistake::Refused(_))));
    assert!(matches!(duration("PT0.0001S"), Err(Mistake::Refused(_))));
    assert!(matches!(duration("-PT1S"), Err(Mistake::OutOfRange(_))));
    assert!(matches!(duration("P36525DT1S"), Err(Mistake::OutOfRange(_))));
    for (text, expected) in [("en-us", "en-US"), ("ZH-hant", "zh-Hant"), (" de ", "de"), ("x-private", "x-private")] {
        assert_eq!(shown(LanguageTag::parse(text), |it| it.as_str().to_owned()), Ok(expected.to_owned()), "{text}");
    }
    for text in ["english!", "e", "en_US", "en-"] {
        assert_eq!(LanguageTag::parse(text), Err(Mistake::Form), "{text}");
    }
    for (text, expected) in [("EUR", "EUR"), (" jpy ", "JPY")] {
        assert_eq!(shown(CurrencyCode::parse(text), |it| it.as_str().to_owned()), Ok(expected.to_owned()), "{text}");
    }
    for text in ["", "EURO", "€", "ZZZ", "XAU", "XXX"] {
        assert_eq!(CurrencyCode::parse(text), Err(Mistake::Form), "{text}");
    }
    for (text, expected) in [
        ("Mia@Example.ORG", "Mia@example.org"),
        (" o'neil+tag@mail.example ", "o'neil+tag@mail.example"),
        ("jörg@münchen.example", "jörg@münchen.example"),
    ] {
        assert_eq!(shown(EmailAddress::parse(text), |it| it.as_str().to_owned()), Ok(expected.to_owned()), "{text}");
    }
    for text in ["mia", "@example.org", "mia@", "Mia <mia@example.org>", "a b@example.org", "mia@exa mple.org"] {
        assert_eq!(EmailAddress::parse(text), Err(Mistake::Form), "{text}");
    }
    assert_eq!(EmailAddress::parse(&format!("{}@example.org", "a".repeat(250))), Err(Mistake::TooLong(254)));
    for (text, expected) in [
        ("HTTPS://Example.org", "https://example.org/"),
        ("http://münchen.example/ä?q=1#there", "http://xn--mnchen-3ya.example/%C3%A4?q=1#there"),
    ] {
        assert_eq!(shown(Url::parse(text), |it| it.as_str().to_owned()), Ok(expected.to_owned()), "{text}");
    }
    for text in ["javascript:alert(1)", "ftp://example.org/a", "https://mia:secret@example.org/"] {
        assert!(matches!(Url::parse(text), Err(Mistake::Refused(_))), "{text}");
    }
    for text in ["example.org/a", "//example.org", "https://", "?"] {
        assert_eq!(Url::parse(text), Err(Mistake::Form), "{text}");
    }
    for text in ["", "1.0", "-", "1e3", "0x1"] {
        assert_eq!(Sequence::parse(text), Err(Mistake::Form), "{text}");
    }
    for text in ["-1", "9223372036854775808"] {
        assert!(matches!(Sequence::parse(text), Err(Mistake::OutOfRange(_))), "{text}");
    }
    for text in ["2026-02-29", "0000-01-01", "10000-01-01", "2026-1-1", "20260101", "2026-01-01T00:00:00Z"] {
        assert_eq!(Date::parse(text), None, "{text}");
    }
}

/// Whether the text that a scalar shows of a stored number is read as that number again.
fn is_read_back(name: &str, stored: i64) -> bool {
    let scalar = SCALARS.iter().find(|scalar| scalar.name == name).unwrap();
    let entity::kind::Storage::Int { json } = scalar.storage else { panic!("{name} is stored as text") };
    let shown: Value = serde_json::from_str(&json(stored)).unwrap();
    let text = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
    (scalar.parse)(&text) == Ok(entity::kind::Stored::Int(stored))
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back_as_the_same(
        units in any::<i64>(), days in -719_162..=2_932_896_i64, millis in 0..=3_155_760_000_000_i64,
        number in 0..=i64::MAX,
    ) {
        let fine = Decimal::<4>::of_units(units);
        prop_assert_eq!(Decimal::<4>::parse(&fine.to_string()), Ok(fine));
        let coarse = Decimal::<0>::of_units(units);
        prop_assert_eq!(Decimal::<0>::parse(&coarse.to_string()), Ok(coarse));
        prop_assert!(is_read_back("Date", days) && is_read_back("Duration", millis) && is_read_back("Sequence", number));
    }

    #[test]
    fn no_text_breaks_a_scalar_and_what_is_kept_is_kept_as_it_is(text in ".{0,80}") {
        for scalar in SCALARS {
            if let Ok(entity::kind::Stored::Text(kept)) = (scalar.parse)(&text) {
                prop_assert_eq!((scalar.parse)(&kept), Ok(entity::kind::Stored::Text(kept.clone())), "{}", scalar.name);
            }
        }
    }
}

#[test]
fn a_sequence_is_a_number_as_long_as_javascript_reads_it() {
    let scalar = SCALARS.iter().find(|scalar| scalar.name == "Sequence").unwrap();
    let entity::kind::Storage::Int { json } = scalar.storage else { panic!("it is stored as text") };
    let last = (1_i64 << 53) - 1;
    assert_eq!((json(last), json(last + 1)), ("9007199254740991".to_owned(), "\"9007199254740992\"".to_owned()));
}

/// A point for expectations.
async fn point(caller: &Caller<'_>) -> Value {
    let made = caller.mutate("interactionPointCreate", json!({ "name": "Desk" }), "node { id }").await;
    json!({ "id": made["node"]["id"] })
}

/// Finds the one row that has a key.
fn key(place: usize) -> Value {
    json!({ "system": "test", "id": place.to_string() })
}

/// The values of a list, in its order.
async fn listed(caller: &Caller<'_>, list: &str, field: &str, order: &str) -> Vec<Value> {
    let data = caller.ask(&format!("{{ {list}(first: 1000 {order}) {{ nodes {{ {field} }} }} }}")).await;
    data[list]["nodes"].as_array().unwrap().iter().map(|node| node[field].clone()).collect()
}

/// Checks what a database makes of values that are stored as numbers: their order and each comparison with one of them.
async fn check<T: Ord + Copy + std::fmt::Display>(
    caller: &Caller<'_>,
    (noun, list, field): (&str, &str, &str),
    values: &[T],
    parse: impl Fn(&str) -> T,
) {
    let with = values[0];
    for (operator, holds) in [
        ("eq", (|value, with| value == with) as fn(T, T) -> bool),
        ("neq", |value, with| value != with),
        ("gt", |value, with| value > with),
        ("gte", |value, with| value >= with),
        ("lt", |value, with| value < with),
        ("lte", |value, with| value <= with),
    ] {
        let filter = format!("filter: {{ {field}: {{ {operator}: \"{with}\", isNull: false }} }}");
        let mut found: Vec<T> =
            listed(caller, list, field, &filter).await.iter().map(|value| parse(value.as_str().unwrap())).collect();
        let mut expected: Vec<T> = values.iter().copied().filter(|value| holds(*value, with)).collect();
        found.sort();
        expected.sort();
        assert!(found == expected, "{noun}.{field} {operator} {with}");
    }
}

#[test]
fn a_database_orders_and_compares_scalars_as_rust_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let count = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 4, failure_persistence: None, ..Default::default() };
    let values = vec((any::<i64>(), -719_162..=20_000_i64, 0..=3_155_760_000_000_i64), 1..30);
    let result = test_runner::TestRunner::new(config).run(&values, |values| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let caller = app.admin(&format!("case-{}", count.get())).await;
            let point = point(&caller).await;
            let decimals: Vec<Decimal<4>> = values.iter().map(|(units, ..)| Decimal::of_units(*units)).collect();
            let epoch = Date::parse("1970-01-01").unwrap().day().unwrap();
            let day = |days: i64| Date::of(epoch + chrono::Duration::days(days));
            let dates: Vec<Date> = values.iter().map(|(_, days, _)| day(*days)).collect();
            let durations: Vec<Duration> = values.iter().map(|(.., millis)| Duration::of_millis(*millis)).collect();
            let rows = |row: &dyn Fn(usize) -> Value| -> Value {
                let keyed = |place| {
                    let mut row = row(place);
                    row["externalId"] = key(place);
                    row
                };
                json!({ "rows": (0..values.len()).map(keyed).collect::<Vec<_>>() })
            };
            let expectations = rows(&|place| {
                json!({ "statement": "Fast", "source": "RESEARCH", "pointRef": point,
                    "targetValue": decimals[place].to_string() })
            });
            let evidence =
                rows(&|place| json!({ "kind": "QUALITATIVE", "title": "A", "gatheredOn": dates[place].to_string() }));
            let points = rows(&|place| json!({ "name": "A", "expectedDuration": durations[place].to_string() }));
            for (field, input) in [
                ("expectationsBulkUpsert", expectations),
                ("evidencesBulkUpsert", evidence),
                ("interactionPointsBulkUpsert", points),
            ] {
                let done = caller.mutate(field, input, "errors { code } results { errors { code message } }").await;
                assert_eq!(done["errors"], json!([]), "{field} {done:#}");
            }
            check(&caller, ("Expectation", "expectations", "targetValue"), &decimals, |text| {
                Decimal::parse(text).unwrap()
            })
            .await;
            check(&caller, ("Evidence", "evidences", "gatheredOn"), &dates, |text| Date::parse(text).unwrap()).await;
            let in_points = ("InteractionPoint", "interactionPoints", "expectedDuration");
            check(&caller, in_points, &durations, |text| Duration::parse(text).unwrap()).await;
            let order = |field: &str| format!("orderBy: [{{ field: {field}, nulls: LAST }}]");
            let mut sorted = dates.clone();
            sorted.sort();
            let found = listed(&caller, "evidences", "gatheredOn", &order("GATHERED_ON")).await;
            assert_eq!(json!(found), json!(sorted.iter().map(ToString::to_string).collect::<Vec<_>>()));
            let mut sorted = durations.clone();
            sorted.sort();
            let mut found = listed(&caller, "interactionPoints", "expectedDuration", &order("EXPECTED_DURATION")).await;
            // The point of the expectations has none.
            assert_eq!(found.pop(), Some(Value::Null));
            assert_eq!(json!(found), json!(sorted.iter().map(ToString::to_string).collect::<Vec<_>>()));
        });
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}

#[tokio::test]
async fn a_wrong_value_is_told_by_row_in_a_mutation_and_fails_a_filter() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = point(&caller).await;
    let cases = [
        ("customer", "email", json!("mia"), "INVALID"),
        ("customer", "email", json!("a".repeat(255)), "TOO_LONG"),
        ("evidence", "sourceUrl", json!("javascript:alert(1)"), "INVALID"),
        ("evidence", "gatheredOn", json!("2026-02-30"), "INVALID"),
        ("interactionPoint", "expectedDuration", json!("P1M"), "INVALID"),
        ("interactionPoint", "expectedDuration", json!("-PT1S"), "OUT_OF_RANGE"),
        ("feedbackRecord", "language", json!("english!"), "INVALID"),
        ("expectation", "targetValue", json!("12,5"), "INVALID"),
        ("expectation", "targetValue", json!(0.000_01), "INVALID"),
        ("expectation", "targetValue", json!(1e16), "INVALID"),
        ("expectation", "targetValue", json!("1000000000000000"), "OUT_OF_RANGE"),
    ];
    for (noun, field, wrong, code) in cases {
        let described = entity::NOUNS.iter().find(|known| known.singular == noun).unwrap();
        let mut input = match noun {
            "evidence" => json!({ "kind": "QUALITATIVE", "title": "A" }),
            "interactionPoint" => json!({ "name": "A" }),
            "feedbackRecord" => json!({ "kind": "PRAISE" }),
            "expectation" => json!({ "statement": "A", "source": "RESEARCH", "pointRef": point }),
            _ => json!({}),
        };
        input[field] = wrong.clone();
        let told = json!([{ "code": code, "path": [field] }]);
        let one = caller.mutate(&format!("{noun}Create"), input.clone(), "errors { code path }").await;
        assert_eq!(one["errors"], told, "{noun}.{field} {wrong}");
        let mut sound = input.clone();
        sound.as_object_mut().unwrap().remove(field);
        (input["externalId"], sound["externalId"]) = (key(1), key(2));
        let rows = json!({ "rows": [input, sound], "policy": "SKIP_INVALID" });
        let answer = "results { outcome errors { code path } }";
        let done = caller.mutate(&format!("{}BulkUpsert", described.plural), rows, answer).await;
        assert_eq!(done["results"][0], json!({ "outcome": "FAILED", "errors": told }), "{noun}.{field} {wrong}");
        assert_ne!(done["results"][1]["outcome"], "FAILED", "{noun}.{field}");
        let document = format!(
            "query($filter: {}Filter) {{ {}(filter: $filter) {{ totalCount }} }}",
            described.name, described.plural
        );
        let asked = json!({ "filter": { field: { "eq": wrong } } });
        assert_eq!(codes(&caller.run(&document, asked).await.body), ["BAD_USER_INPUT"], "{noun}.{field} {wrong}");
    }
}

#[tokio::test]
async fn numbers_stand_for_decimals_and_sequences_and_what_is_shown_can_be_given() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = point(&caller).await;
    for (given, shown) in [(json!(12.5), "12.5"), (json!(7), "7"), (json!(5.0), "5"), (json!("0.10"), "0.1")] {
        let input = json!({ "statement": "A", "source": "RESEARCH", "pointRef": point, "targetValue": given });
        let made = caller.mutate("expectationCreate", input, "node { targetValue } errors { code }").await;
        assert_eq!(made, json!({ "node": { "targetValue": shown }, "errors": [] }), "{given}");
    }
    let found = caller.ask("{ expectations(filter: { targetValue: { in: [12.5, \"0.1\"] } }) { totalCount } }").await;
    assert_eq!(found["expectations"]["totalCount"], 2);
    let document = "{ number: auditLog(filter: { sequence: { eq: 1 } }) { nodes { sequence } }
        text: auditLog(filter: { sequence: { in: [\"1\"] } }) { nodes { sequence } } }";
    let found = caller.ask(document).await;
    let first = json!({ "nodes": [{ "sequence": 1 }] });
    assert_eq!(found, json!({ "number": first, "text": first }));
    let input = json!({ "email": "Mia@EXAMPLE.org" });
    let made = caller.mutate("customerCreate", input, "node { email }").await;
    assert_eq!(made["node"]["email"], "Mia@example.org");
    let found = caller
        .ask("{ customers(filter: { email: { contains: \"mia@\", eq: \"Mia@Example.ORG\" } }) { totalCount } }")
        .await;
    assert_eq!(found["customers"]["totalCount"], 1);
}
