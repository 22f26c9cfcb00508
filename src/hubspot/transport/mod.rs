//! The seam between the client and the network: one request in, one response out. Production speaks HTTPS
//! ([`HttpTransport`]); tests answer in process, in virtual time. A transport never retries, never follows a redirect
//! and never decides what an answer means.

mod http;

use std::{sync::Arc, time::Duration};

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use futures::future::BoxFuture;

pub use self::http::HttpTransport;

/// One request, complete but for the host. Its `Debug` shows neither body nor credentials.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded, beginning with `/`.
    pub path_and_query: String,
    /// Authorization (marked sensitive, so that it cannot be printed), content type, accept.
    pub headers: HeaderMap,
    /// JSON, or empty.
    pub body: Bytes,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// The region HubSpot sent us to (`eu1`), when the plain host answered 488. Only HubSpot's own hosts have regions.
    pub hublet: Option<Arc<str>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path_and_query", &self.path_and_query)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// One answer, body included.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed, at most 10 MB.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportErrorKind {
    /// The host name could not be resolved.
    Dns,
    /// Nobody listens, or there is no way there.
    Refused,
    /// The connection was not made in time.
    ConnectTimeout,
    /// The TLS handshake failed for another reason than the certificate.
    Tls,
    /// The certificate is not trusted or belongs to another name: somebody may be listening in.
    Certificate,
    /// The proxy refused to connect.
    Proxy,
    /// The server said that it did not process the request (HTTP/2 `REFUSED_STREAM`, `GOAWAY`).
    NotProcessed,
    /// No complete answer within the timeout.
    Timeout,
    /// The connection ended before the answer was complete.
    Closed,
    /// The body is larger than 10 MB.
    TooLarge,
    /// Anything else.
    Other,
}

/// A request without an answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What went wrong.
    pub kind: TransportErrorKind,
    /// Whether any byte of the request may have left: if not, the request certainly had no effect.
    pub sent: bool,
    /// In words; never holds a header or a body.
    pub message: String,
}

/// Sends requests. Implementations are shared by every task.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and reads the whole answer. Dropping the future abandons the request, which may still arrive.
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>>;
}
