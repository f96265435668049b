//! `/organization/export`: every row of the caller's organization as JSON lines, streamed.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CACHE_CONTROL,
    web::{self, Bytes},
};
use entity::id;
use futures_util::stream;
use serde_json::{Value, json};

use super::{
    app::State,
    error_response::ErrorResponse,
    request::{body, media::Media},
    transfer::{Failure, Transfer, failed},
};
use crate::{
    clock,
    exchange::export::{self, Cursor, ExportedRow},
    store::Store,
};

/// Streams the export: a header, one line per row, and a last line with the number of rows. Without the last line, the
/// export is incomplete, and `?after=` continues it after the id of the last row that was received.
pub async fn export(
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
    let (transfer, actor) = Transfer::begin(http, state, store).await.map_err(refused)?;
    let asked = web::Query::<BTreeMap<String, String>>::from_query(http.query_string());
    let asked = asked.map_err(|_| refused(ErrorResponse::bad_request("the query string cannot be read")))?;
    if asked.keys().any(|name| name != "after") {
        return Err(refused(ErrorResponse::bad_request("the only parameter is after")));
    }
    let after = asked.get("after").map(|after| Cursor::parse(after)).transpose().map_err(|error| failed(&error))?;
    let organization = actor.organization;
    let mut export =
        Export { transfer, next: Some(after.unwrap_or_default()), counts: BTreeMap::new(), is_done: false };
    let from = after.unwrap_or_default();
    let first = export.transfer.first(&actor, async |scope| export::page(scope, from).await).await;
    let (rows, next) = first.map_err(Failure::respond)?;
    export.next = next;
    let header = json!({
        "organization": id::encode(entity::organization::NOUN.prefix, organization.0),
        "exportedAt": export::instant(clock::now().timestamp_millis()),
        "after": asked.get("after"),
    });
    let mut first = line(&header);
    first.extend(export.lines(rows));
    let pages = stream::try_unfold((export, Some(first)), |(mut export, first)| async move {
        if let Some(first) = first {
            return Ok(Some((Bytes::from(first), (export, None))));
        }
        let next = export.next_lines().await;
        Ok::<_, actix_web::Error>(next?.map(|lines| (Bytes::from(lines), (export, None))))
    });
    let mut response = HttpResponse::Ok();
    response.content_type("application/x-ndjson").insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.streaming(pages))
}

/// A running export.
struct Export {
    transfer: Transfer,
    /// Where the next page begins; `None` after the last one.
    next: Option<Cursor>,
    counts: BTreeMap<&'static str, u64>,
    is_done: bool,
}

impl Export {
    /// Returns the lines of the next page, or the last line; `None` after it.
    async fn next_lines(&mut self) -> Result<Option<Vec<u8>>, actix_web::Error> {
        if self.is_done {
            return Ok(None);
        }
        let Some(after) = self.next else {
            self.is_done = true;
            let all: u64 = self.counts.values().sum();
            return Ok(Some(line(&json!({ "complete": true, "rowCount": all, "rows": self.counts }))));
        };
        let (rows, next) = self.transfer.next(async |scope| export::page(scope, after).await).await?;
        self.next = next;
        Ok(Some(self.lines(rows)))
    }

    fn lines(&mut self, rows: Vec<ExportedRow>) -> Vec<u8> {
        let mut lines = Vec::new();
        for (noun, row) in rows {
            *self.counts.entry(noun.name).or_default() += 1;
            lines.extend(line(&json!({ "type": noun.name, "row": row })));
        }
        lines
    }
}

fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}
