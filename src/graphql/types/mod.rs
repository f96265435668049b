//! Builds the types of the schema from descriptions.

mod abstract_types;
pub(in crate::graphql) mod attribute_filter_types;
mod bulk_types;
pub(in crate::graphql) mod common_types;
mod external_id_types;
mod lookups;
pub mod money_types;
pub(in crate::graphql) mod noun_types;
mod part_types;
mod reached;
pub mod roots;
pub mod scalars;
pub mod schema_index;
pub mod slice_roots;
mod transition_types;
