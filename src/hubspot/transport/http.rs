//! HTTPS by reqwest: one pooled client, certificates checked by the system's roots (and those of an authority the person
//! names), no switch to skip that. No redirects, no retries, no cookies; the body is read up to its cap and no further.

use std::{error::Error, net::SocketAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::HeaderMap;
use reqwest::{Certificate, ClientBuilder, redirect, retry, tls};

use super::{Request, Response, Transport, TransportError, TransportErrorKind as Kind};
use crate::{
    domain::{Fault, FaultKind},
    hubspot::settings::{Settings, check_base_url, is_plain_http},
};

/// Larger bodies are not read to their end.
const BODY_CAP: usize = 10 * 1024 * 1024;
/// Larger heads are not HubSpot's.
const HEAD_CAP: usize = 64 * 1024;

/// One pooled HTTPS client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    base: Arc<str>,
}

impl HttpTransport {
    /// A transport to the settings' base URL. Proxies of the environment are used, except towards this machine.
    ///
    /// # Errors
    /// A usage fault when the base URL is refused; an offline one when TLS cannot be set up.
    pub fn new(settings: &Settings) -> Result<Self, Fault> {
        Self::built(settings, |builder, _host| builder)
    }

    /// A transport that connects to `address` instead of asking where the base URL's host is, and through no proxy. The
    /// certificate must still be the host's: whoever answers there without it never sees a request.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    pub fn through(settings: &Settings, address: SocketAddr) -> Result<Self, Fault> {
        Self::built(settings, |builder, host| builder.resolve(host, address).no_proxy())
    }

    fn built(settings: &Settings, place: impl FnOnce(ClientBuilder, &str) -> ClientBuilder) -> Result<Self, Fault> {
        let base = check_base_url(&settings.base_url)?;
        let local = is_plain_http(&base);
        let host = base.trim_start_matches("https://");
        let builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .https_only(!local)
            .tls_version_min(tls::Version::TLS_1_2)
            .http2_max_header_list_size(HEAD_CAP as u32)
            .tcp_nodelay(true)
            .user_agent(concat!("dealdeck/", env!("CARGO_PKG_VERSION")));
        let builder = if local {
            builder.no_proxy()
        } else {
            place(builder, host)
        };
        let builder = builder.tls_certs_merge(authorities(settings)?);
        let client = builder.build().map_err(|error| {
            Fault::new(
                FaultKind::Offline,
                format!("TLS cannot be set up: {}", root(&error)),
                "install the system's CA certificates",
            )
        })?;
        Ok(Self {
            client,
            base: base.into(),
        })
    }

    /// The address of a request. HubSpot's plain host gives way to the account's region; no other host ever does.
    fn url(&self, request: &Request) -> String {
        match &request.hublet {
            Some(hublet) if self.base.ends_with("//api.hubapi.com") => {
                format!("https://api-{hublet}.hubapi.com{}", request.path_and_query)
            }
            _ => format!("{}{}", self.base, request.path_and_query),
        }
    }
}

/// The certificate authorities of the settings.
fn authorities(settings: &Settings) -> Result<Vec<Certificate>, Fault> {
    let Some(pem) = &settings.ca_pem else {
        return Ok(Vec::new());
    };
    let found = Certificate::from_pem_bundle(pem).unwrap_or_default();
    if found.is_empty() {
        let what = "the file of http.ca_file holds no certificate";
        let next = "give a PEM file with '-----BEGIN CERTIFICATE-----' in it";
        return Err(Fault::new(FaultKind::Usage, what, next));
    }
    Ok(found)
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        let call = self
            .client
            .request(request.method.clone(), self.url(&request))
            .headers(request.headers)
            .timeout(request.timeout)
            .body(request.body);
        Box::pin(async move {
            let answer = call.send().await.map_err(|error| classify(&error))?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            if head_size(&headers) > HEAD_CAP {
                return Err(too_large("the headers of the answer are larger than 64 KB"));
            }
            let body = body(answer).await?;
            Ok(Response { status, headers, body })
        })
    }
}

async fn body(mut answer: reqwest::Response) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| classify(&error))? {
        if body.len() + chunk.len() > BODY_CAP {
            return Err(too_large("the answer is larger than 10 MB"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn head_size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

fn too_large(message: &str) -> TransportError {
    TransportError {
        kind: Kind::TooLarge,
        sent: true,
        message: message.to_owned(),
    }
}

/// How rustls says that the two sides cannot agree.
const TLS_WORDS: [&str; 7] = [
    "tls",
    "TLS",
    "handshake",
    "received fatal alert",
    "received corrupt message",
    "peer is incompatible",
    "peer misbehaved",
];

/// Whether any byte of the request may have left, and why there is no answer. An error while connecting is the only
/// sure sign that none has; so is a connection that the pool closed before writing, and a stream the server refused.
fn classify(error: &reqwest::Error) -> TransportError {
    let chain = chain(error);
    let says = |words: &str| chain.iter().any(|cause| cause.contains(words));
    let kind = if says("invalid peer certificate") {
        Kind::Certificate
    } else if says("refused stream") || says("operation was canceled") {
        Kind::NotProcessed
    } else if error.is_connect() && error.is_timeout() {
        Kind::ConnectTimeout
    } else if error.is_dns() {
        Kind::Dns
    } else if error.is_connect() && (says("tunnel") || says("proxy")) {
        Kind::Proxy
    } else if error.is_connect() && TLS_WORDS.iter().any(|words| says(words)) {
        Kind::Tls
    } else if error.is_connect() {
        Kind::Refused
    } else if error.is_timeout() {
        Kind::Timeout
    } else if error.is_request() || error.is_body() || error.is_decode() {
        Kind::Closed
    } else {
        Kind::Other
    };
    let unsent = error.is_connect() || error.is_builder() || matches!(kind, Kind::NotProcessed | Kind::Dns);
    TransportError {
        kind,
        sent: !unsent,
        message: describe(kind, &chain),
    }
}

/// The innermost cause, which names the problem; the outer ones only say where it surfaced (and the address).
fn describe(kind: Kind, chain: &[String]) -> String {
    let cause = chain.last().map_or("unknown", String::as_str);
    match kind {
        Kind::ConnectTimeout => "the connection was not made in time".to_owned(),
        Kind::Timeout => "no answer in time".to_owned(),
        Kind::Dns => format!("the host name cannot be resolved ({cause})"),
        _ => cause.to_owned(),
    }
}

fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let (mut chain, mut next) = (Vec::new(), Some(error));
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    chain
}

fn root(error: &(dyn Error + 'static)) -> String {
    chain(error).pop().unwrap_or_default()
}
