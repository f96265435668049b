//! The mutation `journeyImport`, which creates a journey from CJML 2.0.

use entity::expectation::ExpectationSource;

use super::{Document, Part, Sketch, make};
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
    map::{WRITE, diagram::read_cjml},
};

/// The mutation `journeyImport`.
pub(in crate::map) const IMPORT: Mutation = Mutation {
    name: "journeyImport",
    doc: "Creates a journey from a CJML 2.0 document with its stages, steps, links, points, mediums, influencers and \
          expectations. Existing mediums and influencers are reused by name. The output of `diagram(format: \
          CJML)` is imported without loss; of other documents, the first journey is imported.",
    permissions: WRITE,
    run: &PlannedMutationFn::new(import, |tx, document| Box::pin(make(tx, document))),
};

/// A journey as CJML.
#[derive(Input)]
pub(in crate::map) struct JourneyImport {
    /// The XML, up to 1 MiB, 50,000 elements and texts, and 64 attributes per element. A document type definition is
    /// refused.
    document: String,
}

fn import(input: JourneyImport, Planning { computation, .. }: Planning<'_>) -> Result<Planned<Document>> {
    let JourneyImport { document } = input;
    let drawing = match read_cjml(&document) {
        Ok(drawing) => drawing,
        Err(message) => return Ok(Err(vec![UserError::new(Code::Invalid, "document", message)])),
    };
    let path = |part: Part| {
        let mut path = vec!["document".to_owned()];
        let mut at = |name: &str, place: usize| path.extend([name.to_owned(), place.to_string()]);
        match part {
            Part::Journey => {}
            Part::Stage(place) => at("stages", place),
            Part::Link(place) => at("links", place),
            Part::Step(place) | Part::Medium(place, _) | Part::Influencer(place, _) | Part::Expectation(place, _) => {
                at("touchpoints", place);
            }
        }
        path
    };
    let sketch = Sketch { drawing: &drawing, keys: None, source: ExpectationSource::Precedent, path: &path };
    sketch.plan(computation)
}
