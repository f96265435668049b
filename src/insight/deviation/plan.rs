//! A journey as a plan: which steps follow which, which are required, and through which mediums.

use std::collections::{HashMap, HashSet};

use bit_set::BitSet;
use entity::step_link::StepLinkKind;
use sea_orm::prelude::Uuid;

/// Steps as numbers: their places in the order of positions.
pub(super) type Steps = BitSet;

/// A step of the journey.
pub(super) struct PlannedStep {
    pub id: Uuid,
    pub point: Uuid,
}

/// A link from one step to another, by their ids.
pub(super) struct PlannedLink {
    pub from: Uuid,
    pub to: Uuid,
    pub kind: StepLinkKind,
}

/// A LOOP link.
struct Return {
    from: usize,
    /// The steps that a customer may return to.
    to: Steps,
    /// The steps that are ahead of the customer again.
    ahead: Steps,
}

/// How an interaction at a step fits what the customer did before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    InOrder,
    Repeated,
    OutOfOrder,
}

/// A journey to compare customers with.
pub(super) struct Plan {
    pub steps: Vec<PlannedStep>,
    at_point: HashMap<Uuid, Vec<usize>>,
    /// For each step, those that come after it and those that come before it.
    after: Vec<Steps>,
    before: Vec<Steps>,
    /// Steps required of everybody.
    required: Steps,
    /// For each step, the step and those that are required of whoever was there.
    required_after: Vec<Steps>,
    returns: Vec<Return>,
}

impl Plan {
    /// Creates a plan from the steps of a journey, sorted by position, and its links.
    pub(super) fn new(steps: Vec<PlannedStep>, links: &[PlannedLink]) -> Self {
        let places: HashMap<Uuid, usize> = steps.iter().enumerate().map(|(place, step)| (step.id, place)).collect();
        let ends = |link: &PlannedLink| Some((*places.get(&link.from)?, *places.get(&link.to)?));
        let of = |is_wanted: &dyn Fn(StepLinkKind) -> bool| -> Vec<(usize, usize)> {
            links.iter().filter(|link| is_wanted(link.kind)).filter_map(ends).collect()
        };
        let onward = of(&|kind| kind != StepLinkKind::Loop);
        let binding = of(&|kind| matches!(kind, StepLinkKind::Sequence | StepLinkKind::Parallel));
        let after = reached(steps.len(), &onward);
        let backward: Vec<(usize, usize)> = onward.iter().map(|(from, to)| (*to, *from)).collect();
        let before = reached(steps.len(), &backward);
        let mut required_after = reached(steps.len(), &binding);
        for (place, reached) in required_after.iter_mut().enumerate() {
            reached.insert(place);
        }
        let entered: HashSet<usize> = onward.iter().map(|(_, to)| *to).collect();
        let mut required = Steps::new();
        for start in (0..steps.len()).filter(|place| !entered.contains(place)) {
            required.union_with(&required_after[start]);
        }
        let returns = of(&|kind| kind == StepLinkKind::Loop).into_iter().map(|(from, to)| {
            let mut ahead = after[to].clone();
            ahead.insert(to);
            let mut up_to_start = before[from].clone();
            up_to_start.insert(from);
            let mut between = ahead.clone();
            between.intersect_with(&up_to_start);
            between.insert(to);
            Return { from, to: between, ahead }
        });
        let returns = returns.collect();
        let mut at_point: HashMap<Uuid, Vec<usize>> = HashMap::new();
        for (place, step) in steps.iter().enumerate() {
            at_point.entry(step.point).or_default().push(place);
        }
        Self { steps, at_point, after, before, required, required_after, returns }
    }

    /// Returns whether a step places the point.
    pub(super) fn has_point(&self, point: Option<Uuid>) -> bool {
        point.is_some_and(|point| self.at_point.contains_key(&point))
    }

    /// Chooses the step that an interaction at a point belongs to, given the steps behind the customer, and adds it to
    /// them. `None` if no step places the point. Of several steps, takes the first by position that is not behind the
    /// customer and fits the order, or else that a LOOP link leads back to, or else that is not behind the customer, or
    /// else the last.
    pub(super) fn enter(&self, point: Option<Uuid>, behind: &mut Steps) -> Option<(usize, Fit)> {
        let steps = self.at_point.get(&point?)?;
        let is_new = |step: &&usize| !behind.contains(**step);
        let is_in_order = |step: &&usize| self.after[**step].is_disjoint(behind);
        let returns = |step: usize| self.returns.iter().filter(move |link| link.to.contains(step));
        let may_return = |step: &&usize| returns(**step).any(|link| behind.contains(link.from));
        let (step, fit) = if let Some(step) = steps.iter().filter(is_new).find(is_in_order) {
            (*step, Fit::InOrder)
        } else if let Some(step) = steps.iter().find(may_return) {
            let taken: Vec<&Return> = returns(*step).filter(|link| behind.contains(link.from)).collect();
            for link in taken {
                behind.difference_with(&link.ahead);
            }
            (*step, Fit::InOrder)
        } else if let Some(step) = steps.iter().find(is_new) {
            (*step, Fit::OutOfOrder)
        } else {
            (*steps.last()?, Fit::Repeated)
        };
        behind.insert(step);
        Some((step, fit))
    }

    /// Returns the required steps that a customer who was at the steps `visited` passed without an interaction, by
    /// position.
    pub(super) fn missing(&self, visited: &Steps) -> Steps {
        let (mut required, mut passed) = (self.required.clone(), Steps::new());
        for step in visited {
            required.union_with(&self.required_after[step]);
            passed.union_with(&self.before[step]);
        }
        required.intersect_with(&passed);
        required.difference_with(visited);
        required
    }

    /// Returns whether one step comes after another.
    pub(super) fn is_after(&self, step: usize, other: usize) -> bool {
        self.after[other].contains(step)
    }
}

/// Returns for each step the steps that a path of one or more links leads to.
fn reached(count: usize, links: &[(usize, usize)]) -> Vec<Steps> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in links {
        next[*from].push(*to);
    }
    let from = |start: usize| {
        let (mut found, mut waiting) = (Steps::new(), vec![start]);
        while let Some(step) = waiting.pop() {
            for to in &next[step] {
                if found.insert(*to) {
                    waiting.push(*to);
                }
            }
        }
        found
    };
    (0..count).map(from).collect()
}
