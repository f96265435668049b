//! Determines the client address of a request: the peer of the connection or, if the peer is a trusted proxy, the
//! address that the proxy reports.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use ipnet::IpNet;

/// Maximum number of hops examined, from the right.
const MAX_HOPS: usize = 32;

/// Returns the client's address. `peer` is the other end of the connection; an entry in a header is believed only if
/// every hop to the right of it is trusted.
pub fn of(headers: &HeaderMap, peer: Option<IpAddr>, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let one = |name: HeaderName, read: fn(&str) -> Option<Vec<Option<IpAddr>>>| {
        let lines: Vec<&str> = headers.get_all(name).map(|line| line.to_str().unwrap_or("?")).collect();
        // Repeated header lines form one list (RFC 9110, 5.3).
        (!lines.is_empty()).then(|| read(&lines.join(",")).map_or(peer, |hops| client(peer, hops, is_trusted)))
    };
    let (x, forwarded) = (one(X_FORWARDED_FOR, x_forwarded_for), one(FORWARDED, forwarded));
    match (x, forwarded) {
        // A proxy that sets one of the two headers forwards the other one unverified.
        (Some(x), Some(forwarded)) if x != forwarded => Some(peer),
        (found, other) => Some(found.or(other).unwrap_or(peer)),
    }
}

/// Returns the first untrusted hop from the right, or the last trusted hop before one that cannot be parsed.
fn client(peer: IpAddr, hops: Vec<Option<IpAddr>>, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut last = peer;
    for hop in hops.into_iter().rev().take(MAX_HOPS) {
        let Some(hop) = hop else { return last };
        last = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    last
}

/// Parses the hops of `X-Forwarded-For`; a hop that is not an address is `None`.
#[expect(clippy::unnecessary_wraps, reason = "the other header's form can be broken as a whole")]
fn x_forwarded_for(list: &str) -> Option<Vec<Option<IpAddr>>> {
    Some(list.split(',').map(|hop| address(hop.trim())).collect())
}

/// Parses the hops of `Forwarded` (RFC 7239). Returns `None` if the header is malformed, e.g. by an unclosed quote.
fn forwarded(list: &str) -> Option<Vec<Option<IpAddr>>> {
    let (mut hops, mut hop, mut rest) = (Vec::new(), None, list.trim());
    loop {
        let (name, after) = rest.split_once('=').unwrap_or((rest, ""));
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').filter(|(value, _)| !value.contains('\\'))?,
            None => after.split_at(after.find([',', ';']).unwrap_or(after.len())),
        };
        if name.contains([',', ';', '"']) {
            return None;
        }
        if name.trim().eq_ignore_ascii_case("for") {
            hop = address(value.trim());
        }
        let after = after.trim_start();
        let ends = !after.starts_with(';');
        if ends {
            hops.push(hop.take());
        }
        rest = match after.chars().next() {
            None => return Some(hops),
            Some(',' | ';') => &after[1..],
            Some(_) => return None,
        };
    }
}

/// Parses an address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// Returns the key for rate limits of an address: for IPv6 its /64 network, since one subscriber has 2^64 addresses.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{FORWARDED, HeaderMap, HeaderValue, X_FORWARDED_FOR};

    use super::{IpNet, network, of};

    const PROXY: &str = "10.0.0.1";

    fn found(peer: &str, x: &[&'static str], forwarded: &[&'static str]) -> String {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for (name, lines) in [(X_FORWARDED_FOR, x), (FORWARDED, forwarded)] {
            for line in lines {
                headers.append(name.clone(), HeaderValue::from_static(line));
            }
        }
        of(&headers, Some(peer.parse().unwrap()), &trusted).unwrap().to_string()
    }

    #[test]
    fn who_is_not_trusted_can_say_what_they_like() {
        assert_eq!(found("192.0.2.9", &["198.51.100.7"], &["for=198.51.100.7"]), "192.0.2.9");
        assert_eq!(found("::ffff:192.0.2.9", &["198.51.100.7"], &[]), "192.0.2.9");
        assert_eq!(of(&HeaderMap::new(), None, &[]), None);
    }

    #[test]
    fn hops_are_read_from_the_right_as_far_as_they_are_trusted() {
        for (lines, expected) in [
            (&[] as &[_], PROXY),
            (&["198.51.100.7"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
            (&["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
            (&["203.0.113.1", "198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            (&["203.0.113.1, 198.51.100.7, fd00::1, 10.1.2.3"], "198.51.100.7"),
            (&["10.1.2.4, 10.1.2.3"], "10.1.2.4"),
            // The scan ends at a hop that cannot be parsed; the hop that reported it counts as the client.
            (&["198.51.100.7, unknown"], PROXY),
            (&["198.51.100.7, , 10.1.2.3"], "10.1.2.3"),
            (&[""], PROXY),
        ] {
            assert_eq!(found(PROXY, lines, &[]), expected, "{lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_the_rfc_has_it() {
        for (line, expected) in [
            ("for=198.51.100.7", "198.51.100.7"),
            ("For=\"198.51.100.7:80\";proto=http;by=203.0.113.43", "198.51.100.7"),
            ("for=203.0.113.1, for=\"[2001:db8:cafe::17]:4711\", for=10.1.2.3;proto=https", "2001:db8:cafe::17"),
            ("for=\"a,for=203.0.113.1\", for=198.51.100.7", "198.51.100.7"),
            ("proto=https; for=198.51.100.7", "198.51.100.7"),
            ("for=198.51.100.7, for=_hidden", PROXY),
            ("for=198.51.100.7, proto=http", PROXY),
            // A quote that a client leaves open would swallow the entry that the proxy appends.
            ("for=\"203.0.113.1, for=198.51.100.7", PROXY),
            ("for=\"203.0.113.1, for=\"198.51.100.7\"", PROXY),
            ("nonsense", PROXY),
        ] {
            assert_eq!(found(PROXY, &[], &[line]), expected, "{line}");
        }
    }

    #[test]
    fn two_headers_that_say_different_things_are_not_believed() {
        assert_eq!(found(PROXY, &["198.51.100.7"], &["for=203.0.113.1"]), PROXY);
        assert_eq!(found(PROXY, &["198.51.100.7"], &["for=198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_network_of_version_6_is_one_caller() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8::ffff:1"), "2001:db8::");
        assert_eq!((network("192.0.2.1"), network("::ffff:192.0.2.1")), ("192.0.2.1".into(), "192.0.2.1".into()));
    }
}
