//! Languages.

use oxilangtag::LanguageTag as Tag;

use super::{Mistake, Scalar, Storage, Stored};

/// A language tag in its canonical case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageTag(String);

/// The length that BCP 47 asks programs to hold at least.
const MAX: usize = 35;

impl LanguageTag {
    /// The description.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "LanguageTag",
        doc: "A language tag as in BCP 47, up to 35 characters, for example `en-US` or `zh-Hant`. Upper and lower case are kept as BCP 47 recommends. Whether the language is registered is not checked.",
        specified_by: Some("https://www.rfc-editor.org/rfc/rfc5646"),
        wanted: "a language tag of BCP 47, such as \"en-US\"",
        storage: Storage::Text,
        accepts_numbers: false,
        has_range: false,
        parse: |text| Self::parse(text).map(|tag| Stored::Text(tag.0)),
    };

    /// The tag that a text names; white space around it is left out.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.chars().count() > MAX {
            return Err(Mistake::TooLong(MAX));
        }
        Tag::parse_and_normalize(text).map(|tag| Self(tag.into_inner())).map_err(|_| Mistake::Form)
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

column!(LanguageTag, String);
