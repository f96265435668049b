//! The mutation `journeyFromOutline`, which creates stages and points from an indented text.
//!
//! ```text
//! Purchase
//!   Shop [POINT_OF_SALE]
//!     < Friend (4)
//!     > In person
//!     - I am not kept waiting
//!   Delivery [DELIVERY]
//!     ~ LOOP Shop: it was the wrong one
//! ```

use std::collections::HashMap;

use entity::{expectation::ExpectationSource, interaction_point::PointKind, noun::StringEnum, step_link::StepLinkKind};

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
        diagram::model::{Drawing, Influence, Stage, Step, StepLink},
    },
    store::statement::cell::fold,
    text::without_byte_order_mark,
};

/// Maximum length in bytes of a point's name in a link; above the maximum length of a name.
const MAX_LENGTH: usize = 2_000;
/// Maximum length of an outline in characters.
pub(super) const MAX: usize = 20_000;

/// Description of the syntax of outlines, for the API documentation.
pub(super) const GRAMMAR: &str = "One line per stage and, indented below it, one line per point; without indented \
                                  lines, all lines are points. A point may end with its kind: `Shop \
                                  [POINT_OF_SALE]`. Below a point, `< Friend (4)` is an influencer with its \
                                  strength, `> Phone` a medium, `- Fast` an expectation (the first five are the \
                                  top five), and `~ LOOP Shop: too small` a link to another point with its \
                                  label. Each point is linked to the next one unless it has its own SEQUENCE or \
                                  PARALLEL link. Up to 20,000 characters, and 1,500 rows and links to write.";

/// The mutation `journeyFromOutline`.
pub(in crate::map) const FROM_OUTLINE: Mutation = Mutation {
    name: "journeyFromOutline",
    doc: "Creates a journey from an outline, an indented text of stages and points. Existing mediums and influencers \
          are reused by name; everything else is created.",
    permissions: WRITE,
    run: &PlannedMutationFn::new(from_outline, |tx, document| Box::pin(make(tx, document))),
};

/// A journey as an outline.
#[derive(Input)]
pub(in crate::map) struct FromOutline {
    /// Title of the journey. Up to 200 characters.
    title: String,
    #[input(doc = GRAMMAR, max = MAX)]
    outline: String,
}

fn from_outline(input: FromOutline, Planning { computation, .. }: Planning<'_>) -> Result<Planned<Document>> {
    let mut read = match read(&input.outline) {
        Ok(read) => read,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    read.drawing.title = input.title;
    let path = |part| read.path(part);
    Sketch { drawing: &read.drawing, keys: None, source: ExpectationSource::Precedent, path: &path }.plan(computation)
}

/// A parsed outline, with the line number of each stage, step and link.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) drawing: Drawing,
    stages: Vec<usize>,
    steps: Vec<usize>,
    links: Vec<usize>,
}

impl Outline {
    /// Returns the path of a part: `outline` and the line number, from 1.
    pub(super) fn path(&self, part: Part) -> Vec<String> {
        let line = match part {
            Part::Journey => return Vec::new(),
            Part::Stage(place) => self.stages.get(place),
            Part::Link(place) => self.links.get(place),
            Part::Step(place) | Part::Medium(place, _) | Part::Influencer(place, _) | Part::Expectation(place, _) => {
                self.steps.get(place)
            }
        };
        at(line.copied().unwrap_or_default())
    }

    fn stage(&mut self, number: usize, name: &str) {
        self.stages.push(number);
        self.drawing.stages.push(Stage { id: String::new(), name: name.to_owned() });
    }

    fn point(&mut self, number: usize, text: &str) -> Result<(), &'static str> {
        let (name, kind) = match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
            Some((name, kind)) => (name.trim(), PointKind::parse(kind.trim()).ok_or("unknown kind of point")?),
            None => (text, PointKind::Other),
        };
        self.steps.push(number);
        self.drawing.steps.push(Step {
            name: name.to_owned(),
            kind: kind.name().to_owned(),
            stage: self.drawing.stages.len().checked_sub(1),
            ..Step::default()
        });
        Ok(())
    }
}

fn at(line: usize) -> Vec<String> {
    vec!["outline".to_owned(), line.to_string()]
}

/// First characters of lines that describe the point above them.
const SIGNS: [char; 4] = ['<', '>', '-', '~'];

/// Parses an outline. Err with up to 100 errors, each with the path of its line.
pub(super) fn read(text: &str) -> Result<Outline, Vec<UserError>> {
    let text = without_byte_order_mark(text);
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let lines: Vec<(usize, &str, usize)> = lines.map(|(line, number)| (indent(line), line.trim(), number)).collect();
    let is_named = |(_, line, _): &&(usize, &str, usize)| !line.starts_with(SIGNS);
    let base = lines.iter().filter(is_named).map(|(indent, ..)| *indent).min().unwrap_or_default();
    let has_stages = lines.iter().filter(is_named).any(|(indent, ..)| *indent > base);
    let (mut read, mut mistakes, mut ties) = (Outline::default(), Vec::new(), Vec::new());
    for (indent, line, number) in lines {
        let done = match line.strip_prefix(SIGNS) {
            None if has_stages && indent == base => {
                read.stage(number, line);
                Ok(())
            }
            None => read.point(number, line),
            Some(rest) => match (read.drawing.steps.last_mut(), line.chars().next()) {
                (None, _) => Err("this line needs a point above it"),
                (Some(step), sign) => note(step, sign, rest.trim()),
            },
        };
        if let Err(message) = done {
            mistakes.push(UserError { code: Code::Invalid, message: message.to_owned(), path: at(number) });
        } else if let Some(rest) = line.strip_prefix('~') {
            ties.push((read.drawing.steps.len() - 1, rest.trim(), number));
        }
    }
    if read.drawing.steps.is_empty() && mistakes.is_empty() {
        mistakes.push(UserError::new(Code::Required, "outline", "there are no points"));
    }
    link(&mut read, &ties, &mut mistakes);
    mistakes.truncate(100);
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// Returns the indentation of a line in spaces; a tab counts as four.
fn indent(line: &str) -> usize {
    line.chars().take_while(|sign| sign.is_whitespace()).map(|sign| if sign == '\t' { 4 } else { 1 }).sum()
}

/// Adds the influencer, medium or expectation of a line to a step. Links are resolved later, by [`link`].
fn note(step: &mut Step, sign: Option<char>, text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("the line is empty");
    }
    match sign {
        Some('<') => {
            let parts = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
            let parts = parts.and_then(|(name, strength)| Some((name.trim(), strength.trim().parse::<i64>().ok()?)));
            let (name, strength) = parts.unwrap_or((text, STRENGTH));
            if !(1..=5).contains(&strength) {
                return Err("the strength must be from 1 to 5");
            }
            step.influencers.push(Influence { name: name.to_owned(), strength });
        }
        Some('>') => step.mediums.push(text.to_owned()),
        Some('-') => step.expectations.push(text.to_owned()),
        _ => {}
    }
    Ok(())
}

/// Adds the links: those of the outline, and a SEQUENCE link to the next point from each point that has no SEQUENCE or
/// PARALLEL link of its own.
fn link(read: &mut Outline, ties: &[(usize, &str, usize)], mistakes: &mut Vec<UserError>) {
    let count = read.drawing.steps.len();
    let mut names: HashMap<String, usize> = HashMap::new();
    for (place, step) in read.drawing.steps.iter().enumerate() {
        names.entry(fold(&step.name)).or_insert(place);
    }
    let mut from_step: Vec<Vec<(StepLink, usize)>> = vec![Vec::new(); count];
    for (from, text, number) in ties {
        let (kind, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // A name may itself contain a colon: use the longest prefix that is the name of a point.
        let ends = std::iter::once(rest.len()).chain(rest.rmatch_indices(':').map(|(place, _)| place));
        let found = ends.filter(|end| *end <= MAX_LENGTH).find_map(|end| {
            let name = fold(rest[..end].trim());
            let to = *names.get(&name)?;
            Some((to, rest.get(end + 1..).map(|label| label.trim().to_owned()).filter(|label| !label.is_empty())))
        });
        match (StepLinkKind::parse(kind), found) {
            (Some(kind), Some((to, label))) => {
                from_step[*from].push((StepLink { from: *from, to, kind, label }, *number));
            }
            (kind, _) => {
                let (code, message) = match kind {
                    None => (Code::Invalid, "unknown kind of link"),
                    Some(_) => (Code::NotFound, "the outline has no point with this name"),
                };
                mistakes.push(UserError { code, message: message.to_owned(), path: at(*number) });
            }
        }
    }
    for (from, own) in from_step.iter().enumerate() {
        let leads =
            |(link, _): &(StepLink, usize)| matches!(link.kind, StepLinkKind::Sequence | StepLinkKind::Parallel);
        if from + 1 < count && !own.iter().any(leads) {
            read.links.push(read.steps[from + 1]);
            let next = StepLink { from, to: from + 1, kind: StepLinkKind::Sequence, label: None };
            read.drawing.links.push(next);
        }
        for (link, number) in own {
            read.links.push(*number);
            read.drawing.links.push(link.clone());
        }
    }
}
