//! Descriptions of lifecycles: the states of a noun's rows and the transitions between them.

use crate::{
    noun::{EnumType, Field, Kind, Relationship},
    permission::Permission,
    personal::STAFF,
    relations::is_same,
};

/// The lifecycle of a noun's rows, declared by `#[noun(lifecycle(…))]` on the state column.
#[derive(Debug)]
pub struct Lifecycle {
    /// Column of the state.
    pub column: &'static str,
    /// States, as an enum of the API.
    pub states: &'static EnumType,
    /// State of a new row.
    pub initial: &'static str,
    /// Names of the transitions, as an enum of the API.
    pub verbs: &'static EnumType,
    /// The transitions, in the order of `verbs`.
    pub transitions: &'static [Transition],
    /// Name of the transition of a row about a person who is erased, if one ends it; its required columns stay empty.
    pub on_erasure: Option<&'static str>,
    /// Relation to the state history of a row.
    pub history: Relationship,
}

/// A transition to a state; a mutation of the API.
#[derive(Debug)]
pub struct Transition {
    /// Its name in the enum, for example `PUBLISH`.
    pub name: &'static str,
    /// Its mutation, for example `journeyPublish`.
    pub field: &'static str,
    /// Description in the API.
    pub doc: &'static str,
    /// States in which it is allowed.
    pub from: &'static [&'static str],
    /// State after the transition.
    pub to: &'static str,
    /// Columns required in its input.
    pub required: &'static [&'static str],
    /// Optional columns of its input.
    pub accepted: &'static [&'static str],
    /// Column that is set to the time of the transition.
    pub stamps: Option<&'static str>,
    /// Scopes required in addition to the scope to write the noun.
    pub permissions: &'static [Permission],
}

/// Table with the state history of all nouns.
pub const TABLE: &str = "state_change";
/// Prefix of its ids in the API.
pub const PREFIX: &str = "change";
/// Its column with the id of the row.
pub const ROW_ID: &str = "row_id";
/// Its column with the transition.
pub const TRANSITION: &str = "transition";
/// Its column with the state before the change.
pub const FROM: &str = "from_state";
/// Its column with the state after the change.
pub const TO: &str = "to_state";
/// Its column with the time of the change.
pub const CHANGED_AT: &str = "changed_at";
/// Its column with the subject of the access token.
pub const SUBJECT: &str = "subject";
/// Its column with the version of the row after the change.
pub const ROW_VERSION: &str = "row_version";

/// Returns the fields of a state change in the API.
pub const fn change_fields(states: &'static EnumType, verbs: &'static EnumType) -> [Field; 6] {
    [
        Field::new(
            "transition",
            TRANSITION,
            Kind::Enum(verbs),
            "The transition; null if an upsert or an import set the state.",
        )
        .nullable(),
        Field::new(
            "from",
            FROM,
            Kind::Enum(states),
            "The state before the change; null if the row was created in a state other than the initial one.",
        )
        .nullable(),
        Field::new("to", TO, Kind::Enum(states), "The state after the change."),
        Field::new("changedAt", CHANGED_AT, Kind::Instant, "When the state changed, UTC.").ordered(),
        Field::new(
            "subject",
            SUBJECT,
            Kind::Text { max: 255 },
            "Who changed the state: the subject of the access token.",
        )
        .personal(crate::noun::Personal::Identifier)
        .unguarded()
        .retained_because(STAFF),
        Field::new(
            "rowVersion",
            ROW_VERSION,
            Kind::Int { min: 1, max: i64::MAX },
            "Version of the row after the change.",
        ),
    ]
}

impl Lifecycle {
    /// Returns the lifecycle. Panics, at compile time, if a state other than the initial one is the target of no transition.
    #[must_use]
    pub const fn checked(self) -> Self {
        let mut state = 0;
        while state < self.states.values.len() {
            let name = self.states.values[state].0;
            assert!(
                is_same(name, self.initial) || self.leads_to(name),
                "no transition leads to a state of the lifecycle"
            );
            state += 1;
        }
        self
    }

    const fn leads_to(&self, state: &str) -> bool {
        let mut place = 0;
        while place < self.transitions.len() {
            if is_same(self.transitions[place].to, state) {
                return true;
            }
            place += 1;
        }
        false
    }

    /// Returns the transitions that are allowed in a state.
    pub fn allowed(&self, state: &str) -> impl Iterator<Item = &'static Transition> + use<'_> {
        let state = state.to_owned();
        self.transitions.iter().filter(move |transition| transition.from.contains(&state.as_str()))
    }

    /// Returns the transition of a row about a person who is erased, if there is one in this state.
    pub fn on_erasure(&self, state: &str) -> Option<&'static Transition> {
        self.allowed(state).find(|transition| Some(transition.name) == self.on_erasure)
    }

    /// Returns whether a sequence of transitions leads from one state to another.
    pub fn is_reachable(&self, from: &str, to: &str) -> bool {
        let mut known = vec![from];
        let mut place = 0;
        while let Some(state) = known.get(place).copied() {
            place += 1;
            for transition in self.allowed(state) {
                if !known.contains(&transition.to) {
                    known.push(transition.to);
                }
            }
        }
        known.contains(&to)
    }
}

impl Transition {
    /// Returns the columns of its input, each with whether it is required.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, bool)> + use<> {
        let required = self.required.iter().map(|column| (*column, true));
        required.chain(self.accepted.iter().map(|column| (*column, false)))
    }
}

#[cfg(test)]
mod tests {
    use super::Lifecycle;
    use crate::{
        journey,
        noun::{Cardinality, EnumType, Relationship},
    };

    const STATES: EnumType = EnumType { name: "S", doc: "", values: &[("A", ""), ("B", "")] };
    const NONE: Lifecycle = Lifecycle {
        column: "state",
        states: &STATES,
        initial: "A",
        verbs: &STATES,
        transitions: &[],
        on_erasure: None,
        history: Relationship::embedded("history", &journey::NOUN, Cardinality::List, ""),
    };

    #[test]
    #[should_panic(expected = "no transition leads to a state")]
    fn a_state_that_cannot_be_reached_is_refused() {
        let _ = NONE.checked();
    }

    #[test]
    fn what_is_reachable_follows_from_the_transitions() {
        let lifecycle = journey::NOUN.lifecycle().unwrap();
        assert!(lifecycle.is_reachable("DRAFT", "PUBLISHED") && lifecycle.is_reachable("DRAFT", "DRAFT"));
        assert!(!lifecycle.is_reachable("PUBLISHED", "DRAFT"));
    }
}
