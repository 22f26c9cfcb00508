//! A request as the routes see it and an answer as they give it, free of any web framework.

use axum::http::{Method, Uri};
use serde_json::{Map, Value};

use super::errors::Problem;

/// A request: decoded path parts, query and body.
#[derive(Clone)]
pub(super) struct Call {
    pub method: Method,
    pub parts: Vec<String>,
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Path and query as they came, for the `link` of a page.
    pub target: String,
}

/// What goes back.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Json(Value),
    Html(String),
    /// Newline-separated JSON, of the witness.
    Lines(String),
    Empty,
}

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub payload: Payload,
    pub headers: Vec<(&'static str, String)>,
}

impl Payload {
    /// The body as text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Json(body) => body.to_string(),
            Self::Html(text) | Self::Lines(text) => text.clone(),
            Self::Empty => String::new(),
        }
    }
}

pub(super) type Reply = Result<Answer, Problem>;

impl Answer {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            payload: Payload::Json(body),
            headers: Vec::new(),
        }
    }

    pub(super) fn ok(body: Value) -> Reply {
        Ok(Self::json(200, body))
    }

    pub(super) fn empty() -> Reply {
        Ok(Self::bare(204))
    }

    /// A status without a body.
    pub(super) fn bare(status: u16) -> Self {
        Self {
            status,
            payload: Payload::Empty,
            headers: Vec::new(),
        }
    }

    pub(super) fn html(status: u16, title: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>cloudflare</body></html>\n"
        );
        Self {
            status,
            payload: Payload::Html(page),
            headers: Vec::new(),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Call {
    pub(super) fn new(method: Method, uri: &Uri, body: Vec<u8>) -> Self {
        let parts = uri
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| decode(part, false))
            .collect();
        let query = pairs(uri.query().unwrap_or_default());
        let target = uri.path_and_query().map_or_else(String::new, ToString::to_string);
        Self {
            method,
            parts,
            query,
            body,
            target,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A comma-separated or repeated parameter.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = self
            .query
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','));
        values
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A boolean parameter, in any case.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A page size between 1 and `most`.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
            _ => Err(Problem::invalid(format!(
                "Invalid value '{text}' for limit: it must be between 1 and {most}"
            ))),
        }
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Problem> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(Problem::wrong_shape("object")),
            Err(error) => Err(Problem::malformed(&error)),
        }
    }

    /// The body as a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The body as any JSON.
    pub(super) fn json(&self) -> Result<Value, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| Problem::malformed(&error))
    }
}

/// The pairs of a query or a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name, true), decode(value, true)))
        .collect()
}

/// Undoes percent escapes; in a query a plus is a space.
fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = text
            .get(at + 1..at + 3)
            .filter(|_| *byte == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if plus && *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
