//! Deadlines: what is due when, by policy and business time.

mod case_clocks;
mod clock;
mod computed;
mod follow;
mod interactions;
mod policies;

pub(super) use computed::CASE_BREACHED_AT;
pub use computed::SLICE;
pub(super) use follow::follow;
pub(super) use interactions::RULES as INTERACTION_RULES;
pub(super) use policies::Calendars;
