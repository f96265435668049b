//! Sets the public code of every error and masks internal details.

use async_graphql::{ErrorExtensionValues, PathSegment, Pos, Response, ServerError, Value};

use crate::{Error, suggest};

/// The text is not a GraphQL document.
pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// The document is not valid for the schema.
pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// A variable, an argument or the operation name is invalid.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The caller may not do this.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// No document has the id that the request names.
pub const DOCUMENT_NOT_FOUND: &str = "DOCUMENT_NOT_FOUND";
/// No text with the hash that the request names is known: clients send the text next.
pub const NOT_REGISTERED: &str = "PERSISTED_QUERY_NOT_FOUND";
/// The caller cannot register texts: clients send whole documents from now on.
pub const NO_REGISTRATION: &str = "PERSISTED_QUERY_NOT_SUPPORTED";
/// The cost of the request exceeds the limit.
pub const TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
/// The document is too long.
pub const DOCUMENT_TOO_LARGE: &str = "DOCUMENT_TOO_LARGE";
/// The document has too many tokens.
pub const TOO_MANY_TOKENS: &str = "TOO_MANY_TOKENS";
/// Brackets or selection sets are nested too deeply.
pub const TOO_NESTED: &str = "TOO_NESTED";
/// Fields are nested too deeply.
pub const TOO_DEEP: &str = "TOO_DEEP";
/// Too many selections, with fragments expanded.
pub const TOO_MANY_SELECTIONS: &str = "TOO_MANY_SELECTIONS";
/// Too many aliases.
pub const TOO_MANY_ALIASES: &str = "TOO_MANY_ALIASES";
/// Too many fields at the root of an operation.
pub const TOO_MANY_ROOT_FIELDS: &str = "TOO_MANY_ROOT_FIELDS";
/// Too many directives at one location.
pub const TOO_MANY_DIRECTIVES: &str = "TOO_MANY_DIRECTIVES";
/// The variables contain too many values.
pub const TOO_MANY_VALUES: &str = "TOO_MANY_VALUES";
/// The balance of points of the caller or the organization is exhausted.
pub const RATE_LIMITED: &str = "RATE_LIMITED";
/// The number of concurrent requests exceeds the capacity of the service.
pub const OVERLOADED: &str = "OVERLOADED";
/// The response exceeds the maximum length.
pub const ANSWER_TOO_LARGE: &str = "ANSWER_TOO_LARGE";
/// A bug or an outage.
pub const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

/// Maximum number of errors in a response.
pub const MAX_ERRORS: usize = 10;
/// Maximum length of a message in characters: some messages quote names from the document.
const MAX_MESSAGE_LENGTH: usize = 300;

/// Creates an error with a public code, for a request that is refused.
pub fn refuse(code: &'static str, message: impl Into<String>, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, at);
    set(&mut error, "code", code);
    error
}

/// Wraps an [`Error`] in a `ServerError`, from which [`publish`] reads it.
pub fn server_error(error: Error) -> ServerError {
    let mut carried = ServerError::new(error.to_string(), None);
    carried.source = Some(std::sync::Arc::new(error));
    carried
}

/// Returns the error that a `ServerError` carries; an internal one if it carries none.
pub fn error_of(error: &ServerError) -> Error {
    error.source::<Error>().cloned().unwrap_or_else(|| Error::internal(error.message.clone()))
}

/// Returns the public code of an error, if it is set.
pub fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// Sets the code of every error, logs and masks internal errors, removes duplicates and keeps at most [`MAX_ERRORS`].
pub fn publish(response: &mut Response, request_id: &str) {
    let mut kept: Vec<ServerError> = Vec::new();
    for mut error in std::mem::take(&mut response.errors) {
        name(&mut error, request_id);
        if kept.iter().any(|known| says_the_same(known, &error)) {
            continue;
        }
        kept.push(error);
        if kept.len() == MAX_ERRORS {
            break;
        }
    }
    response.errors = kept;
}

/// Removes suggestions ("Did you mean …") from the messages.
pub fn withhold_suggestions(response: &mut Response) {
    for error in &mut response.errors {
        if let Some(end) = error.message.find(suggest::OPENING) {
            error.message.truncate(end);
        }
    }
}

fn name(error: &mut ServerError, request_id: &str) {
    if let Some(Error::CursorExpired { oldest }) = error.source::<Error>() {
        let oldest = *oldest;
        set(error, "oldestSequence", oldest);
    }
    let code = match (error.source::<Error>(), code(error)) {
        (Some(Error::Internal(cause)), _) => {
            tracing::error!(request_id, error = %cause, "a request failed");
            INTERNAL
        }
        (Some(known), _) => known.code(),
        // An error of another crate, converted by `?`. Its text may contain anything, so mask it.
        (None, _) if error.source.is_some() => {
            tracing::error!(request_id, error = error.message, "a request failed with a foreign error");
            INTERNAL
        }
        (None, Some(_)) => return shorten(&mut error.message),
        (None, None) if error.path.is_empty() => VALIDATION_FAILED,
        // A scalar failed to parse a value when a field read its arguments.
        (None, None) => {
            withhold_value(&mut error.message);
            BAD_USER_INPUT
        }
    };
    if code == INTERNAL {
        "internal error".clone_into(&mut error.message);
        set(error, "requestId", request_id);
    }
    set(error, "code", code);
    shorten(&mut error.message);
}

/// Sets a value in an error's extensions.
pub fn set(error: &mut ServerError, key: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(key, value);
}

/// Shortens `Expected input type "Int", found "…"` to `Expected input type "Int"`, and `Failed to parse "Date": …` to
/// `Failed to parse "Date"`. The removed part is the value or the message of a parser, which may quote it.
fn withhold_value(message: &mut String) {
    for (opening, end) in [("Expected input type ", ", found "), ("Failed to parse ", "\": ")] {
        if message.starts_with(opening)
            && let Some(at) = message.find(end)
        {
            message.truncate(at);
            if end.starts_with('"') {
                message.push('"');
            }
        }
    }
}

fn shorten(message: &mut String) {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_LENGTH) {
        message.truncate(end);
        message.push('…');
    }
}

/// Returns whether two errors are duplicates. A document with merged selections is validated together with its original
/// selections, so each validation error occurs twice. A missing scope fails in every row of a list but is reported once
/// per field.
fn says_the_same(one: &ServerError, other: &ServerError) -> bool {
    let by_field = code(one) == Some("FORBIDDEN");
    let same_path = if by_field { fields(one).eq(fields(other)) } else { one.path == other.path };
    same_path && one.message == other.message && one.locations == other.locations
}

fn fields(error: &ServerError) -> impl Iterator<Item = &PathSegment> {
    error.path.iter().filter(|segment| matches!(segment, PathSegment::Field(_)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_graphql::{PathSegment, Response, ServerError};
    use entity::Permission;

    use super::{code, publish, server_error, withhold_suggestions};
    use crate::Error;

    fn published(errors: Vec<ServerError>) -> Vec<ServerError> {
        let mut response = Response::from_errors(errors);
        publish(&mut response, "the-request");
        response.errors
    }

    fn in_field(message: &str) -> ServerError {
        ServerError::new(message, None).with_path(vec![PathSegment::Field("points".into())])
    }

    #[test]
    fn every_error_has_a_code() {
        for (error, expected) in [
            (ServerError::new("Unknown field \"x\" on type \"Query\".", None), "GRAPHQL_VALIDATION_FAILED"),
            (in_field("Failed to parse \"DateTime\": input is out of range"), "BAD_USER_INPUT"),
            (server_error(Error::Unavailable), "UNAVAILABLE"),
            (server_error(Error::Timeout), "TIMEOUT"),
            (server_error(Error::Forbidden(Permission::MapRead)), "FORBIDDEN"),
            (server_error(Error::internal("x")), "INTERNAL_SERVER_ERROR"),
        ] {
            assert_eq!(code(&published(vec![error])[0]), Some(expected));
        }
    }

    #[test]
    fn internal_and_foreign_causes_are_masked_and_carry_the_request_id() {
        let mut foreign = in_field("no such table: customer");
        foreign.source = Some(Arc::new(std::io::Error::other("no such table: customer")));
        for error in [foreign, server_error(Error::internal("no such table: customer"))] {
            let text = serde_json::to_string(&published(vec![error])).unwrap();
            assert!(!text.contains("table") && text.contains("the-request"), "{text}");
        }
    }

    #[test]
    fn values_of_variables_are_not_sent_back() {
        for message in ["Expected input type \"Int\", found \"mia@x\".", "Failed to parse \"Date\": bad mia@x"] {
            let text = serde_json::to_string(&published(vec![in_field(message)])).unwrap();
            assert!(!text.contains("mia") && (text.contains("Int") || text.contains("Date")), "{text}");
        }
    }

    #[test]
    fn a_missing_scope_is_said_once_per_field() {
        let row = |at: usize, field: &str| {
            let path =
                vec![PathSegment::Field("customers".into()), PathSegment::Index(at), PathSegment::Field(field.into())];
            server_error(Error::Forbidden(Permission::MapRead)).with_path(path)
        };
        assert_eq!(published(vec![row(0, "email"), row(1, "email"), row(1, "name")]).len(), 2);
    }

    #[test]
    fn at_most_ten_short_errors_are_sent() {
        let errors = (0..100_000).map(|at| ServerError::new(format!("{at}{}", "x".repeat(1_000)), None)).collect();
        let sent = published(errors);
        assert_eq!(sent.len(), 10);
        assert!(serde_json::to_string(&sent).unwrap().len() < 6_000);
    }

    #[test]
    fn suggestions_can_be_withheld() {
        let mut response = Response::from_errors(vec![ServerError::new("Unknown field. Did you mean \"name\"?", None)]);
        withhold_suggestions(&mut response);
        assert_eq!(response.errors[0].message, "Unknown field.");
    }
}
