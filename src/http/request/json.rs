//! Parses JSON into a GraphQL value and checks limits while doing so: the number of values, the nesting depth, and
//! duplicate keys in an object.

use std::{cell::RefCell, collections::HashSet, fmt};

use async_graphql::{Name, Number, Value, indexmap::IndexMap};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::body_memory::{Full, Room};

/// Maximum nesting depth of objects and lists.
const MAX_DEPTH: usize = 64;
/// Estimated memory for one value, in bytes; an object with one entry takes twice as much.
const VALUE: usize = 256;
/// Number of values for which memory is reserved at a time.
const BATCH: usize = 64;
/// Maximum number of characters of a key that appear in an error message.
const KEY: usize = 40;

/// Why a text was rejected.
#[derive(Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The text is not valid JSON.
    NotJson,
    /// An object contains a duplicate key, with the path to it.
    Twice(String),
    /// Objects and lists are nested too deeply.
    TooDeep,
    /// There are more values than a request may contain.
    TooMany,
    /// The memory for request bodies is exhausted.
    Full,
}

/// Parses JSON texts; the limit on the number of values applies to all of them together.
pub struct Reader<'r> {
    state: RefCell<State<'r>>,
}

struct State<'r> {
    /// Number of values that may still follow.
    left: usize,
    /// Number of values for which memory is already reserved.
    paid: usize,
    room: &'r mut Room,
    /// The keys seen so far, interned: rows repeat the same keys.
    names: HashSet<Name>,
    wrong: Option<JsonError>,
    /// Path to the error, innermost first.
    place: Vec<String>,
}

impl<'r> Reader<'r> {
    /// Creates a reader that accepts at most `most` values.
    pub fn new(most: usize, room: &'r mut Room) -> Self {
        let (names, place) = (HashSet::new(), Vec::new());
        Self { state: RefCell::new(State { left: most, paid: 0, room, names, wrong: None, place }) }
    }

    /// Parses `text`. `name` is the first segment of the path to a duplicate key.
    pub fn read(&self, name: &str, text: &str) -> Result<Value, JsonError> {
        let mut source = serde_json::Deserializer::from_str(text);
        let read = At { reader: self, depth: 0 }.deserialize(&mut source).and_then(|value| {
            source.end()?;
            Ok(value)
        });
        read.map_err(|_| {
            let mut state = self.state.borrow_mut();
            match state.wrong.take() {
                Some(JsonError::Twice(key)) => {
                    let inner: Vec<&str> = state.place.iter().rev().map(String::as_str).collect();
                    JsonError::Twice([&[name], &inner[..], &[&key]].concat().join("."))
                }
                Some(wrong) => wrong,
                None => JsonError::NotJson,
            }
        })
    }

    /// Counts a value, and reserves memory for another batch when the last one is used up.
    fn count<E: Error>(&self) -> Result<(), E> {
        let state = &mut *self.state.borrow_mut();
        if state.left == 0 {
            return Err(state.fail(JsonError::TooMany));
        }
        if state.paid == 0 {
            if state.room.take(BATCH * VALUE) == Err(Full) {
                return Err(state.fail(JsonError::Full));
            }
            state.paid = BATCH;
        }
        (state.left, state.paid) = (state.left - 1, state.paid - 1);
        Ok(())
    }

    fn within(&self, step: impl FnOnce() -> String) {
        let mut state = self.state.borrow_mut();
        if matches!(state.wrong, Some(JsonError::Twice(_))) {
            state.place.push(step());
        }
    }
}

impl State<'_> {
    fn fail<E: Error>(&mut self, wrong: JsonError) -> E {
        self.wrong = Some(wrong);
        E::custom("refused")
    }
}

/// A value at a nesting depth of `depth`.
#[derive(Clone, Copy)]
struct At<'a, 'r> {
    reader: &'a Reader<'r>,
    depth: usize,
}

impl At<'_, '_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.reader.state.borrow_mut().fail(JsonError::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        self.reader.count()?;
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(inner) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::List(list)),
                Err(error) => {
                    self.reader.within(|| list.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = IndexMap::new();
        while let Some(name) = entries.next_key_seed(Key(self.reader))? {
            if object.contains_key(&name) {
                return Err(self.reader.state.borrow_mut().fail(JsonError::Twice(shown(&name))));
            }
            let value = entries.next_value_seed(inner).inspect_err(|_| self.reader.within(|| shown(&name)))?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// Deserializes and interns a key of an object.
struct Key<'a, 'r>(&'a Reader<'r>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Name, D::Error> {
        source.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Name, E> {
        let names = &mut self.0.state.borrow_mut().names;
        if let Some(known) = names.get(text) {
            return Ok(known.clone());
        }
        let name = Name::new(text);
        names.insert(name.clone());
        Ok(name)
    }
}

fn shown(key: &str) -> String {
    key.chars().take(KEY).collect()
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;
    use serde_json::json;

    use super::{BATCH, JsonError, MAX_DEPTH, Reader, VALUE};
    use crate::http::request::body_memory::BodyMemory;

    fn read_of(text: &str, most: usize) -> Result<Value, JsonError> {
        Reader::new(most, &mut BodyMemory::new(1 << 20).room(true)).read("variables", text)
    }

    #[test]
    fn values_are_read_as_they_stand() {
        let value = json!({
            "a": [null, true, -1, u64::MAX, 1.5, "\u{1f600} \"\\\n", [], {}],
            "": { "$serde_json::private::RawValue": "1" }
        });
        let read = read_of(&value.to_string(), 100).unwrap();
        assert_eq!(read, Value::from_json(value).unwrap());
        assert_eq!(read_of("1e400", 1), Err(JsonError::NotJson));
        for text in ["", "{", "[1,]", "{\"a\":1,}", "nul", "1 2", "{1:2}", "\"\u{1}\"", "\"\\ud83d\""] {
            assert_eq!(read_of(text, 100), Err(JsonError::NotJson), "{text}");
        }
    }

    #[test]
    fn values_are_counted_to_the_last_over_all_texts() {
        let text = r#"{"a":[1,2,{"b":null}],"c":"d"}"#;
        assert!(read_of(text, 7).is_ok());
        assert_eq!(read_of(text, 6), Err(JsonError::TooMany));
        let mut room = BodyMemory::new(1 << 20).room(true);
        let reader = Reader::new(3, &mut room);
        assert!(reader.read("variables", "[1]").is_ok());
        assert_eq!(reader.read("extensions", "[1]"), Err(JsonError::TooMany));
    }

    #[test]
    fn a_key_that_stands_twice_is_named_with_its_place() {
        let place = |text: &str| match read_of(text, 100) {
            Err(JsonError::Twice(place)) => place,
            other => panic!("{other:?}"),
        };
        assert_eq!(place(r#"{"a":1,"a":1}"#), "variables.a");
        assert_eq!(place(r#"{"input":{"rows":[{},{"b":1,"\u0062":2}]}}"#), "variables.input.rows.1.b");
        assert_eq!(place(r#"[[{"x":{},"x":[]}]]"#), "variables.0.0.x");
        assert_eq!(place(r#"{"":0,"":0}"#), "variables.");
        assert_eq!(place(&format!("{{\"{0}\":0,\"{0}\":0}}", "k".repeat(1_000))).len(), 50);
        assert!(read_of(r#"{"a":{"a":[{"a":1},{"a":1}]}}"#, 100).is_ok());
    }

    #[test]
    fn nesting_and_memory_are_bounded() {
        let nested = |depth: usize| read_of(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)), 1_000);
        assert!(nested(MAX_DEPTH).is_ok());
        assert_eq!(nested(MAX_DEPTH + 1), Err(JsonError::TooDeep));
        let many = serde_json::to_string(&vec![0; 10_000]).unwrap();
        assert_eq!(read_of(&many, 20_000), Err(JsonError::Full));
        let few = serde_json::to_string(&vec![0; (1 << 20) / 8 * 7 / VALUE / BATCH * BATCH - 1]).unwrap();
        assert!(read_of(&few, 20_000).is_ok());
    }
}
