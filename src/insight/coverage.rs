//! Coverage: what is missing on the map of an organization, or of one journey, and what would mend it.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use entity::{
    Noun, Permission, expectation, feedback_record, interaction_point, journey,
    noun::{EnumType, Field, Kind, Link, Named, Relationship, Writable},
    step,
};
use sea_orm::prelude::Uuid;

use crate::{
    Error, Result,
    graphql::{
        input::Input,
        slice::{Answer, Argument, Made, Query},
    },
    store::{
        Scope,
        cell::{Cell, Column},
        filter::{Predicate, Test},
    },
};

/// Most points that are looked at.
const MOST_POINTS: usize = 10_000;
/// Most expectations that are looked at.
const MOST_EXPECTATIONS: usize = 100_000;
/// Most items of one finding.
const MOST_ITEMS: i64 = 100;

entity::named! {
    /// What can be missing.
    CoverageKey as "CoverageKey" {
        /// Points of which no expectation is known, of all points.
        NoExpectations = "NO_EXPECTATIONS",
        /// Points of whose expectations fewer are ranked than five, or than there are, of all points with expectations.
        TopFiveNotChosen = "TOP_FIVE_NOT_CHOSEN",
        /// Points without influencers, of all points.
        NoInfluencers = "NO_INFLUENCERS",
        /// Points without mediums, of all points.
        NoMediums = "NO_MEDIUMS",
        /// Points that no department owns, of all points.
        NoOwner = "NO_OWNER",
        /// Points on which no feedback was received in the last `days` days, of all points.
        NoRecentFeedback = "NO_RECENT_FEEDBACK",
        /// Points that stand in no journey, of all points of the organization.
        InNoJourney = "IN_NO_JOURNEY",
        /// Expectations that no one measures: without a metric of their target, of all expectations of the points.
        ExpectationNotMeasured = "EXPECTATION_NOT_MEASURED",
    }
}

impl CoverageKey {
    /// The mutation that would mend it, and the field of its input that takes the element.
    const fn fix(self) -> (&'static str, &'static str) {
        match self {
            Self::NoExpectations => ("expectationCreate", "pointRef"),
            Self::TopFiveNotChosen => ("interactionPointRankExpectations", "id"),
            Self::NoInfluencers => ("interactionPointSetInfluencers", "id"),
            Self::NoMediums => ("interactionPointSetMediums", "id"),
            Self::NoOwner => ("interactionPointUpdate", "id"),
            Self::NoRecentFeedback => ("feedbackRecordCreate", "pointRef"),
            Self::InNoJourney => ("stepCreate", "pointRef"),
            Self::ExpectationNotMeasured => ("expectationUpdate", "id"),
        }
    }
}

/// The query.
pub const QUERY: Query = Query {
    name: "coverage",
    doc: "What is missing on the map: for each kind of gap how many there are, of how many, which, and what would mend them. Rows in the archive are left out. Refused with BAD_USER_INPUT above 10,000 points.",
    arguments: &[
        Argument {
            name: "journeyRef",
            ty: "JourneyRef",
            default: None,
            doc: "Only points of this journey; null if there is no such journey. The whole organization when left out.",
        },
        Argument {
            name: "days",
            ty: "Int",
            default: Some("90"),
            doc: "How many days back feedback is recent, 1 to 3,650.",
        },
        Argument {
            name: "first",
            ty: "Int",
            default: Some("25"),
            doc: "How many items of each finding are listed, the oldest first, 0 to 100. All are counted.",
        },
    ],
    answer: &COVERAGE,
    permissions: &[Permission::MapRead, Permission::RecordRead],
    run: |scope, input| Box::pin(coverage(scope, input)),
};

/// The objects of the answer.
pub const OBJECTS: [&Noun; 3] = [&COVERAGE, &FINDING, &ITEM];

/// The enum of the answer.
pub const ENUM: &EnumType = CoverageKey::TYPE;

const fn object(
    name: &'static str,
    doc: &'static str,
    fields: &'static [Field],
    relations: &'static [Relationship],
) -> Noun {
    Noun {
        name,
        singular: "",
        plural: "",
        table: "",
        prefix: "",
        doc,
        tenant: "",
        system: &[],
        read: Some(Permission::MapRead),
        write: Permission::MapWrite,
        fields,
        relations,
        operations: &[],
        has_external_ids: false,
    }
}

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };

static COVERAGE: Noun = object(
    "Coverage",
    "What is missing on the map of an organization, or of one journey.",
    &[
        Field::new("pointCount", "point_count", COUNT, "Points that were looked at."),
        Field::new("days", "days", COUNT, "How many days back feedback was recent."),
    ],
    &[
        Relationship {
            name: "journey",
            target: &journey::NOUN,
            link: Link::One { column: "journey_id", is_nullable: true, writable: Writable::Never },
            doc: "The journey; null for the whole organization.",
        },
        Relationship {
            name: "findings",
            target: &FINDING,
            link: Link::Inside { is_list: true },
            doc: "Every kind of gap, those that do not occur included.",
        },
    ],
);

static FINDING: Noun = object(
    "CoverageFinding",
    "A kind of gap, and where it is.",
    &[
        Field::new("key", "key", Kind::Enum(CoverageKey::TYPE), "What is missing."),
        Field::new("definition", "definition", Kind::Text { max: 2_000 }, "What is counted, and of what."),
        Field::new("count", "count", COUNT, "How many there are."),
        Field::new("of", "of", COUNT, "How many there could be."),
        Field::new(
            "share",
            "share",
            Kind::Float { min: 0.0, max: 1.0 },
            "count / of, 0 to 1; null when there is nothing to count.",
        )
        .nullable(),
        Field::new("mutation", "mutation", Kind::Text { max: 200 }, "The mutation that would mend it."),
        Field::new(
            "inputField",
            "input_field",
            Kind::Text { max: 200 },
            "The field of that mutation's input that takes an item's elementId: as it is in `id`, in a reference as its `id`.",
        ),
    ],
    &[Relationship {
        name: "items",
        target: &ITEM,
        link: Link::Inside { is_list: true },
        doc: "Where it is missing, as many as `first` says.",
    }],
);

static ITEM: Noun = object(
    "CoverageItem",
    "An element of which something is missing.",
    &[
        Field::new("type", "type", Kind::Text { max: 64 }, "Type of the element, for example InteractionPoint."),
        Field::new("elementId", "element_id", Kind::RowId { noun: "type" }, "Its id, for node(id) and the mutation."),
    ],
    &[
        Relationship {
            name: "point",
            target: &interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: true, writable: Writable::Never },
            doc: "The interaction point: the element itself, or the one it belongs to.",
        },
        Relationship {
            name: "expectation",
            target: &expectation::NOUN,
            link: Link::One { column: "expectation_id", is_nullable: true, writable: Writable::Never },
            doc: "The expectation, if it is one that lacks something.",
        },
    ],
);

/// A point as far as it is looked at.
struct Point {
    id: Uuid,
    is_owned: bool,
}

/// An expectation as far as it is looked at.
struct Expectation {
    id: Uuid,
    point: Uuid,
    is_ranked: bool,
    is_measured: bool,
}

/// What was found of one kind.
struct Finding {
    key: CoverageKey,
    of: usize,
    /// Elements, each with its point.
    items: Vec<(&'static Noun, Uuid, Uuid)>,
}

async fn coverage(scope: &Scope, input: &Input) -> Result<Answer> {
    let within = |name: &str, least: i64, most: i64| match input.int(name)? {
        Some(number) if !(least..=most).contains(&number) => {
            Err(Error::BadInput(format!("{name} must be from {least} to {most}")))
        }
        given => Ok(given),
    };
    let (days, first) = (within("days", 1, 3_650)?.unwrap_or(90), within("first", 0, MOST_ITEMS)?.unwrap_or(25));
    let journey = match input.present("journeyRef") {
        None => None,
        Some(value) => {
            let reference = Input::reference("journeyRef", value, &journey::NOUN)?;
            let found = scope.references(&journey::NOUN, std::iter::once(&reference)).await?;
            match found.get(&reference) {
                Some(id) => Some(*id),
                None => return Ok(Answer::Nothing),
            }
        }
    };
    let points = points(scope, journey).await?;
    let findings = findings(scope, &points, journey.is_none(), days).await?;
    let findings = findings.iter().map(|finding| made(finding, first)).collect();
    Ok(Answer::Object(Made {
        cells: vec![
            ("point_count", count(points.len())),
            ("days", Cell::Int(days)),
            ("journey_id", journey.map_or(Cell::Null, Cell::Id)),
        ],
        inside: vec![("findings", findings)],
    }))
}

/// The points of the organization, or of a journey, out of the archive, by age.
async fn points(scope: &Scope, journey: Option<Uuid>) -> Result<Vec<Point>> {
    const COLUMNS: [&str; 3] = ["id", "owner_id", "archived_at"];
    let noun = &interaction_point::NOUN;
    let rows = match journey {
        None => scope.every_cells(noun, &COLUMNS, MOST_POINTS).await?,
        Some(journey) => {
            let steps = scope.cells(&step::NOUN, &["point_id"], "journey_id", &[journey], MOST_POINTS).await?;
            let ids: HashSet<Uuid> = steps.iter().filter_map(|row| row[0].id()).collect();
            scope.cells(noun, &COLUMNS, "id", &ids.into_iter().collect::<Vec<_>>(), MOST_POINTS).await?
        }
    };
    if rows.len() > MOST_POINTS {
        return Err(Error::BadInput(format!("there are more than {MOST_POINTS} points")));
    }
    let point = |row: &Vec<Cell>| Some(Point { id: row[0].id()?, is_owned: !row[1].is_null() });
    Ok(rows.iter().filter(|row| row[2].is_null()).filter_map(point).collect())
}

async fn expectations(scope: &Scope, points: &[Uuid]) -> Result<Vec<Expectation>> {
    let columns = ["id", "point_id", "rank", "target_metric", "archived_at"];
    let rows = scope.cells(&expectation::NOUN, &columns, "point_id", points, MOST_EXPECTATIONS).await?;
    if rows.len() > MOST_EXPECTATIONS {
        return Err(Error::BadInput(format!("the points have more than {MOST_EXPECTATIONS} expectations")));
    }
    let expectation = |row: &Vec<Cell>| {
        let (id, point) = row[0].id().zip(row[1].id())?;
        Some(Expectation { id, point, is_ranked: !row[2].is_null(), is_measured: !row[3].is_null() })
    };
    Ok(rows.iter().filter(|row| row[4].is_null()).filter_map(expectation).collect())
}

/// Everything that is missing, in a fixed number of statements.
async fn findings(scope: &Scope, points: &[Point], is_whole: bool, days: i64) -> Result<Vec<Finding>> {
    let noun = &interaction_point::NOUN;
    let ids: Vec<Uuid> = points.iter().map(|point| point.id).collect();
    let expectations = expectations(scope, &ids).await?;
    let (mut known, mut ranked): (HashMap<Uuid, usize>, HashMap<Uuid, usize>) = (HashMap::new(), HashMap::new());
    for expectation in &expectations {
        *known.entry(expectation.point).or_default() += 1;
        *ranked.entry(expectation.point).or_default() += usize::from(expectation.is_ranked);
    }
    let number = |of: &HashMap<Uuid, usize>, id: Uuid| of.get(&id).copied().unwrap_or_default();
    let lacking = |key, lacks: &dyn Fn(&Point) -> bool| {
        let items = points.iter().filter(|point| lacks(point)).map(|point| (noun, point.id, point.id));
        Finding { key, of: points.len(), items: items.collect() }
    };
    let with = points.iter().filter(|point| known.contains_key(&point.id)).count();
    let is_unranked = |point: &Point| {
        let count = number(&known, point.id);
        count > 0 && number(&ranked, point.id) < count.min(5)
    };
    let mut findings = vec![
        lacking(CoverageKey::NoExpectations, &|point| !known.contains_key(&point.id)),
        Finding { of: with, ..lacking(CoverageKey::TopFiveNotChosen, &is_unranked) },
    ];
    let received = feedback_record::NOUN.field("receivedAt").map(Column::of);
    let received = received.ok_or_else(|| Error::internal("feedback is received at a time"))?;
    let since = Cell::Int((scope.now() - TimeDelta::days(days)).timestamp_millis());
    let recent = Predicate::Column(received, Test::Gte(since));
    for (key, relation, filter) in [
        (CoverageKey::NoInfluencers, "influencers", Predicate::always()),
        (CoverageKey::NoMediums, "mediums", Predicate::always()),
        (CoverageKey::NoRecentFeedback, "feedbackRecords", recent),
        (CoverageKey::InNoJourney, "steps", Predicate::always()),
    ] {
        if key == CoverageKey::InNoJourney && !is_whole {
            continue;
        }
        let relation = noun.relation(relation).ok_or_else(|| Error::internal("a point has these relations"))?;
        let counts =
            if ids.is_empty() { HashMap::new() } else { scope.count_children(&filter, relation, &ids).await? };
        findings.push(lacking(key, &|point| !counts.contains_key(&point.id)));
    }
    findings.push(lacking(CoverageKey::NoOwner, &|point| !point.is_owned));
    let unmeasured = expectations.iter().filter(|known| !known.is_measured);
    findings.push(Finding {
        key: CoverageKey::ExpectationNotMeasured,
        of: expectations.len(),
        items: unmeasured.map(|known| (&expectation::NOUN, known.id, known.point)).collect(),
    });
    let place = |finding: &Finding| CoverageKey::TYPE.values.iter().position(|(name, _)| *name == finding.key.name());
    findings.sort_by_key(place);
    Ok(findings)
}

fn count(number: usize) -> Cell {
    Cell::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn made(finding: &Finding, first: i64) -> Made {
    let said = |text: &str| Cell::Text(text.to_owned());
    let key = finding.key.name();
    let definition = CoverageKey::TYPE.values.iter().find(|(name, _)| *name == key).map_or("", |(_, doc)| doc.trim());
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below what a double holds")]
    let share = (finding.of > 0).then(|| finding.items.len() as f64 / finding.of as f64);
    let (mutation, input_field) = finding.key.fix();
    let item = |(noun, id, point): &(&'static Noun, Uuid, Uuid)| {
        let is_expectation = noun.table == expectation::NOUN.table;
        Made {
            cells: vec![
                ("type", said(noun.name)),
                ("element_id", Cell::Id(*id)),
                ("point_id", Cell::Id(*point)),
                ("expectation_id", if is_expectation { Cell::Id(*id) } else { Cell::Null }),
            ],
            inside: Vec::new(),
        }
    };
    let listed = finding.items.iter().take(usize::try_from(first).unwrap_or_default());
    Made {
        cells: vec![
            ("key", said(key)),
            ("definition", said(definition)),
            ("count", count(finding.items.len())),
            ("of", count(finding.of)),
            ("share", share.map_or(Cell::Null, Cell::Float)),
            ("mutation", said(mutation)),
            ("input_field", said(input_field)),
        ],
        inside: vec![("items", listed.map(item).collect())],
    }
}
