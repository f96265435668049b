//! API types of deviations from a journey.

use entity::id::{AccountId, CustomerId, InteractionId, JourneyId, StepId};

use crate::{
    graphql::typed::{
        input::{Input, RefTo},
        output::Output,
    },
    record::time_range::TimeRange,
};

entity::string_enum! {
    /// Way in which what customers did differs from a journey.
    JourneyDeviationKind as "JourneyDeviationKind" {
        /// Steps that customers passed without an interaction there, although they had one at a later step: one that
        /// links other than LOOP links lead to. A step is required if nothing leads to it, or if a SEQUENCE or PARALLEL
        /// link comes from a step that is required or that the customer was at.
        Missing = "MISSING",
        /// Interactions that the journey does not plan, from the first to the last interaction of a customer at its
        /// points: those outside its points, and those at a step where the customer was already, unless a LOOP link let
        /// the customer return.
        Extra = "EXTRA",
        /// Interactions at a step after one at a later step: one that links other than LOOP links lead to. A LOOP link
        /// lets a customer who was at its start return to its end or to a step between the two.
        OutOfOrder = "OUT_OF_ORDER",
        /// Interactions at a step through a medium that is none of its point's mediums nor in the category of one.
        /// Interactions without a medium and points without mediums do not count.
        OtherMedium = "OTHER_MEDIUM",
        /// Interactions at a step that took place after the time for which they were scheduled.
        Late = "LATE",
    }
}

/// Arguments of `journeyDeviation`.
#[derive(Input)]
pub(super) struct DeviationArguments {
    /// The planned journey: its steps and links as they are now. The result is null if it does not exist.
    pub journey_ref: RefTo<JourneyId>,
    /// Restricts the report to this customer. The result is null if it does not exist.
    pub customer_ref: Option<RefTo<CustomerId>>,
    /// Restricts the report to the customers of this account. The result is null if it does not exist.
    pub account_ref: Option<RefTo<AccountId>>,
    /// Restricts the report to the customers of this segment.
    pub segment: Option<String>,
    /// Time of the interactions. Interactions outside it are unknown to the report: a step before it is MISSING.
    pub between: Option<TimeRange>,
}

/// What customers did, compared with a journey.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct JourneyDeviation {
    /// The planned journey.
    pub journey_id: JourneyId,
    /// Number of completed interactions compared: of each customer, those from the first to the last at a point of the
    /// journey.
    pub interaction_count: i64,
    /// Number of customers with an interaction at a point of the journey.
    pub customer_count: i64,
    /// One finding per kind of deviation, including those that do not occur.
    pub findings: Vec<JourneyDeviationFinding>,
}

/// A kind of deviation and where it occurs.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct JourneyDeviationFinding {
    /// The kind of deviation.
    pub kind: JourneyDeviationKind,
    /// What is counted.
    pub definition: String,
    /// Number of deviations.
    pub count: i64,
    /// Number of customers with at least one.
    pub customer_count: i64,
    /// The steps at which they occur, by position; interactions outside the points of the journey come last, under a
    /// null step. The counts add up to `count`.
    pub steps: Vec<JourneyDeviationStep>,
    /// At most 5 of the deviations, by age of the customer, then by time.
    pub examples: Vec<JourneyDeviationExample>,
}

/// How often a kind of deviation occurs at a step.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct JourneyDeviationStep {
    /// The step; null outside the points of the journey.
    pub step_id: Option<StepId>,
    /// Number of deviations at the step.
    pub count: i64,
    /// Number of customers with at least one at the step.
    pub customer_count: i64,
}

/// A deviation.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct JourneyDeviationExample {
    /// The customer.
    pub customer: CustomerId,
    /// The interaction that deviates; of a missing step, the first one at a later step.
    pub interaction: InteractionId,
    /// The step; null outside the points of the journey.
    pub step: Option<StepId>,
}
