//! One request, from knock to answer: written down and judged on arrival, delayed, perhaps spoiled, answered.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode, request::Parts};
use axum::response::Response;
use serde_json::json;

use super::answer::{Answer, Call, Payload};
use super::base::mix;
use super::errors::Problem;
use super::faults::FaultKind;
use super::gate::{Lane, Pass, Refusal};
use super::serve::Line;
use super::{Portal, Wire, routes, witness};

/// How long a hanging request is kept before its connection is closed.
const HANG: Duration = Duration::from_secs(120);

/// How long after its connection was closed a late request is carried out.
const LATE: Duration = Duration::from_secs(45);

/// The largest body read.
const LARGEST: usize = 16 * 1024 * 1024;

/// Longer request targets are refused with 414.
const LONGEST_TARGET: usize = 16_250;

/// Answers every request there is.
pub(super) async fn knock(State(portal): State<Portal>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    if parts.uri.path().starts_with("/__portal/") {
        let call = Call::new(parts.method, &parts.uri, read(body).await);
        let answer = witness::answer(&mut portal.world(), &call).unwrap_or_else(Answer::from);
        return Ok(render(answer, None));
    }
    let visit = portal.arrive(&parts);
    let line = parts.extensions.get::<ConnectInfo<Line>>().map(|info| info.0.clone());
    let call = Call::new(parts.method, &parts.uri, read(body).await);
    Ok(portal.receive(visit, call, line).await)
}

async fn read(body: Body) -> Vec<u8> {
    axum::body::to_bytes(body, LARGEST)
        .await
        .map(Vec::from)
        .unwrap_or_default()
}

/// A request between its arrival and its answer.
struct Visit {
    pass: Pass,
    /// An answer that needs no look at the account: wrong token, target too long.
    turned_away: Option<Problem>,
    delay: Duration,
    /// HubSpot's rate headers at the arrival.
    headers: Vec<(&'static str, String)>,
    correlation: String,
}

impl Portal {
    /// Writes the arrival down and decides what will become of it.
    fn arrive(&self, parts: &Parts) -> Visit {
        let mut world = self.world();
        let (micros, now) = (self.inner.clock.micros(), self.inner.clock.now());
        let path = parts.uri.path();
        let bearer = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let turned_away = match bearer.map(str::trim) {
            _ if routes::is_open(path) => None,
            None | Some("") => Some(Problem::no_credentials()),
            Some(token) if token != self.inner.token => Some(Problem::wrong_token(now)),
            Some(_) if parts.uri.to_string().len() > LONGEST_TARGET => Some(Problem::new(414, "URI Too Long")),
            Some(_) => None,
        };
        let lane = if turned_away.is_some() {
            Lane::Free
        } else {
            routes::lane(path)
        };
        let query = parts.uri.query().unwrap_or_default();
        let mut pass = world.gate.arrive(parts.method.as_str(), path, query, lane, micros, now);
        if turned_away.is_some() {
            pass.fault = None;
        }
        let headers = world.gate.headers(pass.lane, micros, now);
        let draw = mix(self.inner.settings.seed ^ mix(pass.place as u64));
        let delay = self
            .inner
            .settings
            .latency
            .at((draw >> 11) as f64 / (1_u64 << 53) as f64);
        Visit {
            pass,
            turned_away,
            delay,
            headers,
            correlation: correlation(now, draw),
        }
    }

    /// Delays, carries out and answers, with the fault the gate has drawn.
    async fn receive(&self, visit: Visit, call: Call, line: Option<Line>) -> Response {
        match visit.pass.fault {
            Some(FaultKind::Reset) => return self.close(Wire::Reset, line),
            Some(FaultKind::Hang) => {
                tokio::select! {
                    () = tokio::time::sleep(HANG) => {}
                    () = self.inner.stop.cancelled() => {}
                }
                return self.close(Wire::Hang, line);
            }
            Some(FaultKind::Late) => {
                let portal = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LATE).await;
                    // Nobody waits for this answer any more.
                    let _ = routes::answer(&mut portal.world(), &call);
                });
                return self.close(Wire::Reset, line);
            }
            _ => {}
        }
        pause(visit.delay / 2).await;
        let mut answer = self.carry_out(&visit, &call);
        if let Payload::Json(body) = &mut answer.payload
            && body.get("status").is_some_and(|status| status == "error")
        {
            body["correlationId"] = json!(visit.correlation);
        }
        pause(visit.delay - visit.delay / 2).await;
        if visit.pass.fault == Some(FaultKind::Lost) {
            return self.close(Wire::Reset, line);
        }
        answer.headers.extend(visit.headers);
        answer.headers.push(("X-HubSpot-Correlation-Id", visit.correlation));
        let status = answer.status;
        let response = render(answer, visit.pass.fault);
        let bytes = axum::body::HttpBody::size_hint(response.body()).exact().unwrap_or(0);
        self.world().gate.answered(visit.pass.place, status, bytes);
        response
    }

    /// The answer of the account, or what stands in its place.
    fn carry_out(&self, visit: &Visit, call: &Call) -> Answer {
        if let Some(problem) = &visit.turned_away {
            return Answer::from(problem.clone());
        }
        let mut world = self.world();
        if let Some(refusal) = visit.pass.refusal {
            return Answer::from(match refusal {
                Refusal::Burst => Problem::burst(world.portal_id),
                Refusal::Search => Problem::secondly(world.app_id, world.portal_id),
                Refusal::Daily => Problem::daily(world.portal_id),
            });
        }
        match visit.pass.fault {
            Some(FaultKind::Status(429)) if visit.pass.lane == Lane::Search => {
                Problem::secondly(world.app_id, world.portal_id).into()
            }
            Some(FaultKind::Status(status)) => spoiled(status, world.portal_id, world.clock.now()),
            Some(FaultKind::Html) => Answer::html(200, "One moment please"),
            fault => {
                let answer = routes::answer(&mut world, call).unwrap_or_else(Answer::from);
                if fault == Some(FaultKind::LateTimeout) {
                    Answer::html(524, "524: A timeout occurred")
                } else {
                    answer
                }
            }
        }
    }

    /// Closes the connection, or says so where there is none.
    fn close(&self, wire: Wire, line: Option<Line>) -> Response {
        if let Some(line) = line {
            line.cut();
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response.extensions_mut().insert(wire);
        response
    }
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// An injected status, in HubSpot's form.
fn spoiled(status: u16, portal: u64, now: i64) -> Answer {
    match status {
        429 => Problem::burst(portal).into(),
        401 => Problem::wrong_token(now).into(),
        403 => Problem::missing_scopes("crm.objects.deals.read").into(),
        423 => Problem::new(423, "This resource is locked by another process. Please try again.").into(),
        477 => Answer::from(Problem::new(477, format!("Hub {portal} is currently being migrated")))
            .header("Retry-After", "30"),
        502 => Answer::html(502, "502 Bad Gateway"),
        504 => Answer::html(504, "504 Gateway Time-out"),
        503 => Problem::new(503, "Service temporarily unavailable").into(),
        _ => Problem::new(status, "internal error").into(),
    }
}

/// A version-7 uuid: time first, chance after.
fn correlation(now: i64, draw: u64) -> String {
    let more = mix(draw);
    let time = now.unsigned_abs() & 0xffff_ffff_ffff;
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        time >> 16,
        time & 0xffff,
        draw & 0xfff,
        more >> 48 & 0x3fff | 0x8000,
        more & 0xffff_ffff_ffff
    )
}

/// The HTTP form of an answer, its body spoiled when the fault says so.
fn render(answer: Answer, fault: Option<FaultKind>) -> Response {
    let (kind, text) = match answer.payload {
        Payload::Json(body) => ("application/json;charset=utf-8", body.to_string()),
        Payload::Html(page) => ("text/html; charset=UTF-8", page),
        Payload::Lines(text) => ("application/x-ndjson", text),
        Payload::Empty => ("", String::new()),
    };
    let bytes = Bytes::from(text);
    let half = bytes.len() / 2;
    let (length, body) = match fault {
        Some(FaultKind::Truncated) if half > 0 => {
            let first = futures::stream::iter([Ok(bytes.slice(..half))]);
            // The wait lets the first half out on the wire before the connection ends.
            let end = futures::stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
            });
            let pieces = futures::StreamExt::chain(first, end);
            (bytes.len(), Body::from_stream(pieces))
        }
        Some(FaultKind::Cut) => (half, Body::from(bytes.slice(..half))),
        _ => (bytes.len(), Body::from(bytes)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !kind.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(axum::http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}
