//! Requests to addresses that callers give. The connection vets each address to which a name resolves, and is made to that
//! very address, so that a name cannot lead elsewhere between the check and the connection.

mod addresses;

use std::{
    error::Error as StdError,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};
use url::Host;

/// Time limit of a request, its connection and the body of the response included.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Part of the time limit in which a connection must be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a response's body is read, in bytes.
pub const MAX_BODY: usize = 4_096;

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Sends requests to the public internet over https, and into networks that the operator allows also over http.
#[derive(Clone)]
pub struct Outbound {
    https: Client,
    http: Client,
    allowed: Arc<[IpNet]>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

/// What was answered to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body, up to [`MAX_BODY`] bytes.
    pub body: String,
    /// How long the other side asks to be left alone.
    pub retry_after: Option<TimeDelta>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No address of the host may be reached.
    #[error("the host has no address that may be reached")]
    Forbidden,
    /// The host has no address.
    #[error("the name of the host cannot be resolved")]
    Unknown,
    /// There was no answer in time.
    #[error("no answer within 20 seconds")]
    Timeout,
    /// No connection could be made, or it broke.
    #[error("the connection failed")]
    Connection,
}

impl Outbound {
    /// Creates a sender that may also reach the `allowed` networks, except for addresses of one link.
    ///
    /// # Panics
    ///
    /// If the system has no store of root certificates.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        let lookup: Lookup = Arc::new(|name| Box::pin(look_up(name)));
        Self::with_lookup(allowed, &lookup)
    }

    /// Like [`Outbound::new`], with another way to find the addresses of names.
    ///
    /// # Panics
    ///
    /// If the system has no store of root certificates.
    pub fn with_lookup(allowed: Vec<IpNet>, lookup: &Lookup) -> Self {
        // Installs the only cryptographic backend; `Err` means that it is installed already.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let allowed: Arc<[IpNet]> = allowed.into();
        let client = |is_https| {
            Client::builder()
                .user_agent(concat!("rapport/", env!("CARGO_PKG_VERSION")))
                .timeout(TIMEOUT)
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .redirect(Policy::none())
                .no_proxy()
                .dns_resolver(VettedResolver { lookup: Arc::clone(lookup), allowed: Arc::clone(&allowed), is_https })
                .build()
                .expect("a client with these settings can be built")
        };
        Self { https: client(true), http: client(false), allowed: Arc::clone(&allowed) }
    }

    /// Returns whether the scheme and, if the host is an address, that address may be used. Names are not resolved.
    pub fn may_be_sent_to(&self, url: &Url) -> bool {
        let is_https = url.scheme() == "https";
        let is_usable = is_https || (url.scheme() == "http" && !self.allowed.is_empty());
        is_usable
            && url.host().is_some_and(|host| match host {
                Host::Ipv4(address) => may_reach(&self.allowed, address.into(), is_https),
                Host::Ipv6(address) => may_reach(&self.allowed, address.into(), is_https),
                Host::Domain(_) => true,
            })
    }

    /// Posts a JSON document. `Err` if there is no answer; a redirect is an answer.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: String,
        now: DateTime<Utc>,
    ) -> Result<Answer, NoAnswer> {
        // A host that is an address is not resolved, so it is vetted here.
        if !self.may_be_sent_to(url) {
            return Err(NoAnswer::Forbidden);
        }
        let client = if url.scheme() == "https" { &self.https } else { &self.http };
        let mut request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| wait(text, now));
        Ok(Answer { status: response.status().as_u16(), retry_after, body: beginning(response).await })
    }
}

/// Returns the beginning of the body, as far as it comes.
async fn beginning(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_BODY - body.len())]);
        if body.len() == MAX_BODY {
            break;
        }
    }
    let mut text = String::from_utf8_lossy(&body).replace('\0', "\u{FFFD}");
    text.truncate(text.floor_char_boundary(MAX_BODY));
    text
}

/// Reads a `Retry-After`: seconds, or a date.
fn wait(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    match text.trim().parse::<u32>() {
        Ok(seconds) => Some(TimeDelta::seconds(seconds.into())),
        Err(_) => Some(DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc() - now)
            .filter(|wait| *wait > TimeDelta::zero()),
    }
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(known) = cause.downcast_ref::<NoAnswer>() {
            return known.clone();
        }
        source = cause.source();
    }
    if error.is_timeout() { NoAnswer::Timeout } else { NoAnswer::Connection }
}

fn may_reach(allowed: &[IpNet], address: IpAddr, is_https: bool) -> bool {
    let address = address.to_canonical();
    let is_allowed = allowed.iter().any(|network| network.contains(&address)) && !addresses::is_link_local(address);
    is_allowed || (is_https && addresses::is_public(address))
}

async fn look_up(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// Resolves names, and returns only addresses that may be reached: the connection is made to one of these.
struct VettedResolver {
    lookup: Lookup,
    allowed: Arc<[IpNet]>,
    is_https: bool,
}

impl Resolve for VettedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, is_https) = (Arc::clone(&self.allowed), self.is_https);
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await.map_err(|_| NoAnswer::Unknown)?;
            let vetted: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| may_reach(&allowed, *address, is_https))
                // The connection takes the port of the URL.
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if vetted.is_empty() {
                return Err(NoAnswer::Forbidden.into());
            }
            Ok(Box::new(vetted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
