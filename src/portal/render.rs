//! The HTTP form of an answer: headers, compression, and a body spoiled when the fault says so.

use std::io::Write;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures::{StreamExt, stream};

use super::answer::{Answer, Payload};
use super::faults::FaultKind;

/// How long the second half of a slow body takes.
const SLOW: Duration = Duration::from_secs(15);

/// How long a stalled body is silent before its connection ends.
const STALL: Duration = Duration::from_secs(120);

/// Pieces of a dripping body, one a second.
const DROPS: usize = 30;

/// Smaller bodies are not worth compressing.
const WORTH_COMPRESSING: usize = 1_024;

/// The response, and how many bytes its body was meant to have. `gzip`: the client takes compressed bodies.
pub(super) fn render(answer: Answer, fault: Option<FaultKind>, gzip: bool) -> (Response, u64) {
    let (kind, text) = match answer.payload {
        Payload::Json(_) if fault == Some(FaultKind::WrongType) => ("text/html; charset=UTF-8", answer.payload.text()),
        Payload::Json(_) => ("application/json;charset=utf-8", answer.payload.text()),
        Payload::Html(page) => ("text/html; charset=UTF-8", page),
        Payload::Lines(text) => ("application/x-ndjson", text),
        Payload::Empty => ("", String::new()),
    };
    let mut bytes = Bytes::from(text);
    if fault == Some(FaultKind::Cut) {
        bytes = bytes.slice(..bytes.len() / 2);
    }
    let told = bytes.len() as u64;
    let asked = gzip && bytes.len() >= WORTH_COMPRESSING;
    let encoded = match fault {
        Some(FaultKind::Gzip) => compress(&bytes),
        Some(FaultKind::BadGzip) => Some(bytes.clone()),
        _ if asked => compress(&bytes),
        _ => None,
    };
    let is_encoded = encoded.is_some() && !bytes.is_empty();
    let bytes = encoded.unwrap_or(bytes);
    let length = bytes.len();
    let mut response = Response::new(body(bytes, fault));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !kind.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_encoded {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    (response, told)
}

/// The body as the fault lets it out.
fn body(bytes: Bytes, fault: Option<FaultKind>) -> Body {
    let half = bytes.len() / 2;
    match fault {
        Some(FaultKind::Truncated) if half > 0 => {
            // The wait lets the first half out on the wire before the connection ends.
            let end = stream::once(async {
                tokio::task::yield_now().await;
                broken()
            });
            Body::from_stream(stream::iter([Ok(bytes.slice(..half))]).chain(end))
        }
        Some(FaultKind::Stall) if half > 0 => {
            let end = stream::once(async {
                tokio::time::sleep(STALL).await;
                broken()
            });
            Body::from_stream(stream::iter([Ok(bytes.slice(..half))]).chain(end))
        }
        Some(FaultKind::Slow) if half > 0 => pieces(vec![bytes.slice(..half), bytes.slice(half..)], SLOW),
        Some(FaultKind::Drip) if half > 0 => {
            let size = bytes.len().div_ceil(DROPS).max(1);
            let drops = (0..bytes.len())
                .step_by(size)
                .map(|at| bytes.slice(at..(at + size).min(bytes.len())));
            pieces(drops.collect(), Duration::from_secs(1))
        }
        _ => Body::from(bytes),
    }
}

/// One piece after the other with a pause before each but the first.
fn pieces(pieces: Vec<Bytes>, pause: Duration) -> Body {
    let pieces = stream::iter(pieces.into_iter().enumerate());
    Body::from_stream(pieces.then(move |(n, piece)| async move {
        if n > 0 {
            tokio::time::sleep(pause).await;
        }
        Ok::<_, std::io::Error>(piece)
    }))
}

fn broken() -> Result<Bytes, std::io::Error> {
    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
}

/// `None` if compression fails, which writing to memory never does.
fn compress(bytes: &Bytes) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
