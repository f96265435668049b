//! Journeys made in one call from less than all their rows: from notes, an outline, a template or CJML.

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
    store::{ExternalId, Tx, statement::cell::Cell, usage::meter::Meter, writing::draft::Outcome},
};

/// How many expectations of a point are ranked.
const TOP: i64 = 5;
/// How strongly an influencer moves customers of which nothing else is said.
const STRENGTH: i64 = 3;

/// A part of a sketch, for the path of a mistake.
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

/// A journey as it was sketched.
struct Sketch<'a> {
    /// What there is of it.
    drawing: &'a Drawing,
    /// System and beginning of the keys of its rows; without, all are new.
    keys: Option<(&'static str, &'a str)>,
    /// Where its expectations come from.
    source: ExpectationSource,
    /// Where its parts stand in the input.
    path: &'a (dyn Fn(Part) -> Vec<String> + Sync),
}

/// Makes what was sketched, a [`Document`]; of what is there already, by its key or its name, nothing changes.
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

/// Rows being made of a sketch.
struct Maker<'a> {
    sketch: &'a Sketch<'a>,
    meter: &'a Meter,
    document: Document,
    mistakes: Mistakes,
    /// How often each key was used.
    used: HashMap<String, usize>,
}

/// Most rows and lines of a new journey: they are written at once, and others wait for the writer of `SQLite` meanwhile.
const MAX_ROWS: usize = 1_500;

impl Sketch<'_> {
    /// The rows of the sketch, or all that is wrong with it.
    fn plan(&self, meter: &Meter) -> Result<Planned<Document>> {
        let (document, mistakes) = (Document::default(), Mistakes::default());
        let mut maker = Maker { sketch: self, meter, document, mistakes, used: HashMap::new() };
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
    /// The identity of a row that is told by these words; of two with the same words, the second is another one.
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
            self.meter.check()?;
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

    /// Gives a part of the journey its place. What is too many is refused where parts are counted.
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

/// The first half of the SHA-256 digest, in hexadecimal.
fn fingerprint(text: &str) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    format!("{:032x}", u128::from_be_bytes(half))
}
