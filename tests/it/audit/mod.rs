//! The audit log: who changed what, and a chain over it that shows when the log itself was changed.

mod acts;
mod commands;
mod log;
mod migration;
mod personal;
mod sealing;
mod tampering;

use rapport::{
    housekeeping,
    store::audit::{AuditFailure, AuditReport, Head},
};
use serde_json::json;

use crate::app::{App, Caller, now};

/// Makes so many departments, an event each.
async fn write(caller: &Caller<'_>, count: usize) {
    for place in 0..count {
        let made = caller.mutate("departmentCreate", json!({ "name": place.to_string() }), "outcome").await;
        assert_eq!(made["outcome"], "CREATED");
    }
}

/// Seals all there is, as a server does at its next turn.
async fn seal(app: &App) {
    while housekeeping::seal(&app.store, now()).await.unwrap() {}
}

async fn verify(app: &App, caller: &Caller<'_>, kept: &[Head]) -> Result<AuditReport, AuditFailure> {
    app.store.verify(caller.organization(), kept.to_vec(), 1).await.unwrap()
}

async fn head(app: &App, caller: &Caller<'_>) -> Head {
    app.store.audit_head(caller.organization()).await.unwrap().unwrap()
}

/// Two seals over four events each.
async fn sealed(app: &App) -> Caller<'_> {
    let caller = app.admin("one").await;
    for _ in 0..2 {
        write(&caller, 4).await;
        seal(app).await;
    }
    caller
}
