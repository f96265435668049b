//! A client that writes continuously and repeats an unacknowledged call with the same idempotency key.

use std::{net::SocketAddr, path::Path, time::Duration};

use reqwest::Client as Http;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    dice::Dice,
    ledger::{Effect, Ledger, hash},
};

/// Rows per bulk call.
const BULK: usize = 12;
/// The address at which a server listens; `None` while it does not.
pub type Address = watch::Receiver<Option<SocketAddr>>;

/// A row as the client expects it to be stored.
#[derive(Clone, Debug)]
pub struct Row {
    id: String,
    name: String,
    description: String,
    external_id: Option<String>,
}

/// A mutation: field, input and selection.
struct Call {
    field: &'static str,
    input: Value,
    selection: &'static str,
}

/// A client.
pub struct Client {
    subject: String,
    token: String,
    servers: Vec<Address>,
    http: Http,
    dice: Dice,
    ledger: Ledger,
    calls: u64,
    acknowledgements: watch::Sender<u64>,
    /// Rows that only this client writes.
    own: Vec<Row>,
    /// Rows that other clients of the organization write as well.
    shared: Vec<Row>,
}

/// A description of what is wrong with a response.
type Wrong = String;

const ONE: &str = "outcome isReplayed deletedId errors { code } node { id }";
const MANY: &str = "isReplayed errors { code } results { outcome errors { code } node { id } }";

impl Client {
    pub fn new(
        folder: &Path,
        (subject, token): (&str, &str),
        servers: Vec<Address>,
        dice: Dice,
        acknowledgements: watch::Sender<u64>,
    ) -> Self {
        let ledger = Ledger::open(folder, subject);
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = Http::builder().no_proxy().timeout(Duration::from_secs(15)).build().unwrap();
        let (subject, token) = (subject.to_owned(), token.to_owned());
        Self {
            subject,
            token,
            servers,
            http,
            dice,
            ledger,
            calls: 0,
            acknowledgements,
            own: Vec::new(),
            shared: Vec::new(),
        }
    }

    /// Creates rows that several clients will write.
    pub async fn prepare(&mut self) -> Result<Vec<Row>, Wrong> {
        for _ in 0..3 {
            self.create().await?;
        }
        Ok(std::mem::take(&mut self.own))
    }

    /// Writes until told to stop; the current call is finished.
    pub async fn run(mut self, shared: Vec<Row>, stop: watch::Receiver<bool>) -> Result<(), Wrong> {
        self.shared = shared;
        self.create().await?;
        while !*stop.borrow() {
            match self.dice.number(0..12) {
                0..=2 => self.create().await,
                3..=5 => self.update().await,
                6 | 7 => self.update_shared().await,
                8 => self.bulk().await,
                9 => self.delete().await,
                _ => self.look().await,
            }
            .map_err(|wrong| format!("{}: {wrong}", self.subject))?;
        }
        Ok(())
    }

    async fn create(&mut self) -> Result<(), Wrong> {
        let (key, description) = self.next();
        let input = json!({ "name": key, "description": description });
        let payload = self.write(&key, Call { field: "influencerCreate", input, selection: ONE }, "CREATED").await?;
        let id = text(&payload["node"]["id"])?;
        let row = Row { id, name: key.clone(), description, external_id: None };
        self.told(&key, vec![row.effect("CREATED")]);
        self.own.push(row);
        Ok(())
    }

    async fn update(&mut self) -> Result<(), Wrong> {
        let Some(row) = self.dice.pick(&self.own).cloned() else { return Ok(()) };
        let (key, row) = self.change(row).await?;
        self.told(&key, vec![row.effect("UPDATED")]);
        let place = self.own.iter().position(|known| known.id == row.id).expect("it is our own");
        self.own[place] = row;
        Ok(())
    }

    async fn update_shared(&mut self) -> Result<(), Wrong> {
        let Some(row) = self.dice.pick(&self.shared).cloned() else { return Ok(()) };
        let (key, row) = self.change(row).await?;
        self.told(&key, vec![row.effect("UPDATED")]);
        Ok(())
    }

    async fn change(&mut self, mut row: Row) -> Result<(String, Row), Wrong> {
        let (key, description) = self.next();
        let input = json!({ "by": { "id": row.id }, "description": description });
        self.write(&key, Call { field: "influencerUpdate", input, selection: ONE }, "UPDATED").await?;
        row.description = description;
        Ok((key, row))
    }

    /// Upserts rows, at most half of which update rows of earlier calls; the rest are new.
    async fn bulk(&mut self) -> Result<(), Wrong> {
        let (key, description) = self.next();
        let mut known: Vec<Row> = self.own.iter().filter(|row| row.external_id.is_some()).cloned().collect();
        self.dice.shuffle(&mut known);
        known.truncate(BULK / 2);
        let mut rows = known.clone();
        for place in known.len()..BULK {
            let name = format!("{key}.{place}");
            rows.push(Row {
                id: String::new(),
                external_id: Some(name.clone()),
                name,
                description: description.clone(),
            });
        }
        for row in &mut rows {
            row.description.clone_from(&description);
        }
        let given: Vec<Value> = rows.iter().map(|row| json!({ "externalId": { "system": "crm", "id": row.external_id }, "name": row.name, "description": row.description })).collect();
        let call = Call { field: "influencersBulkUpsert", input: json!({ "rows": given }), selection: MANY };
        let payload = self.write(&key, call, "").await?;
        let results = payload["results"].as_array().filter(|results| results.len() == rows.len());
        let results = results.ok_or_else(|| format!("{key} has other results: {payload}"))?;
        let mut effects = Vec::new();
        for (place, (row, result)) in rows.iter_mut().zip(results).enumerate() {
            let (id, outcome) = (text(&result["node"]["id"])?, if place < known.len() { "UPDATED" } else { "CREATED" });
            if result["outcome"] != outcome || (place < known.len() && id != row.id) {
                return Err(format!("row {place} of {key} should be {outcome}: {result}"));
            }
            row.id = id;
            effects.push(row.effect(outcome));
        }
        self.told(&key, effects);
        self.own.retain(|row| !known.iter().any(|known| known.id == row.id));
        self.own.extend(rows);
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), Wrong> {
        if self.own.len() < 4 {
            return Ok(());
        }
        let place = usize::try_from(self.dice.number(0..self.own.len() as u64)).unwrap();
        let row = self.own.swap_remove(place);
        let (key, _) = self.next();
        let call = Call { field: "influencerDelete", input: json!({ "by": { "id": row.id } }), selection: ONE };
        let payload = self.write(&key, call, "DELETED").await?;
        if payload["deletedId"] != row.id {
            return Err(format!("{key} deleted another row: {payload}"));
        }
        self.told(&key, vec![row.effect("DELETED")]);
        Ok(())
    }

    /// Reads a row: acknowledged writes must be visible at once, on each server.
    async fn look(&mut self) -> Result<(), Wrong> {
        let Some(row) = self.dice.pick(&self.own).cloned() else { return Ok(()) };
        let query =
            "query($id: ID!) { influencer(by: { id: $id }) { name description } influencers(first: 5) { totalCount } }";
        let body = json!({ "query": query, "variables": { "id": row.id } });
        let data = self.ask(&body, false).await?;
        if data["influencer"] != json!({ "name": row.name, "description": row.description }) {
            return Err(format!("{row:?} reads as {}", data["influencer"]));
        }
        Ok(())
    }

    /// Returns a new idempotency key for the next call, and a unique text.
    fn next(&mut self) -> (String, String) {
        self.calls += 1;
        let key = format!("{}-{}", self.subject, self.calls);
        let length = usize::try_from(self.dice.number(0..200)).unwrap();
        let text = format!("{key} {}", "x".repeat(length));
        (key, text.trim_end().to_owned())
    }

    fn told(&mut self, key: &str, effects: Vec<Effect>) {
        self.ledger.acknowledged(key, effects);
        self.acknowledgements.send_modify(|count| *count += 1);
    }

    /// Sends a call until it is acknowledged, and sometimes once more. Returns the payload.
    async fn write(&mut self, key: &str, call: Call, outcome: &str) -> Result<Value, Wrong> {
        let Call { field, mut input, selection } = call;
        input["idempotencyKey"] = json!(key);
        self.ledger.sent(key, hash(&[field, &input.to_string()]));
        let (first, rest) = field.split_at(1);
        let ty = format!("{}{rest}Input!", first.to_ascii_uppercase());
        let query = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ {selection} }} }}");
        let body = json!({ "query": query, "variables": { "input": input } });
        let has_twin = self.dice.one_in(8);
        let payload = self.ask(&body, has_twin).await?[field].take();
        let is_as_expected = payload["errors"] == json!([]) && (outcome.is_empty() || payload["outcome"] == outcome);
        if !is_as_expected {
            return Err(format!("{key} should be {outcome}: {payload}"));
        }
        if self.dice.one_in(8) {
            let again = self.ask(&body, false).await?[field].take();
            if again["isReplayed"] != true || !is_same(&payload, &again) {
                return Err(format!("{key} was {payload}, and when repeated {again}"));
            }
        }
        Ok(payload)
    }

    /// Sends a request until it gets a response and returns its data. If `has_twin`, sends the same call twice
    /// concurrently.
    async fn ask(&mut self, body: &Value, has_twin: bool) -> Result<Value, Wrong> {
        loop {
            let one = self.dice.pick(&self.servers).expect("there are servers").clone();
            let other = self.dice.pick(&self.servers).expect("there are servers").clone();
            let (answer, twin) = if has_twin {
                let (answer, twin) = tokio::join!(self.attempt(&one, body), self.attempt(&other, body));
                (answer?, twin?)
            } else {
                (self.attempt(&one, body).await?, None)
            };
            if let (Some(answer), Some(twin)) = (&answer, &twin) {
                let (answer, twin) = (answer.as_object(), twin.as_object());
                let pairs = answer.into_iter().flatten().zip(twin.into_iter().flatten());
                for ((_, answer), (_, twin)) in pairs {
                    let are_both_first = answer["isReplayed"] == false && twin["isReplayed"] == false;
                    if !is_same(answer, twin) || are_both_first {
                        return Err(format!("of two calls with one key one got {answer}, the other {twin}"));
                    }
                }
            }
            if let Some(data) = answer.or(twin) {
                return Ok(data);
            }
            self.dice.moment(40).await;
        }
    }

    /// Sends a request once and returns its data; `None` if the same call may be retried.
    async fn attempt(&self, server: &Address, body: &Value) -> Result<Option<Value>, Wrong> {
        let Some(address) = *server.borrow() else { return Ok(None) };
        let request = self.http.post(format!("http://{address}/graphql")).bearer_auth(&self.token).json(body);
        let Ok(response) = request.send().await else { return Ok(None) };
        let status = response.status();
        let Ok(mut answer) = response.json::<Value>().await else { return Ok(None) };
        let Some(errors) = answer["errors"].as_array() else { return Ok(Some(answer["data"].take())) };
        if errors.iter().all(is_passing) {
            return Ok(None);
        }
        Err(format!("{status} {answer} to {body}"))
    }
}

impl Row {
    fn effect(&self, operation: &str) -> Effect {
        let (_, id) = entity::id::decode(&self.id).expect("an id");
        Effect {
            row: id.simple().to_string(),
            operation: operation.to_owned(),
            values: hash(&[&self.name, &self.description]),
            external_id: self.external_id.clone(),
        }
    }
}

/// Whether the call that was answered with an error may be retried.
pub fn is_passing(error: &Value) -> bool {
    ["UNAVAILABLE", "TIMEOUT"].iter().any(|passing| error["extensions"]["code"] == *passing)
}

/// Whether two payloads for the same idempotency key agree.
fn is_same(one: &Value, other: &Value) -> bool {
    ["outcome", "deletedId", "errors", "node", "results"].iter().all(|field| one[field] == other[field])
}

fn text(value: &Value) -> Result<String, Wrong> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{value} is no text"))
}
