//! What one request, one caller and one organization may ask for.

use clap::{
    Args,
    builder::{RangedI64ValueParser, RangedU64ValueParser},
};

/// The limits of a request, each refused with a code of its own.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Longest document, in bytes
    #[arg(long, env = "RAPPORT_DOCUMENT_BYTES", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value_t = Self::DEFAULT.document_bytes, value_parser = count(1_024..=1_048_576))]
    pub document_bytes: usize,
    /// Most words, numbers, strings and signs of a document
    #[arg(long, env = "RAPPORT_DOCUMENT_TOKENS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_tokens, value_parser = count(1..=100_000))]
    pub document_tokens: usize,
    /// Most brackets, or selection sets with fragments opened, inside one another
    // async-graphql's parser ends at 64.
    #[arg(long, env = "RAPPORT_DOCUMENT_NESTING", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_nesting, value_parser = count(1..=64))]
    pub document_nesting: usize,
    /// Most selections of a document, fragments opened
    #[arg(long, env = "RAPPORT_DOCUMENT_SELECTIONS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_selections, value_parser = count(1..=100_000))]
    pub document_selections: usize,
    /// Most fields inside one another
    #[arg(long, env = "RAPPORT_DOCUMENT_DEPTH", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_depth, value_parser = count(1..=64))]
    pub document_depth: usize,
    /// Most aliases in a document
    #[arg(long, env = "RAPPORT_DOCUMENT_ALIASES", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_aliases, value_parser = count(0..=10_000))]
    pub document_aliases: usize,
    /// Most fields at the root of an operation
    #[arg(long, env = "RAPPORT_DOCUMENT_ROOT_FIELDS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_root_fields, value_parser = count(1..=10_000))]
    pub document_root_fields: usize,
    /// Most directives at one place
    #[arg(long, env = "RAPPORT_DOCUMENT_DIRECTIVES", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value_t = Self::DEFAULT.document_directives, value_parser = count(0..=1_000))]
    pub document_directives: usize,
    /// Highest cost of a request, in points
    #[arg(long, env = "RAPPORT_COST_LIMIT", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Self::DEFAULT.cost_limit, value_parser = points())]
    pub cost_limit: u32,
    /// Points a caller can save up; an organization five times as many
    #[arg(long, env = "RAPPORT_POINTS", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Self::DEFAULT.points, value_parser = points())]
    pub points: u32,
    /// Points a caller gains each second; an organization five times as many
    #[arg(long, env = "RAPPORT_POINTS_PER_SECOND", global = true, hide_env_values = true, value_name = "POINTS")]
    #[arg(default_value_t = Self::DEFAULT.points_per_second, value_parser = points())]
    pub points_per_second: u32,
    /// Longest answer, in bytes
    #[arg(long, env = "RAPPORT_ANSWER_BYTES", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value_t = Self::DEFAULT.answer_bytes, value_parser = count(1_024..=1_073_741_824))]
    pub answer_bytes: usize,
}

impl Limits {
    /// What the contract promises.
    pub const DEFAULT: Self = Self {
        document_bytes: 32 * 1_024,
        document_tokens: 2_000,
        document_nesting: 32,
        document_selections: 2_000,
        document_depth: 15,
        document_aliases: 30,
        document_root_fields: 20,
        document_directives: 5,
        cost_limit: 20_000,
        points: 100_000,
        points_per_second: 2_000,
        answer_bytes: 5 * 1_024 * 1_024,
    };
}

fn count(range: std::ops::RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

/// Five times as many must still fit.
fn points() -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(1..=100_000_000)
}
