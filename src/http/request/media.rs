//! Negotiates which of the two media types a GraphQL response uses.

use actix_web::http::header::{ACCEPT, HeaderMap};

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// The older media type: a request error has status 200.
    Json,
    /// The media type of the GraphQL-over-HTTP specification: a request error has a 4xx status.
    GraphQl,
}

/// Specificity of a range that names the media type in full.
const NAMED: u8 = 2;

impl Media {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GraphQl => "application/graphql-response+json",
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
        }
    }

    /// Returns the media type that the client prefers: plain JSON without an `Accept` header, `None` if neither is
    /// acceptable.
    pub fn wanted(headers: &HeaderMap) -> Option<Self> {
        let lines: Vec<&str> = headers.get_all(ACCEPT).filter_map(|line| line.to_str().ok()).collect();
        let ranges: Vec<(String, f32)> =
            lines.iter().flat_map(|line| line.split(',')).filter_map(|range| weighed(range.trim())).collect();
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let json = Self::Json.weight(&ranges);
        let graphql = Self::GraphQl.weight(&ranges);
        if json.1 <= 0.0 && graphql.1 <= 0.0 {
            return None;
        }
        // At equal weight, a client that names the newer type supports it; one that sends `*/*` may not.
        let prefers_newer = graphql.1 > json.1 || graphql.1 >= json.1 && graphql.0 == NAMED;
        Some(if prefers_newer { Self::GraphQl } else { Self::Json })
    }

    /// Returns whether the client names the media type of event streams.
    pub fn takes_events(headers: &HeaderMap) -> bool {
        let lines = headers.get_all(ACCEPT).filter_map(|line| line.to_str().ok());
        let mut ranges = lines.flat_map(|line| line.split(',')).filter_map(|range| weighed(range.trim()));
        ranges.any(|(range, weight)| range == "text/event-stream" && weight > 0.0)
    }

    /// Returns the specificity and the weight of the most specific range that covers this media type.
    fn weight(self, ranges: &[(String, f32)]) -> (u8, f32) {
        let covering = ranges.iter().filter_map(|(range, weight)| match range.as_str() {
            "*/*" => Some((0, *weight)),
            "application/*" => Some((1, *weight)),
            range if range == self.name() => Some((NAMED, *weight)),
            _ => None,
        });
        covering.max_by_key(|(specific, _)| *specific).unwrap_or((0, 0.0))
    }
}

fn weighed(range: &str) -> Option<(String, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0))))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{ACCEPT, HeaderMap, HeaderValue};

    use super::Media;

    fn wanted(lines: &[&'static str]) -> Option<Media> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_static(line));
        }
        Media::wanted(&headers)
    }

    #[test]
    fn the_wanted_media_type_is_negotiated() {
        use Media::{GraphQl, Json};
        for (lines, expected) in [
            (&[] as &[_], Some(Json)),
            (&[""], Some(Json)),
            (&["*/*"], Some(Json)),
            (&["application/*"], Some(Json)),
            (&["application/json"], Some(Json)),
            (&["application/graphql-response+json"], Some(GraphQl)),
            (&["Application/GraphQL-Response+JSON; charset=utf-8, application/json; charset=utf-8"], Some(GraphQl)),
            (&["application/json", "application/graphql-response+json"], Some(GraphQl)),
            (&["application/json, application/graphql-response+json;q=0.9"], Some(Json)),
            (&["application/json;q=0.5, */*"], Some(GraphQl)),
            (&["application/json;q=0, */*"], Some(GraphQl)),
            (&["text/html, */*;q=0.1"], Some(Json)),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
            (&["*/*;q=0"], None),
        ] {
            assert_eq!(wanted(lines), expected, "{lines:?}");
        }
    }
}
