//! Ids: UUIDv7 in the tables, TypeIDs such as `point_01j…` in the API.

use sea_orm::{
    entity::prelude::*,
    sea_query::{Nullable, ValueType},
};

use crate::col::ColumnType;
pub use crate::ids::*;

/// Crockford's base 32 in lower case, the alphabet of TypeID.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Returns a new UUIDv7. Ids sort by time of creation.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// Encodes an id with the prefix of its type.
pub fn encode(prefix: &str, id: Uuid) -> String {
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    text.extend(digits(id).map(char::from));
    text
}

/// Encodes an id without a prefix, in ASCII.
pub fn digits(id: Uuid) -> [u8; 26] {
    let (high, low) = id.as_u64_pair();
    let mut digits = [0; 26];
    // Parts of 48, 40 and 40 bits become 10, 8 and 8 digits of 5 bits; the first digit has only 3 significant bits.
    let parts = [(10, high >> 16), (18, (high & 0xffff) << 24 | low >> 40), (26, low & 0xff_ffff_ffff)];
    let mut start = 0;
    for (end, mut part) in parts {
        for digit in digits[start..end].iter_mut().rev() {
            *digit = ALPHABET[usize::try_from(part & 31).expect("five bits fit a usize")];
            part >>= 5;
        }
        start = end;
    }
    digits
}

/// Value of each digit by its ASCII code; 32 means that the character is not a digit.
const VALUES: [u8; 256] = {
    let mut values = [32; 256];
    let mut value = 0;
    while value < 32 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Decodes an id of the API into prefix and id; `None` if it is malformed.
pub fn decode(text: &str) -> Option<(&str, Uuid)> {
    let (prefix, digits) = text.rsplit_once('_')?;
    // The first of 26 digits has 3 bits: 128 = 3 + 25 × 5.
    if digits.len() != 26 || digits.as_bytes()[0] > b'7' {
        return None;
    }
    let bits = digits.bytes().try_fold(0_u128, |bits, digit| {
        let value = VALUES[usize::from(digit)];
        (value < 32).then(|| bits << 5 | u128::from(value))
    })?;
    Some((prefix, Uuid::from_u128(bits)))
}

/// Type of the ids of a noun's rows.
pub trait NounId: ColumnType<Value = Self> + ValueType + Nullable + From<Uuid> + Into<Uuid> + Copy + Eq {
    /// Entity of the rows.
    type Entity: EntityTrait;
    /// Noun of the rows.
    const NOUN: &'static crate::Noun;
    /// Table of the rows.
    const TABLE: &'static str;
    /// Returns the id as stored in the database.
    fn uuid(self) -> Uuid {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, new};

    #[test]
    fn an_id_survives_the_wire() {
        let id = new();
        assert_eq!(decode(&encode("point", id)), Some(("point", id)));
    }

    #[test]
    fn malformed_ids_are_refused() {
        let good = encode("point", new());
        let too_big = format!("point_8{}", "z".repeat(25));
        for text in ["", "point", "point_", &good[..30], &good.to_uppercase(), &too_big, &format!("{good}0")] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_encoding_is_that_of_type_id() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(encode("prefix", id), "prefix_01h455vb4pex5vsknk084sn02q");
    }
}
