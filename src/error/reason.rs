//! Why authentication failed: in full for the log, and the part that the caller may know.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, SecondsFormat};

/// Why a token or signed URL is rejected. Contains nothing from the token except its times.
///
/// The sender of a token that no trusted issuer has signed learns only what the token itself shows, not which issuers,
/// keys and organizations exist. The owner of a genuine token learns the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no token.
    Missing,
    /// The header has another scheme, or none.
    NoBearer,
    /// There are several Authorization headers.
    SeveralHeaders,
    /// The token exceeds the maximum length.
    TooLong,
    /// The token does not have three parts.
    NotThreeParts,
    /// The header or the claims are not a JSON object with unique members.
    Malformed,
    /// The token's issuer is not configured.
    UnknownIssuer,
    /// The header has another type or algorithm than access tokens of the issuer, or a member that is refused.
    Header,
    /// The issuer has no key with the token's key id.
    UnknownKey,
    /// The signature does not verify with the issuer's key.
    Signature,
    /// A claim is missing or has the wrong form. This and all following reasons concern a genuine token.
    Claim(&'static str),
    /// The token is for another audience.
    Audience,
    /// The token expired at this time, in seconds since 1970.
    Expired(i64),
    /// The token is not valid before this time, in seconds since 1970.
    NotYet(i64),
    /// The lifetime exceeds the maximum, or the token ends before it begins.
    Lifetime,
    /// The token is an ID, refresh or logout token, or lacks a claim that the configuration of its issuer requires.
    OtherKind,
    /// The organization does not exist, or the issuer may not name it.
    Organization,
    /// The subject's tokens were revoked after the token was issued, or less than the leeway before.
    Revoked,
    /// The API client was revoked.
    ClientRevoked,
    /// The organization is suspended.
    Suspended,
    /// The organization was deleted.
    Deleted,
    /// The signature of a signed URL is for another resource.
    Resource,
}

impl Reason {
    /// Returns the message for the caller. Fits into a challenge (RFC 6750, 3): ASCII without quotes and backslashes.
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
            Self::Organization => "the token's organization does not exist here, or its issuer may not name it",
            Self::Revoked => "the token was revoked: get a new one",
            Self::ClientRevoked => "the API client was revoked",
            Self::Suspended => "the organization is suspended",
            Self::Deleted => "the organization was deleted",
            Self::Resource => "the signature is for another address",
        })
    }

    /// Returns the message for a caller with a signed URL.
    pub fn message_of_address(self) -> Cow<'static, str> {
        match self {
            Self::Expired(at) => format!("the address ended at {}: ask for a new one", instant(at)).into(),
            Self::Revoked | Self::ClientRevoked | Self::Suspended | Self::Deleted => "the address was revoked".into(),
            _ => "the address was not signed by this server, or was changed".into(),
        }
    }
}

/// Formats the reason for the log.
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
