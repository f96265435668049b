//! Reads a request's body, within a size and a time.

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
    web::{Bytes, BytesMut},
};
use futures_util::{Stream, StreamExt as _};

use super::failure::Refusal;

/// The whole body.
pub async fn read(
    headers: &HeaderMap,
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
    patience: Duration,
) -> Result<BytesMut, Refusal> {
    let too_large = || {
        let message = format!("the body is larger than {limit} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message).closing()
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(too_large());
    }
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Refusal::bad_request("the body could not be read").closing())?;
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(patience, whole).await.unwrap_or_else(|_| {
        let message = "the body took too long to arrive";
        Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message).closing())
    })
}

/// An answer, and the part of the request's body that was not read.
struct Beside<P> {
    answer: BoxBody,
    _unread: P,
}

impl<P: Unpin> MessageBody for Beside<P> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().answer).poll_next(context)
    }
}

/// Keeps what was not read of a body until the answer is written. Where nobody holds it any more, actix reads a body that
/// comes in chunks to its end, even if it has none; otherwise it hangs up.
pub fn hold<P: Unpin + 'static>(response: HttpResponse, unread: P) -> HttpResponse {
    response.map_body(|_, answer| BoxBody::new(Beside { answer, _unread: unread }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::header::HeaderMap;
    use futures_util::{StreamExt as _, stream};

    use super::{Bytes, PayloadError, read};
    use crate::http::media::Media;

    #[expect(clippy::unnecessary_wraps, reason = "the items of a body are results")]
    fn chunk(text: &'static str) -> Result<Bytes, PayloadError> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    async fn status(chunks: impl futures_util::Stream<Item = Result<Bytes, PayloadError>>) -> u16 {
        let read = read(&HeaderMap::new(), Box::pin(chunks), 4, Duration::from_millis(20)).await;
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
}
