//! A first sketch of a journey out of short notes.

use entity::{expectation::ExpectationSource, interaction_point::PointKind, noun::StringEnum};

use super::{Part, STRENGTH, Sketch, make};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        mutation::input::{Input, text},
        slice::{Argument, InputObject, Mutation, Planned, Run},
    },
    map::{
        WRITE,
        diagram::model::{Drawing, Influence, Stage, Step},
    },
    store::usage::meter::Meter,
    text::{is_blank, trim},
};

/// Most notes of one point.
const MAX: usize = 100;

/// The mutation.
pub(in crate::map) const QUICK: Mutation = Mutation {
    name: "quickJourney",
    doc: "Creates a journey from short notes: points in order, joined by SEQUENCE links, each with influencers \
          (strength 3), mediums and expectations; the first five expectations are its top five. Existing mediums \
          and influencers are reused by name; everything else is created.",
    permissions: WRITE,
    input: &[
        Argument { name: "title", ty: "String!", default: None, doc: "Title of the journey. Up to 200 characters." },
        Argument {
            name: "summary",
            ty: "String",
            default: None,
            doc: "Summary of the journey. Up to 2,000 \
            characters.",
        },
        Argument {
            name: "customerSegment",
            ty: "String",
            default: None,
            doc: "The kind of customer whose journey it is. Up to 200 characters.",
        },
        Argument {
            name: "points",
            ty: "[QuickPointInput!]!",
            default: None,
            doc: "1 to 1,000 points, in the order in which the customer reaches them.",
        },
        Argument {
            name: "source",
            ty: "ExpectationSource",
            default: Some("PRECEDENT"),
            doc: "Source of the expectations.",
        },
    ],
    run: Run::Planned { plan: sketch, run: |tx, plan| Box::pin(make(tx, plan)) },
};

/// The input object of a point.
pub(in crate::map) const INPUT: InputObject = InputObject {
    name: "QuickPointInput",
    doc: "Notes on an interaction point.",
    fields: &[
        Argument { name: "name", ty: "String!", default: None, doc: "Its name. Up to 200 characters." },
        Argument {
            name: "kind",
            ty: "InteractionPointKind",
            default: Some("OTHER"),
            doc: "Kind of the interaction point.",
        },
        Argument {
            name: "stage",
            ty: "String",
            default: None,
            doc: "Name of its stage. A stage is created for each name, in order of appearance.",
        },
        Argument { name: "influencers", ty: "[String!]", default: None, doc: "Names of its influencers, up to 100." },
        Argument { name: "mediums", ty: "[String!]", default: None, doc: "Names of its mediums, up to 100." },
        Argument {
            name: "expectations",
            ty: "[String!]",
            default: None,
            doc: "Expectations of the customer, most important first; up to 100 with up to 2,000 characters each.",
        },
    ],
};

fn sketch(input: &Input<'_>, meter: &Meter) -> Result<Planned> {
    let points = input.list("points");
    if points.is_empty() {
        return Ok(Err(vec![UserError::new(Code::Required, "points", "there are no points")]));
    }
    if points.len() > 1_000 {
        return Ok(Err(vec![UserError::new(Code::TooLong, "points", "there are more than 1,000 points")]));
    }
    let given = |name: &str| -> Result<Option<String>> {
        Ok(input.text(name)?.filter(|text| !is_blank(text)).map(str::to_owned))
    };
    let mut drawing = Drawing {
        title: input.text("title")?.unwrap_or_default().to_owned(),
        summary: given("summary")?,
        customer_segment: given("customerSegment")?,
        ..Drawing::default()
    };
    let mut mistakes = Vec::new();
    let mut first_of_stage = Vec::new();
    for (place, point) in points.into_iter().enumerate() {
        let point = Input::of("points", point)?;
        let mut notes = |name: &str| {
            let items = point.list(name);
            if items.len() > MAX {
                let path = vec!["points".to_owned(), place.to_string(), name.to_owned()];
                let message = format!("at most {MAX} are allowed");
                mistakes.push(UserError { code: Code::TooLong, message, path });
            }
            items.into_iter().take(MAX).filter_map(text).map(str::to_owned).collect::<Vec<String>>()
        };
        let (influencers, mediums, expectations) = (notes("influencers"), notes("mediums"), notes("expectations"));
        let stage = point.text("stage")?.map(trim).filter(|name| !is_blank(name));
        let stage = stage.map(|name| {
            drawing.stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
                drawing.stages.push(Stage { id: String::new(), name: name.to_owned() });
                first_of_stage.push(place);
                drawing.stages.len() - 1
            })
        });
        drawing.steps.push(Step {
            name: point.text("name")?.unwrap_or_default().to_owned(),
            kind: point.text("kind")?.unwrap_or_else(|| PointKind::Other.name()).to_owned(),
            stage,
            influencers: influencers.into_iter().map(|name| Influence { name, strength: STRENGTH }).collect(),
            mediums,
            expectations,
            ..Step::default()
        });
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
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
    let source = input.present("source").and_then(text).and_then(ExpectationSource::parse);
    let source = source.unwrap_or(ExpectationSource::Precedent);
    Sketch { drawing: &drawing, keys: None, source, path: &path }.plan(meter)
}
