//! Merges, done and undone again and again in transactions that are rolled back.

use entity::{customer::NOUN, feedback_record, id::OrganizationId};
use rapport::{
    Error, Result,
    store::{
        Scope, Tx,
        merging::{kept::KeptPlace, merge::Merging, undo::Undoing},
        writing::{
            draft::{Draft, Mode, Reference, Target},
            write::Hooks,
        },
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{App, Caller};

/// Customers to merge, and a merge to undo.
pub struct Prepared {
    /// A winner and a loser to whom nothing refers.
    plain: [Uuid; 2],
    /// A winner and a loser with an external id, a record, and another customer merged into it before.
    full: [Uuid; 2],
    /// A winner and the last loser of a chain of two merges.
    merged: [Uuid; 2],
    /// A record that the last merge moved.
    record: Uuid,
}

/// A customer and a record about them.
async fn customer(caller: &Caller<'_>, name: &str) -> (Value, Uuid) {
    let input = json!({ "name": name, "externalIds": [{ "system": "merge", "id": name }] });
    let made = caller.mutate("customerCreate", input, "node { id }").await["node"].take();
    let record = json!({ "kind": "PRAISE", "customerRef": made });
    let record = uuid(&caller.mutate("feedbackRecordCreate", record, "node { id }").await["node"]);
    (made, record)
}

/// A referral of one of them by the other.
async fn refer(caller: &Caller<'_>, from: &Value, to: &Value) {
    let input = json!({ "referrerRef": from, "referredRef": to });
    assert_eq!(caller.mutate("referralCreate", input, "outcome").await["outcome"], "CREATED");
}

async fn merge(caller: &Caller<'_>, winner: &Value, loser: &Value) {
    let input = json!({ "winner": winner, "loser": loser });
    assert_eq!(caller.mutate("customerMerge", input, "outcome").await["outcome"], "UPDATED");
}

fn uuid(row: &Value) -> Uuid {
    entity::id::decode(row["id"].as_str().unwrap()).unwrap().1
}

impl Prepared {
    pub async fn of(caller: &Caller<'_>) -> Self {
        let mut plain = Vec::new();
        for name in ["Plain", "Plainer"] {
            plain.push(uuid(&caller.mutate("customerCreate", json!({ "name": name }), "node { id }").await["node"]));
        }
        let [(winner, _), (loser, _), (before, _)] =
            [customer(caller, "Wa").await, customer(caller, "La").await, customer(caller, "Xa").await];
        merge(caller, &loser, &before).await;
        refer(caller, &loser, &winner).await;
        let full = [uuid(&winner), uuid(&loser)];
        let [(winner, _), (loser, record), (before, _)] =
            [customer(caller, "Wb").await, customer(caller, "Lb").await, customer(caller, "Xb").await];
        merge(caller, &loser, &before).await;
        refer(caller, &loser, &winner).await;
        merge(caller, &winner, &loser).await;
        Self { plain: [plain[0], plain[1]], full, merged: [uuid(&winner), uuid(&loser)], record }
    }

    /// Gives the twin merges of those who are not merged yet, which a merge without a narrowing would change.
    pub async fn complete(&self, app: &App, twin: OrganizationId) {
        let literal = |id: Uuid| {
            let hex = id.simple();
            if app.database.is_sqlite() { format!("unhex('{hex}')") } else { format!("'{hex}'") }
        };
        // One to whom it could give external ids back.
        let (twin_id, loser) = (literal(twin.0), literal(self.merged[1]));
        let sql = format!(
            "INSERT INTO customer (organization_id, id, version, created_at, updated_at, interests, tags, attributes) \
             VALUES ({twin_id}, {loser}, 1, 0, 0, '[]', '[]', '[]')"
        );
        app.database.change(&sql).await;
        for [winner, loser] in [self.plain, self.full] {
            let (twin, id, winner, loser) =
                (literal(twin.0), literal(entity::id::new()), literal(winner), literal(loser));
            let sql = format!(
                "INSERT INTO row_merge (organization_id, id, noun, loser_id, winner_id, target_id, merged_at, \
                 moved_count, done_at) VALUES ({twin}, {id}, 'Customer', {loser}, {winner}, {winner}, 0, 0, 0)"
            );
            app.database.change(&sql).await;
        }
    }

    /// Merges, undoes, erases and deletes, and takes it all back. Answers how often that was stopped.
    pub async fn repeat(&self, scope: &Scope) -> Vec<Error> {
        let mut stopped = Vec::new();
        for turn in 0..5 {
            let tx = scope.begin().await.unwrap();
            let done = match turn {
                0 => unite(&tx, self.plain).await,
                1 => unite(&tx, self.full).await,
                2 => divide(&tx, self.merged[1], self.record).await,
                3 => tx.erase(self.merged[0]).await.map(drop),
                _ => delete(&tx, self.merged[0]).await,
            };
            stopped.extend(done.err());
            tx.roll_back().await.unwrap();
        }
        stopped
    }
}

async fn unite(tx: &Tx, [winner, loser]: [Uuid; 2]) -> Result<()> {
    tx.merged_into(&NOUN, [loser]).await?;
    tx.reference_counts(&NOUN, (winner, loser)).await?;
    let mut rows = tx.lock(&NOUN, &[winner, loser]).await?;
    let (Some(winner), Some(loser)) = (rows.remove(&winner), rows.remove(&loser)) else {
        return Err(Error::internal("rows are not there"));
    };
    tx.merge(&NOUN, Merging { winner, loser, changes: Vec::new(), first: None, kept: Vec::new() }).await
}

async fn divide(tx: &Tx, loser: Uuid, record: Uuid) -> Result<()> {
    let merge = tx.merge_of(loser).await?.expect("it was merged");
    tx.moved_by(&merge, &feedback_record::NOUN, &[record]).await?;
    tx.kept_of_merges(merge.target, &KeptPlace::default(), 50).await?;
    tx.undo_merge(Undoing { merge, changes: Vec::new(), staying: None, first: None }).await
}

async fn delete(tx: &Tx, id: Uuid) -> Result<()> {
    let mut drafts = [Draft::new(&NOUN, Target::Row(Reference::Id(Some(id))), Mode::UpdateOnly)];
    tx.delete(&NOUN, &Hooks::NONE, &mut drafts, true).await.map(drop)
}
