//! Templates: ready journeys to start from, as outlines.

use std::sync::LazyLock;

use entity::{
    Noun, Permission,
    expectation::ExpectationSource,
    interaction_point::PointKind,
    journey,
    noun::{EnumType, Field, Kind, Link, Relationship, StringEnum},
};

use super::{
    Part, Sketch, make,
    outline::{GRAMMAR, Outline, read},
};
use crate::{
    Error, Result, UserError,
    graphql::{
        mutation::input::{Input, accept, text},
        slice::{Argument, ComputedObject, Mutation, Planned, Query, Resolved, Run},
    },
    map::{READ, WRITE, diagram::model::Step},
    store::{
        statement::cell::{Cell, fold},
        usage::meter::Meter,
    },
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

/// The enum of the keys.
pub(in crate::map) const KEYS: &EnumType = TemplateKey::TYPE;

/// System of the external ids of what templates made.
const SYSTEM: &str = "rapport-template";

/// A template.
struct Template {
    key: TemplateKey,
    name: &'static str,
    outline: &'static str,
    read: Outline,
}

/// All of them. Their outlines can be read: a test says so.
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

/// The query.
pub(in crate::map) const TEMPLATES: Query = Query {
    name: "templates",
    doc: "Lists the templates for templateApply.",
    arguments: &[],
    answer: &LIST,
    permissions: READ,
    run: |_, _| Box::pin(async { Ok(templates()) }),
};

/// The mutation.
pub(in crate::map) const APPLY: Mutation = Mutation {
    name: "templateApply",
    doc: "Creates a journey from a template, with its stages, points, links, mediums, influencers and expectations. \
          Existing mediums and influencers are reused by name. Applied again with the same title, it creates \
          what is missing and leaves the rest alone.",
    permissions: WRITE,
    input: &[
        Argument { name: "key", ty: "TemplateKey!", default: None, doc: "Key of the template." },
        Argument {
            name: "journeyTitle",
            ty: "String",
            default: None,
            doc: "Title of the journey, up to 200 characters. Defaults to the template's name. Another title creates \
                  another journey.",
        },
        Argument {
            name: "outline",
            ty: "String",
            default: None,
            doc: "Your own version of the template's outline, in the syntax of journeyFromOutline. Defaults to the \
                  template's outline.",
        },
    ],
    run: Run::Planned { plan: apply, run: |tx, plan| Box::pin(make(tx, plan)) },
};

/// The objects of the answer.
pub(in crate::map) const OBJECTS: [&Noun; 3] = [&LIST, &TEMPLATE, &POINT];

static LIST: Noun = Noun::computed(
    "TemplateList",
    "The list of templates.",
    Permission::MapRead,
    &[],
    &[Relationship {
        name: "nodes",
        target: &TEMPLATE,
        link: Link::Embedded { is_list: true },
        doc: "The templates, simplest first.",
    }],
);

static TEMPLATE: Noun = Noun::computed(
    "Template",
    "A template of a journey.",
    Permission::MapRead,
    &[
        Field::new("key", "key", Kind::Enum(TemplateKey::TYPE), "Key of the template, for templateApply."),
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show."),
        Field::new("description", "description", Kind::Text { max: 2_000 }, "One-sentence summary."),
        Field::new("outline", "outline", Kind::Text { max: 20_000 }, GRAMMAR),
        Field::new("stages", "stages", Kind::Names, "Names of its stages, in order."),
    ],
    &[Relationship {
        name: "points",
        target: &POINT,
        link: Link::Embedded { is_list: true },
        doc: "Its interaction points, in order.",
    }],
);

static POINT: Noun = Noun::computed(
    "TemplatePoint",
    "An interaction point of a template.",
    Permission::MapRead,
    &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Its name."),
        Field::new("kind", "kind", Kind::Enum(PointKind::TYPE), "Kind of the interaction point."),
        Field::new("stage", "stage", Kind::Text { max: 200 }, "Name of its stage.").nullable(),
        Field::new("influencers", "influencers", Kind::Names, "Names of its influencers."),
        Field::new("mediums", "mediums", Kind::Names, "Names of its mediums."),
        Field::new("expectations", "expectations", Kind::Names, "Expectations of the customer, most important first."),
    ],
    &[],
);

fn templates() -> Resolved {
    let said = |text: &str| Cell::Text(text.to_owned());
    let names = |names: Vec<&str>| Cell::Text(serde_json::json!(names).to_string());
    let point = |template: &Template, step: &Step| ComputedObject {
        cells: vec![
            ("name", said(&step.name)),
            ("kind", said(&step.kind)),
            ("stage", step.stage.map_or(Cell::Null, |stage| said(&template.read.drawing.stages[stage].name))),
            ("influencers", names(step.influencers.iter().map(|known| known.name.as_str()).collect())),
            ("mediums", names(step.mediums.iter().map(String::as_str).collect())),
            ("expectations", names(step.expectations.iter().map(String::as_str).collect())),
        ],
        inside: Vec::new(),
    };
    let made = |template: &Template| {
        let doc = TemplateKey::TYPE.values.iter().find(|(name, _)| *name == template.key.name());
        let drawing = &template.read.drawing;
        ComputedObject {
            cells: vec![
                ("key", said(template.key.name())),
                ("name", said(template.name)),
                ("description", said(doc.map_or("", |(_, doc)| doc.trim()))),
                ("outline", said(template.outline)),
                ("stages", names(drawing.stages.iter().map(|stage| stage.name.as_str()).collect())),
            ],
            inside: vec![("points", drawing.steps.iter().map(|step| point(template, step)).collect())],
        }
    };
    let nodes = ALL.iter().map(made).collect();
    Resolved::Object(ComputedObject { cells: Vec::new(), inside: vec![("nodes", nodes)] })
}

fn apply(input: &Input<'_>, meter: &Meter) -> Result<Planned> {
    let key = input.present("key").and_then(text).and_then(TemplateKey::parse);
    let template = ALL.iter().find(|template| Some(template.key) == key);
    let template = template.ok_or_else(|| Error::BadInput("key must be one of a template".to_owned()))?;
    let title = match input.present("journeyTitle") {
        None => template.name.to_owned(),
        Some(title) => {
            let field = journey::NOUN.field("title").ok_or_else(|| Error::internal("a journey has a title"))?;
            match accept(field, title)? {
                Ok(cell) => cell.text().unwrap_or_default().to_owned(),
                Err(error) => return Ok(Err(vec![UserError { path: vec!["journeyTitle".to_owned()], ..error }])),
            }
        }
    };
    let own = match input.text("outline")?.map(read).transpose() {
        Ok(own) => own,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let outline = own.as_ref().unwrap_or(&template.read);
    let start = format!("{}\u{1f}{}", template.key.name(), fold(&title));
    let drawing = crate::map::diagram::model::Drawing { title, ..outline.drawing.clone() };
    let path = |part: Part| outline.path(part);
    let keys = Some((SYSTEM, start.as_str()));
    Sketch { drawing: &drawing, keys, source: ExpectationSource::Precedent, path: &path }.plan(meter)
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
