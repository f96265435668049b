//! Random operations of twenty organizations at once, each answer compared with a model of what each of them holds.
//!
//! The operations are drawn from the schema and the descriptions of the nouns: every noun, field, relation, filter, order,
//! cursor and mutation takes part. `RAPPORT_TEST_ISOLATION_OPERATIONS` says how many there are (5,000), and
//! `RAPPORT_TEST_ISOLATION_SEED` repeats a run, whose seed a failure tells together with the fewest steps that fail.
//! `RAPPORT_TEST_ISOLATION_WITHOUT` takes one narrowing away (`src/store/scope.rs:288`), to see that the search finds it.

pub mod dice;
mod model;
mod reads;
mod wide;
mod writes;

use std::{collections::HashMap, sync::Arc};

use entity::{
    Permission,
    noun::{Noun, Operation},
};
use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use serde_json::{Value, json};

use self::{
    dice::Dice,
    model::{Cursor, Holding, changing, selection},
    reads::{Asker, Question, sorted},
    wide::{everything, relearn},
    writes::{Change, outcomes},
};
use crate::{
    app::{App, Caller, Reply},
    database::Database,
    outline::{Outline, codes},
};

const ORGANIZATIONS: usize = 20;
/// Steps of one case.
const STEPS: usize = 500;
/// Questions of one request.
const QUESTIONS: usize = 6;
/// Most requests in flight.
const CLIENTS: usize = 8;
/// Lists asked for in one request: fields at the root of a document have a limit.
const ROOTS: usize = 15;
/// Connections of a replica: as many as the questions in flight need where builds and other tests take the time.
const CONNECTIONS: u32 = 12;

/// Who takes a step, and the number that all its choices come from.
type Step = (usize, u64);

#[expect(clippy::disallowed_methods, reason = "settings of this test alone")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Takes the narrowing away that the environment names, and says whether there is one.
#[expect(clippy::disallowed_methods, reason = "settings of this test alone")]
fn disable_for_test(app: &App) -> bool {
    let Ok(name) = std::env::var("RAPPORT_TEST_ISOLATION_WITHOUT") else { return false };
    #[cfg(debug_assertions)]
    {
        let places = super::places::places().into_iter();
        let mut named = places.filter(|place| place.check.to_string().starts_with(&format!("{name}:")));
        app.store.disable_for_test(Some(named.next().expect("a place").check));
    }
    let _ = (app, name);
    true
}

/// One organization.
struct Tenant<'a> {
    /// A word that all its texts of some length contain.
    label: String,
    /// It as a caller of each replica.
    callers: Vec<Caller<'a>>,
    holding: Holding,
}

/// A request on its way.
enum Plan {
    Questions(Vec<Question>),
    Change(Change),
    Repeat(Value),
}

struct Machine<'a> {
    outline: &'a Outline,
    tenants: Vec<Tenant<'a>>,
    /// Whose each id is.
    owners: HashMap<String, usize>,
    operations: usize,
}

impl<'a> Machine<'a> {
    async fn start(outline: &'a Outline, replicas: &'a [App], case: usize) -> Self {
        let mut machine = Self { outline, tenants: Vec::new(), owners: HashMap::new(), operations: 0 };
        for place in 0..ORGANIZATIONS {
            let label = format!("org{case:04}n{place:02}");
            let organization = replicas[0].organization(&label).await;
            let callers: Vec<Caller<'_>> =
                replicas.iter().map(|replica| replica.caller(organization, Permission::ALL)).collect();
            let (own, department) = (&entity::organization::NOUN, &entity::department::NOUN);
            let document =
                format!("{{ organization {} departments {{ nodes {} }} }}", selection(own), selection(department));
            let data = callers[0].ask(&document).await;
            let mut holding = Holding::default();
            holding.put(own, data["organization"].clone());
            holding.put(department, data["departments"]["nodes"][0].clone());
            machine.owners.extend(holding.known.iter().map(|id| (id.clone(), place)));
            machine.tenants.push(Tenant { label, callers, holding });
        }
        machine
    }

    fn plan(&self, (place, salt): Step) -> (Plan, String, Value) {
        let tenant = &self.tenants[place];
        let others: Vec<&Holding> = self
            .tenants
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .map(|(_, other)| &other.holding)
            .collect();
        let asker = Asker { outline: self.outline, own: &tenant.holding, others: &others, label: &tenant.label };
        let mut dice = Dice::new(salt);
        if dice.happens(50) {
            let questions: Vec<Question> = (0..QUESTIONS).map(|place| asker.question(&mut dice, place)).collect();
            let (document, variables) = together(&questions);
            return (Plan::Questions(questions), document, variables);
        }
        if let Some((document, variables, said)) = tenant.holding.repeatable.as_ref().filter(|_| dice.happens(10)) {
            return (Plan::Repeat(said.clone()), document.clone(), variables.clone());
        }
        let change = asker.change(&mut dice, tenant.holding.keys);
        let (document, variables) = (change.document.clone(), change.variables.clone());
        (Plan::Change(change), document, variables)
    }

    /// Runs steps of different organizations at once.
    async fn run(&mut self, steps: &[Step]) -> Result<(), String> {
        let plans: Vec<(Plan, String, Value)> = steps.iter().map(|step| self.plan(*step)).collect();
        let requests = steps.iter().zip(&plans).map(|((place, salt), (_, document, variables))| {
            let callers = &self.tenants[*place].callers;
            let replica = usize::try_from(salt >> 32).unwrap() % callers.len();
            patient(&callers[replica], document, variables)
        });
        let replies = join_all(requests).await;
        for (((place, _), (plan, document, variables)), (reply, is_first)) in steps.iter().zip(plans).zip(replies) {
            let wide = if let Plan::Change(change) = &plan { change.wide.clone() } else { Vec::new() };
            let taken = self.take_in(*place, plan, &reply.body, is_first);
            let taken = if taken.is_ok() && !wide.is_empty() { self.read_again(*place, &wide).await } else { taken };
            taken.map_err(|why| format!("{}: {why}\n{document}\n{variables}", self.tenants[*place].label))?;
        }
        Ok(())
    }

    /// Takes in what a change did to rows beside those it shows.
    async fn read_again(&mut self, place: usize, nouns: &[&'static Noun]) -> Result<(), String> {
        for nouns in nouns.chunks(ROOTS) {
            let reply = patient(&self.tenants[place].callers[0], &everything(nouns), &json!({})).await.0.body;
            self.look_for_foreign(place, &reply, true)?;
            let learned = relearn(&mut self.tenants[place].holding, nouns, &reply["data"]);
            learned.map_err(|why| format!("{why}: {reply:#}"))?;
        }
        Ok(())
    }

    fn take_in(&mut self, place: usize, plan: Plan, reply: &Value, is_first: bool) -> Result<(), String> {
        self.look_for_foreign(place, reply, matches!(plan, Plan::Change(_)))?;
        match plan {
            Plan::Questions(questions) => {
                self.operations += questions.len();
                self.compare(place, questions, reply)
            }
            Plan::Change(change) => {
                self.operations += change.rows.len();
                self.tenants[place].holding.keys += 1;
                if !codes(reply).is_empty() {
                    return Err(format!("{reply:#}"));
                }
                change.take_in(&mut self.tenants[place].holding, &reply["data"][&change.field], is_first)
            }
            Plan::Repeat(said) => {
                self.operations += 1;
                let payload = reply["data"].as_object().and_then(|data| data.values().next()).ok_or("no payload")?;
                let is_bulk = payload.get("results").is_some();
                let is_as_before = payload["isReplayed"] == json!(true) && outcomes(payload, is_bulk) == said;
                if is_as_before { Ok(()) } else { Err(format!("this is no replay of {said}: {reply:#}")) }
            }
        }
    }

    /// No id and no word of another organization is in an answer; a new id is nobody else's.
    fn look_for_foreign(&mut self, place: usize, reply: &Value, may_make: bool) -> Result<(), String> {
        let text = reply.to_string();
        for token in text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_') {
            let is_id = entity::id::decode(token).is_some();
            if is_id && may_make {
                self.owners.entry(token.to_owned()).or_insert(place);
            }
            if is_id && self.owners.get(token) != Some(&place) {
                return Err(format!("{token} is not its own: {reply:#}"));
            }
        }
        match self.tenants.iter().enumerate().find(|(other, tenant)| *other != place && text.contains(&tenant.label)) {
            Some((_, other)) => Err(format!("it shows words of {}: {reply:#}", other.label)),
            None => Ok(()),
        }
    }

    fn compare(&mut self, place: usize, questions: Vec<Question>, reply: &Value) -> Result<(), String> {
        let refusals = questions.iter().filter(|question| question.is_refused).count();
        let said = codes(reply);
        if said.len() != refusals || said.iter().any(|code| *code != "BAD_USER_INPUT") {
            return Err(format!("{refusals} cursors should be refused: {reply:#}"));
        }
        for (index, question) in questions.into_iter().enumerate() {
            let mut answer = reply["data"][format!("a{index}")].clone();
            if let Some(info) = answer.get_mut("pageInfo").and_then(Value::as_object_mut)
                && let Some(cursor) = info.remove("endCursor")
                && let (Some(text), Some((noun, order, key))) = (cursor.as_str(), question.list)
            {
                let cursors = &mut self.tenants[place].holding.cursors;
                cursors.push(Cursor { noun, order, text: text.to_owned(), key });
                if cursors.len() > 40 {
                    cursors.remove(0);
                }
            }
            if question.text.starts_with("feedbackRecordGroups") {
                answer["nodes"] = json!(sorted(answer["nodes"].as_array().cloned().unwrap_or_default()));
            }
            if answer != question.expected {
                let expected = question.expected;
                return Err(format!("a{index} should be {expected:#}\nand is {answer:#}"));
            }
        }
        Ok(())
    }

    /// Every list of every organization is as the model says.
    async fn settle(&mut self) -> Result<(), String> {
        for place in 0..ORGANIZATIONS {
            let all = |noun: &Noun| if noun.is_archivable() { json!({ "archivedAt": {} }) } else { json!({}) };
            let listed: Vec<_> = changing().into_iter().filter(|noun| noun.offers(Operation::List)).collect();
            for nouns in listed.chunks(ROOTS) {
                let tenant = &self.tenants[place];
                let asker = Asker { outline: self.outline, own: &tenant.holding, others: &[], label: &tenant.label };
                let questions = nouns.iter().enumerate().map(|(index, noun)| asker.whole(noun, index, all(noun)));
                let questions: Vec<Question> = questions.collect();
                let (document, variables) = together(&questions);
                let reply = tenant.callers[0].run(&document, variables).await;
                self.take_in(place, Plan::Questions(questions), &reply.body, true)?;
            }
            self.read_log(place).await?;
        }
        Ok(())
    }

    /// The audit log of an organization tells of its own rows, and of every place in its order of commits.
    async fn read_log(&self, place: usize) -> Result<(), String> {
        let document =
            "{ auditLog(first: 1000, orderBy: [{field: SEQUENCE}]) { totalCount nodes { sequence rowId } } }";
        let reply = self.tenants[place].callers[0].run(document, json!({})).await.body;
        let entries = reply["data"]["auditLog"]["nodes"].as_array().ok_or_else(|| reply.to_string())?;
        for (index, entry) in entries.iter().enumerate() {
            let is_own = entry["rowId"].as_str().is_some_and(|id| self.owners.get(id) == Some(&place));
            if !is_own || entry["sequence"] != json!(index + 1) {
                return Err(format!("{}: an entry {index} should not be {entry}", self.tenants[place].label));
            }
        }
        let is_whole = reply["data"]["auditLog"]["totalCount"] == json!(entries.len());
        if is_whole { Ok(()) } else { Err(format!("the log has another number of entries: {reply:#}")) }
    }
}

/// The answer of a server that is not too busy for it, and whether it was asked once only. Every change carries an
/// idempotency key, so asking again does no harm.
async fn patient(caller: &Caller<'_>, document: &str, variables: &Value) -> (Reply, bool) {
    let mut is_first = true;
    loop {
        let reply = caller.run(document, variables.clone()).await;
        if codes(&reply.body).iter().all(|code| !["UNAVAILABLE", "TIMEOUT"].contains(code)) {
            return (reply, is_first);
        }
        is_first = false;
    }
}

/// One request of several questions.
fn together(questions: &[Question]) -> (String, Value) {
    let given = || questions.iter().flat_map(|question| &question.variables);
    let declared: Vec<String> = given().map(|(name, ty, _)| format!("${name}: {ty}")).collect();
    let fields: Vec<String> =
        questions.iter().enumerate().map(|(index, question)| format!("a{index}: {}", question.text)).collect();
    let variables: serde_json::Map<String, Value> =
        given().map(|(name, _, value)| (name.clone(), value.clone())).collect();
    (format!("query({}) {{ {} }}", declared.join(", "), fields.join("\n")), Value::Object(variables))
}

async fn play(outline: &Outline, replicas: &[App], case: usize, steps: &[Step]) -> Result<usize, String> {
    let mut machine = Machine::start(outline, replicas, case).await;
    let mut batch: Vec<Step> = Vec::new();
    for step in steps {
        if batch.len() == CLIENTS || batch.iter().any(|(place, _)| *place == step.0) {
            machine.run(&std::mem::take(&mut batch)).await?;
        }
        batch.push(*step);
    }
    machine.run(&batch).await?;
    machine.settle().await?;
    Ok(machine.operations)
}

#[test]
fn twenty_organizations_see_and_change_only_what_is_theirs() {
    let operations = usize::try_from(setting("RAPPORT_TEST_ISOLATION_OPERATIONS").unwrap_or(5_000)).unwrap();
    let seed = setting("RAPPORT_TEST_ISOLATION_SEED").unwrap_or_else(|| u64::from(entity::id::new().as_fields().2));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outline = Outline::read();
    let replicas = runtime.block_on(async {
        let first = App::with(Arc::new(Database::make().await), CONNECTIONS).await;
        // One server is all that a file has; a database has several.
        let second = if first.database.is_sqlite() {
            None
        } else {
            Some(App::with(Arc::clone(&first.database), CONNECTIONS).await)
        };
        [Some(first), second].into_iter().flatten().collect::<Vec<App>>()
    });
    let is_whole = replicas.iter().all(|replica| !disable_for_test(replica));
    let cases = u32::try_from(operations.div_ceil(STEPS * 7 / 2)).unwrap();
    let config = ProptestConfig {
        cases,
        max_shrink_iters: if is_whole { 200 } else { 0 },
        max_shrink_time: 60_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (done, case) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let result = runner.run(&vec((0..ORGANIZATIONS, any::<u64>().no_shrink()), STEPS), |steps| {
        case.set(case.get() + 1);
        let played = runtime.block_on(play(&outline, &replicas, case.get(), &steps));
        done.set(done.get() + played.map_err(TestCaseError::fail)?);
        Ok(())
    });
    let tenant_violations: u64 = replicas.iter().map(|replica| replica.store.tenant_violations()).sum();
    runtime.block_on(async { drop(replicas) });
    if let Err(TestError::Fail(why, steps)) = result {
        panic!("with RAPPORT_TEST_ISOLATION_SEED={seed}, after the {} steps {steps:?}:\n{why}", steps.len());
    }
    result.unwrap();
    assert_eq!(tenant_violations, 0, "the tripwire went off with RAPPORT_TEST_ISOLATION_SEED={seed}");
    assert!(done.get() >= operations, "only {} operations", done.get());
}
