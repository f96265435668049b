//! Templates: predefined journeys, stored as outlines, and the mutation `templateApply`.

use std::sync::LazyLock;

use entity::{expectation::ExpectationSource, interaction_point::PointKind, journey, noun::StringEnum};

use super::{
    Document, Part, Sketch, make,
    outline::{GRAMMAR, MAX, Outline, read},
};
use crate::{
    Error, Result, UserError,
    graphql::{
        mutation::draft::accepted,
        slice::{Mutation, Query},
        typed::{
            fields::{Planned, PlannedMutationFn, Planning, QueryFn},
            input::Input,
            output::Output,
        },
    },
    map::{READ, WRITE, diagram::model::Step},
    store::statement::cell::fold,
};

entity::string_enum! {
    /// A template of a journey.
    TemplateKey as "TemplateKey" {
        /// The three points of every product: sale, service and disposal.
        Basics = "BASICS",
        /// A complaint, from the problem to telling the customer the outcome.
        ComplaintHandling = "COMPLAINT_HANDLING",
        /// A sales call, from preparation to the customer's decision.
        SalesCall = "SALES_CALL",
        /// A repair, from the failure until the product is in use again.
        Repair = "REPAIR",
        /// The supply chain, from the material to the end of the product's life.
        SupplyChain = "SUPPLY_CHAIN",
    }
}

/// System of the external ids of rows created from templates.
const SYSTEM: &str = "rapport-template";

/// A built-in template.
struct Template {
    key: TemplateKey,
    name: &'static str,
    outline: &'static str,
    read: Outline,
}

/// All templates. A test ensures that their outlines parse.
static ALL: LazyLock<Vec<Template>> = LazyLock::new(|| {
    [
        (TemplateKey::Basics, "Basics", include_str!("templates/basics.txt")),
        (TemplateKey::ComplaintHandling, "Complaint handling", include_str!("templates/complaint_handling.txt")),
        (TemplateKey::SalesCall, "Sales call", include_str!("templates/sales_call.txt")),
        (TemplateKey::Repair, "Repair", include_str!("templates/repair.txt")),
        (TemplateKey::SupplyChain, "Supply chain", include_str!("templates/supply_chain.txt")),
    ]
    .map(|(key, name, outline)| Template { key, name, outline, read: read(outline).unwrap_or_default() })
    .into()
});

/// The query `templates`.
pub(in crate::map) const TEMPLATES: Query = Query {
    name: "templates",
    doc: "Lists the templates for templateApply.",
    permissions: READ,
    run: &QueryFn::new(|_, ()| Box::pin(async { Ok(templates()) })),
};

/// The mutation `templateApply`.
pub(in crate::map) const APPLY: Mutation = Mutation {
    name: "templateApply",
    doc: "Creates a journey from a template, with its stages, points, links, mediums, influencers and expectations. \
          Existing mediums and influencers are reused by name. Applied again with the same title, it creates \
          what is missing and leaves the rest alone.",
    permissions: WRITE,
    run: &PlannedMutationFn::new(apply, |tx, document| Box::pin(make(tx, document))),
};

/// Which template to apply.
#[derive(Input)]
pub(in crate::map) struct TemplateApply {
    /// Key of the template.
    key: TemplateKey,
    /// Title of the journey, up to 200 characters. Defaults to the template's name. Another title creates another journey.
    journey_title: Option<String>,
    /// Your own version of the template's outline, in the syntax of journeyFromOutline. Defaults to the template's outline.
    #[input(max = MAX)]
    outline: Option<String>,
}

/// The list of templates.
#[derive(Output)]
#[output(read = MapRead, name = "TemplateList")]
struct Templates {
    /// The templates, simplest first.
    nodes: Vec<ShownTemplate>,
}

/// A template of a journey.
#[derive(Output)]
#[output(read = MapRead, name = "Template")]
struct ShownTemplate {
    /// Key of the template, for templateApply.
    key: TemplateKey,
    /// Display name.
    name: String,
    /// One-sentence summary.
    description: String,
    #[output(doc = GRAMMAR)]
    outline: String,
    /// Names of its stages, in order.
    stages: Vec<String>,
    /// Its interaction points, in order.
    points: Vec<TemplatePoint>,
}

/// An interaction point of a template.
#[derive(Output)]
#[output(read = MapRead)]
struct TemplatePoint {
    /// Its name.
    name: String,
    /// Kind of the interaction point.
    kind: PointKind,
    /// Name of its stage.
    stage: Option<String>,
    /// Names of its influencers.
    influencers: Vec<String>,
    /// Names of its mediums.
    mediums: Vec<String>,
    /// Expectations of the customer, most important first.
    expectations: Vec<String>,
}

fn templates() -> Templates {
    let point = |template: &Template, step: &Step| TemplatePoint {
        name: step.name.clone(),
        kind: PointKind::parse(&step.kind).unwrap_or(PointKind::Other),
        stage: step.stage.map(|stage| template.read.drawing.stages[stage].name.clone()),
        influencers: step.influencers.iter().map(|known| known.name.clone()).collect(),
        mediums: step.mediums.clone(),
        expectations: step.expectations.clone(),
    };
    let shown = |template: &Template| {
        let doc = TemplateKey::TYPE.values.iter().find(|(name, _)| *name == template.key.name());
        let drawing = &template.read.drawing;
        ShownTemplate {
            key: template.key,
            name: template.name.to_owned(),
            description: doc.map_or("", |(_, doc)| doc.trim()).to_owned(),
            outline: template.outline.to_owned(),
            stages: drawing.stages.iter().map(|stage| stage.name.clone()).collect(),
            points: drawing.steps.iter().map(|step| point(template, step)).collect(),
        }
    };
    Templates { nodes: ALL.iter().map(shown).collect() }
}

fn apply(input: TemplateApply, Planning { computation, .. }: Planning<'_>) -> Result<Planned<Document>> {
    let template = ALL.iter().find(|template| template.key == input.key);
    let template = template.ok_or_else(|| Error::internal("a key has no template"))?;
    let title = match input.journey_title {
        None => template.name.to_owned(),
        Some(title) => match accepted(journey::TITLE, title)? {
            Ok((_, title)) => title.text().unwrap_or_default().to_owned(),
            Err(error) => return Ok(Err(vec![UserError { path: vec!["journeyTitle".to_owned()], ..error }])),
        },
    };
    let own = match input.outline.as_deref().map(read).transpose() {
        Ok(own) => own,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let outline = own.as_ref().unwrap_or(&template.read);
    let start = format!("{}\u{1f}{}", template.key.name(), fold(&title));
    let drawing = crate::map::diagram::model::Drawing { title, ..outline.drawing.clone() };
    let path = |part: Part| outline.path(part);
    let keys = Some((SYSTEM, start.as_str()));
    Sketch { drawing: &drawing, keys, source: ExpectationSource::Precedent, path: &path }.plan(computation)
}

#[cfg(test)]
mod tests {
    use entity::{interaction_point::PointKind, noun::StringEnum};

    use super::{ALL, TemplateKey, read};

    #[test]
    fn there_is_a_template_for_every_key_and_its_outline_can_be_read() {
        let keys: Vec<&str> = ALL.iter().map(|template| template.key.name()).collect();
        assert_eq!(keys, TemplateKey::TYPE.values.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for template in ALL.iter() {
            read(template.outline).unwrap_or_else(|errors| panic!("{}: {errors:?}", template.name));
        }
    }

    #[test]
    fn every_point_of_a_template_says_what_brings_customers_over_which_mediums_and_what_five_things_they_expect() {
        for template in ALL.iter() {
            for step in &template.read.drawing.steps {
                assert!(!step.influencers.is_empty() && !step.mediums.is_empty(), "{}: {}", template.name, step.name);
                assert_eq!(step.expectations.len(), 5, "{}: {}", template.name, step.name);
                assert_ne!(step.kind, "", "{}", step.name);
            }
        }
        let basics: Vec<&str> = ALL[0].read.drawing.steps.iter().map(|step| step.kind.as_str()).collect();
        let kinds = [PointKind::PointOfSale, PointKind::PointOfService, PointKind::PointOfDisposal];
        assert_eq!(basics, kinds.map(StringEnum::name));
    }
}
