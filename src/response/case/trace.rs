//! `case { trace }`: the way from what the customer said to what the customer was told.

use std::collections::{HashMap, HashSet};

use entity::{
    attempt,
    case::{ID, TOLD_AT, TOLD_MEDIUM_ID},
    feedback_record,
    id::{AttemptId, FeedbackRecordId, InteractionId, MediumId, RoutingId},
    interaction, routing,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::feedback_records;
use crate::{
    Result,
    graphql::{
        slice::Computed,
        typed::{
            fields::{ByRow, ComputedFn},
            output::Output,
        },
    },
    store::Scope,
};

/// Maximum number of rows of one kind that the traces of one query read.
const MOST: usize = 100_000;

/// The computed field `trace`.
pub const TRACE: Computed = Computed {
    name: "trace",
    doc: "How the case came about and what became of it, in the order of time: the interactions about it, the feedback of \
          customers, how it was routed and why, the attempts and how they were verified, and when the customer was \
          told.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(traces(scope, ids))),
};

entity::string_enum! {
    /// What happened at a step of a case's trace.
    TraceKind as "CaseTraceKind" {
        /// The customer and the organization met: `interaction`.
        Interaction = "INTERACTION",
        /// The customer said something: `feedbackRecord`.
        Feedback = "FEEDBACK",
        /// The feedback was routed: `routing` has the department, the rule and the reason.
        Routing = "ROUTING",
        /// Something was tried: `attempt`.
        Attempt = "ATTEMPT",
        /// It was found out whether the `attempt` worked.
        Verification = "VERIFICATION",
        /// The customer was told, by `medium`: `toldWhat` of the case.
        Told = "TOLD",
    }
}

/// A step of a case's trace.
#[derive(Output)]
#[output(read = ResponseRead, name = "CaseTraceStep")]
struct Step {
    /// What happened.
    kind: TraceKind,
    /// When it happened, UTC; null for an interaction that has not occurred.
    happened_at: Option<ChronoUnixTimestampMillis>,
    /// The interaction, or that in which the feedback was given.
    interaction_id: Option<InteractionId>,
    /// The feedback record, of the steps FEEDBACK and ROUTING.
    feedback_record_id: Option<FeedbackRecordId>,
    /// The routing decision, of a step ROUTING.
    routing_id: Option<RoutingId>,
    /// The attempt, of the steps ATTEMPT and VERIFICATION.
    attempt_id: Option<AttemptId>,
    /// The medium by which the customer was told, of a step TOLD.
    medium_id: Option<MediumId>,
}

impl Step {
    const fn at(kind: TraceKind, happened_at: Option<ChronoUnixTimestampMillis>) -> Self {
        Self {
            kind,
            happened_at,
            interaction_id: None,
            feedback_record_id: None,
            routing_id: None,
            attempt_id: None,
            medium_id: None,
        }
    }

    /// Orders steps by time, and at one instant by kind.
    fn order(&self) -> (Option<i64>, usize) {
        (self.happened_at.map(|at| at.0.timestamp_millis()), self.kind as usize)
    }
}

async fn traces(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Vec<Step>>> {
    let mut traces: HashMap<Uuid, Vec<Step>> = HashMap::new();
    let mut add = |case: Uuid, step: Step| traces.entry(case).or_default().push(step);
    let lines = scope.lines(feedback_records(), ids).await?;
    let records: Vec<Uuid> = lines.iter().map(|line| line.to).collect();
    let columns = (feedback_record::ID, feedback_record::RECEIVED_AT, feedback_record::INTERACTION_ID);
    let feedback: HashMap<Uuid, _> = scope
        .select_by_ids_unchecked(columns, &records)
        .await?
        .into_iter()
        .map(|(id, received, interaction)| (id.0, (received, interaction)))
        .collect();
    let met: Vec<Uuid> = feedback.values().filter_map(|(_, interaction)| *interaction).map(|id| id.0).collect();
    let occurred: HashMap<Uuid, _> = scope
        .select_by_ids_unchecked((interaction::ID, interaction::OCCURRED_AT), &met)
        .await?
        .into_iter()
        .map(|(id, occurred)| (id.0, occurred))
        .collect();
    let columns = (routing::FEEDBACK_RECORD_ID, routing::ID, routing::CREATED_AT);
    let mut routed: HashMap<Uuid, Vec<(RoutingId, ChronoUnixTimestampMillis)>> = HashMap::new();
    for (record, id, at) in scope.select_unchecked(columns, routing::FEEDBACK_RECORD_ID, &records, MOST).await? {
        routed.entry(record.0).or_default().push((id, at));
    }
    let mut seen: HashSet<(Uuid, Uuid)> = HashSet::new();
    for line in &lines {
        let Some((received, interaction)) = feedback.get(&line.to).copied() else { continue };
        let feedback_record_id = Some(FeedbackRecordId(line.to));
        if let Some(interaction) = interaction
            && seen.insert((line.from, interaction.0))
        {
            let at = occurred.get(&interaction.0).copied().flatten();
            add(line.from, Step { interaction_id: Some(interaction), ..Step::at(TraceKind::Interaction, at) });
        }
        let step = Step::at(TraceKind::Feedback, Some(received));
        add(line.from, Step { interaction_id: interaction, feedback_record_id, ..step });
        for (id, at) in routed.get(&line.to).into_iter().flatten() {
            let step = Step::at(TraceKind::Routing, Some(*at));
            add(line.from, Step { feedback_record_id, routing_id: Some(*id), ..step });
        }
    }
    let columns = (interaction::CASE_ID, interaction::ID, interaction::OCCURRED_AT);
    for (case, id, at) in scope.select_unchecked(columns, interaction::CASE_ID, ids, MOST).await? {
        if let Some(case) = case
            && seen.insert((case.0, id.0))
        {
            add(case.0, Step { interaction_id: Some(id), ..Step::at(TraceKind::Interaction, at) });
        }
    }
    let columns = (attempt::CASE_ID, attempt::ID, attempt::TRIED_AT, attempt::VERIFIED_AT);
    for (case, id, tried, verified) in scope.select_unchecked(columns, attempt::CASE_ID, ids, MOST).await? {
        let attempt_id = Some(id);
        add(case.0, Step { attempt_id, ..Step::at(TraceKind::Attempt, Some(tried)) });
        if verified.is_some() {
            add(case.0, Step { attempt_id, ..Step::at(TraceKind::Verification, verified) });
        }
    }
    for (case, told, medium_id) in scope.select_by_ids_unchecked((ID, TOLD_AT, TOLD_MEDIUM_ID), ids).await? {
        if told.is_some() {
            add(case.0, Step { medium_id, ..Step::at(TraceKind::Told, told) });
        }
    }
    for steps in traces.values_mut() {
        steps.sort_by_key(Step::order);
    }
    Ok(traces)
}
