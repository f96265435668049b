//! Choices made from one number, so that the same number makes them again, and values from the descriptions.

use entity::{
    Noun,
    noun::{Field, Kind},
};
use serde_json::{Value, json};

use super::model::{Holding, id_of};
use crate::pointer::unknown_id;

const WORDS: [&str; 6] = ["apple", "Birch", "cedar", "dune", "elm", "Fern"];

/// How many external ids of a noun are in play; every organization uses the same ones.
const KEYS: usize = 8;

/// A source of choices.
pub struct Dice(u64);

impl Dice {
    pub fn new(salt: u64) -> Self {
        Self(salt)
    }

    /// The next number of `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// Whether something that happens so many times of a hundred happens.
    pub fn happens(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let place = self.below(from.len());
        &from[place]
    }

    /// An id of a noun: mostly an own one, else one of another organization, a deleted one, or nobody's.
    pub fn id(&mut self, noun: &Noun, own: &Holding, others: &[&Holding]) -> String {
        let rows: Vec<&str> = own.all(noun).map(id_of).collect();
        let gone = own.gone.get(noun.name).map_or(&[][..], Vec::as_slice);
        match self.below(10) {
            0..=6 if !rows.is_empty() => (*self.pick(&rows)).to_owned(),
            7 | 8 => self.foreign(noun, others).unwrap_or_else(|| unknown_id(noun.name)),
            9 if !gone.is_empty() => self.pick(gone).clone(),
            _ => unknown_id(noun.name),
        }
    }

    fn foreign(&mut self, noun: &Noun, others: &[&Holding]) -> Option<String> {
        let other = *self.pick(others);
        let rows: Vec<&str> = other.all(noun).map(id_of).collect();
        (!rows.is_empty()).then(|| (*self.pick(&rows)).to_owned())
    }

    /// An external id.
    pub fn key(&mut self) -> Value {
        json!({ "system": "crm", "id": self.below(KEYS).to_string() })
    }

    /// A row named by id or by external id.
    pub fn reference(&mut self, noun: &Noun, own: &Holding, others: &[&Holding]) -> Value {
        if noun.has_external_ids && self.happens(25) {
            return json!({ "externalId": self.key() });
        }
        json!({ "id": self.id(noun, own, others) })
    }

    /// A text that says whose it is, or one that anybody may have.
    fn text(&mut self, label: &str, max: usize) -> String {
        let word = *self.pick(&WORDS);
        if self.happens(50) && max >= 64 { format!("{word} of {label}") } else { word.to_owned() }
    }

    /// A value of a field.
    pub fn value(&mut self, field: &Field, label: &str) -> Value {
        if field.currency.is_some() {
            let (amount, currency) = *self.pick(&[("12.00", "EUR"), ("0.250", "KWD")]);
            return json!({ "amount": amount, "currency": currency });
        }
        match field.kind {
            Kind::Text { max } => json!(self.text(label, max)),
            Kind::Int { min, max } => {
                json!(min.max(1) + i64::try_from(self.below(usize::try_from(max.min(7)).unwrap())).unwrap())
            }
            // A range of scores is not empty: where it begins is below where it ends.
            Kind::Float { .. } if field.name.ends_with("To") => json!(0.5),
            Kind::Float { .. } => json!([-0.5, 0.25][self.below(2)]),
            Kind::Bool => json!(self.happens(50)),
            Kind::Instant => json!(format!("2026-01-0{}T00:00:00Z", 1 + self.below(9))),
            Kind::Enum(listed) => json!(self.pick(listed.values).0),
            Kind::Scalar(scalar) => match scalar.name {
                "Date" => json!(format!("2026-01-0{}", 1 + self.below(9))),
                "Decimal" => json!(*self.pick(&["-0.5", "0.25", "12"])),
                "Sequence" => json!(self.below(1_000)),
                "Duration" => json!(*self.pick(&["PT1M30S", "PT1H", "P1D"])),
                "EmailAddress" => json!(format!("{}@{label}.example", self.pick(&WORDS))),
                "LanguageTag" => json!(*self.pick(&["en-US", "de"])),
                // An interval ends after it begins.
                "LocalTime" if field.name == "closes" => json!(format!("2{}:30", self.below(4))),
                "LocalTime" => json!(format!("1{}:00", self.below(10))),
                "URL" => json!(format!("https://{label}.example/")),
                other => panic!("there is no case for {other}"),
            },
            Kind::TimeZone => json!(*self.pick(&["UTC", "Europe/Berlin"])),
            Kind::Tags { .. } => {
                let mut items: Vec<&str> = WORDS.iter().copied().filter(|_| self.happens(30)).collect();
                items.sort_unstable();
                json!(items)
            }
            Kind::Attributes { .. } if self.happens(40) => json!([]),
            Kind::Attributes { .. } => json!([{ "name": "size", "value": *self.pick(&WORDS) }]),
            Kind::Filter(_) => self.pick(&[json!({}), json!({ "not": {} })]).clone(),
            Kind::Id | Kind::RowId { .. } | Kind::Names | Kind::Json => panic!("nobody gives {} a value", field.name),
        }
    }
}
