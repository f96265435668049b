//! Settings for the limits per request, caller and organization.

use clap::{
    Args,
    builder::{RangedI64ValueParser, RangedU64ValueParser},
};

use crate::graphql::documents::limits::Limits;

/// The limits. Each is a flag, an environment variable and a key of the configuration file.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub struct GivenLimits {
    /// Maximum size of a document, in bytes
    #[arg(long, env = "RAPPORT_DOCUMENT_BYTES", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value_t = Limits::DEFAULT.document_bytes, value_parser = count(1_024..=1_048_576))]
    pub document_bytes: usize,
    /// Maximum number of lexical tokens in a document
    #[arg(long, env = "RAPPORT_DOCUMENT_TOKENS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_tokens, value_parser = count(1..=100_000))]
    pub document_tokens: usize,
    /// Maximum nesting depth of brackets, and of selection sets after expanding fragments
    // The limit of async-graphql's parser is 64.
    #[arg(long, env = "RAPPORT_DOCUMENT_NESTING", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_nesting, value_parser = count(1..=64))]
    pub document_nesting: usize,
    /// Maximum number of selections in a document after expanding fragments
    #[arg(long, env = "RAPPORT_DOCUMENT_SELECTIONS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_selections, value_parser = count(1..=100_000))]
    pub document_selections: usize,
    /// Maximum depth of nested fields
    #[arg(long, env = "RAPPORT_DOCUMENT_DEPTH", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_depth, value_parser = count(1..=64))]
    pub document_depth: usize,
    /// Maximum number of aliases in a document
    #[arg(long, env = "RAPPORT_DOCUMENT_ALIASES", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_aliases, value_parser = count(0..=10_000))]
    pub document_aliases: usize,
    /// Maximum number of root fields in an operation
    #[arg(long, env = "RAPPORT_DOCUMENT_ROOT_FIELDS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_root_fields, value_parser = count(1..=10_000))]
    pub document_root_fields: usize,
    /// Maximum number of directives at one location
    #[arg(long, env = "RAPPORT_DOCUMENT_DIRECTIVES", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.document_directives, value_parser = count(0..=1_000))]
    pub document_directives: usize,
    /// Maximum number of values in the variables of a request; objects, lists and their items each count
    #[arg(long, env = "RAPPORT_BODY_VALUES", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Limits::DEFAULT.body_values, value_parser = count(1_000..=10_000_000))]
    pub body_values: usize,
    /// Maximum memory for the bodies of all requests together, in bytes; requests beyond it get OVERLOADED, and
    /// callers without a token get an eighth of it
    #[arg(long, env = "RAPPORT_BODY_MEMORY", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value_t = Limits::DEFAULT.body_memory, value_parser = count(1_048_576..=1_099_511_627_776))]
    pub body_memory: usize,
    /// Maximum estimated cost of a request, in points
    #[arg(long, env = "RAPPORT_COST_LIMIT", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Limits::DEFAULT.cost_limit, value_parser = points())]
    pub cost_limit: u32,
    /// Capacity of a caller's point bucket; an organization's is five times as large
    #[arg(long, env = "RAPPORT_POINTS", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Limits::DEFAULT.points, value_parser = points())]
    pub points: u32,
    /// Points a caller regains per second; an organization regains five times as many
    #[arg(long, env = "RAPPORT_POINTS_PER_SECOND", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Limits::DEFAULT.points_per_second, value_parser = points())]
    pub points_per_second: u32,
    /// Capacity of the introspection bucket of a caller, or of an address without a token
    #[arg(long, env = "RAPPORT_INTROSPECTION_POINTS", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Limits::DEFAULT.introspection_points, value_parser = points())]
    pub introspection_points: u32,
    /// Introspection points regained per second
    #[arg(long, env = "RAPPORT_INTROSPECTION_POINTS_PER_SECOND", global = true, hide_env_values = true)]
    #[arg(default_value_t = Limits::DEFAULT.introspection_points_per_second, value_parser = points())]
    #[arg(value_name = "POINTS")]
    pub introspection_points_per_second: u32,
    /// Maximum size of a response, in bytes
    #[arg(long, env = "RAPPORT_ANSWER_BYTES", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value_t = Limits::DEFAULT.answer_bytes, value_parser = count(1_024..=1_073_741_824))]
    pub answer_bytes: usize,
    /// Maximum size of a response to a request of introspection fields only, in bytes; no less than that of others
    #[arg(long, env = "RAPPORT_INTROSPECTION_BYTES", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value_t = Limits::DEFAULT.introspection_bytes, value_parser = count(1_024..=1_073_741_824))]
    pub introspection_bytes: usize,
}

impl GivenLimits {
    pub fn resolve(self) -> Limits {
        Limits {
            document_bytes: self.document_bytes,
            document_tokens: self.document_tokens,
            document_nesting: self.document_nesting,
            document_selections: self.document_selections,
            document_depth: self.document_depth,
            document_aliases: self.document_aliases,
            document_root_fields: self.document_root_fields,
            document_directives: self.document_directives,
            body_values: self.body_values,
            body_memory: self.body_memory,
            cost_limit: self.cost_limit,
            points: self.points,
            points_per_second: self.points_per_second,
            introspection_points: self.introspection_points,
            introspection_points_per_second: self.introspection_points_per_second,
            answer_bytes: self.answer_bytes,
            introspection_bytes: self.introspection_bytes,
        }
    }
}

fn count(range: std::ops::RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

/// A parser for points. Five times the maximum, for an organization's bucket, still fits `u32`.
fn points() -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(1..=100_000_000)
}
