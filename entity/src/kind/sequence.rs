//! Sequence numbers.

use super::{Mistake, Scalar, Storage, Stored};

/// An integer from 0 to 2^63 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(i64);

/// Smallest number that double precision, which JavaScript uses, may not represent exactly.
const INEXACT: i64 = 1 << 53;

impl Sequence {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "Sequence",
        doc: "An integer from 0 to 2^63 - 1. Responses write it as a number below 2^53 and as a string otherwise, because many clients cannot represent larger numbers exactly; inputs may use either.",
        specified_by: None,
        wanted: "a whole number from 0 to 9223372036854775807, as a number or a string",
        storage: Storage::Int { json: |number| Self(number).json() },
        accepts_numbers: true,
        has_range: true,
        parse: |text| Self::parse(text).map(|sequence| Stored::Int(sequence.0)),
    };

    /// Returns the sequence number with this value.
    pub const fn of(number: i64) -> Self {
        Self(number)
    }

    /// Returns its value.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// Parses a sequence number of decimal digits.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        /// Maximum length: a longer number does not fit 64 bits unless it is padded with zeros.
        const LONGEST: usize = 64;
        const RANGE: &str = "the number must be from 0 to 9223372036854775807";
        let digits = text.strip_prefix('-').unwrap_or(text);
        if text.len() > LONGEST || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Mistake::Form);
        }
        text.parse().ok().filter(|number| *number >= 0).map(Self).ok_or(Mistake::OutOfRange(RANGE))
    }

    fn json(self) -> String {
        let Self(number) = self;
        if (-INEXACT..INEXACT).contains(&number) { number.to_string() } else { format!("\"{number}\"") }
    }
}

column!(Sequence, i64);
