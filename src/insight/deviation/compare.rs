//! Compares what customers did with a plan.

use std::collections::{HashMap, HashSet};

use entity::{
    id::{CustomerId, InteractionId, JourneyId, StepId},
    noun::StringEnum,
};
use sea_orm::prelude::Uuid;

use super::{
    plan::{Fit, Plan, Steps},
    types::{
        JourneyDeviation, JourneyDeviationExample, JourneyDeviationFinding, JourneyDeviationKind as Kind,
        JourneyDeviationStep,
    },
};
use crate::{Result, graphql::typed::output::count, store::usage::compute::Computation};

/// Maximum number of examples of a kind.
const MAX_EXAMPLES: usize = 5;
/// The kinds in the order of the findings.
const KINDS: [Kind; 5] = [Kind::Missing, Kind::Extra, Kind::OutOfOrder, Kind::OtherMedium, Kind::Late];

/// A completed interaction of a customer. The order is that of customers, then of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Visit {
    pub customer: Uuid,
    /// When it took place, in epoch milliseconds.
    pub at: i64,
    pub id: Uuid,
    pub scheduled: Option<i64>,
    pub point: Option<Uuid>,
    pub medium: Option<Uuid>,
}

/// The mediums planned at points.
#[derive(Default)]
pub(super) struct Mediums {
    /// The mediums of each point that has any.
    pub of_points: HashMap<Uuid, HashSet<Uuid>>,
    /// The category of each medium that has one.
    pub parents: HashMap<Uuid, Uuid>,
    /// Whether the medium is another than those of the point, for pairs seen before.
    known: HashMap<(Uuid, Uuid), bool>,
}

impl Mediums {
    pub(super) fn new(of_points: HashMap<Uuid, HashSet<Uuid>>, parents: HashMap<Uuid, Uuid>) -> Self {
        Self { of_points, parents, known: HashMap::new() }
    }

    fn is_other(&mut self, visit: &Visit) -> bool {
        let (Some(point), Some(medium)) = (visit.point, visit.medium) else { return false };
        let Some(planned) = self.of_points.get(&point) else { return false };
        *self.known.entry((point, medium)).or_insert_with(|| {
            let mut above = Some(medium);
            while let Some(medium) = above.filter(|medium| !planned.contains(medium)) {
                above = self.parents.get(&medium).copied();
            }
            above.is_none()
        })
    }
}

/// A number of deviations and of the customers who have them.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: usize,
    customers: usize,
    last: Option<Uuid>,
}

impl Tally {
    /// Counts a deviation. Those of a customer follow each other.
    fn add(&mut self, customer: Uuid) {
        self.count += 1;
        self.customers += usize::from(self.last.replace(customer) != Some(customer));
    }
}

/// What was found of one kind.
#[derive(Default)]
struct Found {
    total: Tally,
    of_steps: HashMap<Option<usize>, Tally>,
    examples: Vec<(Uuid, Uuid, Option<usize>)>,
}

impl Found {
    fn add(&mut self, visit: &Visit, step: Option<usize>) {
        self.total.add(visit.customer);
        self.of_steps.entry(step).or_default().add(visit.customer);
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push((visit.customer, visit.id, step));
        }
    }
}

/// Compares all customers with the plan.
pub(super) fn compare(
    journey: JourneyId,
    plan: &Plan,
    mediums: &mut Mediums,
    mut visits: Vec<Visit>,
    computation: &Computation,
) -> Result<JourneyDeviation> {
    visits.sort_unstable();
    let mut found: [Found; KINDS.len()] = Default::default();
    let (mut interactions, mut customers) = (0, 0);
    for visits in visits.chunk_by(|one, other| one.customer == other.customer) {
        computation.check()?;
        let is_planned = |visit: &Visit| plan.has_point(visit.point);
        let (first, last) = (visits.iter().position(is_planned), visits.iter().rposition(is_planned));
        if let Some((first, last)) = first.zip(last) {
            let visits = &visits[first..=last];
            interactions += visits.len();
            customers += 1;
            walk(plan, mediums, visits, &mut found);
        }
    }
    let finding = |(kind, found): (Kind, Found)| finding(plan, kind, found);
    Ok(JourneyDeviation {
        journey_id: journey,
        interaction_count: count(interactions),
        customer_count: count(customers),
        findings: KINDS.into_iter().zip(found).map(finding).collect(),
    })
}

/// Compares the interactions of one customer with the plan.
fn walk(plan: &Plan, mediums: &mut Mediums, visits: &[Visit], found: &mut [Found; KINDS.len()]) {
    let [missing, extra, out_of_order, other_medium, late] = found;
    let (mut behind, mut visited, mut places) = (Steps::new(), Steps::new(), Vec::with_capacity(visits.len()));
    for visit in visits {
        let Some((step, fit)) = plan.enter(visit.point, &mut behind) else {
            extra.add(visit, None);
            continue;
        };
        visited.insert(step);
        places.push((step, visit));
        match fit {
            Fit::InOrder => {}
            Fit::Repeated => extra.add(visit, Some(step)),
            Fit::OutOfOrder => out_of_order.add(visit, Some(step)),
        }
        if mediums.is_other(visit) {
            other_medium.add(visit, Some(step));
        }
        if visit.scheduled.is_some_and(|scheduled| visit.at > scheduled) {
            late.add(visit, Some(step));
        }
    }
    for step in &plan.missing(&visited) {
        if let Some((_, visit)) = places.iter().find(|(place, _)| plan.is_after(*place, step)) {
            missing.add(visit, Some(step));
        }
    }
}

fn finding(plan: &Plan, kind: Kind, found: Found) -> JourneyDeviationFinding {
    let definition = Kind::TYPE.values.iter().find(|(name, _)| *name == kind.name()).map_or("", |(_, doc)| doc.trim());
    let id = |step: Option<usize>| step.map(|step| StepId(plan.steps[step].id));
    let mut of_steps: Vec<(Option<usize>, Tally)> = found.of_steps.into_iter().collect();
    of_steps.sort_unstable_by_key(|(step, _)| (step.is_none(), *step));
    let step = |(step, tally): (Option<usize>, Tally)| JourneyDeviationStep {
        step_id: id(step),
        count: count(tally.count),
        customer_count: count(tally.customers),
    };
    let example = |(customer, interaction, step): (Uuid, Uuid, Option<usize>)| JourneyDeviationExample {
        customer: CustomerId(customer),
        interaction: InteractionId(interaction),
        step: id(step),
    };
    JourneyDeviationFinding {
        kind,
        definition: definition.to_owned(),
        count: count(found.total.count),
        customer_count: count(found.total.customers),
        steps: of_steps.into_iter().map(step).collect(),
        examples: found.examples.into_iter().map(example).collect(),
    }
}
