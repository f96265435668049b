//! Why a caller is not let in: in full for the log, and as much of it as the caller may know.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, SecondsFormat};

/// What is wrong with a token. Never holds anything the token says but its times.
///
/// Whoever sent a token that nobody we believe has signed learns only what they can see themselves: which issuers, keys
/// and organizations there are is none of their business. The owner of a genuine token learns the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is none.
    Missing,
    /// The header names another scheme, or none.
    NoBearer,
    /// There are several Authorization headers.
    SeveralHeaders,
    /// It is longer than any token may be.
    TooLong,
    /// It does not have three parts.
    NotThreeParts,
    /// Its header or its claims are no JSON object with each member once.
    Malformed,
    /// No issuer of its name is configured.
    UnknownIssuer,
    /// Its header is not the one that its issuer's access tokens have.
    Header,
    /// Its issuer has no key of that id.
    UnknownKey,
    /// The signature is not that of its issuer's key.
    Signature,
    /// A claim is missing or has the wrong form. Like all that follow, said of a genuine token.
    Claim(&'static str),
    /// It is for somebody else.
    Audience,
    /// It ended then, in seconds.
    Expired(i64),
    /// It begins then, in seconds.
    NotYet(i64),
    /// It lives for longer than any token may, or ends before it begins.
    Lifetime,
    /// It is an ID, refresh or logout token, or lacks a claim that its issuer's terms ask for.
    OtherKind,
    /// It carries `departments`.
    Narrowed,
    /// There is no such organization, or its issuer may not name it.
    Organization,
    /// Its subject's tokens were revoked after it was issued, or less than the leeway before.
    Revoked,
    /// The API client was revoked.
    ClientRevoked,
    /// The organization is suspended.
    Suspended,
    /// A signed address is for something else.
    Resource,
}

impl Reason {
    /// What the caller is told. Fits the description in a challenge (RFC 6750, 3): no quotes, no backslashes, ASCII.
    pub fn message(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Missing => "a bearer token is required: send Authorization: Bearer TOKEN",
            Self::NoBearer => "the Authorization header does not begin with Bearer, a space and a token",
            Self::SeveralHeaders => "there is more than one Authorization header",
            Self::TooLong => "the token is longer than 8 KiB",
            Self::NotThreeParts => "the token is not a JWT: it does not have three parts with dots between them",
            Self::Malformed => "the token is not a JWT: its header or its claims cannot be read",
            Self::UnknownIssuer | Self::Header | Self::UnknownKey | Self::Signature => {
                "the token is not an access token signed by an issuer that this server trusts"
            }
            Self::Claim(name) => return format!("the token's claim {name} is missing or has the wrong form").into(),
            Self::Audience => "the token is for another audience",
            Self::Expired(at) => return format!("the token expired at {}", instant(at)).into(),
            Self::NotYet(at) => return format!("the token is not valid before {}", instant(at)).into(),
            Self::Lifetime => "the token lives longer than 24 hours, or ends before it was issued",
            Self::OtherKind => "the token is not an access token: send the access token, not the ID token",
            Self::Narrowed => "the token carries the claim departments, which is not supported yet",
            Self::Organization => "the token's organization does not exist here, or its issuer may not name it",
            Self::Revoked => "the token was revoked: get a new one",
            Self::ClientRevoked => "the API client was revoked",
            Self::Suspended => "the organization is suspended",
            Self::Resource => "the signature is for another address",
        })
    }

    /// What whoever opens a signed address is told.
    pub fn message_of_address(self) -> Cow<'static, str> {
        match self {
            Self::Expired(at) => format!("the address ended at {}: ask for a new one", instant(at)).into(),
            Self::Revoked | Self::ClientRevoked | Self::Suspended => "the address was revoked".into(),
            _ => "the address was not signed by this server, or was changed".into(),
        }
    }
}

/// For the log.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => f.write_str("no issuer with the token's iss is configured"),
            Self::Header => {
                f.write_str("the token's header has another type or algorithm, or a member that is refused")
            }
            Self::UnknownKey => f.write_str("the token's issuer has no usable key with its kid"),
            Self::Signature => f.write_str("the token's signature does not verify"),
            other => f.write_str(&other.message()),
        }
    }
}

fn instant(seconds: i64) -> String {
    let at = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH);
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
