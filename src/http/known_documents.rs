//! Documents that requests name instead of sending their texts: trusted ones, read from the database, and those that a
//! client has registered with this server for the time being (automatic persisted queries).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::ServerError;
use entity::id::OrganizationId;
use quick_cache::{Weighter, sync::Cache};

use super::{error_response::ErrorResponse, request::params::Source};
use crate::{
    Result,
    error::reason::Reason,
    exchange::documents,
    graphql::failure::{DOCUMENT_NOT_FOUND, FORBIDDEN, NO_REGISTRATION, NOT_REGISTERED, refuse},
    store::Scope,
};

/// Maximum memory for texts of each kind, in bytes.
const MAX: u64 = 8 << 20;
/// Usual number of texts in that memory.
const USUAL: usize = 4_096;
/// How long a trusted document is used without asking whether it was deleted.
const LIFE: Duration = Duration::from_secs(10);

/// An organization and an id of one of its documents.
type Key = (OrganizationId, Box<str>);

/// Whose documents may be used, and which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub organization: OrganizationId,
    pub is_trusted_documents_only: bool,
}

/// The text of a request's document.
pub(super) enum Text<'a> {
    /// The request has it.
    Given(&'a str),
    /// This server has it.
    Known(Arc<str>),
    /// It is to be read: that of the trusted document with this id.
    ToRead(Box<str>),
    /// There is none, or the caller may not use it.
    Refused(ServerError),
}

/// The texts that this server knows, by organization.
pub(super) struct KnownDocuments {
    trusted: Cache<Key, (Arc<str>, Instant), Size>,
    registered: Cache<Key, (Arc<str>, Instant), Size>,
}

#[derive(Clone, Copy)]
struct Size;

impl Weighter<Key, (Arc<str>, Instant)> for Size {
    fn weight(&self, (_, id): &Key, (text, _): &(Arc<str>, Instant)) -> u64 {
        (id.len() + text.len()) as u64
    }
}

impl Default for KnownDocuments {
    fn default() -> Self {
        let cache = || Cache::with_weighter(USUAL, MAX, Size);
        Self { trusted: cache(), registered: cache() }
    }
}

impl KnownDocuments {
    /// Returns the text of a request's document, or the id of the trusted document to read first. `read` is what was read,
    /// for a second call.
    pub fn text<'a>(
        &self,
        source: &'a Source,
        caller: Option<Caller>,
        read: Option<&Option<Arc<str>>>,
    ) -> Result<Text<'a>, ErrorResponse> {
        let Some(caller) = caller else {
            return match source {
                Source::Text(text) | Source::Hash { text: Some(text), .. } => Ok(Text::Given(text)),
                _ => Err(ErrorResponse::unauthenticated(Reason::Missing)),
            };
        };
        let (id, is_hash) = match source {
            Source::Text(_) | Source::Hash { text: Some(_), .. } if caller.is_trusted_documents_only => {
                let message = "this API client may only send trusted documents, by documentId";
                return Ok(Text::Refused(refuse(FORBIDDEN, message, None)));
            }
            Source::Text(text) => return Ok(Text::Given(text)),
            Source::Hash { hash, text: Some(text) } => {
                let id = documents::id_of(text);
                if documents::normal_id(&hash.to_ascii_lowercase()) != id {
                    return Err(ErrorResponse::bad_request("sha256Hash is not the SHA-256 of query"));
                }
                self.registered.insert((caller.organization, id.into()), (text.as_str().into(), Instant::now()));
                return Ok(Text::Given(text));
            }
            Source::Hash { hash, text: None } => (documents::normal_id(hash).to_ascii_lowercase(), true),
            Source::Id(id) => (documents::normal_id(id).into_owned(), false),
        };
        if let Some(Some(text)) = read {
            return Ok(Text::Known(Arc::clone(text)));
        }
        let key: Key = (caller.organization, id.into());
        if let Some((text, _)) = self.trusted.get(&key).filter(|(_, since)| since.elapsed() < LIFE) {
            return Ok(Text::Known(text));
        }
        if is_hash
            && !caller.is_trusted_documents_only
            && let Some((text, _)) = self.registered.get(&key)
        {
            return Ok(Text::Known(text));
        }
        if read.is_none() {
            return Ok(Text::ToRead(key.1));
        }
        let (code, message) = match (is_hash, caller.is_trusted_documents_only) {
            // The messages that Apollo's and urql's clients look for.
            (true, true) => (NO_REGISTRATION, "PersistedQueryNotSupported"),
            (true, false) => (NOT_REGISTERED, "PersistedQueryNotFound"),
            (false, _) => (DOCUMENT_NOT_FOUND, "no trusted document has this documentId: push it first"),
        };
        Ok(Text::Refused(refuse(code, message, None)))
    }

    /// Reads the text of a trusted document; `None` if there is none with the id.
    pub async fn read(&self, scope: &Scope, id: &str) -> Result<Option<Arc<str>>> {
        let Some(text) = documents::text(scope, id).await? else { return Ok(None) };
        let text = Arc::<str>::from(text);
        self.trusted.insert((scope.organization(), id.into()), (Arc::clone(&text), Instant::now()));
        Ok(Some(text))
    }
}
