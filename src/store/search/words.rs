//! The words of the texts of a draft, found before the transaction: the work grows with the texts.

use std::hash::{DefaultHasher, Hash, Hasher};

use entity::id::OrganizationId;

use super::source::{Source, indexed};
use crate::store::writing::draft::Draft;

/// The words of a text.
#[derive(Clone, Debug)]
pub struct TextWords {
    /// Column of the text.
    pub(super) column: &'static str,
    /// Tells the text from the one that a rule may have put in its place.
    hash: u64,
    /// The words as they are indexed.
    words: String,
}

impl TextWords {
    /// Returns the words if they are those of this text.
    pub(super) fn of(self, text: &str) -> Option<String> {
        (self.hash == hash(text)).then_some(self.words)
    }
}

impl Draft {
    /// Finds the words of its searchable texts.
    pub fn find_words(&mut self, organization: OrganizationId) {
        let noun = self.noun;
        let texts = self.values.iter().filter(|(column, _)| Source::of_column(noun, column.name).is_some());
        let words = texts.filter_map(|(column, cell)| {
            let text = cell.text()?;
            Some(TextWords { column: column.name, hash: hash(text), words: indexed(organization, [text]) })
        });
        self.words = words.collect();
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
