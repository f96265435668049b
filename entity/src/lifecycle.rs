//! The states of a noun's rows and the transitions between them, as data.

use crate::{
    noun::{EnumType, Field, Kind, Relationship},
    permission::Permission,
    personal::STAFF,
    relations::is_same,
};

/// The states of a noun's rows. `#[noun(lifecycle(…))]` at the column of the state declares it.
#[derive(Debug)]
pub struct Lifecycle {
    /// The column that holds the state.
    pub column: &'static str,
    /// The states.
    pub states: &'static EnumType,
    /// The state of a new row.
    pub initial: &'static str,
    /// The transitions as an enum of the API.
    pub verbs: &'static EnumType,
    /// What can be done, in the order of `verbs`.
    pub transitions: &'static [Transition],
    /// The list of what was done to a row.
    pub history: Relationship,
}

/// One way from states to a state, a mutation of the API.
#[derive(Debug)]
pub struct Transition {
    /// Its name in the enum, for example `PUBLISH`.
    pub name: &'static str,
    /// Its mutation, for example `journeyPublish`.
    pub field: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The states that it is allowed in.
    pub from: &'static [&'static str],
    /// The state that it leads to.
    pub to: &'static str,
    /// Columns that must be given.
    pub required: &'static [&'static str],
    /// Columns that may be given.
    pub accepted: &'static [&'static str],
    /// The column that gets the time of it.
    pub stamps: Option<&'static str>,
    /// Scopes that it needs besides the one to write the noun.
    pub permissions: &'static [Permission],
}

/// The table that keeps the state changes of all nouns.
pub const TABLE: &str = "state_change";
/// The prefix of its ids on the wire.
pub const PREFIX: &str = "change";
/// Its column that names the row.
pub const ROW_ID: &str = "row_id";
/// Its column of the transition.
pub const TRANSITION: &str = "transition";
/// Its column of the state before.
pub const FROM: &str = "from_state";
/// Its column of the state afterwards.
pub const TO: &str = "to_state";
/// Its column of the time.
pub const CHANGED_AT: &str = "changed_at";
/// Its column of who did it.
pub const SUBJECT: &str = "subject";
/// Its column of the row's version afterwards.
pub const ROW_VERSION: &str = "row_version";

/// What the API shows of a state change.
pub const fn change_fields(states: &'static EnumType, verbs: &'static EnumType) -> [Field; 6] {
    [
        Field::new(
            "transition",
            TRANSITION,
            Kind::Enum(verbs),
            "The transition; null if an upsert or an import brought the state.",
        )
        .nullable(),
        Field::new(
            "from",
            FROM,
            Kind::Enum(states),
            "The state before; null if the row was created in another state than the initial one.",
        )
        .nullable(),
        Field::new("to", TO, Kind::Enum(states), "The state afterwards."),
        Field::new("changedAt", CHANGED_AT, Kind::Instant, "When, UTC.").ordered(),
        Field::new("subject", SUBJECT, Kind::Text { max: 255 }, "Who: the subject of the token.")
            .personal(crate::noun::Personal::Identifier)
            .unguarded()
            .retained_because(STAFF),
        Field::new("rowVersion", ROW_VERSION, Kind::Int { min: 1, max: i64::MAX }, "Version of the row afterwards."),
    ]
}

impl Lifecycle {
    /// The same, if it makes sense: each state can be reached, and each transition begins in a state that there is.
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

    /// The transitions that are allowed in a state.
    pub fn allowed(&self, state: &str) -> impl Iterator<Item = &'static Transition> + use<'_> {
        let state = state.to_owned();
        self.transitions.iter().filter(move |transition| transition.from.contains(&state.as_str()))
    }

    /// Whether transitions lead from one state to another, over others or directly.
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
    /// The columns that its input takes, with whether they must be given.
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
        noun::{EnumType, Relationship},
    };

    const STATES: EnumType = EnumType { name: "S", doc: "", values: &[("A", ""), ("B", "")] };
    const NONE: Lifecycle = Lifecycle {
        column: "state",
        states: &STATES,
        initial: "A",
        verbs: &STATES,
        transitions: &[],
        history: Relationship::embedded("history", &journey::NOUN, true, ""),
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
