//! Event streams, in the mode of distinct connections of the protocol graphql-sse.

use actix_web::{
    HttpResponse,
    body::MessageBody as _,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue},
    web::Bytes,
};
use futures_util::stream;

use super::running::{End, Sent, Subscription};

const MEDIA: &str = "text/event-stream";
/// Tells nginx not to buffer the response.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// The last event. Browsers do not dispatch an event without data.
const COMPLETE: &[u8] = b"event: complete\ndata: \n\n";
/// A comment, which clients ignore.
const BEAT: &[u8] = b":\n\n";

/// Streams the events of a subscription. A stream that ends before it is complete breaks off, so that clients resume it.
pub(in crate::http) fn stream(subscription: Subscription) -> HttpResponse {
    let events = stream::try_unfold(Some(subscription), |subscription| async move {
        let Some(mut subscription) = subscription else { return Ok(None) };
        match subscription.next().await {
            Ok(Sent::Event(json)) => Ok(Some((Bytes::from(event(&json)), Some(subscription)))),
            Ok(Sent::Beat) => Ok(Some((Bytes::from_static(BEAT), Some(subscription)))),
            Ok(Sent::Last(json)) => Ok(Some((Bytes::from([&event(&json), COMPLETE].concat()), None))),
            Err(end) => Err(broken(end)),
        }
    });
    let mut response = HttpResponse::Ok();
    // A compressed stream would be held back until a block is full.
    response.content_type(MEDIA).insert_header((CONTENT_ENCODING, "identity")).insert_header((X_ACCEL_BUFFERING, "no"));
    response.streaming(events)
}

/// Returns the response to a query or a mutation as a stream of one event. What failed before it ran stays as it is.
pub(in crate::http) fn single(response: HttpResponse) -> HttpResponse {
    if !response.status().is_success() {
        return response;
    }
    let (response, body) = response.into_parts();
    let json = body.try_into_bytes().unwrap_or_default();
    let mut response = response.set_body(Bytes::from([&event(&json), COMPLETE].concat())).map_into_boxed_body();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    response
}

/// Returns the event of a response. JSON as it is written here has no line breaks.
fn event(json: &[u8]) -> Vec<u8> {
    [b"event: next\ndata: ", json, b"\n\n"].concat()
}

fn broken(end: End) -> actix_web::Error {
    actix_web::error::ErrorInternalServerError(match end {
        End::Draining => "a stream was ended: the server shuts down",
        End::Unauthenticated => "a stream was ended: its token has expired or was revoked",
        End::Overloaded => "a stream was ended: the server is overloaded",
    })
}
