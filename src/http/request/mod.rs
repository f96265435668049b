//! Reads a request: caller, body, parameters, accepted media types.

pub(in crate::http) mod authenticator;
pub(in crate::http) mod bearer;
pub(in crate::http) mod body;
pub(in crate::http) mod body_memory;
pub(in crate::http) mod client_address;
pub(in crate::http) mod json;
pub(in crate::http) mod media;
pub(in crate::http) mod params;
pub(in crate::http) mod preflight;
pub(in crate::http) mod signed_url;
