//! What a caller may spend, and how many work at once.

pub(in crate::http) mod admission;
pub(in crate::http) mod pricing;
pub(in crate::http) mod rate_limit;
pub(in crate::http) mod token_buckets;
