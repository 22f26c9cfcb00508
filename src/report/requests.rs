//! The last requests: what was sent when, for whom, and what came of it.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::SentRequest;

/// A request for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct RequestJson {
    /// When it was sent.
    pub time: Timestamp,
    /// `write`, `read`, `verify`, `sync`
    pub lane: &'static str,
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The answer's status; null while there is none, and when it was lost.
    pub status: Option<u16>,
    /// Milliseconds until the answer, or until it was given up; null while it is on the wire.
    pub ms: Option<u64>,
}

/// The JSON of a request.
#[must_use]
pub fn request_json(request: &SentRequest) -> RequestJson {
    RequestJson {
        time: request.at,
        lane: request.lane.word(),
        method: request.method.clone(),
        path: request.path.clone(),
        status: request.status,
        ms: request.took.map(millis),
    }
}

/// Requests in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn requests(requests: &[SentRequest], names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    let shapes = || requests.iter().map(request_json).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => json::compact(&shapes())? + "\n",
        Format::Jsonl => json::lines(&shapes())?,
        Format::Csv => rows(requests, |at| at.to_string(), "").csv(),
        Format::Markdown => rows(requests, |at| names.second(at), "lost").markdown(),
        Format::Table => rows(requests, |at| names.second(at), "lost").table(),
    })
}

/// `lost` stands where an answer never came; what is still on the wire is `sending`.
fn rows(requests: &[SentRequest], time: impl Fn(Timestamp) -> String, lost: &str) -> Sheet {
    let row = |request: &SentRequest| {
        let status = match (request.status, request.took) {
            (Some(status), _) => status.to_string(),
            (None, Some(_)) => lost.to_owned(),
            (None, None) => "sending".to_owned(),
        };
        vec![
            time(request.at),
            request.lane.word().to_owned(),
            request.method.clone(),
            request.path.clone(),
            status,
            request.took.map(|took| millis(took).to_string()).unwrap_or_default(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("time"),
            Column::text("lane"),
            Column::text("method"),
            Column::text("path"),
            Column::text("status"),
            Column::number("ms"),
        ],
        rows: requests.iter().map(row).collect(),
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
