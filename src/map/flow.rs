//! What the links of journeys say: what follows a step, where a journey starts and ends, which ways lead through it.

use std::collections::{HashMap, HashSet};

use entity::{
    Col, Permission,
    id::StepId,
    noun::{Field, Kind, Noun, Relationship, StringEnum},
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
        mutation::input::{Input, text},
        slice::{Argument, Computed, ComputedObject, Resolved, ResolvedByRow, ReturnType},
    },
    store::{Scope, statement::cell::Cell, usage::meter::Meter},
};

/// Most paths of one answer.
const MAX_PATHS: i64 = 100;
/// Up to how many steps and links paths are looked for on the spot.
const FEW: usize = 100;
/// Most rows that are read to compute one field.
const MAX_ROWS: usize = 500_000;

const KINDS: Argument = Argument {
    name: "kinds",
    ty: "[StepLinkKind!]",
    default: None,
    doc: "Kinds of links to follow. Defaults to all but LOOP.",
};

/// The fields of a journey.
pub(super) const OF_JOURNEY: &[Computed] = &[
    Computed {
        name: "starts",
        doc: "Steps without incoming links other than LOOP links, by position.",
        arguments: &[],
        shows: ReturnType::List(&step::NOUN),
        run: |scope, _, ids| Box::pin(bare(scope, ids, End::To)),
    },
    Computed {
        name: "ends",
        doc: "Steps without outgoing links other than LOOP links, by position.",
        arguments: &[],
        shows: ReturnType::List(&step::NOUN),
        run: |scope, _, ids| Box::pin(bare(scope, ids, End::From)),
    },
    Computed {
        name: "paths",
        doc: "Paths through the journey along its links; no path visits a step twice. Sorted by position of the first \
              step, then by age of the links.",
        arguments: &[
            Argument {
                name: "from",
                ty: "StepRef",
                default: None,
                doc: "First step of the paths. Defaults to all start steps.",
            },
            Argument {
                name: "to",
                ty: "StepRef",
                default: None,
                doc: "Last step of the paths. Defaults to all end \
                steps.",
            },
            KINDS,
            Argument { name: "first", ty: "Int", default: Some("10"), doc: "Maximum number of paths, 1 to 100." },
        ],
        shows: ReturnType::One(&PATHS),
        run: |scope, input, ids| Box::pin(paths(scope, input, ids)),
    },
    diagram::OF_JOURNEY,
    diagram::URL_OF_JOURNEY,
];

/// The fields of a step.
pub(super) const OF_STEP: &[Computed] = &[
    Computed {
        name: "successors",
        doc: "Steps that its outgoing links lead to, without duplicates, by age of the links.",
        arguments: &[KINDS],
        shows: ReturnType::List(&step::NOUN),
        run: |scope, input, ids| Box::pin(neighbours(scope, input, ids, End::From)),
    },
    Computed {
        name: "predecessors",
        doc: "Steps that its incoming links come from, without duplicates, by age of the links.",
        arguments: &[KINDS],
        shows: ReturnType::List(&step::NOUN),
        run: |scope, input, ids| Box::pin(neighbours(scope, input, ids, End::To)),
    },
    Computed {
        name: "isStart",
        doc: "Whether it has no incoming links other than LOOP links.",
        arguments: &[],
        shows: ReturnType::Value(Kind::Bool),
        run: |scope, _, ids| Box::pin(is_bare(scope, ids, End::To)),
    },
    Computed {
        name: "isEnd",
        doc: "Whether it has no outgoing links other than LOOP links.",
        arguments: &[],
        shows: ReturnType::Value(Kind::Bool),
        run: |scope, _, ids| Box::pin(is_bare(scope, ids, End::From)),
    },
];

/// The objects of the answers.
pub(super) const OBJECTS: &[&Noun] = &[&PATHS, &PATH, &PATH_STEP];

static PATHS: Noun = Noun::computed(
    "JourneyPaths",
    "Paths through a journey.",
    Permission::MapRead,
    &[Field::new("hasMore", "has_more", Kind::Bool, "Whether more paths may exist.")],
    &[Relationship::embedded("nodes", &PATH, true, "The paths.")],
);

static PATH: Noun = Noun::computed(
    "JourneyPath",
    "A path through a journey.",
    Permission::MapRead,
    &[Field::new("length", "length", Kind::Int { min: 1, max: i64::MAX }, "Number of steps.")],
    &[Relationship::embedded("steps", &PATH_STEP, true, "Its steps in order.")],
);

static PATH_STEP: Noun = Noun::computed(
    "JourneyPathStep",
    "A step on a path through a journey.",
    Permission::MapRead,
    &[],
    &[
        Relationship::one("step", &step::NOUN, ("step_id", false), "The step."),
        Relationship::one(
            "link",
            &step_link::NOUN,
            ("link_id", true),
            "The link that leads to it; null for the first \
            step.",
        ),
    ],
);

/// A link as it is read here.
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

    /// The step at this end, and the one at the other.
    const fn of(self, line: &Line) -> (Uuid, Uuid) {
        match self {
            Self::From => (line.from, line.to),
            Self::To => (line.to, line.from),
        }
    }
}

/// Links of these kinds whose `column` is one of `ids`, by age.
async fn lines<T>(scope: &Scope, column: Col<T>, ids: &[Uuid], kinds: &[&str]) -> Result<Vec<Line>> {
    let columns = (step_link::ID, step_link::FROM_ID, step_link::TO_ID, step_link::KIND);
    let rows = scope.select(columns, column, ids, MAX_ROWS).await?;
    let wanted = rows.into_iter().filter(|(.., kind)| kinds.contains(&kind.name()));
    Ok(wanted.map(|(id, from, to, _)| Line { id: id.0, from: from.0, to: to.0 }).collect())
}

/// The kinds of links that are not the way back.
fn forward() -> Vec<&'static str> {
    StepLinkKind::TYPE.values.iter().map(|(name, _)| *name).filter(|name| *name != StepLinkKind::Loop.name()).collect()
}

/// The kinds of links that are asked for.
fn kinds<'a>(input: &'a Input<'_>) -> Vec<&'a str> {
    if input.present("kinds").is_none() {
        return forward();
    }
    input.list("kinds").into_iter().filter_map(text).collect()
}

async fn neighbours(scope: &Scope, input: &Input<'_>, ids: &[Uuid], here: End) -> Result<ResolvedByRow> {
    let mut found: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for line in lines(scope, here.column(), ids, &kinds(input)).await? {
        let (own, other) = here.of(&line);
        let known = found.entry(own).or_default();
        if !known.contains(&other) {
            known.push(other);
        }
    }
    Ok(found.into_iter().map(|(id, steps)| (id, steps.into_iter().map(Resolved::Row).collect())).collect())
}

async fn is_bare(scope: &Scope, ids: &[Uuid], end: End) -> Result<ResolvedByRow> {
    let lines = lines(scope, end.column(), ids, &forward()).await?;
    let joined: HashSet<Uuid> = lines.iter().map(|line| end.of(line).0).collect();
    Ok(ids.iter().map(|id| (*id, vec![Resolved::Value(Cell::Bool(!joined.contains(id)))])).collect())
}

/// The steps of journeys by position: journey, step.
async fn steps(scope: &Scope, journeys: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>> {
    let columns = (step::POSITION, step::JOURNEY_ID, step::ID);
    let mut steps = scope.select(columns, step::JOURNEY_ID, journeys, MAX_ROWS).await?;
    steps.sort_unstable();
    Ok(steps.into_iter().map(|(_, journey, step)| (journey.0, step.0)).collect())
}

async fn bare(scope: &Scope, journeys: &[Uuid], end: End) -> Result<ResolvedByRow> {
    let lines = lines(scope, step_link::JOURNEY_ID, journeys, &forward()).await?;
    let joined: HashSet<Uuid> = lines.iter().map(|line| end.of(line).0).collect();
    let mut found = ResolvedByRow::new();
    for (journey, step) in steps(scope, journeys).await?.into_iter().filter(|(_, step)| !joined.contains(step)) {
        found.entry(journey).or_default().push(Resolved::Row(step));
    }
    Ok(found)
}

async fn paths(scope: &Scope, input: &Input<'_>, journeys: &[Uuid]) -> Result<ResolvedByRow> {
    let first = input.int("first")?.unwrap_or(10);
    if !(1..=MAX_PATHS).contains(&first) {
        return Err(Error::BadInput(format!("first must be from 1 to {MAX_PATHS}")));
    }
    let most = usize::try_from(first).map_err(|_| Error::internal("first is out of range"))?;
    let (from, to) = (named(scope, input, "from").await?, named(scope, input, "to").await?);
    let (steps, lines) =
        (steps(scope, journeys).await?, lines(scope, step_link::JOURNEY_ID, journeys, &kinds(input)).await?);
    let journeys = journeys.to_vec();
    let is_long = steps.len() + lines.len() > FEW;
    scope.compute(is_long, move |meter| ways(&journeys, &steps, &lines, (from, to), most, meter)).await
}

/// Ways through journeys, all of them together within [`MAX_MOVES`].
fn ways(
    journeys: &[Uuid],
    steps: &[(Uuid, Uuid)],
    lines: &[Line],
    (from, to): (Option<Uuid>, Option<Uuid>),
    most: usize,
    meter: &Meter,
) -> Result<ResolvedByRow> {
    let (entered, left): (HashSet<Uuid>, HashSet<Uuid>) = lines.iter().map(|line| (line.to, line.from)).unzip();
    let mut graph = Graph::default();
    for line in lines {
        graph.add(line.from, line.to, line.id);
    }
    let mut of_journeys: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (journey, step) in steps {
        of_journeys.entry(*journey).or_default().push(*step);
    }
    let (mut found, mut moves) = (ResolvedByRow::new(), MAX_MOVES);
    for journey in journeys {
        meter.check()?;
        let own = || of_journeys.get(journey).into_iter().flatten().copied();
        let starts: Vec<Uuid> =
            own().filter(|step| from.map_or(!entered.contains(step), |from| from == *step)).collect();
        let ends: HashSet<Uuid> = own().filter(|step| to.map_or(!left.contains(step), |to| to == *step)).collect();
        let (paths, has_more) = graph.paths(&starts, &ends, most, &mut moves);
        let nodes = paths.iter().map(path).collect();
        let made = ComputedObject { cells: vec![("has_more", Cell::Bool(has_more))], inside: vec![("nodes", nodes)] };
        found.insert(*journey, vec![Resolved::Object(made)]);
    }
    Ok(found)
}

fn path(path: &Path) -> ComputedObject {
    let step = |(step, link): &(Uuid, Option<Uuid>)| ComputedObject {
        cells: vec![("step_id", Cell::Id(*step)), ("link_id", link.map_or(Cell::Null, Cell::Id))],
        inside: Vec::new(),
    };
    let length = Cell::Int(i64::try_from(path.len()).unwrap_or(i64::MAX));
    ComputedObject { cells: vec![("length", length)], inside: vec![("steps", path.iter().map(step).collect())] }
}

/// The step an argument names; the nil id for one that is not there, which no path begins or ends with.
async fn named(scope: &Scope, input: &Input<'_>, name: &str) -> Result<Option<Uuid>> {
    let Some(value) = input.present(name) else { return Ok(None) };
    let reference = Input::reference(name, value, &step::NOUN)?;
    let found = scope.references(&step::NOUN, std::iter::once(&reference)).await?;
    Ok(Some(found.get(&reference).copied().unwrap_or_default()))
}
