//! URLs.

use ::url::Url as Address;

use super::{Mistake, Scalar, Storage, Stored};

/// An absolute URL with the scheme http or https, normalized as in browsers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url(String);

/// Maximum length in characters.
const MAX: usize = 2_000;
/// Schemes that are safe to use in links.
const SCHEMES: [&str; 2] = ["http", "https"];

impl Url {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "URL",
        doc: "An absolute http or https URL as in the URL Standard, up to 2,000 characters, for example `https://example.org/report`. It is stored in normalized form, as browsers write it. Other schemes, user names and passwords fail with INVALID.",
        specified_by: Some("https://url.spec.whatwg.org/"),
        wanted: "an absolute http or https address, such as \"https://example.org/report\"",
        storage: Storage::Text,
        accepts_numbers: false,
        has_range: false,
        parse: |text| Self::parse(text).map(|address| Stored::Text(address.0)),
    };

    /// Parses a URL; trims white space.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.chars().count() > MAX {
            return Err(Mistake::TooLong(MAX));
        }
        let address = Address::parse(text).map_err(|_| Mistake::Form)?;
        if !SCHEMES.contains(&address.scheme()) {
            return Err(Mistake::Refused("the scheme must be http or https"));
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err(Mistake::Refused("the address must not hold a user name or a password"));
        }
        // Normal form writes some characters with several.
        if address.as_str().len() > MAX {
            return Err(Mistake::TooLong(MAX));
        }
        Ok(Self(address.into()))
    }

    /// Returns the URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

column!(Url, String);
