//! E-mail addresses.

use email_address::{EmailAddress as Address, Options};

use super::{Mistake, Scalar, Storage, Stored};

/// An e-mail address without a display name, with the domain in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// Maximum length that mail servers accept, in characters.
const MAX: usize = 254;

impl EmailAddress {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "EmailAddress",
        doc: "An e-mail address as in RFC 5322, also with letters of any script (RFC 6531), up to 254 characters, for example `mia@example.org`. A display name is not allowed. The domain is stored in lower case.",
        specified_by: Some("https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1"),
        wanted: "an e-mail address, such as \"mia@example.org\"",
        storage: Storage::Text,
        accepts_numbers: false,
        has_range: false,
        parse: |text| Self::parse(text).map(|address| Stored::Text(address.0)),
    };

    /// Parses an address; trims white space.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.chars().count() > MAX {
            return Err(Mistake::TooLong(MAX));
        }
        let options = Options::default().without_display_text().without_domain_literal();
        let address = Address::parse_with_options(text, options).map_err(|_| Mistake::Form)?;
        Ok(Self(format!("{}@{}", address.local_part(), address.domain().to_lowercase())))
    }

    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

column!(EmailAddress, String);
