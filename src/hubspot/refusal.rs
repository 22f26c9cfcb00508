//! Reads an answer that is not a success. The status decides; the body refines, and every field of it may be missing,
//! of another type, or not JSON at all.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    budget::{Quota, Refusal},
    failure::Failure,
    settings::is_region,
    signal::Signal,
    transport::Response,
};

const SECOND: Duration = Duration::from_secs(1);
/// A window is over after ten seconds: no page of HubSpot means more than that, whatever unit it speaks of.
const LONGEST_WINDOW_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// When a 477 does not say how long.
const MIGRATION_WAIT: Duration = Duration::from_secs(60);

/// The failure an answer with this status and body stands for.
pub(super) fn read(response: &Response, quota: Quota) -> Failure {
    let body = json(response);
    let status = response.status.as_u16();
    let retry_after = retry_after(&response.headers);
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
    let message = text("message").unwrap_or_else(|| plain(response.status));
    let fields = fields(&body, &message);
    let scopes = scopes(&body);
    let signal = signal(response, &body, &message, !scopes.is_empty(), retry_after, quota);
    Failure {
        status: Some(status),
        correlation_id: text("correlationId").or_else(|| header("x-hubspot-correlation-id").map(str::to_owned)),
        retry_after: wait_of(&signal).or(retry_after.map(|wait| wait.clamp(SECOND, LONGEST_WINDOW_WAIT))),
        fields,
        scopes,
        existing_id: existing_id(&body, &message),
        ..Failure::new(signal, message)
    }
}

/// The failure an entry of a batch's `errors` stands for. It has no status: its category decides. A category nobody knows
/// says nothing about the effect.
pub(super) fn item(error: &Value) -> Failure {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    let message = text("message").unwrap_or("a part of a batch failed").to_owned();
    let scopes = scopes(error);
    let signal = match text("category").unwrap_or_default() {
        "OBJECT_NOT_FOUND" => Signal::NotFound,
        "CONFLICT" | "OBJECT_ALREADY_EXISTS" => Signal::Conflict,
        "VALIDATION_ERROR" => bad_request(error, &message),
        "MISSING_SCOPES" => Signal::MissingScope,
        "FORBIDDEN" => Signal::Forbidden,
        "RATE_LIMITS" => Signal::RateWindow { retry_after: None },
        _ => Signal::MissingItem,
    };
    Failure {
        status: Some(207),
        correlation_id: text("correlationId").map(str::to_owned),
        fields: fields(error, &message),
        scopes,
        existing_id: existing_id(error, &message),
        ..Failure::new(signal, message)
    }
}

/// The limit a failure is about, for the budget.
pub(super) const fn refusal(failure: &Failure) -> Option<(Refusal, Option<Duration>)> {
    match failure.signal {
        Signal::RateWindow { retry_after } => Some((Refusal::Window, retry_after)),
        Signal::RateSecond { retry_after } => Some((Refusal::Second, retry_after)),
        Signal::RateDaily { retry_after } => Some((Refusal::Daily, retry_after)),
        _ => None,
    }
}

/// The region a 488 names.
pub(super) fn hublet(response: &Response) -> Option<String> {
    let body = json(response);
    let hublet = body.get("correctHublet")?.as_str()?;
    is_region(hublet).then(|| hublet.to_ascii_lowercase())
}

fn signal(
    response: &Response,
    body: &Value,
    message: &str,
    scopes: bool,
    retry_after: Option<Duration>,
    quota: Quota,
) -> Signal {
    let category = body.get("category").and_then(Value::as_str).unwrap_or_default();
    match response.status.as_u16() {
        300..=399 => Signal::Redirect,
        400 => bad_request(body, message),
        401 => Signal::Unauthorized,
        403 if scopes || category == "MISSING_SCOPES" => Signal::MissingScope,
        403 if body.is_null() => Signal::Blocked,
        403 => Signal::Forbidden,
        404 => Signal::NotFound,
        408 | 499 => Signal::TimedOut,
        409 => Signal::Conflict,
        status @ (413 | 414 | 415 | 422) => Signal::BadRequest(status),
        423 => Signal::Locked,
        429 => too_many(body, message, retry_after, quota),
        477 => Signal::Migrating {
            retry_after: retry_after.unwrap_or(MIGRATION_WAIT).clamp(SECOND, LONGEST_WAIT),
        },
        488 => Signal::WrongHost,
        530 => Signal::Unreachable(530),
        status @ (500 | 502 | 503 | 504 | 520..=529) => Signal::Server(status),
        status => Signal::Unknown(status),
    }
}

fn bad_request(body: &Value, message: &str) -> Signal {
    let codes: Vec<&str> = codes(body).collect();
    let any = |wanted: &str| codes.contains(&wanted) || message.contains(wanted);
    if any("CONFLICTING_UNIQUE_VALUE") || message.contains("already has that value") {
        Signal::UniqueClash
    } else if any("MISSING_REQUIRED_PROPERTY") || any("MISSING_CONDITIONAL_REQUIRED_PROPERTY") {
        Signal::NeedsFields
    } else {
        Signal::Validation
    }
}

/// Which limit: by the policy's name, else by the sentence, else by what the request spends.
fn too_many(body: &Value, message: &str, retry_after: Option<Duration>, quota: Quota) -> Signal {
    let policy = body.get("policyName").and_then(Value::as_str).unwrap_or_default();
    let short = retry_after.map(|wait| wait.clamp(SECOND, LONGEST_WINDOW_WAIT));
    let long = retry_after.map(|wait| wait.clamp(SECOND, LONGEST_WAIT));
    let said = |name: &str, words: &str| policy.starts_with(name) || (policy.is_empty() && message.contains(words));
    if said("DAILY", "daily limit") {
        Signal::RateDaily { retry_after: long }
    } else if said("TEN_SECONDLY", "ten_secondly") {
        Signal::RateWindow { retry_after: short }
    } else if said("SECONDLY", "secondly limit") || (policy.is_empty() && quota == Quota::Search) {
        Signal::RateSecond { retry_after: short }
    } else {
        Signal::RateWindow { retry_after: short }
    }
}

const fn wait_of(signal: &Signal) -> Option<Duration> {
    match signal {
        Signal::RateWindow { retry_after } | Signal::RateSecond { retry_after } | Signal::RateDaily { retry_after } => {
            *retry_after
        }
        Signal::Migrating { retry_after } => Some(*retry_after),
        _ => None,
    }
}

/// Seconds, or a date, which the edge in front of HubSpot may write: counted from the answer's own date, so that a wrong
/// clock of ours does not matter.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let sent = date(headers.get(header::DATE)?.to_str().ok()?)?;
    let wait = date(text)?.duration_since(sent);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// `Sun, 22 Nov 2026 12:00:00 GMT`.
fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// The body when it is a JSON object, else null.
fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body)
        .ok()
        .filter(Value::is_object)
        .unwrap_or_default()
}

fn plain(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("HubSpot answered {} {reason}", status.as_u16()),
        None => format!("HubSpot answered {}", status.as_u16()),
    }
}

fn errors(body: &Value) -> impl Iterator<Item = &Value> {
    body.get("errors").and_then(Value::as_array).into_iter().flatten()
}

fn codes(body: &Value) -> impl Iterator<Item = &str> {
    errors(body).filter_map(|error| error.get("code").and_then(Value::as_str))
}

/// The texts of `context.{key}`, which is a list, but may be one text; a number counts as its digits.
pub(super) fn context(of: &Value, key: &str) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match of.get("context").and_then(|context| context.get(key)) {
        Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The properties named in `errors[]`, else those in the JSON list that follows the sentence.
fn fields(body: &Value, message: &str) -> Vec<String> {
    let mut fields: Vec<String> = errors(body)
        .flat_map(|error| context(error, "propertyName"))
        .chain(context(body, "propertyName"))
        .collect();
    if fields.is_empty()
        && let Some((_, list)) = message.split_once(": [")
        && let Ok(Value::Array(items)) = serde_json::from_str(&format!("[{list}"))
    {
        let names = items.iter().filter_map(|item| item.get("name").and_then(Value::as_str));
        fields.extend(names.map(str::to_owned));
    }
    fields.sort_unstable();
    fields.dedup();
    fields
}

fn scopes(body: &Value) -> Vec<String> {
    let inner = errors(body).flat_map(|error| context(error, "requiredGranularScopes"));
    let mut scopes: Vec<String> = context(body, "requiredGranularScopes")
        .into_iter()
        .chain(inner)
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// `context.existingId`, or the number after `Existing ID:`.
fn existing_id(body: &Value, message: &str) -> Option<String> {
    let named = context(body, "existingId").into_iter().next();
    named.or_else(|| {
        let (_, rest) = message.split_once("Existing ID:")?;
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    })
}
