//! Currencies.

use iso_currency::Currency;

use super::{Mistake, Scalar, Storage, Stored};

/// A currency with a smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode(String);

impl CurrencyCode {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "CurrencyCode",
        doc: "An ISO 4217 currency code, for example `EUR`; in upper case in responses. Codes without a smallest unit, such as those of metals, fail with INVALID.",
        specified_by: Some("https://www.iso.org/iso-4217-currency-codes.html"),
        wanted: "a currency code of ISO 4217, such as \"EUR\"",
        storage: Storage::Text,
        accepts_numbers: false,
        has_range: false,
        parse: |text| Self::parse(text).map(|code| Stored::Text(code.0)),
    };

    /// Parses a currency code.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let code = text.trim().to_ascii_uppercase();
        if digits(&code).is_some() { Ok(Self(code)) } else { Err(Mistake::Form) }
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the maximum number of digits after the decimal point for this currency; `None` if it is unknown.
pub fn digits(code: &str) -> Option<u32> {
    Currency::from_code(code)?.exponent().map(u32::from)
}

column!(CurrencyCode, String);
