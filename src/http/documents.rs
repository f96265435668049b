//! `/documents/{name}.{format}`: what a saved query answers, for spreadsheets, scripts and dashboards.

use std::sync::Arc;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue, LINK},
    },
    web,
};
use async_graphql::{Response, ServerError, parser::types::OperationType};
use url::form_urlencoded;

use super::{
    app::State,
    error_response::ErrorResponse,
    graphql::rate_limited,
    middleware::RequestId,
    request::{bearer, body, media::Media, params::Pairs},
    response::{refused as refused_response, reply, show_balance, tagged},
    started::trusted,
    table::{Answer, Format, Header, NextPage},
};
use crate::{
    auth::Actor,
    error::reason::Reason,
    exchange::documents,
    graphql::{
        documents::document::{Document, PreparedOperation},
        failure::{self, BAD_USER_INPUT, DOCUMENT_NOT_FOUND, FORBIDDEN, code},
    },
    store::Store,
};

/// Answers the saved query.
pub async fn document(
    http: HttpRequest,
    unread: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    let answered = match bearer::actor(http.headers(), &state.app.gate).await {
        Ok(Some(actor)) => answer(&http, actor, &state, &store).await,
        Ok(None) => Err(ErrorResponse::unauthenticated(Reason::Missing)),
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(|refusal| body::hold(refusal.respond(Media::Json), unread))
}

async fn answer(
    http: &HttpRequest,
    actor: Actor,
    state: &web::Data<State>,
    store: &Store,
) -> Result<HttpResponse, ErrorResponse> {
    let part = |name: &str| http.match_info().get(name).unwrap_or_default();
    let format = Format::parse(part("format")).ok_or_else(ErrorResponse::not_found)?;
    let name = part("name");
    let pairs = Pairs::read(http.query_string())?.into_inner();
    let document = saved(&actor, (state, store), name).await?;
    let is_public = document.as_ref().is_ok_and(|document| document.is_public());
    let prepared = document.and_then(|document| {
        let variables = document.variables_from_texts(&pairs, &state.schema_index)?;
        document.prepare(variables, &state.schema_index, &state.limits)
    });
    let columns = prepared.as_ref().map(PreparedOperation::columns).unwrap_or_default();
    let response = match prepared {
        Ok(prepared) => rate_limited(prepared, Some(actor.clone()), state.address(http), state, store).await,
        Err(error) => refused_response(error),
    };
    let mut answer = if response.errors.is_empty() {
        let most_bytes = state.limits.response_bytes(is_public);
        let read = move || Answer::read(&response, (format, &columns, Header::Written), most_bytes);
        let read = state.compute.run(Some(actor.organization), read).await;
        let read = read.unwrap_or_else(|| Err(ErrorResponse::overloaded("the server is overloaded; try again")))?;
        shown(http, name, format, &pairs, read)
    } else {
        failed(http, response)
    };
    show_balance(&mut answer, state, &actor);
    Ok(answer)
}

/// Returns the answer, or 304 if the client has the same one, and where the next page is.
fn shown(http: &HttpRequest, name: &str, format: Format, pairs: &[(String, String)], answer: Answer) -> HttpResponse {
    let Answer { body, next, .. } = answer;
    let mut response = tagged(http, format.media(), body);
    let headers = response.headers_mut();
    if let Some(disposition) = disposition("inline", name, format) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    if let NextPage::After(cursor) = next {
        let others = pairs.iter().filter(|(key, _)| key != AFTER).map(|(key, text)| (&**key, &**text));
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(others.chain([(AFTER, &*cursor)])).finish();
        let link = format!("<{}?{query}>; rel=\"next\"", http.path());
        if let Ok(link) = HeaderValue::from_str(&link) {
            headers.insert(LINK, link);
        }
    }
    response
}

/// Variable that takes the cursor of the next page.
pub(super) const AFTER: &str = "after";

/// Returns the saved query with a name or id, or the error in it.
pub(super) async fn saved(
    actor: &Actor,
    (state, store): (&State, &Store),
    name: &str,
) -> Result<Result<Arc<Document>, ServerError>, ErrorResponse> {
    let text = trusted(Some(actor), (state, store), async |scope| documents::text_by_name(scope, name).await).await?;
    let text = text.ok_or_else(|| {
        ErrorResponse::new(StatusCode::NOT_FOUND, DOCUMENT_NOT_FOUND, "no trusted document has this name or id")
    })?;
    let document = state.documents.read(&text, None, &state.limits, true);
    if document.as_ref().is_ok_and(|document| document.kind() != OperationType::Query) {
        return Err(ErrorResponse::method_not_allowed("POST", "only queries are read by GET"));
    }
    Ok(document)
}

/// Returns the header that names a file after its document.
pub(super) fn disposition(how: &str, name: &str, format: Format) -> Option<HeaderValue> {
    let is_safe = |character: &char| character.is_ascii_alphanumeric() || "-_.".contains(*character);
    let file: String = name.chars().filter(is_safe).collect();
    HeaderValue::from_str(&format!("{how}; filename=\"{file}.{}\"", format.extension())).ok()
}

/// Any error fails the whole answer, so that no tool stores half of one.
pub(super) fn failed(http: &HttpRequest, mut response: Response) -> HttpResponse {
    let id = http.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    failure::publish(&mut response, &id);
    let status = match response.errors.first().and_then(code) {
        Some(FORBIDDEN) => StatusCode::FORBIDDEN,
        Some(BAD_USER_INPUT) => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    response.data = async_graphql::Value::Null;
    let mut answer = reply(&response, Media::GraphQl, Some(OperationType::Query), usize::MAX);
    if answer.status().is_success() {
        *answer.status_mut() = status;
    }
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
