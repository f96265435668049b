//! Places in an order that never ends.

use super::{Mistake, Scalar, Storage, Stored};

/// A whole number from 0 to 2^63 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(i64);

/// From here on a double-precision number, which JavaScript reads, does not hold every whole number.
const INEXACT: i64 = 1 << 53;

impl Sequence {
    /// The description.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "Sequence",
        doc: "A whole number from 0 to 2^63 - 1. Responses write it as a number below 2^53 and as a string from there on, because many clients cannot read larger numbers exactly; inputs may use either.",
        specified_by: None,
        wanted: "a whole number from 0 to 9223372036854775807, as a number or a string",
        storage: Storage::Int { json: |number| Self(number).json() },
        accepts_numbers: true,
        has_range: true,
        parse: |text| Self::parse(text).map(|sequence| Stored::Int(sequence.0)),
    };

    /// That number.
    pub const fn of(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The sequence number that a text of digits names.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        /// More digits say nothing that 64 bits hold, but for zeros.
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
