//! Language tags.

use oxilangtag::LanguageTag as Tag;

use super::{Mistake, Scalar, Storage, Stored};

/// A language tag in its canonical case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageTag(String);

/// Maximum length: the one that BCP 47 requires programs to support.
const MAX: usize = 35;

impl LanguageTag {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "LanguageTag",
        doc: "A language tag as in BCP 47, up to 35 characters, for example `en-US` or `zh-Hant`. It is stored in the case that BCP 47 recommends. Whether its parts are registered is not checked.",
        specified_by: Some("https://www.rfc-editor.org/rfc/rfc5646"),
        wanted: "a language tag of BCP 47, such as \"en-US\"",
        storage: Storage::Text,
        accepts_numbers: false,
        has_range: false,
        parse: |text| Self::parse(text).map(|tag| Stored::Text(tag.0)),
    };

    /// Parses a tag; trims white space.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.chars().count() > MAX {
            return Err(Mistake::TooLong(MAX));
        }
        Tag::parse_and_normalize(text).map(|tag| Self(tag.into_inner())).map_err(|_| Mistake::Form)
    }

    /// Returns the tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

column!(LanguageTag, String);
