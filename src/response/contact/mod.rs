//! Contact policies: when and how often customers may be contacted.

mod allowed;
mod check;
pub(super) mod duty;
mod history;
mod plan;
mod policy;

pub use allowed::ALLOWED;
pub(super) use plan::RULES as INTERACTION_RULES;
pub use policy::SLICE;
