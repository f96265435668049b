//! Rate limits per caller and organization, and limits on concurrent requests.

pub(in crate::http) mod admission;
pub(in crate::http) mod pricing;
pub(in crate::http) mod rate_limit;
pub(in crate::http) mod token_buckets;
