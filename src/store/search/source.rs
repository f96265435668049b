//! Where a word can stand: in a searchable column of a noun, or in the external ids of its rows.

use std::{collections::HashMap, fmt::Write, sync::LazyLock};

use entity::{
    NOUNS, Noun, Permission,
    id::OrganizationId,
    noun::Field,
    personal::{self, guards_external_ids},
};

use crate::{
    auth::Actor,
    store::erasure::mask,
    words::{GAP, words},
};

/// Name of external ids in the API.
const EXTERNAL_IDS: &str = "externalIds";

/// A searchable column of a noun, or the external ids of its rows.
#[derive(Debug)]
pub struct Source {
    /// The noun.
    pub noun: &'static Noun,
    /// The column; `None` for the external ids.
    pub field: Option<&'static Field>,
    /// Name of the noun and the field, for example `Message.statement`.
    pub name: String,
}

/// All sources: of each noun the names, then the external ids, then other texts, which is the order in which a hit shows
/// them.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let of_noun = |noun: &'static Noun| {
        let fields = || noun.all_fields().filter(|field| field.is_searchable);
        let names = fields().filter(|field| field.is_orderable).map(Some);
        let others = fields().filter(|field| !field.is_orderable).map(Some);
        let all = names.chain(noun.has_external_ids.then_some(None)).chain(others);
        all.map(move |field| {
            let name = format!("{}.{}", noun.name, field.map_or(EXTERNAL_IDS, |field| field.name));
            Source { noun, field, name }
        })
    };
    NOUNS.into_iter().filter(|noun| noun.is_stored()).flat_map(of_noun).collect()
});

/// Sources by table and column; the column of external ids is empty.
static BY_COLUMN: LazyLock<HashMap<(&'static str, &'static str), &'static Source>> = LazyLock::new(|| {
    let key = |source: &'static Source| (source.noun.table, source.field.map_or("", |field| field.column));
    SOURCES.iter().map(|source| (key(source), source)).collect()
});

impl Source {
    /// Returns all sources.
    pub fn all() -> &'static [Self] {
        &SOURCES
    }

    /// Returns the sources of a noun.
    pub fn of_noun(noun: &Noun) -> impl Iterator<Item = &'static Self> {
        SOURCES.iter().filter(move |source| source.noun.table == noun.table)
    }

    /// Returns the source with this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SOURCES.iter().find(|source| source.name == name)
    }

    /// Returns the source of a column; `None` if it is not searchable.
    pub fn of_column(noun: &Noun, column: &'static str) -> Option<&'static Self> {
        BY_COLUMN.get(&(noun.table, column)).copied()
    }

    /// Returns the source of the external ids of a noun's rows.
    pub(super) fn of_external_ids(noun: &Noun) -> Option<&'static Self> {
        Self::of_column(noun, "")
    }

    /// Returns its name in the API, a field of the noun.
    pub fn field_name(&self) -> &'static str {
        self.field.map_or(EXTERNAL_IDS, |field| field.name)
    }

    /// Returns whether a word in it counts as one in a name: rows can be sorted by a name, or are told by an external id.
    pub fn is_name(&self) -> bool {
        self.field.is_none_or(|field| field.is_orderable)
    }

    /// Returns whether the caller may know what stands in it, if the caller may read the noun.
    pub fn is_open_to(&self, actor: &Actor) -> bool {
        let is_guarded = match self.field {
            Some(field) => field.is_guarded(),
            None => guards_external_ids(self.noun) && actor.require(self.noun.write).is_err(),
        };
        !is_guarded || actor.require(Permission::CustomersRead).is_ok()
    }

    /// Returns whether erasing a person empties it.
    pub(super) fn is_erasable(&self) -> bool {
        personal::is_about_a_person(self.noun) && self.field.is_none_or(Field::is_erasable)
    }

    /// Returns whether it is hidden while the rows about a person are emptied.
    pub(super) fn is_masked(&self) -> bool {
        self.is_erasable() && mask::covers(self.noun)
    }
}

/// Returns the beginning of every word of an organization in the index: words of different organizations differ, so that
/// a search reads no entry of another one. Two organizations with the same beginning, one pair among a million
/// organizations, would only cost time: what is found is compared with the organization.
pub(super) fn word_prefix(organization: OrganizationId) -> String {
    let random = &organization.0.as_bytes()[11..];
    random.iter().fold(String::with_capacity(10), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the words of texts as they are indexed: separated by spaces.
pub(super) fn indexed<'a>(organization: OrganizationId, texts: impl IntoIterator<Item = &'a str>) -> String {
    let (prefix, mut line) = (word_prefix(organization), String::new());
    for text in texts {
        if !line.is_empty() {
            line.push(' ');
            line.push_str(GAP);
        }
        for word in words(text) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&prefix);
            line.push_str(&word.token);
        }
    }
    line
}
