//! Mutations that create a journey in one call from a short input: notes, an outline, a template or CJML.

mod cjml;
mod outline;
mod quick;
mod template;

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use entity::{
    expectation::{self, ExpectationSource},
    influencer, interaction_point, journey, medium,
    noun::{Noun, Relationship, StringEnum},
    stage, step, step_link,
};

pub(super) use self::{
    cjml::IMPORT,
    outline::FROM_OUTLINE,
    quick::QUICK,
    template::{APPLY, TEMPLATES},
};
use super::{
    diagram::model::{Drawing, Step},
    document::{Document, Identity, Known, Mistakes, Row, write},
};
use crate::{
    Error, Result,
    error::Code,
    graphql::{slice::Done, typed::fields::Planned},
    store::{ExternalId, Tx, statement::cell::Cell, usage::compute::Computation, writing::draft::Outcome},
};

/// Maximum number of ranked expectations of a point.
const TOP: i64 = 5;
/// Default strength of an influencer.
const STRENGTH: i64 = 3;

/// A part of a sketch, from which the path of an error is built.
#[derive(Clone, Copy, Debug)]
enum Part {
    Journey,
    Stage(usize),
    Step(usize),
    Medium(usize, usize),
    Influencer(usize, usize),
    Expectation(usize, usize),
    Link(usize),
}

/// A journey to create.
struct Sketch<'a> {
    /// The parsed journey.
    drawing: &'a Drawing,
    /// System and prefix of the keys of the rows; without, all rows are new.
    keys: Option<(&'static str, &'a str)>,
    /// Source of the expectations.
    source: ExpectationSource,
    /// Returns the path of a part in the input.
    path: &'a (dyn Fn(Part) -> Vec<String> + Sync),
}

/// Writes the [`Document`] of a sketch. Rows that exist already, by key or by name, are not changed.
async fn make(tx: &Tx, document: &Document) -> Result<Done> {
    let done = match write(tx, document, Known::Keep).await? {
        Ok(done) => done,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let journey = done.of(&journey::NOUN).first().copied();
    let (id, outcome) = journey.ok_or_else(|| Error::internal("a sketch is of one journey"))?;
    let outcome = if outcome == Outcome::Unchanged && done.is_change() { Outcome::Updated } else { outcome };
    Ok(Ok((id, outcome)))
}

/// Builds the rows of a sketch.
struct Maker<'a> {
    sketch: &'a Sketch<'a>,
    computation: &'a Computation,
    document: Document,
    mistakes: Mistakes,
    /// Number of uses of each key so far.
    used: HashMap<String, usize>,
}

/// Maximum number of rows and links of a new journey. They are written in one transaction, during which all other
/// writers of `SQLite` wait.
const MAX_ROWS: usize = 1_500;

impl Sketch<'_> {
    /// Builds the rows of the sketch. Returns them, or the list of user errors.
    fn plan(&self, computation: &Computation) -> Result<Planned<Document>> {
        let (document, mistakes) = (Document::default(), Mistakes::default());
        let mut maker = Maker { sketch: self, computation, document, mistakes, used: HashMap::new() };
        maker.journey()?;
        let Maker { document, mut mistakes, .. } = maker;
        if document.count() > MAX_ROWS {
            let message = format!("the journey has more than {MAX_ROWS} rows and links; make several journeys of it");
            mistakes.add(Code::TooLong, (self.path)(Part::Journey), message);
        }
        Ok(mistakes.or(document))
    }
}

impl Maker<'_> {
    /// Returns the identity of a row, derived from its noun and `words`; a counter distinguishes equal ones.
    fn identity(&mut self, noun: &Noun, words: &[&str]) -> Identity {
        let Some((system, start)) = self.sketch.keys else { return Identity::New };
        let words = format!("{start}\u{1f}{}\u{1f}{}", noun.name, words.join("\u{1f}"));
        let count = self.used.entry(words.clone()).or_default();
        *count += 1;
        let id = fingerprint(&format!("{words}\u{1f}{count}"));
        Identity::Key(ExternalId { system: system.to_owned(), id })
    }

    fn row(&mut self, noun: &Noun, words: &[&str], part: Part) -> Row {
        Row::new(self.identity(noun, words), (self.sketch.path)(part))
    }

    fn journey(&mut self) -> Result<()> {
        let drawing = self.sketch.drawing;
        let mut row = self.row(&journey::NOUN, &[], Part::Journey);
        row.say(&journey::NOUN, "title", &drawing.title, &mut self.mistakes);
        for (field, text) in [("summary", &drawing.summary), ("customerSegment", &drawing.customer_segment)] {
            if let Some(text) = text {
                row.say(&journey::NOUN, field, text, &mut self.mistakes);
            }
        }
        let journey = self.document.add(&journey::NOUN, row);
        let mut stages = Vec::new();
        for (place, stage) in drawing.stages.iter().enumerate() {
            let mut row = self.row(&stage::NOUN, &[&stage.name], Part::Stage(place));
            row.say(&stage::NOUN, "name", &stage.name, &mut self.mistakes);
            self.put_at(&mut row, &stage::NOUN, place);
            row.name(&stage::NOUN, "journey", Some(journey));
            stages.push(self.document.add(&stage::NOUN, row));
        }
        let mut steps = Vec::new();
        for (place, step) in drawing.steps.iter().enumerate() {
            self.computation.check()?;
            let stage = drawing.stage_of(place);
            let words = [stage.map_or("", |stage| drawing.stages[stage].name.as_str()), step.name.as_str()];
            let point = self.point(step, &words, place);
            let mut row = self.row(&step::NOUN, &words, Part::Step(place));
            self.put_at(&mut row, &step::NOUN, place);
            row.name(&step::NOUN, "journey", Some(journey));
            row.name(&step::NOUN, "stage", stage.map(|stage| stages[stage]));
            row.name(&step::NOUN, "point", Some(point));
            steps.push(self.document.add(&step::NOUN, row));
        }
        for (place, link) in drawing.lines().iter().enumerate() {
            let (from, to) = (&drawing.steps[link.from].name, &drawing.steps[link.to].name);
            let noun = &step_link::NOUN;
            let mut row = self.row(noun, &[from, to, link.kind.name()], Part::Link(place));
            row.say(noun, "kind", link.kind.name(), &mut self.mistakes);
            if let Some(label) = &link.label {
                row.say(noun, "label", label, &mut self.mistakes);
            }
            row.name(noun, "journey", Some(journey));
            row.name(noun, "from", Some(steps[link.from]));
            row.name(noun, "to", Some(steps[link.to]));
            self.document.add(noun, row);
        }
        Ok(())
    }

    /// Sets the position of a stage or step. The limit on their number is checked elsewhere, when they are written.
    fn put_at(&mut self, row: &mut Row, noun: &'static Noun, place: usize) {
        if let (Some(field), Ok(place)) = (noun.field("position"), i64::try_from(place + 1)) {
            row.give(field, &place.into(), &mut self.mistakes);
        }
    }

    fn point(&mut self, step: &Step, words: &[&str], place: usize) -> usize {
        let noun = &interaction_point::NOUN;
        let mut row = self.row(noun, words, Part::Step(place));
        row.say(noun, "name", &step.name, &mut self.mistakes);
        if !step.kind.is_empty() {
            row.say(noun, "kind", &step.kind, &mut self.mistakes);
        }
        let mut mediums = Vec::new();
        for (index, name) in step.mediums.iter().enumerate() {
            let path = (self.sketch.path)(Part::Medium(place, index));
            mediums.push((self.document.named(&medium::NOUN, name, path, &mut self.mistakes), Vec::new()));
        }
        let mut influencers = Vec::new();
        for (index, known) in step.influencers.iter().enumerate() {
            let path = (self.sketch.path)(Part::Influencer(place, index));
            let named = self.document.named(&influencer::NOUN, &known.name, path, &mut self.mistakes);
            influencers.push((named, vec![known.strength]));
        }
        for (set, mut lines) in [("mediums", mediums), ("influencers", influencers)] {
            let relation: Option<&'static Relationship> = noun.relation(set);
            let mut seen = std::collections::HashSet::new();
            lines.retain(|(place, _)| seen.insert(*place));
            row.lines.extend(relation.map(|relation| (relation, lines)));
        }
        let point = self.document.add(noun, row);
        for (index, statement) in step.expectations.iter().enumerate() {
            let noun = &expectation::NOUN;
            let words: Vec<&str> = words.iter().copied().chain([statement.as_str()]).collect();
            let mut row = self.row(noun, &words, Part::Expectation(place, index));
            row.is_text = true;
            row.say(noun, "statement", statement, &mut self.mistakes);
            row.say(noun, "source", self.sketch.source.name(), &mut self.mistakes);
            row.name(noun, "point", Some(point));
            let rank = i64::try_from(index + 1).ok().filter(|rank| *rank <= TOP);
            row.rank = Some(rank.map_or(Cell::Null, Cell::Int));
            self.document.add(noun, row);
        }
        point
    }
}

/// Returns the first half of the SHA-256 digest in hexadecimal.
fn fingerprint(text: &str) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    format!("{:032x}", u128::from_be_bytes(half))
}
