//! Cases under random changes: whatever is asked for, no case leaves its path, and no closed one lacks anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cases::{opened, phone};
use crate::{
    app::{App, Caller},
    isolation::model_based::dice::Dice,
    journeys::by_id,
};

/// The stages, each with the field of its time.
const STAGES: [(&str, &str); 7] = [
    ("RECEIVED", "receivedAt"),
    ("ACKNOWLEDGED", "acknowledgedAt"),
    ("ASSESSED", "assessedAt"),
    ("INVESTIGATED", "investigatedAt"),
    ("RESPONDED", "respondedAt"),
    ("COMMUNICATED", "communicatedAt"),
    ("CLOSED", "closedAt"),
];

const VERBS: [&str; 7] = ["Acknowledge", "Assess", "Investigate", "Respond", "Communicate", "Close", "Reopen"];
const RESOLUTIONS: [&str; 6] = ["SOLVED", "NOT_SOLVED", "DECLINED", "VENTING", "DUPLICATE", "WITHDRAWN"];

const ALL: &str = "{ cases(first: 1000, orderBy: [{ field: ID }]) { nodes { id stage receivedAt acknowledgedAt assessedAt
    investigatedAt respondedAt communicatedAt closedAt reopenedAt disposition listeningNote resolution toldWhat toldAt
    toldMedium { id } notToldBecause duplicateOf { id } attempts { nodes { id hasWorked } }
    history(first: 1000, orderBy: [{ field: CHANGED_AT }, { field: ID }]) { nodes { transition from to changedAt } } } } }";

/// A random change of one of the cases: a mutation, and its input.
fn change(dice: &mut Dice, cases: &[Value], medium: &str) -> (String, Value) {
    let case = dice.pick(cases);
    let id = case["id"].as_str().unwrap();
    let mut input = json!({ "by": by_id(id) });
    let told = |dice: &mut Dice, input: &mut Value| {
        if dice.happens(70) {
            input["toldWhat"] = json!(if dice.happens(90) { "All of it" } else { " " });
            input["toldMediumRef"] = by_id(medium);
        }
        if dice.happens(30) {
            input["notToldBecause"] = json!("Unknown address");
        }
    };
    match dice.below(10) {
        0..=4 => {
            let verb = *dice.pick(&VERBS);
            if verb == "Communicate" {
                input["toldWhat"] = json!("All of it");
                input["toldMediumRef"] = by_id(medium);
            } else if verb == "Close" {
                input["resolution"] = json!(if case["disposition"] == "VENTING" && dice.happens(50) {
                    "VENTING"
                } else if dice.happens(40) {
                    "SOLVED"
                } else {
                    *dice.pick(&RESOLUTIONS)
                });
                told(dice, &mut input);
                if input["resolution"] == "DUPLICATE" || dice.happens(10) {
                    input["duplicateOfRef"] = by_id(dice.pick(cases)["id"].as_str().unwrap());
                }
                if dice.happens(50) {
                    input["listeningNote"] = json!("Sad");
                }
            }
            (format!("case{verb}"), input)
        }
        5 | 6 => {
            match dice.below(5) {
                0 | 4 => {
                    input["disposition"] = json!(dice.pick(&["UNDETERMINED", "VENTING", "VENTING", "REAL_PROBLEM"]));
                }
                1 => input["listeningNote"] = if dice.happens(60) { json!("Sad") } else { Value::Null },
                2 => input["resolution"] = json!(dice.pick(&RESOLUTIONS)),
                _ => {
                    told(dice, &mut input);
                    for field in ["toldWhat", "toldAt", "notToldBecause"] {
                        if dice.happens(20) {
                            input[field] = Value::Null;
                        }
                    }
                }
            }
            ("caseUpdate".to_owned(), input)
        }
        7 => {
            let worked = dice.pick(&[json!(true), json!(true), json!(false), Value::Null]).clone();
            ("attemptCreate".to_owned(), json!({ "caseRef": by_id(id), "tried": "A seal", "hasWorked": worked }))
        }
        more => {
            let attempts = case["attempts"]["nodes"].as_array().unwrap();
            if attempts.is_empty() {
                return ("caseReopen".to_owned(), input);
            }
            let by = by_id(dice.pick(attempts)["id"].as_str().unwrap());
            if more == 8 {
                let worked = dice.pick(&[json!(true), json!(false), Value::Null]).clone();
                return ("attemptUpdate".to_owned(), json!({ "by": by, "hasWorked": worked }));
            }
            ("attemptDelete".to_owned(), json!({ "by": by }))
        }
    }
}

fn rank(stage: &Value) -> usize {
    STAGES.iter().position(|(name, _)| stage == name).unwrap()
}

/// That the history of a case is a path, that its stage is its end, and that its times are the first ones.
fn check_path(case: &Value) {
    let history = case["history"]["nodes"].as_array().unwrap();
    let mut first: BTreeMap<usize, &Value> = BTreeMap::from([(0, &case["receivedAt"])]);
    let (mut stage, mut has_returned) = (0, false);
    for change in history {
        let (from, to) = (rank(&change["from"]), rank(&change["to"]));
        assert_eq!(from, stage, "{case:#}");
        if change["transition"] == "REOPEN" {
            assert!(from >= 5 && to == 3, "{case:#}");
            has_returned = true;
        } else {
            assert!(to > from, "{case:#}");
        }
        first.entry(to).or_insert(&change["changedAt"]);
        stage = to;
    }
    assert_eq!(rank(&case["stage"]), stage, "{case:#}");
    let mut earlier = "";
    for (place, (_, field)) in STAGES.iter().enumerate() {
        assert_eq!(&case[*field], first.get(&place).copied().unwrap_or(&Value::Null), "{field} {case:#}");
        if let Some(at) = case[*field].as_str().filter(|_| !has_returned) {
            assert!(earlier <= at, "{field} {case:#}");
            earlier = at;
        }
    }
    let last = history.iter().rev().find(|change| change["transition"] == "REOPEN");
    assert_eq!(&case["reopenedAt"], last.map_or(&Value::Null, |change| &change["changedAt"]), "{case:#}");
}

/// That a closed case has all that closing asks for, and an open one no end.
fn check_end(case: &Value, originals: &BTreeMap<&str, &str>) {
    let says = |field: &str| case[field].as_str().is_some_and(|text| !text.trim().is_empty());
    if case["stage"] != "CLOSED" {
        assert_eq!((&case["resolution"], &case["duplicateOf"]), (&Value::Null, &Value::Null), "{case:#}");
        return;
    }
    let is_told = says("toldWhat") && says("toldAt") && !case["toldMedium"].is_null();
    assert!(is_told || says("notToldBecause"), "{case:#}");
    if let (Some(told), Some(reopened)) = (case["toldAt"].as_str(), case["reopenedAt"].as_str()) {
        assert!(told >= reopened, "{case:#}");
    }
    let has_worked = case["attempts"]["nodes"].as_array().unwrap().iter().any(|it| it["hasWorked"] == true);
    match case["resolution"].as_str().unwrap() {
        "SOLVED" => assert!(has_worked, "{case:#}"),
        "VENTING" => assert!(case["disposition"] == "VENTING" && says("listeningNote"), "{case:#}"),
        "DUPLICATE" => {
            let own = case["id"].as_str().unwrap();
            let (mut at, mut left) = (originals[own], originals.len());
            while let Some(next) = originals.get(at) {
                at = next;
                left -= 1;
                assert!(left > 0, "a circle: {case:#}");
            }
        }
        _ => {}
    }
}

async fn read(caller: &Caller<'_>) -> Vec<Value> {
    let cases = caller.ask(ALL).await["cases"]["nodes"].take().as_array().unwrap().clone();
    let original =
        |case: &Value| Some((case["id"].as_str()?.to_owned(), case["duplicateOf"]["id"].as_str()?.to_owned()));
    let named: Vec<(String, String)> = cases.iter().filter_map(original).collect();
    let originals = named.iter().map(|(case, original)| (case.as_str(), original.as_str())).collect();
    for case in &cases {
        check_path(case);
        check_end(case, &originals);
    }
    cases
}

#[tokio::test]
async fn no_case_leaves_its_path_and_no_closed_one_lacks_anything() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let medium = phone(&caller).await;
    for _ in 0..5 {
        opened(&caller).await;
    }
    let (mut dice, mut seen, mut refused) = (Dice::new(20_261_129), BTreeSet::new(), BTreeSet::new());
    let mut cases = read(&caller).await;
    for minute in 1..=800 {
        if minute % 60 == 0 {
            opened(&caller.after(minute)).await;
            cases = read(&caller).await;
        }
        let (field, input) = change(&mut dice, &cases, &medium);
        let done = caller.after(minute).mutate(&field, input.clone(), "outcome errors { code path }").await;
        match done["errors"][0]["code"].as_str() {
            Some(code) => drop(refused.insert(format!("{field} {code} {}", done["errors"][0]["path"][0]))),
            None => drop(seen.insert(format!("{field} {}", input["resolution"].as_str().unwrap_or_default()))),
        }
        cases = read(&caller).await;
    }
    // The dice asked for every stage and resolution, and for what is refused.
    for resolution in RESOLUTIONS {
        assert!(seen.contains(&format!("caseClose {resolution}")), "{resolution}: {seen:?}");
    }
    for verb in VERBS.iter().filter(|verb| **verb != "Close") {
        assert!(seen.contains(&format!("case{verb} ")), "{verb}: {seen:?}");
    }
    for wanted in [
        "attemptDelete IN_USE \"by\"",
        "caseClose INVALID \"resolution\"",
        "caseClose INVALID_TRANSITION \"by\"",
        "caseClose REQUIRED \"listeningNote\"",
        "caseClose REQUIRED \"toldWhat\"",
    ] {
        assert!(refused.contains(wanted), "{wanted}: {refused:?}");
    }
}
