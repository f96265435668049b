//! Parsers for the values of settings; each error is a short phrase for the user.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    time::Duration,
};

use chrono::TimeDelta;
use chrono_tz::Tz;
use entity::{ImportNoun, Permission, Permissions, id::DepartmentId, noun::StringEnum};
use ipnet::IpNet;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::{
    auth::{claims::MAX_LIFETIME, departments},
    store::Address,
    suggest, text,
};

/// Parses `HOST:PORT` with an IP address or a host name, or `:PORT` for 127.0.0.1.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let form = "expected HOST:PORT such as 127.0.0.1:8080 or localhost:8080";
    if let Some(port) = text.strip_prefix(':') {
        let port = port.parse().map_err(|_| form)?;
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
        if text.parse::<u16>().is_ok() {
            format!("expected HOST:PORT such as 127.0.0.1:{text}")
        } else {
            form.to_owned()
        }
    })?;
    let port: u16 = port.parse().map_err(|_| form)?;
    let found = (host, port).to_socket_addrs().map_err(|_| format!("cannot resolve {host}"))?;
    // Prefer IPv4: clients that connect to localhost try 127.0.0.1 as well as ::1, some only 127.0.0.1.
    let found: Vec<_> = found.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| format!("cannot resolve {host}"))
}

/// Checks a database URL and returns it trimmed.
pub fn database(text: &str) -> Result<String, String> {
    Address::parse(text).map(|_| text.trim().to_owned())
}

/// Parses an IANA time zone name; the error suggests a similar one.
pub fn time_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| match suggest::time_zone(text) {
        Some(meant) => format!("unknown IANA time zone; did you mean {meant}?"),
        None => "expected an IANA time zone such as Europe/Berlin".to_owned(),
    })
}

/// Parses a positive duration such as `90s`, `30m` or `24h`.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    let form = "expected a positive integer followed by s, m or h, such as 90s, 30m or 1h";
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        _ => return Err(form),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| form)?;
    if number == 0 { Err(form) } else { Ok(Duration::from_secs(u64::from(number) * unit)) }
}

/// Parses the lifetime of a token, at most [`MAX_LIFETIME`].
pub fn token_life(text: &str) -> Result<TimeDelta, &'static str> {
    let life = TimeDelta::from_std(duration(text)?).map_err(|_| "too long")?;
    if life > MAX_LIFETIME { Err("the lifetime of a token is at most 24h") } else { Ok(life) }
}

/// Parses the lifetime of tokens for API clients, at most one hour.
pub fn client_token_life(text: &str) -> Result<TimeDelta, &'static str> {
    let life = token_life(text)?;
    if life > TimeDelta::hours(1) { Err("the lifetime of a client's token is at most 1h") } else { Ok(life) }
}

/// Parses one or more scopes separated by white space; `Err` if one is unknown.
pub fn permissions(text: &str) -> Result<Permissions, String> {
    let named = text.split_whitespace().map(|name| Permission::parse(name).ok_or(name)).collect::<Result<Vec<_>, _>>();
    match named {
        Ok(known) if known.is_empty() => Err("expected at least one scope".to_owned()),
        Ok(known) => Ok(known.into_iter().collect()),
        Err(unknown) => {
            let known = Permission::ALL.map(Permission::name).join(", ");
            Err(format!("unknown scope {unknown}; expected one of {known}"))
        }
    }
}

/// Parses the id of a department.
pub fn department(text: &str) -> Result<DepartmentId, String> {
    departments::parse(text).ok_or_else(|| "expected the id of a department: dept_…".to_owned())
}

/// Parses a type of rows that can be imported, such as `feedbackRecord`, `FeedbackRecord` or `FEEDBACK_RECORD`.
pub fn import_noun(text: &str) -> Result<ImportNoun, String> {
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let wanted = plain(text);
    ImportNoun::all().find(|known| plain(known.noun().name) == wanted).ok_or_else(|| {
        let names: Vec<&str> = ImportNoun::all().map(|known| known.noun().singular).collect();
        match suggest::one(text, names.iter().copied()) {
            Some(meant) => format!("no such type; did you mean {meant}?"),
            None => format!("no such type; expected one of {}", names.join(", ")),
        }
    })
}

/// Parses a value of an enum, in any case.
pub fn choice<T: StringEnum>(text: &str) -> Result<T, String> {
    T::parse(&text.to_ascii_uppercase()).ok_or_else(|| {
        let known: Vec<&str> = T::TYPE.values.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", known.join(", "))
    })
}

/// Parses `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Checks a slug: `[a-z0-9-]{1,64}`.
pub fn slug(text: &str) -> Result<String, &'static str> {
    let is_slug = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_slug { Ok(text.to_owned()) } else { Err("expected 1 to 64 characters of a-z, 0-9 and -") }
}

/// Checks a display name and returns it trimmed.
pub fn name(text: &str) -> Result<String, String> {
    let name = text::trim(text);
    if text::is_blank(name) || name.chars().count() > 200 {
        return Err("expected 1 to 200 visible characters".to_owned());
    }
    text::refused_in_name(name).map_or_else(|| Ok(name.to_owned()), |sign| Err(text::refusal(sign)))
}

/// Checks an origin in the form that browsers send: scheme, host and optional port, nothing else.
pub fn origin(text: &str) -> Result<String, &'static str> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let is_host = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']');
    if !host.is_empty() && host.bytes().all(is_host) {
        Ok(text.to_owned())
    } else {
        Err("expected http:// or https:// and a lowercase host, without a path or wildcard")
    }
}

/// Parses the public base URL of this server: scheme and host, with an optional port and path. Removes trailing
/// slashes.
pub fn public_url(text: &str) -> Result<String, &'static str> {
    let form = "expected http:// or https:// and a host, without password, query or fragment";
    let url: reqwest::Url = text.parse().map_err(|_| form)?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let is_http = ["http", "https"].contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty());
    let is_good = is_http && is_plain && url.fragment().is_none();
    if is_good { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(form) }
}

/// Parses a network such as `10.0.0.0/8`, or a single address.
pub fn network(text: &str) -> Result<IpNet, &'static str> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "expected an IP address, or a network such as 10.0.0.0/8 or fd00::/8")
}

/// Parses a log filter. A bare word must be a level: as a target, it would disable all other targets.
pub fn log(text: &str) -> Result<Targets, &'static str> {
    let form = "expected a level (off, error, warn, info, debug, trace) or a comma-separated list of target=level";
    let is_clear = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    if text.split(',').all(is_clear) { text.parse().map_err(|_| form) } else { Err(form) }
}
