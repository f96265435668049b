//! Limits per request, per caller and per organization.

/// The limits. Each has its own error code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum length of a document, in bytes.
    pub document_bytes: usize,
    /// Maximum number of tokens in a document: names, numbers, strings and punctuators.
    pub document_tokens: usize,
    /// Maximum nesting of brackets, and of selection sets with fragments expanded.
    pub document_nesting: usize,
    /// Maximum number of selections in a document, with fragments expanded.
    pub document_selections: usize,
    /// Maximum nesting of fields.
    pub document_depth: usize,
    /// Maximum number of aliases in a document.
    pub document_aliases: usize,
    /// Maximum number of root fields of an operation.
    pub document_root_fields: usize,
    /// Maximum number of directives at one location.
    pub document_directives: usize,
    /// Maximum number of values in the variables of a request: objects, lists and their elements.
    pub body_values: usize,
    /// Maximum memory for the bodies of all requests together, in bytes.
    pub body_memory: usize,
    /// Maximum cost of a request, in points.
    pub cost_limit: u32,
    /// Maximum balance of a caller, in points. That of an organization is five times as high.
    pub points: u32,
    /// Points added to a caller's balance per second. An organization gets five times as many.
    pub points_per_second: u32,
    /// Maximum balance of introspection points of a caller, or of a client address without a token.
    pub introspection_points: u32,
    /// Introspection points added to a balance per second.
    pub introspection_points_per_second: u32,
    /// Maximum length of a response, in bytes.
    pub answer_bytes: usize,
    /// Maximum length of a response to a request of introspection fields only, in bytes, if that is more.
    pub introspection_bytes: usize,
}

impl Limits {
    /// The limits that the API contract promises.
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
        introspection_bytes: 16 * 1_024 * 1_024,
    };

    /// Returns the maximum length of a response, in bytes. `is_introspection`: the request selects introspection fields
    /// only.
    pub fn response_bytes(&self, is_introspection: bool) -> usize {
        if is_introspection { self.answer_bytes.max(self.introspection_bytes) } else { self.answer_bytes }
    }
}
