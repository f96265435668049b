//! What one request, one caller and one organization may ask for.

/// The limits, each refused with a code of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest document, in bytes.
    pub document_bytes: usize,
    /// Most words, numbers, strings and signs of a document.
    pub document_tokens: usize,
    /// Most brackets, or selection sets with fragments opened, inside one another.
    pub document_nesting: usize,
    /// Most selections of a document, fragments opened.
    pub document_selections: usize,
    /// Most fields inside one another.
    pub document_depth: usize,
    /// Most aliases in a document.
    pub document_aliases: usize,
    /// Most fields at the root of an operation.
    pub document_root_fields: usize,
    /// Most directives at one place.
    pub document_directives: usize,
    /// Most values in the variables of a request: objects, lists and what is in them.
    pub body_values: usize,
    /// Most memory for the bodies of all requests together, in bytes.
    pub body_memory: usize,
    /// Highest cost of a request, in points.
    pub cost_limit: u32,
    /// Points a caller can save up; an organization five times as many.
    pub points: u32,
    /// Points a caller gains each second; an organization five times as many.
    pub points_per_second: u32,
    /// Points for questions about the schema that a caller, or an address without a token, can save up.
    pub introspection_points: u32,
    /// Points for questions about the schema that come back each second.
    pub introspection_points_per_second: u32,
    /// Longest answer, in bytes.
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
        body_values: 250_000,
        body_memory: 256 * 1_024 * 1_024,
        cost_limit: 20_000,
        points: 500_000,
        points_per_second: 2_000,
        introspection_points: 20_000,
        introspection_points_per_second: 100,
        answer_bytes: 5 * 1_024 * 1_024,
    };
}
