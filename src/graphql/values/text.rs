//! Texts.

use async_graphql::Value;
use entity::noun::Field;

use super::Accepted;
use crate::{
    UserError,
    error::Code,
    graphql::mutation::input::{bad, text},
    store::statement::cell::Cell,
    text::{is_blank, refusal, refused_in_name, refused_in_text},
};

/// Reads a text of at most `max` characters for a column.
pub(super) fn accept(field: &Field, value: &Value, max: usize) -> Accepted {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    let given = text(value).ok_or_else(|| bad(field.name, "a text"))?;
    let given = if field.kind.is_name() { crate::text::trim(given) } else { given };
    if let Some((code, message)) = text_mistake(given, max) {
        return refuse(code, message);
    }
    if is_blank(given) {
        let message = "the text has no visible character".into();
        return if field.is_nullable { Ok(Ok(Cell::Null)) } else { refuse(Code::Required, message) };
    }
    let refused = if field.kind.is_name() {
        refused_in_name(given)
    } else if field.is_guarded() {
        // Text that customers wrote is stored unchanged.
        None
    } else {
        refused_in_text(given)
    };
    refused.map_or_else(|| Ok(Ok(Cell::Text(given.to_owned()))), |sign| refuse(Code::Invalid, refusal(sign)))
}

/// Returns the code and message of the error if a text is invalid. `max` is in characters.
pub fn text_mistake(text: &str, max: usize) -> Option<(Code, String)> {
    if text.contains('\0') {
        Some((Code::Invalid, "the text contains a NUL byte".to_owned()))
    } else if text.chars().count() > max {
        Some((Code::TooLong, format!("the text is longer than {max} characters")))
    } else {
        None
    }
}
