//! What the client needs to know before it starts, and the check that the token goes to nobody but HubSpot.

use std::{net::IpAddr, time::Duration};

use secrecy::SecretString;

use crate::domain::{Fault, FaultKind};

/// HubSpot's own address.
pub const DEFAULT_BASE_URL: &str = "https://api.hubapi.com";

/// The client's settings; `Default` holds the documented defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the API is: checked by [`check_base_url`].
    pub base_url: String,
    /// Service key or private app token, for a client that is given no other credentials.
    pub token: SecretString,
    /// Time to connect: 5 s.
    pub connect_timeout: Duration,
    /// Time for a whole exchange: 30 s.
    pub timeout: Duration,
    /// How often a read is repeated after timeouts, 5xx, 423 and 429: 3.
    pub max_retries: u32,
    /// Requests per ten seconds. `None`: 100 until the answers say more.
    pub burst: Option<u32>,
    /// Searches per second, all integrations of the account together: 5.
    pub search_per_second: u32,
    /// Requests per day. `None`: what the answers say.
    pub daily: Option<u64>,
    /// Share of the window kept for people while a dashboard is open: 5.
    pub reserve_percent: u8,
    /// Share of the day kept for people: 10.
    pub daily_reserve_percent: u8,
    /// With so few requests of the day left background work waits and people are told: 1,000.
    pub warn_daily_left: u64,
    /// Searches take a slot of the ten-second window too. HubSpot's specification exempts them.
    pub search_counts_in_burst: bool,
    /// Certificate authorities to trust beside the system's, as PEM: for a proxy that looks into TLS.
    pub ca_pem: Option<Vec<u8>>,
    /// Makes jitter repeatable, for simulations.
    pub jitter_seed: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            token: SecretString::default(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_retries: 3,
            burst: None,
            search_per_second: 5,
            daily: None,
            reserve_percent: 5,
            daily_reserve_percent: 10,
            warn_daily_left: 1_000,
            search_counts_in_burst: false,
            ca_pem: None,
            jitter_seed: None,
        }
    }
}

/// Accepts `https` to HubSpot's hosts and plain `http` to this machine; returns the address without a trailing slash.
///
/// # Errors
/// A usage fault for every other address: the token must not leave for a host that is not HubSpot's.
pub fn check_base_url(text: &str) -> Result<String, Fault> {
    let refuse = |why: &str| {
        Fault::new(
            FaultKind::Usage,
            format!("the base URL '{}' is refused: {why}", without_user_info(text)),
            "use https://api.hubapi.com, another https host of hubapi.com or hubspot.com, or http on localhost",
        )
    };
    let uri: http::Uri = text.trim().parse().map_err(|_| refuse("it is not a URL"))?;
    let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(refuse("it holds user information"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
        return Err(refuse("it has a path, a query or a fragment"));
    }
    let host = authority.host().to_ascii_lowercase();
    match uri.scheme_str() {
        Some("https") if is_hubspot(&host) && matches!(authority.port_u16(), None | Some(443)) => {}
        Some("https") => return Err(refuse("its host is not HubSpot's")),
        Some("http") if is_loopback(&host) => {}
        Some("http") => return Err(refuse("plain http is for this machine only")),
        _ => return Err(refuse("its scheme is neither https nor http")),
    }
    Ok(text.trim().trim_end_matches('/').to_owned())
}

/// Whether a region is a plain word: it becomes part of a host name.
#[must_use]
pub fn is_region(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether an accepted address is a server on this machine.
pub(super) fn is_plain_http(base_url: &str) -> bool {
    base_url.starts_with("http://")
}

fn is_hubspot(host: &str) -> bool {
    host.ends_with(".hubapi.com") || host.ends_with(".hubspot.com")
}

/// Loopback by its literal or by `localhost`; an IPv4-mapped IPv6 address is neither, so that there is one spelling.
fn is_loopback(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || literal.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn without_user_info(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &text[..scheme], &text[at..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_hubspot_or_to_this_machine() {
        for good in [
            "https://api.hubapi.com",
            "https://api-eu1.hubapi.com/",
            "https://api.hubspot.com",
            "https://API.HUBAPI.COM",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://localhost:9",
            "http://[::1]:8080",
        ] {
            assert!(check_base_url(good).is_ok(), "{good}");
        }
        assert_eq!(
            check_base_url("https://api.hubapi.com/").unwrap(),
            "https://api.hubapi.com"
        );
    }

    #[test]
    fn every_other_address_is_refused_before_a_request_is_made() {
        for bad in [
            "",
            "api.hubapi.com",
            "http://api.hubapi.com",
            "https://hubapi.com.evil",
            "https://api.hubapi.com.evil.example",
            "https://evilhubapi.com",
            "https://user:secret@api.hubapi.com",
            "https://api.hubapi.com@evil.example",
            "https://169.254.169.254",
            "http://169.254.169.254",
            "http://[::ffff:127.0.0.1]",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "ftp://api.hubapi.com",
            "https://api.hubapi.com/v3",
            "https://api.hubapi.com?x=1",
            "https://api.hubapi.com:8443",
        ] {
            let fault = check_base_url(bad).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Usage, "{bad}");
            assert!(!fault.to_string().contains("secret"), "{fault}");
        }
    }

    #[test]
    fn settings_cannot_print_the_token() {
        let settings = Settings {
            token: "pat-na1-canary".into(),
            ..Settings::default()
        };
        assert!(!format!("{settings:?}").contains("canary"));
    }
}
