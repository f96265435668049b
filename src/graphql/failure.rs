//! Gives every error its public code and hides what is not ours to show.

use async_graphql::{ErrorExtensionValues, Response, ServerError};

use crate::Error;

/// Turns our error into one async-graphql carries to [`publish`].
pub fn server_error(error: Error) -> ServerError {
    let mut carried = ServerError::new(error.to_string(), None);
    carried.source = Some(std::sync::Arc::new(error));
    carried
}

/// Sets the code of every error, logs and masks what is internal, and keeps at most ten.
pub fn publish(response: &mut Response, request_id: &str) {
    response.errors.truncate(10);
    for error in &mut response.errors {
        let code = match error.source::<Error>() {
            Some(Error::Internal(cause)) => {
                tracing::error!(request_id, error = %cause, "a request failed");
                error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("requestId", request_id);
                "INTERNAL_SERVER_ERROR"
            }
            Some(known) => known.code(),
            None if error.extensions.as_ref().is_some_and(|set| set.get("code").is_some()) => continue,
            None if error.path.is_empty() => "GRAPHQL_VALIDATION_FAILED",
            None => "BAD_USER_INPUT",
        };
        error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
    }
}
