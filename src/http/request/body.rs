//! Reads a request body, within limits of size and time.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    error::PayloadError,
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, HeaderMap},
    },
    web::Bytes,
};
use futures_util::{Stream, StreamExt as _};

use super::body_memory::Room;
use crate::http::error_response::ErrorResponse;

/// The error for a body larger than `limit` bytes.
pub fn too_large(limit: usize) -> ErrorResponse {
    let message = format!("the request body exceeds {limit} bytes");
    ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}

/// Reads the whole body, of at most `limit` bytes, and reserves memory for it in `room`. `too_large` builds the error
/// for a longer one.
pub async fn read(
    headers: &HeaderMap,
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    (limit, too_large): (usize, impl Fn() -> ErrorResponse),
    acquire_timeout: Duration,
    room: &mut Room,
) -> Result<Vec<u8>, ErrorResponse> {
    let too_large = || too_large().closing();
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(too_large());
    }
    let longest = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(limit);
    let whole = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| ErrorResponse::bad_request("cannot read the request body").closing())?;
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            room.take(chunk.len())?;
            grow(&mut body, chunk.len(), longest);
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(acquire_timeout, whole).await.unwrap_or_else(|_| {
        let message = "the request body did not arrive in time";
        Err(ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message).closing())
    })
}

/// Makes room for `more` bytes in a body of at most `longest` bytes. The capacity is `longest` divided by a power of two:
/// it is never above `longest`, and a copy to a larger buffer takes half as much again at most.
fn grow(body: &mut Vec<u8>, more: usize, longest: usize) {
    let needed = body.len() + more;
    if needed > body.capacity() {
        let mut capacity = longest.max(needed);
        while capacity / 2 >= needed {
            capacity /= 2;
        }
        body.reserve_exact(capacity - body.len());
    }
}

/// A response body that also holds the unread rest of the request body.
struct WithPayload<P> {
    answer: BoxBody,
    _unread: P,
}

impl<P: Unpin> MessageBody for WithPayload<P> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().answer).poll_next(context)
    }
}

/// Keeps the unread rest of a request body alive until the response is written. If it is dropped earlier, actix reads a
/// chunked body to its end, even if it is endless, and closes the connection for any other.
pub fn hold<P: Unpin + 'static>(response: HttpResponse, unread: P) -> HttpResponse {
    response.map_body(|_, answer| BoxBody::new(WithPayload { answer, _unread: unread }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::header::HeaderMap;
    use futures_util::{StreamExt as _, stream};

    use super::{Bytes, PayloadError, grow, read, too_large};
    use crate::http::request::{body_memory::BodyMemory, media::Media};

    #[expect(clippy::unnecessary_wraps, reason = "the items of a body are results")]
    fn chunk(text: &'static str) -> Result<Bytes, PayloadError> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    async fn status(chunks: impl futures_util::Stream<Item = Result<Bytes, PayloadError>>) -> u16 {
        status_of(chunks, 4, &BodyMemory::new(1 << 20)).await
    }

    async fn status_of(
        chunks: impl futures_util::Stream<Item = Result<Bytes, PayloadError>>,
        most: usize,
        memory: &BodyMemory,
    ) -> u16 {
        let limit = (most, || too_large(most));
        let mut room = memory.room(true);
        let read = read(&HeaderMap::new(), Box::pin(chunks), limit, Duration::from_millis(20), &mut room).await;
        read.map_or_else(|refusal| refusal.respond(Media::Json).status().as_u16(), |_| 200)
    }

    #[actix_web::test]
    async fn a_body_that_does_not_arrive_is_not_waited_for() {
        assert_eq!(status(stream::iter([chunk("{")]).chain(stream::pending())).await, 408);
    }

    #[actix_web::test]
    async fn a_body_without_an_announced_length_is_counted_as_it_comes() {
        assert_eq!(status(stream::iter([chunk("12"), chunk("34")])).await, 200);
        assert_eq!(status(stream::iter([chunk("12"), chunk("345")]).chain(stream::pending())).await, 413);
        assert_eq!(status(stream::iter([chunk("12"), Err(PayloadError::Overflow)])).await, 400);
    }

    #[test]
    fn a_buffer_holds_no_more_than_the_longest_body() {
        let (mut body, mut capacities) = (Vec::new(), Vec::new());
        for _ in 0..1_000 {
            grow(&mut body, 1, 1_000);
            body.push(0);
            capacities.push(body.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [1, 3, 7, 15, 31, 62, 125, 250, 500, 1_000]);
    }

    #[actix_web::test]
    async fn a_body_for_which_there_is_no_room_is_refused_for_now() {
        let memory = BodyMemory::new(16 * 1_024);
        let chunks = |count| stream::iter((0..count).map(|_| Ok(Bytes::from(vec![b' '; 1_024]))));
        assert_eq!(status_of(chunks(14), 1 << 20, &memory).await, 200);
        assert_eq!(status_of(chunks(15).chain(stream::pending()), 1 << 20, &memory).await, 503);
        assert_eq!(status_of(chunks(14), 1 << 20, &memory).await, 200);
    }
}
