//! Idempotency keys, and fingerprints that distinguish inputs.

use async_graphql::Value;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::input::Input;
use crate::{Result, UserError, error::Code, store::Key};

impl Key {
    /// Returns the key with the fingerprint of the input, or `None` if the input has no key.
    pub(in crate::graphql) fn new(field: &str, input: &Input) -> Result<Option<Self>> {
        let Some(text) = input.text("idempotencyKey")? else { return Ok(None) };
        let mut canonical = field.to_owned();
        let mut fields: Vec<_> = input.fields().filter(|(name, _)| *name != "idempotencyKey").collect();
        fields.sort_by_key(|(name, _)| *name);
        for (name, value) in fields {
            canonical.push_str(name);
            write_canonical(value, &mut canonical);
        }
        let digest = digest(&SHA256, canonical.as_bytes());
        let fingerprint = URL_SAFE_NO_PAD.encode(digest.as_ref());
        Ok(Some(Self { text: text.to_owned(), fingerprint }))
    }

    /// Returns the user error if the key is malformed.
    pub(in crate::graphql) fn mistake(&self) -> Option<UserError> {
        let is_sound =
            (1..=255).contains(&self.text.len()) && self.text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let message = "a key is 1 to 255 printable ASCII characters";
        (!is_sound).then(|| UserError::new(Code::Invalid, "idempotencyKey", message))
    }
}

/// Writes a value as text that is equal for equal values: object fields are sorted, and enum literals equal the strings
/// that variables give for them.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (name, value) in sorted {
                text.push_str(name);
                text.push(':');
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::List(items) => {
            text.push('[');
            for item in items {
                write_canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Enum(name) => write_canonical(&Value::String(name.to_string()), text),
        other => text.push_str(&serde_json::to_string(other).unwrap_or_default()),
    }
}
