//! `/documents/{name}/all.{format}`: every row of the list of a saved query, page after page, streamed.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION},
    web::{self, Bytes},
};
use async_graphql::{Name, Response, Value, Variables};
use aws_lc_rs::digest::{Context, SHA256};
use entity::id::OrganizationId;
use futures_util::stream;
use serde_json::json;

use super::{
    app::State,
    documents::{AFTER, disposition, failed, saved},
    error_response::ErrorResponse,
    request::{body, media::Media, params::Pairs},
    response::refused as refused_response,
    table::{Answer, Format, Header, NextPage},
    transfer::{Failure, Transfer},
};
use crate::{
    Error, Result,
    graphql::{
        documents::document::{Document, PreparedOperation},
        failure::error_of,
    },
    store::{Scope, Store},
};

/// Parameter that asks for a last line of NDJSON.
const END: &str = "end";

/// Streams the rows. An export that fails breaks off, so that it cannot be taken for a complete one.
pub async fn all_rows(
    http: HttpRequest,
    unread: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    begin(&http, &state, &store).await.unwrap_or_else(|refusal| body::hold(refusal, unread))
}

async fn begin(
    http: &HttpRequest,
    state: &web::Data<State>,
    store: &web::Data<Store>,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |refusal: ErrorResponse| refusal.respond(Media::Json);
    let bad = |message: &'static str| ErrorResponse::bad_request(message).respond(Media::Json);
    let (transfer, actor) = Transfer::begin(http, state, store).await.map_err(refused)?;
    let part = |name: &str| http.match_info().get(name).unwrap_or_default();
    let format = Format::parse(part("format")).filter(|format| *format != Format::Json);
    let format = format.ok_or_else(|| refused(ErrorResponse::not_found()))?;
    let mut pairs = Pairs::read(http.query_string()).map_err(refused)?.into_inner();
    let has_end = pairs.iter().any(|(name, text)| name == END && text == "true");
    pairs.retain(|(name, _)| name != END);
    if has_end && format != Format::NdJson {
        return Err(bad("only NDJSON has a last line: leave end out"));
    }
    if pairs.iter().any(|(name, _)| name == AFTER) {
        return Err(bad("after is set by the export: leave it out"));
    }
    let name = part("name");
    let document = saved(&actor, (state, store), name).await.map_err(refused)?;
    let prepared = document.and_then(|document| {
        if !document.has_variable(AFTER) {
            return Ok(None);
        }
        let variables = document.variables_from_texts(&pairs, &state.schema_index)?;
        let first = document.prepare(variables.clone(), &state.schema_index, &state.limits)?;
        Ok(Some((document, variables, first)))
    });
    let (document, variables, first) = match prepared {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return Err(bad(NO_PAGES)),
        Err(error) => return Err(failed(http, refused_response(error))),
    };
    let columns = Arc::from(first.columns());
    let mut rows = Rows {
        organization: actor.organization,
        transfer,
        document,
        variables,
        format,
        columns,
        after: None,
        count: 0,
        end: has_end.then(|| Context::new(&SHA256)),
    };
    let mut first = Some(first);
    let answered = rows.transfer.first(&actor, async |scope| run(state, first.take(), scope).await).await;
    let response = answered.map_err(Failure::respond)?;
    if !response.errors.is_empty() {
        return Err(failed(http, response));
    }
    let answer = rows.read(response, Header::Written).await;
    let answer = answer.unwrap_or_else(|| Err(ErrorResponse::overloaded("the server is overloaded; try again")));
    let answer = answer.map_err(refused)?;
    if answer.next == NextPage::Untold {
        return Err(bad(NO_PAGES));
    }
    let first = rows.take(answer);
    let pieces = stream::try_unfold((rows, Some(first)), |(mut rows, first)| async move {
        let piece = match first {
            Some(first) => Some(first),
            None => rows.next().await?,
        };
        Ok::<_, actix_web::Error>(piece.map(|piece| (Bytes::from(piece), (rows, None))))
    });
    let mut response = HttpResponse::Ok();
    response.content_type(format.media()).insert_header((CACHE_CONTROL, "no-store"));
    if let Some(disposition) = disposition("attachment", name, format) {
        response.insert_header((CONTENT_DISPOSITION, disposition));
    }
    Ok(response.streaming(pieces))
}

const NO_PAGES: &str =
    "the document needs the variable $after, and pageInfo { hasNextPage endCursor } of its only root field";

/// Runs a page. `Err` if it may be tried again.
async fn run(state: &State, page: Option<PreparedOperation>, scope: &Scope) -> Result<Response> {
    let page = page.ok_or_else(|| Error::internal("a page runs once"))?;
    let response = page.run(&state.app.schema, Some(scope.clone())).await;
    match response.errors.first().map(error_of) {
        Some(error @ (Error::Unavailable | Error::Collision)) => Err(error),
        _ => Ok(response),
    }
}

/// A running export.
struct Rows {
    organization: OrganizationId,
    transfer: Transfer,
    document: Arc<Document>,
    variables: Variables,
    format: Format,
    columns: Arc<[String]>,
    /// Where the next page begins; `None` after the last one.
    after: Option<String>,
    count: usize,
    /// The digest of what was sent, if a last line with it is wanted and was not sent yet.
    end: Option<Context>,
}

impl Rows {
    /// Returns what is sent of the next page, or the last line; `None` after it.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, actix_web::Error> {
        let Some(after) = self.after.take() else { return Ok(self.last_line()) };
        let mut variables = self.variables.clone();
        variables.insert(Name::new(AFTER), Value::String(after));
        let state = &self.transfer.state;
        let page = self.transfer.next(async |scope| {
            let prepared = self.document.prepare(variables.clone(), &state.schema_index, &state.limits);
            let response = run(state, Some(prepared.map_err(|error| error_of(&error))?), scope).await?;
            if let Some(error) = response.errors.first() {
                return Err(error_of(error));
            }
            let answer = self.read(response, Header::Omitted).await.ok_or(Error::Unavailable)?;
            answer.map_err(|_| Error::internal("a page of an export has another form than the first one"))
        });
        let answer = page.await?;
        Ok(Some(self.take(answer)))
    }

    /// Reads an answer on the compute pool; `None` if that has no room.
    async fn read(&self, response: Response, header: Header) -> Option<Result<Answer, ErrorResponse>> {
        let (state, format, columns) = (&self.transfer.state, self.format, Arc::clone(&self.columns));
        let most_bytes = state.limits.response_bytes(false);
        let read = move || Answer::read(&response, (format, &columns, header), most_bytes);
        state.compute.run(Some(self.organization), read).await
    }

    /// Takes a page in, and returns what is sent of it.
    fn take(&mut self, answer: Answer) -> Vec<u8> {
        if let NextPage::After(cursor) = answer.next {
            self.after = Some(cursor);
        }
        self.count += answer.row_count;
        if let Some(end) = &mut self.end {
            end.update(&answer.body);
        }
        answer.body
    }

    /// Returns the last line, if one is wanted and was not sent yet.
    fn last_line(&mut self) -> Option<Vec<u8>> {
        let digest = self.end.take()?.finish();
        let digest = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let line = json!({ "complete": true, "rowCount": self.count, "sha256": digest });
        Some(format!("{line}\n").into_bytes())
    }
}
