//! One request, from knock to answer: written down and judged on arrival, delayed, perhaps spoiled, answered.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST};
use axum::http::{StatusCode, request::Parts};
use axum::response::Response;
use serde_json::json;
use tokio::time::Instant;

use super::answer::{Answer, Call, Payload};
use super::base::mix;
use super::errors::Problem;
use super::faults::FaultKind;
use super::gate::{Knock, Lane, Pass};
use super::keys::{Bearer, Caller};
use super::render::render;
use super::serve::Line;
use super::switches::Switch;
use super::world::World;
use super::{Portal, Wire, routes, spoil, witness};

/// How long a hanging request is kept before its connection is closed.
const HANG: Duration = Duration::from_secs(120);

/// How long after its connection was closed a late request is carried out.
const LATE: Duration = Duration::from_secs(45);

/// The longest a request is ever late.
const LATEST: Duration = Duration::from_secs(120);

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
        return Ok(render(answer, None, false).0);
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
    caller: Option<Caller>,
    /// An answer that needs no look at the account: wrong token, wrong region, target too long.
    turned_away: Option<Problem>,
    delay: Duration,
    /// HubSpot's rate headers at the arrival.
    headers: Vec<(&'static str, String)>,
    correlation: String,
    /// The client takes compressed bodies.
    gzip: bool,
}

impl Portal {
    /// Writes the arrival down and decides what will become of it.
    fn arrive(&self, parts: &Parts) -> Visit {
        let mut world = self.world();
        let settings = &self.inner.settings;
        let (micros, now) = (self.inner.clock.micros(), self.inner.clock.now());
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let (caller, turned_away) = match self.identify(&world, parts, now) {
            Ok(caller) => (caller, None),
            Err(problem) => (None, Some(problem)),
        };
        let lane = if turned_away.is_some() {
            Lane::Free
        } else {
            routes::lane(path)
        };
        let draw = mix(settings.seed ^ mix(world.gate.log.len() as u64));
        let delay = settings.latency.at((draw >> 11) as f64 / (1_u64 << 53) as f64);
        let locks = world.switches.on(Switch::Locks) && matches!(method, "PATCH" | "DELETE");
        let knock = Knock {
            method,
            path,
            query: parts.uri.query().unwrap_or_default(),
            lane,
            app: caller.as_ref().map_or(world.app_id, |caller| caller.app),
            oauth: caller.as_ref().is_some_and(|caller| caller.oauth),
            holds: locks.then_some(delay),
            at: (micros, now),
        };
        let mut pass = world.gate.arrive(&knock);
        if turned_away.is_some() {
            pass.fault = None;
        }
        let told = match lane {
            Lane::Burst => pass.refusal.is_none() || !world.switches.on(Switch::BareRefusals),
            Lane::Daily => world.switches.on(Switch::BatchHeaders),
            Lane::Search | Lane::Free => false,
        };
        let headers = match told {
            true => world.gate.headers(&pass, micros, now),
            false => Vec::new(),
        };
        let encodings = parts.headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        Visit {
            pass,
            caller,
            turned_away,
            delay,
            headers,
            correlation: correlation(now, draw),
            gzip: settings.gzip && encodings.is_some_and(|encodings| encodings.contains("gzip")),
        }
    }

    /// Who it is; nobody where no token is needed.
    fn identify(&self, world: &World, parts: &Parts, now: i64) -> Result<Option<Caller>, Problem> {
        if let Some(hublet) = &self.inner.settings.hublet {
            let host = parts
                .headers
                .get(HOST)
                .and_then(|host| host.to_str().ok())
                .unwrap_or_default();
            if !host.contains(&format!("-{hublet}.")) {
                return Err(Problem::wrong_hublet(world.portal_id, hublet));
            }
        }
        if routes::is_open(parts.uri.path()) {
            return Ok(None);
        }
        let bearer = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .map_or("", str::trim);
        let caller = match world.keys.bearer(bearer, now) {
            _ if bearer.is_empty() => return Err(Problem::no_credentials()),
            Bearer::Known(caller) => caller,
            Bearer::Expired(at) => return Err(Problem::expired_token(at, now)),
            Bearer::Unknown => return Err(Problem::wrong_token(now)),
        };
        if parts.uri.to_string().len() > LONGEST_TARGET {
            return Err(Problem::new(414, "URI Too Long"));
        }
        Ok(Some(caller))
    }

    /// Delays, carries out and answers, with the fault the gate has drawn. What the work itself takes is part of the delay.
    async fn receive(&self, visit: Visit, call: Call, line: Option<Line>) -> Response {
        let arrived = Instant::now();
        match visit.pass.fault {
            Some(FaultKind::Reset) => return self.close(Wire::Reset, line),
            Some(FaultKind::Hang) => {
                tokio::select! {
                    () = tokio::time::sleep(HANG) => {}
                    () = self.inner.stop.cancelled() => {}
                }
                return self.close(Wire::Hang, line);
            }
            Some(kind @ (FaultKind::Late | FaultKind::Later | FaultKind::LateGateway)) => {
                self.carry_out_late(
                    &visit,
                    call.clone(),
                    if kind == FaultKind::Later { LATEST } else { LATE },
                );
                if kind != FaultKind::LateGateway {
                    return self.close(Wire::Reset, line);
                }
            }
            _ => {}
        }
        pause_until(arrived + visit.delay / 2).await;
        let mut answer = self.carry_out(&visit, call);
        if let Payload::Json(body) = &mut answer.payload
            && body.get("status").is_some_and(|status| status == "error")
        {
            body["correlationId"] = json!(visit.correlation);
        }
        answer.headers.extend(visit.headers);
        answer.headers.push(("X-HubSpot-Correlation-Id", visit.correlation));
        let status = answer.status;
        let (response, bytes) = render(answer, visit.pass.fault, visit.gzip);
        pause_until(arrived + visit.delay).await;
        if visit.pass.fault == Some(FaultKind::Lost) {
            return self.close(Wire::Reset, line);
        }
        self.world().gate.answered(visit.pass.place, status, bytes);
        response
    }

    /// Carries a request out when nobody waits for its answer any more.
    fn carry_out_late(&self, visit: &Visit, call: Call, delay: Duration) {
        let (portal, caller) = (self.clone(), visit.caller.clone());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let mut world = portal.world();
            world.receive_from(caller);
            let _ = routes::answer(&mut world, &call);
        });
    }

    /// The answer of the account, or what stands in its place.
    fn carry_out(&self, visit: &Visit, mut call: Call) -> Answer {
        if let Some(problem) = &visit.turned_away {
            return Answer::from(problem.clone());
        }
        let mut world = self.world();
        world.receive_from(visit.caller.clone());
        if let Some(refusal) = visit.pass.refusal {
            return spoil::refused(&mut world, refusal);
        }
        let fault = visit.pass.fault;
        if let Some(answer) = fault.and_then(|fault| spoil::instead(&mut world, fault, visit.pass.lane)) {
            return answer;
        }
        let asked = call.clone();
        if let Some(fault) = fault {
            spoil::tamper(&mut call, fault);
        }
        let answer = routes::answer(&mut world, &call).unwrap_or_else(Answer::from);
        if fault == Some(FaultKind::Twice) {
            // The first answer is the one that is given.
            let _ = routes::answer(&mut world, &call);
        }
        spoil::afterwards(&world, fault, &asked, answer)
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

async fn pause_until(time: Instant) {
    if time > Instant::now() {
        tokio::time::sleep_until(time).await;
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
