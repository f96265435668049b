//! The departments that a token narrows its caller to.

use std::sync::Arc;

use entity::{department, id::DepartmentId};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// Maximum number of departments in a token.
pub const MOST: usize = 100;

/// The departments whose cases, routings, feedback and what belongs to these the caller sees, each once. None of them
/// need exist; with none, the caller sees no such row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departments(Arc<[Uuid]>);

impl Departments {
    /// Returns the departments with these ids; `None` if there are more than [`MOST`].
    pub fn new(ids: impl IntoIterator<Item = DepartmentId>) -> Option<Self> {
        let mut ids: Vec<Uuid> = ids.into_iter().map(Uuid::from).collect();
        ids.sort_unstable();
        ids.dedup();
        (ids.len() <= MOST).then(|| Self(ids.into()))
    }

    /// Reads a claim: a list of ids of departments as the API writes them. `None` if it is anything else.
    pub fn of_claim(claim: &Value) -> Option<Self> {
        let ids: Option<Vec<DepartmentId>> = claim.as_array()?.iter().map(|id| parse(id.as_str()?)).collect();
        Self::new(ids?)
    }

    /// Returns the ids.
    pub fn uuids(&self) -> &[Uuid] {
        &self.0
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|id| entity::id::encode(department::NOUN.prefix, *id))
    }
}

/// Reads the id of a department as the API writes it.
pub fn parse(text: &str) -> Option<DepartmentId> {
    let (prefix, id) = entity::id::decode(text)?;
    (prefix == department::NOUN.prefix).then_some(DepartmentId(id))
}

impl Serialize for Departments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.texts())
    }
}

impl<'de> Deserialize<'de> for Departments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let claim = Value::deserialize(deserializer)?;
        Self::of_claim(&claim).ok_or_else(|| de::Error::custom("expected a list of ids of departments"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_a_list_of_ids_of_departments() {
        let id = || entity::id::encode(department::NOUN.prefix, entity::id::new());
        let (one, two) = (id(), id());
        let read = Departments::of_claim(&json!([two, one, two])).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), json!([one, two]));
        assert!(Departments::of_claim(&json!([])).unwrap().uuids().is_empty());
        let other = entity::id::encode("case", entity::id::new());
        let many: Vec<String> = std::iter::repeat_with(id).take(MOST + 1).collect();
        for wrong in [json!(null), json!(one), json!([other]), json!([1]), json!({"a": one}), json!([""]), json!(many)]
        {
            assert_eq!(Departments::of_claim(&wrong), None, "{wrong}");
            assert!(serde_json::from_value::<Departments>(wrong).is_err());
        }
    }
}
