//! What goes wrong on the way: which kinds there are, how often each is drawn, and which of them say nothing about the
//! operation or leave its outcome open.

use dealdeck::hubspot::{Response, TransportError, TransportErrorKind};
use rand::{Rng, RngExt as _};
use serde_json::Value;

/// Where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// The portal carries it out, by this spelling.
    Portal,
    /// Before HubSpot: it never hears of the request.
    Before(TransportErrorKind, bool),
    /// Behind HubSpot: it did what it was asked to, and the answer cannot be used.
    Behind,
    /// Somebody on the way answers with this status; HubSpot never hears of the request.
    Answer(u16),
    /// A colleague edits the record just before our write arrives.
    Race,
}

/// One kind of fault of the wire.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub place: Where,
    /// Its share among all.
    pub weight: u32,
}

const fn portal(name: &'static str) -> Kind {
    kind(name, Where::Portal, 10)
}

/// What pauses everything until somebody or something helps: seldom, or nothing else would happen on that day.
const fn pausing(name: &'static str) -> Kind {
    kind(name, Where::Portal, 4)
}

const fn kind(name: &'static str, place: Where, weight: u32) -> Kind {
    Kind { name, place, weight }
}

use TransportErrorKind as Broken;

pub const KINDS: [Kind; 46] = [
    portal("400"),
    pausing("401"),
    pausing("expired"),
    portal("403"),
    pausing("403html"),
    portal("forbidden"),
    portal("404"),
    portal("409"),
    portal("423"),
    portal("429"),
    kind("429daily", Where::Portal, 6),
    pausing("477"),
    portal("500"),
    portal("500html"),
    portal("500applied"),
    portal("502"),
    portal("502applied"),
    portal("503"),
    portal("504"),
    portal("504applied"),
    portal("504late"),
    portal("522"),
    portal("524"),
    portal("html"),
    portal("type"),
    portal("truncated"),
    portal("cut"),
    portal("slow"),
    portal("drip"),
    portal("stall"),
    portal("twice"),
    kind("partial", Where::Portal, 100),
    kind("missing", Where::Portal, 100),
    portal("reset"),
    portal("lost"),
    portal("late"),
    portal("later"),
    portal("hang"),
    kind("dns", Where::Before(Broken::Dns, false), 6),
    kind("refused", Where::Before(Broken::Refused, false), 6),
    kind("untrusted", Where::Before(Broken::Certificate, false), 3),
    kind("not-processed", Where::Before(Broken::NotProcessed, false), 10),
    kind("cut-in-request", Where::Before(Broken::Closed, true), 10),
    kind("too-large", Where::Behind, 10),
    kind("redirect", Where::Answer(302), 4),
    kind("race", Where::Race, 110),
];

/// What happens to process, disk and account rather than to a request.
pub const EVENTS: [&str; 15] = [
    "kill",
    "power-loss",
    "mirror-damaged",
    "disk-full",
    "io-error",
    "clock-jump",
    "suspend",
    "lease-stolen",
    "second-process",
    "line-cut",
    "scope-revoked",
    "wrong-account",
    "colleague-edits",
    "colleague-archives",
    "colleague-merges",
];

/// A fault for a request, or none that fits.
pub fn draw(rng: &mut impl Rng, method: &str, path: &str) -> Option<Kind> {
    let is_batch = method == "POST" && path.contains("/crm/objects/") && path.contains("/batch/");
    let fits = |kind: &&Kind| match kind.name {
        // HubSpot would lie: what an association batch does not speak of has no associations, and a note that is not
        // found counts as archived.
        "partial" | "missing" => is_batch && !path.contains("/notes/"),
        // HubSpot would lie: an archived record it does not find counts as archived.
        "404" => method == "GET" || method == "PATCH",
        "race" => method == "PATCH",
        _ => true,
    };
    let all: u32 = KINDS.iter().filter(fits).map(|kind| kind.weight).sum();
    let mut nth = rng.random_range(0..all);
    for kind in KINDS.iter().filter(fits) {
        if nth < kind.weight {
            return Some(*kind);
        }
        nth -= kind.weight;
    }
    None
}

/// What an exchange showed about a write, judged without asking the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It took effect.
    Applied,
    /// It had none, and that was not the operation's fault.
    Free,
    /// It had none.
    Refused,
    /// Nobody knows.
    Unknown,
}

pub fn shown(method: &str, answer: &Result<Response, TransportError>) -> Shown {
    let response = match answer {
        Err(error) if !error.sent || matches!(error.kind, Broken::Certificate | Broken::NotProcessed) => {
            return Shown::Free;
        }
        Err(_) => return Shown::Unknown,
        Ok(response) => response,
    };
    let kind = response.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    match response.status.as_u16() {
        204 if method != "GET" => Shown::Applied,
        200..=299 if is_json && serde_json::from_slice::<Value>(&response.body).is_ok() => Shown::Applied,
        200..=299 => Shown::Unknown,
        401 | 429 | 477 => Shown::Free,
        403 if !is_json => Shown::Free,
        300..=399 => Shown::Free,
        400..=499 => Shown::Refused,
        _ => Shown::Unknown,
    }
}
