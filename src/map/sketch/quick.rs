//! The mutation `quickJourney`, which creates a journey from short notes.

use entity::{expectation::ExpectationSource, interaction_point::PointKind, noun::StringEnum};

use super::{Document, Part, STRENGTH, Sketch, make};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        slice::Mutation,
        typed::{
            fields::{Planned, PlannedMutationFn, Planning},
            input::Input,
        },
    },
    map::{
        WRITE,
        diagram::model::{Drawing, Influence, Stage, Step},
    },
    text::{is_blank, trim},
};

/// Maximum number of influencers, of mediums and of expectations of one point.
const MAX: usize = 100;

/// The mutation `quickJourney`.
pub(in crate::map) const QUICK: Mutation = Mutation {
    name: "quickJourney",
    doc: "Creates a journey from short notes: points in order, joined by SEQUENCE links, each with influencers \
          (strength 3), mediums and expectations; the first five expectations are its top five. Existing mediums \
          and influencers are reused by name; everything else is created.",
    permissions: WRITE,
    run: &PlannedMutationFn::new(sketch, |tx, document| Box::pin(make(tx, document))),
};

/// Notes on a journey.
#[derive(Input)]
pub(in crate::map) struct QuickJourney {
    /// Title of the journey. Up to 200 characters.
    title: String,
    /// Summary of the journey. Up to 2,000 characters.
    summary: Option<String>,
    /// The kind of customer whose journey it is. Up to 200 characters.
    customer_segment: Option<String>,
    /// 1 to 1,000 points, in the order in which the customer reaches them.
    #[input(most = 1_000)]
    points: Vec<QuickPointInput>,
    /// Source of the expectations.
    #[input(default = ExpectationSource::Precedent)]
    source: ExpectationSource,
}

/// Notes on an interaction point.
#[derive(Input)]
struct QuickPointInput {
    /// Its name. Up to 200 characters.
    name: String,
    /// Kind of the interaction point.
    #[input(default = PointKind::Other)]
    kind: PointKind,
    /// Name of its stage. A stage is created for each name, in order of appearance.
    stage: Option<String>,
    /// Names of its influencers, up to 100.
    #[input(most = MAX)]
    influencers: Option<Vec<String>>,
    /// Names of its mediums, up to 100.
    #[input(most = MAX)]
    mediums: Option<Vec<String>>,
    /// Expectations of the customer, most important first; up to 100 with up to 2,000 characters each.
    #[input(most = MAX)]
    expectations: Option<Vec<String>>,
}

fn sketch(input: QuickJourney, Planning { computation, .. }: Planning<'_>) -> Result<Planned<Document>> {
    if input.points.is_empty() {
        return Ok(Err(vec![UserError::new(Code::Required, "points", "there are no points")]));
    }
    let given = |text: Option<String>| text.filter(|text| !is_blank(text));
    let mut drawing = Drawing {
        title: input.title,
        summary: given(input.summary),
        customer_segment: given(input.customer_segment),
        ..Drawing::default()
    };
    let mut first_of_stage = Vec::new();
    for (place, point) in input.points.into_iter().enumerate() {
        let stage = point.stage.as_deref().map(trim).filter(|name| !is_blank(name));
        let stage = stage.map(|name| {
            drawing.stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
                drawing.stages.push(Stage { id: String::new(), name: name.to_owned() });
                first_of_stage.push(place);
                drawing.stages.len() - 1
            })
        });
        let influencers = point.influencers.unwrap_or_default().into_iter();
        drawing.steps.push(Step {
            name: point.name,
            kind: point.kind.name().to_owned(),
            stage,
            influencers: influencers.map(|name| Influence { name, strength: STRENGTH }).collect(),
            mediums: point.mediums.unwrap_or_default(),
            expectations: point.expectations.unwrap_or_default(),
            ..Step::default()
        });
    }
    let path = |part: Part| {
        let at = |place: usize, more: &[&str]| {
            let start = ["points".to_owned(), place.to_string()].into_iter();
            start.chain(more.iter().map(|part| (*part).to_owned())).collect()
        };
        match part {
            Part::Journey => Vec::new(),
            Part::Stage(stage) => at(first_of_stage[stage], &["stage"]),
            Part::Step(place) | Part::Link(place) => at(place, &[]),
            Part::Medium(place, index) => at(place, &["mediums", &index.to_string()]),
            Part::Influencer(place, index) => at(place, &["influencers", &index.to_string()]),
            Part::Expectation(place, index) => at(place, &["expectations", &index.to_string()]),
        }
    };
    Sketch { drawing: &drawing, keys: None, source: input.source, path: &path }.plan(computation)
}
