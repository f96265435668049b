//! Subscriptions: an operation that is run again from its own position, as a query would be. The server keeps the position
//! and nothing that was or will be sent.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Executor, Response, Value};

use super::{root::FieldExecution, run::ValidatedOperation};
use crate::{
    Result,
    graphql::{
        documents::document::PreparedOperation,
        slice::{Resolved, Subscription},
        typed::subscription::Step,
    },
    store::Scope,
};

/// Where a subscription is.
#[derive(Debug, Default)]
pub struct Place(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    position: Option<String>,
    has_more: bool,
    /// Whether the last step found something to send.
    has_event: bool,
}

impl Place {
    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A valid subscription and its position.
pub struct Subscribed {
    prepared: PreparedOperation,
    validated: Arc<ValidatedOperation>,
    place: Place,
}

impl PreparedOperation {
    /// Begins a subscription. `Err` is the response if the operation is invalid.
    pub async fn subscribe(self, schema: &impl Executor) -> Result<Subscribed, Response> {
        let mistakes = self.document.mistakes(&self.schema_index);
        if !mistakes.is_empty() {
            return Err(Response::from_errors(mistakes.to_vec()));
        }
        let validated = self.validated(schema).await?.0;
        Ok(Subscribed { prepared: self, validated, place: Place::default() })
    }
}

impl Subscribed {
    /// Looks for what follows the position, and moves the position beyond it. Returns what is to be sent: an event, or the
    /// errors after which the subscription ends or, without a change of the position, the step is repeated.
    pub async fn step(&self, scope: &Scope) -> Option<Response> {
        self.place.with(|state| state.has_event = false);
        let step = self.prepared.execute_roots(&self.validated, Value::Null, scope, Some(&self.place));
        let response = Box::pin(step).await;
        let has_event = self.place.with(|state| state.has_event);
        (has_event || !response.errors.is_empty()).then_some(response)
    }

    /// Returns whether the next step need not wait for a change.
    pub fn has_more(&self) -> bool {
        self.place.with(|state| state.has_more)
    }

    /// Returns the cost of a step in points.
    pub fn cost(&self) -> u64 {
        self.prepared.cost
    }
}

impl FieldExecution<'_> {
    /// Performs a step of a subscription.
    pub(super) async fn step(&mut self, subscription: &'static Subscription) -> Result<()> {
        let input = self.arguments("Subscription")?;
        subscription.permissions.iter().try_for_each(|permission| self.scope.actor().require(*permission))?;
        let planned = self.row(subscription.run.answer())?;
        let plan = planned.row()?;
        if let Some(error) = plan.object.refusal() {
            return Err(error.clone());
        }
        let place = self.place()?;
        let position = place.with(|state| state.position.clone());
        let Step { event, position, has_more } = subscription.run.run(self.scope, &input, position).await?;
        let has_event = event.is_some();
        self.resolved(&planned, event.unwrap_or(Resolved::Nothing)).await?;
        place.with(|state| {
            *state = State { position: Some(position), has_more, has_event };
        });
        self.keep(None, &planned);
        Ok(())
    }
}
