//! Exact decimal numbers.

use super::{Mistake, Scalar, Storage, Stored};

/// A decimal number with `SCALE` digits after the decimal point, stored as an integer number of the smallest unit, so that
/// order, filters and sums are exact and equal on every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const SCALE: u32>(i64);

impl<const SCALE: u32> Decimal<SCALE> {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "Decimal",
        doc: "An exact decimal number, for example `\"12.5\"`. Responses write it as a string without trailing zeros; inputs may also write it as a number. The description of a field states its maximum number of digits after the decimal point; more fail with INVALID.",
        specified_by: None,
        wanted: "a decimal number, such as \"12.5\"",
        storage: Storage::Int { json: |units| format!("\"{}\"", Self(units)) },
        accepts_numbers: true,
        has_range: true,
        parse: |text| Self::parse(text).map(|number| Stored::Int(number.0)),
    };

    /// Returns the number with this many smallest units.
    pub const fn of_units(units: i64) -> Self {
        Self(units)
    }

    /// Returns the number of smallest units.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Parses a number such as `-12.5`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        parse_units(text, SCALE).map(Self)
    }
}

impl<const SCALE: u32> std::fmt::Display for Decimal<SCALE> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = written(self.0, SCALE);
        let short = if SCALE > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        out.write_str(short)
    }
}

column!(Decimal<const SCALE>, i64);

/// Parses a decimal number as a number of units of `10^-scale`.
pub(super) fn parse_units(text: &str, scale: u32) -> Result<i64, Mistake> {
    /// Maximum length: a longer number does not fit 64 bits unless it is padded with zeros.
    const LONGEST: usize = 64;
    const RANGE: &str = "the number must fit 64 bits with its digits after the point";
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > LONGEST || !is_number(whole) || !fraction.is_none_or(is_number) {
        return Err(Mistake::Form);
    }
    let fraction = fraction.unwrap_or_default().trim_end_matches('0');
    let missing = usize::try_from(scale).ok().and_then(|scale| scale.checked_sub(fraction.len()));
    let Some(missing) = missing else {
        return Err(Mistake::Refused("the number has more digits after the point than the field holds"));
    };
    let units = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', missing));
    units
        .map(|digit| i64::from(digit - b'0'))
        .try_fold(0_i64, |units, digit| {
            let digit = if is_negative { -digit } else { digit };
            units.checked_mul(10)?.checked_add(digit)
        })
        .ok_or(Mistake::OutOfRange(RANGE))
}

/// Formats a number of units of `10^-scale` without trailing zeros.
pub(super) fn written(units: i64, scale: u32) -> String {
    let unit = 10_u64.pow(scale);
    let (whole, fraction) = (units.unsigned_abs() / unit, units.unsigned_abs() % unit);
    let sign = if units < 0 { "-" } else { "" };
    match usize::try_from(scale) {
        Ok(width) if width > 0 => format!("{sign}{whole}.{fraction:0width$}"),
        _ => format!("{sign}{whole}"),
    }
}
