//! Diagrams of a journey in the classic notation: one read from the database, then pure functions that write one of
//! several formats.

mod cjml;
mod cjml_read;
mod dot;
mod layout;
pub mod legend;
mod mermaid;
pub mod model;
pub mod picture;
mod read;
mod route;
mod rows;
mod svg;
pub mod text;

use chrono::TimeDelta;
pub use cjml::cjml;
pub use cjml_read::read_cjml;
pub use dot::dot;
use entity::{Permission, Permissions, id, journey, noun::StringEnum};
pub use layout::draw;
pub use mermaid::mermaid;
use sea_orm::prelude::Uuid;
pub use svg::svg;

use super::edition;
use crate::{
    Error, Result,
    auth::signed_url::{Grant, MAX_URL_LIFETIME},
    graphql::{
        slice::Computed,
        typed::{
            fields::{ByRow, ComputedFn},
            input::Input,
        },
    },
    store::Scope,
};
use read::drawings;

/// Maximum number of journeys drawn for one field.
const MAX_JOURNEYS: usize = 25;
/// Maximum number of rows read to draw them.
const MAX_ROWS: usize = 20_000;

entity::string_enum! {
    /// Format of a diagram.
    Format as "DiagramFormat" {
        /// SVG, safe to embed in any page.
        Svg = "SVG",
        /// A Mermaid flowchart.
        Mermaid = "MERMAID",
        /// A Graphviz graph in DOT.
        Dot = "DOT",
        /// CJML 2.0, the XML of the Customer Journey Modeling Language.
        Cjml = "CJML",
    }
}

entity::string_enum! {
    /// Colour theme of an SVG.
    Theme as "DiagramTheme" {
        /// Light or dark, as the reader's browser prefers.
        Auto = "AUTO",
        /// Dark on light.
        Light = "LIGHT",
        /// Light on dark.
        Dark = "DARK",
    }
}

/// Appearance and content of a diagram.
#[derive(Input)]
struct DiagramOptions {
    /// Colour theme of an SVG.
    #[input(default = Theme::Auto)]
    theme: Theme,
    /// Whether to show influencers.
    #[input(default = true)]
    influencers: bool,
    /// Whether to show mediums.
    #[input(default = true)]
    mediums: bool,
    /// Whether to show expectations.
    #[input(default = true)]
    expectations: bool,
}

impl Default for DiagramOptions {
    fn default() -> Self {
        Self { theme: Theme::Auto, influencers: true, mediums: true, expectations: true }
    }
}

/// Which diagram is wanted.
#[derive(Input)]
struct DiagramArguments {
    /// Format of the diagram.
    #[input(default = Format::Svg)]
    format: Format,
    /// Appearance and content of the diagram.
    options: Option<DiagramOptions>,
}

/// The field `diagram` of a journey.
pub(super) const OF_JOURNEY: Computed = Computed {
    name: "diagram",
    doc: "The journey in the classic notation: boxes joined by lines from top to bottom; arrows into the left of a \
          box are influencers, arrows into the right are mediums, and bullets below it are the top five \
          expectations. Steps without links are joined in their order. A request draws at most 25 journeys with \
          20,000 rows in total.",
    run: &ComputedFn::new(|scope, input, ids| Box::pin(diagrams(scope, input, ids))),
};

/// Which address is wanted.
#[derive(Input)]
struct AddressArguments {
    /// Colour theme of the picture.
    #[input(default = Theme::Auto)]
    theme: Theme,
    /// Lifetime in seconds: 1 to 604800 (one week).
    #[input(default = 3_600, range = 1..=MAX_URL_LIFETIME.num_seconds())]
    expires_in: i64,
}

/// The field `diagramUrl` of a journey.
pub(super) const URL_OF_JOURNEY: Computed = Computed {
    name: "diagramUrl",
    doc: "A signed URL of the journey's picture for browsers and web pages. It needs no token: anybody who has the \
          URL can see the picture until it expires or until you, your API client or your organization is \
          revoked. It gives access to nothing else. Absolute if the server has a `--public-url`, otherwise it \
          starts with the path.",
    run: &ComputedFn::new(|scope, input, ids| Box::pin(async move { addresses(scope, &input, ids) })),
};

/// Returns the path and query of the URL of a journey's picture; `theme` must be in lower case.
pub fn resource(journey: &str, theme: &str) -> String {
    format!("/journeys/{journey}.svg?theme={theme}")
}

fn addresses(scope: &Scope, input: &AddressArguments, ids: &[Uuid]) -> Result<ByRow<String>> {
    let addresses = scope.addresses()?;
    let theme = input.theme.name().to_ascii_lowercase();
    let sign = |id: &Uuid| {
        let resource = resource(&id::encode(journey::NOUN.prefix, *id), &theme);
        let life = Some(TimeDelta::seconds(input.expires_in));
        let grant = Grant { resource: &resource, scopes: Permissions::default().with(Permission::MapRead), life };
        Ok((*id, addresses.sign(scope.actor(), grant, scope.now())?))
    };
    ids.iter().map(sign).collect()
}

async fn diagrams(scope: &Scope, input: DiagramArguments, ids: &[Uuid]) -> Result<ByRow<String>> {
    if ids.len() > MAX_JOURNEYS {
        return Err(Error::BadInput(format!("a request can draw at most {MAX_JOURNEYS} journeys")));
    }
    let DiagramArguments { format, options } = input;
    let options = options.unwrap_or_default();
    let loaded = scope.load_aggregate(&edition::JOURNEY, ids, MAX_ROWS).await?;
    if loaded.count() > MAX_ROWS {
        return Err(Error::BadInput(format!("the journeys have more than {MAX_ROWS} rows in total")));
    }
    let mut drawings = drawings(&loaded);
    for step in drawings.iter_mut().flat_map(|(_, drawing)| &mut drawing.steps) {
        step.influencers.retain(|_| options.influencers);
        step.mediums.retain(|_| options.mediums);
        step.expectations.retain(|_| options.expectations);
    }
    // The layout of a large journey would block the async thread, which serves other requests.
    let drawn = scope.compute(true, move |computation| {
        let write = |(id, drawing): (Uuid, model::Drawing)| {
            computation.check()?;
            let text = match format {
                Format::Svg => svg(&drawing, options.theme),
                Format::Mermaid => mermaid(&drawing),
                Format::Dot => dot(&drawing),
                Format::Cjml => cjml(&drawing),
            };
            Ok((id, text))
        };
        drawings.into_iter().map(write).collect()
    });
    drawn.await
}
