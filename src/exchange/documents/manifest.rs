//! Files that list documents: the manifest of Apollo's tools, and the maps from ids to texts that graphql-codegen and the
//! Relay compiler write.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use async_graphql::parser::types::OperationType;
use aws_lc_rs::digest::{SHA256, digest};
use entity::trusted_document::OperationKind;
use serde::Deserialize;

use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        documents::{document::Document, limits::Limits},
        types::schema_index::SchemaIndex,
    },
    text::{hex, without_byte_order_mark},
};

/// Maximum length of a file in bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of documents of a file.
pub(super) const MAX_DOCUMENTS: usize = 1_000;
/// Maximum length of an id, in characters.
const MAX_ID: usize = 200;
/// Maximum length of a name, in characters.
const MAX_NAME: usize = 200;
/// Maximum number of reported errors.
const MAX_MISTAKES: usize = 20;
/// Prefix of ids that are the SHA-256 of a text.
const SHA_256: &str = "sha256:";
/// `format` of Apollo's manifest.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// A document that may be stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Sound {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: OperationKind,
    pub(super) body: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest<'a> {
    Apollo { format: Cow<'a, str>, version: u64, operations: Vec<Operation> },
    Map(BTreeMap<String, String>),
}

/// An operation of Apollo's manifest. Its name and type are those of its text.
#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

/// Returns the id of a text: its SHA-256.
pub fn id_of(text: &str) -> String {
    format!("{SHA_256}{}", hex(digest(&SHA256, text.as_bytes()).as_ref()))
}

/// Returns an id in the form in which it is stored: a bare SHA-256, as Apollo's and urql's clients send it, with its prefix.
pub fn normal_id(id: &str) -> Cow<'_, str> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() == 64 && id.bytes().all(is_digit) { format!("{SHA_256}{id}").into() } else { id.into() }
}

/// Reads a file and checks its documents against the schema. `check` stops it.
pub(super) fn read(
    file: &str,
    schema_index: &SchemaIndex,
    check: impl Fn() -> Result<()>,
) -> Result<std::result::Result<Vec<Sound>, Vec<UserError>>> {
    let whole = |code, message: String| Ok(Err(vec![UserError::new(code, "manifest", message)]));
    if file.len() > MAX_BYTES {
        return whole(Code::TooLong, format!("the file exceeds {MAX_BYTES} bytes"));
    }
    let operations = match serde_json::from_str(without_byte_order_mark(file)) {
        Ok(Manifest::Apollo { format, version: 1, operations }) if format == APOLLO => operations,
        Ok(Manifest::Apollo { format, version, .. }) => {
            return whole(Code::Invalid, format!("version {version} of the format {format} is not known"));
        }
        Ok(Manifest::Map(map)) => map.into_iter().map(|(id, body)| Operation { id, body }).collect(),
        Err(_) => {
            let message = "must be the JSON text of a persisted query manifest of Apollo, or of an object with a text for each \
                           id, as graphql-codegen and the Relay compiler write it";
            return whole(Code::Invalid, message.to_owned());
        }
    };
    if operations.len() > MAX_DOCUMENTS {
        return whole(Code::TooLong, format!("the file has more than {MAX_DOCUMENTS} documents"));
    }
    let (mut documents, mut mistakes) = (BTreeMap::<String, Sound>::new(), Vec::new());
    for Operation { id, body } in operations {
        check()?;
        let wrong = match sound(&normal_id(&id), body, schema_index) {
            Ok(document) => match documents.insert(document.id.clone(), document) {
                None => continue,
                Some(_) => (Code::Invalid, "another document of the file has this id".to_owned()),
            },
            Err(wrong) => wrong,
        };
        let path = vec!["manifest".to_owned(), id.chars().take(MAX_ID).collect()];
        mistakes.push(UserError { code: wrong.0, message: wrong.1, path });
        if mistakes.len() == MAX_MISTAKES {
            break;
        }
    }
    Ok(if mistakes.is_empty() { Ok(documents.into_values().collect()) } else { Err(mistakes) })
}

fn sound(id: &str, body: String, schema_index: &SchemaIndex) -> std::result::Result<Sound, (Code, String)> {
    let invalid = |message: String| Err((Code::Invalid, message));
    let is_own = |id: &str| id.strip_prefix("x-").and_then(|rest| rest.split_once(':')).is_some();
    let is_plain = |character: char| character.is_ascii_graphic();
    if id.is_empty() || id.len() > MAX_ID || !id.chars().all(is_plain) {
        return invalid(format!("an id has 1 to {MAX_ID} visible ASCII characters"));
    }
    if id.starts_with(SHA_256) {
        if id != id_of(&body) {
            return invalid(format!("the id is not the SHA-256 of the text, which is {}", id_of(&body)));
        }
    } else if id.contains(':') && !is_own(id) {
        return invalid("an id with a colon begins with sha256: or x-".to_owned());
    }
    let document = check(&body, schema_index).map_err(|mistake| (Code::Invalid, mistake))?;
    let kind = match document.kind() {
        OperationType::Query => OperationKind::Query,
        OperationType::Mutation => OperationKind::Mutation,
        OperationType::Subscription => OperationKind::Subscription,
    };
    let name = document.name().unwrap_or(id).chars().take(MAX_NAME).collect();
    Ok(Sound { id: id.to_owned(), name, kind, body })
}

/// Returns a text as a document that fits the schema, or the first mistake in it.
pub(super) fn check(text: &str, schema_index: &SchemaIndex) -> std::result::Result<Arc<Document>, String> {
    let document = Document::read(text, None, &Limits::DEFAULT).map_err(|error| error.message)?;
    let Some(mistake) = document.mistakes(schema_index).first() else { return Ok(document) };
    let at = mistake.locations.first().map(|at| format!(" (line {}, column {})", at.line, at.column));
    Err(format!("{}{}", mistake.message, at.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of appendix A of GraphQL over HTTP, with their ids.
    const VECTORS: [(&str, &str); 2] = [
        (
            "query($id:ID!){user(id:$id){name}}",
            "sha256:71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b",
        ),
        (
            "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}",
            "sha256:7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e",
        ),
    ];

    #[test]
    fn the_id_of_a_text_is_that_of_the_specification() {
        for (text, id) in VECTORS {
            assert_eq!(id_of(text), id, "{text}");
        }
    }

    #[test]
    fn only_a_bare_hash_gets_the_prefix() {
        let hash = &VECTORS[0].1[SHA_256.len()..];
        assert_eq!(normal_id(hash), VECTORS[0].1);
        for other in [VECTORS[0].1, "", "weekly", &hash.to_uppercase(), &hash[1..]] {
            assert_eq!(normal_id(other), other);
        }
    }
}
