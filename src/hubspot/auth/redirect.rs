//! Where HubSpot sends the browser back to: an address on this machine, and nothing else.

use std::net::IpAddr;

/// A redirect address: `http://localhost:PORT/path`. HubSpot allows plain `http` for `localhost` only, and compares the
/// whole text with what is registered in the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The address as it is registered.
    pub url: String,
    /// Host and port as a browser sends them in `Host`.
    pub authority: String,
    /// The port to listen on.
    pub port: u16,
    /// The path, without a query.
    pub path: String,
}

impl Redirect {
    /// Reads an address.
    ///
    /// # Errors
    /// Why it cannot be one, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| format!("'{text}' cannot be the redirect address: {why}");
        let uri: http::Uri = text.trim().parse().map_err(|_| refuse("it is not a URL"))?;
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if uri.scheme_str() != Some("http") || !local || authority.as_str().contains('@') {
            return Err(refuse("it must be http on localhost"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(refuse("it has a query or a fragment"));
        }
        let port = authority.port_u16().filter(|port| *port > 0);
        Ok(Self {
            url: text.trim().to_owned(),
            authority: authority.as_str().to_ascii_lowercase(),
            port: port.ok_or_else(|| refuse("it names no port"))?,
            path: uri.path().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_this_machine_with_a_port_is_taken() {
        let redirect = Redirect::parse("http://localhost:8477/oauth/callback").unwrap();
        assert_eq!(redirect.authority, "localhost:8477");
        assert_eq!((redirect.port, redirect.path.as_str()), (8477, "/oauth/callback"));
        for good in ["http://127.0.0.1:1/", "http://[::1]:65535/x"] {
            assert!(Redirect::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn any_other_address_is_refused() {
        for bad in [
            "",
            "localhost",
            "http://localhost/callback",
            "http://localhost:0/callback",
            "https://localhost:8477/callback",
            "http://localhost.evil.example:8477/",
            "http://0.0.0.0:8477/",
            "http://192.168.1.2:8477/",
            "http://me@localhost:8477/",
            "http://localhost:8477/?x=1",
            "http://localhost:8477/#x",
        ] {
            assert!(Redirect::parse(bad).is_err(), "{bad}");
        }
    }
}
