//! Documents of the API that the server itself runs, such as for a job: the store does not know the API and is given a runner.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::{
    Error, Result,
    auth::Actor,
    store::{Connection, Scope, Store},
};

/// Runs a document of the program with its variables. Returns its data. `Err` with the first error of the request.
#[derive(Clone)]
pub struct DocumentRunner(Arc<Run>);

type Run = dyn Fn(Scope, String, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync;

impl fmt::Debug for DocumentRunner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DocumentRunner")
    }
}

impl DocumentRunner {
    /// Returns a runner that calls a function.
    pub fn new(
        run: impl Fn(Scope, String, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(run))
    }

    /// Runs a document.
    pub fn run(&self, scope: Scope, text: String, variables: Value) -> BoxFuture<'static, Result<Value>> {
        (self.0)(scope, text, variables)
    }
}

impl Store {
    /// Returns the store with a runner of documents for its scopes.
    #[must_use]
    pub fn with_document_runner(mut self, runner: DocumentRunner) -> Self {
        Arc::make_mut(&mut self.0).document_runner = Some(runner);
        self
    }
}

impl<C: Connection> Scope<C> {
    /// Runs a document of the program for a caller of the same organization, and returns its data. A dry run writes nothing.
    /// `Err` with the first error of the request, or if this process runs no documents.
    pub async fn run_document(
        &self,
        actor: Actor,
        (text, variables): (String, Value),
        is_dry_run: bool,
    ) -> Result<Value> {
        let runner = &self.store.document_runner;
        let runner = runner.as_ref().ok_or_else(|| Error::internal("this process runs no documents"))?;
        if actor.organization != self.organization() {
            return Err(Error::internal("a document of another organization"));
        }
        let scope = self.store.scope(actor, self.now()).with_dry_run(is_dry_run);
        runner.run(scope, text, variables).await
    }
}
