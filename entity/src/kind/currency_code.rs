//! Currencies.

use iso_currency::Currency;

use super::{Mistake, Scalar, Storage, Stored};

/// A currency with a smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode(String);

impl CurrencyCode {
    /// The description.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "CurrencyCode",
        doc: "The code of a currency in ISO 4217, for example `EUR`; upper case in responses. Codes of metals and other units without a smallest unit are refused with INVALID.",
        specified_by: Some("https://www.iso.org/iso-4217-currency-codes.html"),
        wanted: "a currency code of ISO 4217, such as \"EUR\"",
        storage: Storage::Text,
        accepts_numbers: false,
        has_range: false,
        parse: |text| Self::parse(text).map(|code| Stored::Text(code.0)),
    };

    /// The currency with this code.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let code = text.trim().to_ascii_uppercase();
        if digits(&code).is_some() { Ok(Self(code)) } else { Err(Mistake::Form) }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many digits after the point an amount in this currency has at most; `None` for an unknown currency.
pub fn digits(code: &str) -> Option<u32> {
    Currency::from_code(code)?.exponent().map(u32::from)
}

column!(CurrencyCode, String);
