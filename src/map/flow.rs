//! Computed fields derived from step links: successors and predecessors of a step, and start steps, end steps and
//! paths of a journey.

use std::collections::{HashMap, HashSet};

use entity::{
    Col,
    id::{StepId, StepLinkId},
    step,
    step_link::{self, StepLinkKind},
};
use sea_orm::prelude::Uuid;

use super::{
    diagram,
    graph::{Graph, MAX_MOVES, Path},
};
use crate::{
    Error, Result,
    graphql::{
        slice::Computed,
        typed::{
            fields::{ByRow, ComputedFn},
            input::{Input, RefTo},
            output::{Output, count},
        },
    },
    store::{Scope, usage::compute::Computation},
};

/// Maximum number of steps and links for which paths are searched on the current thread; above that, on a blocking
/// thread.
const FEW: usize = 100;
/// Maximum number of rows read to compute one field.
const MAX_ROWS: usize = 500_000;

/// Computed fields of a journey.
pub(super) const OF_JOURNEY: &[Computed] = &[
    Computed {
        name: "starts",
        doc: "Steps without incoming links other than LOOP links, by position.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(bare(scope, ids, End::To))),
    },
    Computed {
        name: "ends",
        doc: "Steps without outgoing links other than LOOP links, by position.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(bare(scope, ids, End::From))),
    },
    Computed {
        name: "paths",
        doc: "Paths through the journey along its links; no path visits a step twice. Sorted by position of the first \
              step, then by age of the links.",
        run: &ComputedFn::new(|scope, input, ids| Box::pin(paths(scope, input, ids))),
    },
    diagram::OF_JOURNEY,
    diagram::URL_OF_JOURNEY,
];

/// Computed fields of a step.
pub(super) const OF_STEP: &[Computed] = &[
    Computed {
        name: "successors",
        doc: "Steps that its outgoing links lead to, without duplicates, by age of the links.",
        run: &ComputedFn::new(|scope, input, ids| Box::pin(neighbours(scope, input, ids, End::From))),
    },
    Computed {
        name: "predecessors",
        doc: "Steps that its incoming links come from, without duplicates, by age of the links.",
        run: &ComputedFn::new(|scope, input, ids| Box::pin(neighbours(scope, input, ids, End::To))),
    },
    Computed {
        name: "isStart",
        doc: "Whether it has no incoming links other than LOOP links.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(is_bare(scope, ids, End::To))),
    },
    Computed {
        name: "isEnd",
        doc: "Whether it has no outgoing links other than LOOP links.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(is_bare(scope, ids, End::From))),
    },
];

/// Which links to follow.
#[derive(Input)]
struct Followed {
    #[input(doc = KINDS)]
    kinds: Option<Vec<StepLinkKind>>,
}

/// Which paths are wanted.
#[derive(Input)]
struct WantedPaths {
    /// First step of the paths. Defaults to all start steps.
    from: Option<RefTo<StepId>>,
    /// Last step of the paths. Defaults to all end steps.
    to: Option<RefTo<StepId>>,
    #[input(doc = KINDS)]
    kinds: Option<Vec<StepLinkKind>>,
    /// Maximum number of paths, 1 to 100.
    #[input(default = 10, range = 1..=100)]
    first: i64,
}

const KINDS: &str = "Kinds of links to follow. Defaults to all but LOOP.";

/// Paths through a journey.
#[derive(Output)]
#[output(read = MapRead)]
struct JourneyPaths {
    /// Whether more paths may exist.
    has_more: bool,
    /// The paths.
    nodes: Vec<JourneyPath>,
}

/// A path through a journey.
#[derive(Output)]
#[output(read = MapRead)]
struct JourneyPath {
    /// Number of steps.
    length: i64,
    /// Its steps in order.
    steps: Vec<JourneyPathStep>,
}

/// A step on a path through a journey.
#[derive(Output)]
#[output(read = MapRead)]
struct JourneyPathStep {
    /// The step.
    step_id: StepId,
    /// The link that leads to it; null for the first step.
    link_id: Option<StepLinkId>,
}

/// A step link: its id and the ids of the steps at its ends.
struct Line {
    id: Uuid,
    from: Uuid,
    to: Uuid,
}

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    From,
    To,
}

impl End {
    const fn column(self) -> Col<StepId> {
        match self {
            Self::From => step_link::FROM_ID,
            Self::To => step_link::TO_ID,
        }
    }

    /// Returns the step at this end of the link, and the step at the other end.
    const fn of(self, line: &Line) -> (Uuid, Uuid) {
        match self {
            Self::From => (line.from, line.to),
            Self::To => (line.to, line.from),
        }
    }
}

/// Returns the links of the given kinds whose `column` is one of `ids`, by age. Without kinds, returns all links
/// other than LOOP links.
async fn lines<T>(scope: &Scope, column: Col<T>, ids: &[Uuid], kinds: Option<&[StepLinkKind]>) -> Result<Vec<Line>> {
    let columns = (step_link::ID, step_link::FROM_ID, step_link::TO_ID, step_link::KIND);
    let rows = scope.select(columns, column, ids, MAX_ROWS).await?;
    let is_wanted = |kind: &StepLinkKind| kinds.map_or(*kind != StepLinkKind::Loop, |kinds| kinds.contains(kind));
    let wanted = rows.into_iter().filter(|(.., kind)| is_wanted(kind));
    Ok(wanted.map(|(id, from, to, _)| Line { id: id.0, from: from.0, to: to.0 }).collect())
}

async fn neighbours(scope: &Scope, input: Followed, ids: &[Uuid], here: End) -> Result<ByRow<Vec<StepId>>> {
    let mut found: ByRow<Vec<StepId>> = HashMap::new();
    for line in lines(scope, here.column(), ids, input.kinds.as_deref()).await? {
        let (own, other) = here.of(&line);
        let known = found.entry(own).or_default();
        if !known.contains(&StepId(other)) {
            known.push(StepId(other));
        }
    }
    Ok(found)
}

async fn is_bare(scope: &Scope, ids: &[Uuid], end: End) -> Result<ByRow<bool>> {
    let lines = lines(scope, end.column(), ids, None).await?;
    let joined: HashSet<Uuid> = lines.iter().map(|line| end.of(line).0).collect();
    Ok(ids.iter().map(|id| (*id, !joined.contains(id))).collect())
}

/// Returns the steps of journeys, sorted by position, as pairs of journey id and step id.
async fn steps(scope: &Scope, journeys: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>> {
    let columns = (step::POSITION, step::JOURNEY_ID, step::ID);
    let mut steps = scope.select(columns, step::JOURNEY_ID, journeys, MAX_ROWS).await?;
    steps.sort_unstable();
    Ok(steps.into_iter().map(|(_, journey, step)| (journey.0, step.0)).collect())
}

async fn bare(scope: &Scope, journeys: &[Uuid], end: End) -> Result<ByRow<Vec<StepId>>> {
    let lines = lines(scope, step_link::JOURNEY_ID, journeys, None).await?;
    let joined: HashSet<Uuid> = lines.iter().map(|line| end.of(line).0).collect();
    let mut found: ByRow<Vec<StepId>> = HashMap::new();
    for (journey, step) in steps(scope, journeys).await?.into_iter().filter(|(_, step)| !joined.contains(step)) {
        found.entry(journey).or_default().push(StepId(step));
    }
    Ok(found)
}

async fn paths(scope: &Scope, input: WantedPaths, journeys: &[Uuid]) -> Result<ByRow<JourneyPaths>> {
    let most = usize::try_from(input.first).map_err(|_| Error::internal("first is out of range"))?;
    let (from, to) = (named(scope, input.from).await?, named(scope, input.to).await?);
    let steps = steps(scope, journeys).await?;
    let lines = lines(scope, step_link::JOURNEY_ID, journeys, input.kinds.as_deref()).await?;
    let journeys = journeys.to_vec();
    let is_long = steps.len() + lines.len() > FEW;
    scope.compute(is_long, move |computation| ways(&journeys, &steps, &lines, (from, to), most, computation)).await
}

/// Searches paths through journeys; the searches of all journeys together make at most [`MAX_MOVES`] moves.
fn ways(
    journeys: &[Uuid],
    steps: &[(Uuid, Uuid)],
    lines: &[Line],
    (from, to): (Option<Uuid>, Option<Uuid>),
    most: usize,
    computation: &Computation,
) -> Result<ByRow<JourneyPaths>> {
    let (entered, left): (HashSet<Uuid>, HashSet<Uuid>) = lines.iter().map(|line| (line.to, line.from)).unzip();
    let mut graph = Graph::default();
    for line in lines {
        graph.add(line.from, line.to, line.id);
    }
    let mut of_journeys: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (journey, step) in steps {
        of_journeys.entry(*journey).or_default().push(*step);
    }
    let (mut found, mut moves) = (HashMap::new(), MAX_MOVES);
    for journey in journeys {
        computation.check()?;
        let own = || of_journeys.get(journey).into_iter().flatten().copied();
        let starts: Vec<Uuid> =
            own().filter(|step| from.map_or(!entered.contains(step), |from| from == *step)).collect();
        let ends: HashSet<Uuid> = own().filter(|step| to.map_or(!left.contains(step), |to| to == *step)).collect();
        let (paths, has_more) = graph.paths(&starts, &ends, most, &mut moves);
        found.insert(*journey, JourneyPaths { has_more, nodes: paths.iter().map(path).collect() });
    }
    Ok(found)
}

fn path(path: &Path) -> JourneyPath {
    let step =
        |(step, link): &(Uuid, Option<Uuid>)| JourneyPathStep { step_id: StepId(*step), link_id: link.map(StepLinkId) };
    JourneyPath { length: count(path.len()), steps: path.iter().map(step).collect() }
}

/// Resolves a step argument. Returns the nil id if no such step exists, so that no path starts or ends there.
async fn named(scope: &Scope, step: Option<RefTo<StepId>>) -> Result<Option<Uuid>> {
    let Some(step) = step else { return Ok(None) };
    Ok(Some(step.find(scope).await?.map(Uuid::from).unwrap_or_default()))
}
