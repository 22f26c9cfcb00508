//! The table of outcomes, from the wire to the verdict: every kind of answer and of silence, for every class of
//! operation. A verdict reads: effect (`N` none, `Y` yes, `?` unknown), action, and `free` when no attempt is charged.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{
    Action, Applied, Failure, HeldReason, OpClass, Response, Signal, TransportError, TransportErrorKind as Kind,
    Verdict, budget::Quota, classify, refusal, wire,
};
use crate::domain::{Fault, FaultKind};

/// What came over the wire.
enum Wire {
    Silence(Kind, bool),
    Answer(u16, &'static str),
    AnswerLater(u16, &'static str, &'static str),
    /// Known only to those who compare the answer with the question.
    Seen(Signal),
}
use Wire::{Answer, AnswerLater, Seen, Silence};

impl Wire {
    fn signal(&self) -> Signal {
        match self {
            Seen(signal) => signal.clone(),
            Silence(kind, sent) => {
                let error = TransportError {
                    kind: *kind,
                    sent: *sent,
                    message: "x".to_owned(),
                };
                Failure::from_transport(&error).signal
            }
            Answer(status, body) => signal_of(&response(*status, body, None)),
            AnswerLater(status, body, after) => signal_of(&response(*status, body, Some(after))),
        }
    }
}

fn response(status: u16, body: &'static str, retry_after: Option<&'static str>) -> Response {
    let mut headers = HeaderMap::new();
    let kind = if body.starts_with('<') {
        "text/html"
    } else {
        "application/json;charset=utf-8"
    };
    headers.insert("content-type", HeaderValue::from_static(kind));
    headers.insert("date", HeaderValue::from_static("Sun, 22 Nov 2026 12:00:00 GMT"));
    if let Some(seconds) = retry_after {
        headers.insert("retry-after", HeaderValue::from_static(seconds));
    }
    Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::from_static(body.as_bytes()),
    }
}

fn signal_of(response: &Response) -> Signal {
    if response.status == StatusCode::NO_CONTENT {
        return Signal::Confirmed;
    }
    if response.status.is_success() {
        return wire::read::<serde_json::Value>(response).map_or_else(|failure| failure.signal, |_| Signal::Confirmed);
    }
    refusal::read(response, Quota::Burst).signal
}

fn say(verdict: Verdict) -> String {
    let applied = match verdict.applied {
        Applied::No => "N",
        Applied::Yes => "Y",
        Applied::Unknown => "?",
    };
    let action = match verdict.action {
        Action::Landed => "landed".to_owned(),
        Action::LandedElsewhere => "alias".to_owned(),
        Action::Requeue { after } => format!("requeue {}", after.as_secs()),
        Action::Offline => "offline".to_owned(),
        Action::Resend { after } => format!("resend {}", after.as_secs()),
        Action::Resolve => "resolve".to_owned(),
        Action::Reread => "reread".to_owned(),
        Action::Uncertain => "uncertain".to_owned(),
        Action::FindTarget => "find".to_owned(),
        Action::PauseAccount => "pause".to_owned(),
        Action::PauseFor(None) => "pause till reset".to_owned(),
        Action::PauseFor(Some(wait)) => format!("pause {}", wait.as_secs()),
        Action::StopSending => "stop".to_owned(),
        Action::BreakCircuit => "break".to_owned(),
        Action::Held(HeldReason::NeedsFields) => "held fields".to_owned(),
        Action::Held(HeldReason::Scope) => "held scope".to_owned(),
        Action::Held(HeldReason::Permission) => "held permission".to_owned(),
        Action::Dead => "dead".to_owned(),
    };
    let free = if verdict.charge_attempt { "" } else { " free" };
    format!("{applied} {action}{free}")
}

/// The same for all six, with `&` for "as the one before".
const fn all(verdict: &'static str) -> [&'static str; 6] {
    [verdict, "&", "&", "&", "&", "&"]
}

const UNKNOWN: [&str; 6] = ["N requeue 1", "? resolve", "? uncertain", "? reread", "? resend 1", "&"];
const SERVER: [&str; 6] = [
    "N requeue 1",
    "? resend 1",
    "? uncertain",
    "? reread",
    "? resend 1",
    "&",
];
const STRANGE: [&str; 6] = ["N dead", "? resolve", "? uncertain", "? reread", "? resend 1", "&"];
const BLOCKED: [&str; 6] = all("N break free");

const FIELDS: &str = r#"{"status":"error","message":"The property values provided are invalid","category":"VALIDATION_ERROR","errors":[{"message":"close_date is required","code":"MISSING_CONDITIONAL_REQUIRED_PROPERTY","context":{"propertyName":["close_date"]}}]}"#;
const CREATE_FIELDS: &str = r#"{"message":"x","errors":[{"code":"MISSING_REQUIRED_PROPERTY"}]}"#;
const CLASH: &str = r#"{"message":"x","category":"VALIDATION_ERROR","errors":[{"code":"CONFLICTING_UNIQUE_VALUE"}]}"#;
const CLASH_IN_WORDS: &str = r#"{"message":"contact 12 already has that value"}"#;
const SCOPE_A: &str = r#"{"message":"This app","category":"MISSING_SCOPES","errors":[{"context":{"requiredGranularScopes":["crm.objects.deals.read"]}}]}"#;
const SCOPE_B: &str = r#"{"message":"One or more","context":{"requiredGranularScopes":["tickets"]}}"#;
const TEN: &str = r#"{"message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}"#;
const ONE: &str =
    r#"{"message":"You have reached your secondly limit.","errorType":"RATE_LIMIT","policyName":"SECONDLY"}"#;
const DAY: &str = r#"{"message":"You have reached your daily limit.","errorType":"RATE_LIMIT","policyName":"DAILY"}"#;

/// Classes in the order of [`OpClass::ALL`]: read, keyed create, unkeyed create, property set, association, archive.
fn table() -> Vec<Line> {
    let dead = all("N dead");
    vec![
        ("dns", Silence(Kind::Dns, false), all("N offline free")),
        ("refused", Silence(Kind::Refused, false), all("N offline free")),
        (
            "connect timeout",
            Silence(Kind::ConnectTimeout, false),
            all("N offline free"),
        ),
        ("handshake", Silence(Kind::Tls, false), all("N offline free")),
        ("proxy", Silence(Kind::Proxy, false), all("N offline free")),
        (
            "closed before the first byte",
            Silence(Kind::Closed, false),
            all("N offline free"),
        ),
        ("certificate", Silence(Kind::Certificate, false), all("N stop free")),
        (
            "refused stream",
            Silence(Kind::NotProcessed, false),
            all("N requeue 1 free"),
        ),
        ("timeout after sending", Silence(Kind::Timeout, true), UNKNOWN),
        ("reset after sending", Silence(Kind::Closed, true), UNKNOWN),
        ("something after sending", Silence(Kind::Other, true), UNKNOWN),
        ("answer over 10 MB", Silence(Kind::TooLarge, true), UNKNOWN),
        (
            "our own limit",
            Seen(Signal::Denied),
            ["N dead free", "N pause till reset free", "&", "&", "&", "&"],
        ),
        (
            "our own memory",
            Seen(Signal::Unkept(Box::new(Fault::new(
                FaultKind::Store,
                "full",
                "free some",
            )))),
            ["N dead free", "N requeue 5 free", "&", "&", "&", "&"],
        ),
        (
            "our own breaker",
            Seen(Signal::Resting),
            ["N dead free", "N offline free", "&", "&", "&", "&"],
        ),
        ("200", Answer(200, r#"{"id":"1"}"#), all("Y landed")),
        ("201", Answer(201, r#"{"id":"1"}"#), all("Y landed")),
        ("200 with another id", Seen(Signal::OtherId), all("Y alias")),
        ("207 without the item", Seen(Signal::MissingItem), UNKNOWN),
        ("200 html", Answer(200, "<html>log in</html>"), STRANGE),
        ("200 cut off", Answer(200, r#"{"id":"1","prop"#), UNKNOWN),
        ("200 empty", Answer(200, ""), UNKNOWN),
        ("204", Answer(204, ""), all("Y landed")),
        ("207", Answer(207, r#"{"results":[]}"#), all("Y landed")),
        ("302", Answer(302, ""), ["N dead", "N break free", "&", "&", "&", "&"]),
        (
            "400",
            Answer(400, r#"{"message":"bad","category":"VALIDATION_ERROR"}"#),
            dead,
        ),
        (
            "400 bad JSON",
            Answer(400, r#"{"message":"Invalid input JSON on line 1, column 2"}"#),
            dead,
        ),
        (
            "400 needs fields",
            Answer(400, FIELDS),
            ["N dead", "N held fields", "&", "&", "&", "&"],
        ),
        (
            "400 create form",
            Answer(400, CREATE_FIELDS),
            ["N dead", "N held fields", "&", "&", "&", "&"],
        ),
        (
            "400 clash",
            Answer(400, CLASH),
            ["N dead", "N resolve", "N dead", "&", "&", "&"],
        ),
        (
            "400 clash in words",
            Answer(400, CLASH_IN_WORDS),
            ["N dead", "N resolve", "N dead", "&", "&", "&"],
        ),
        (
            "401",
            Answer(401, r#"{"message":"expired","category":"EXPIRED_AUTHENTICATION"}"#),
            all("N pause free"),
        ),
        ("401 html", Answer(401, "<html>"), all("N pause free")),
        (
            "403 scope",
            Answer(403, SCOPE_A),
            ["N dead", "N held scope", "&", "&", "&", "&"],
        ),
        (
            "403 scope at the top",
            Answer(403, SCOPE_B),
            ["N dead", "N held scope", "&", "&", "&", "&"],
        ),
        (
            "403 user",
            Answer(403, r#"{"message":"no","category":"FORBIDDEN"}"#),
            ["N dead", "N held permission", "&", "&", "&", "&"],
        ),
        ("403 edge", Answer(403, "<html>1020</html>"), BLOCKED),
        (
            "404",
            Answer(404, r#"{"message":"resource not found"}"#),
            ["N find", "N dead", "N dead", "N find", "&", "Y landed"],
        ),
        (
            "404 html",
            Answer(404, "<html>"),
            ["N find", "N dead", "N dead", "N find", "&", "Y landed"],
        ),
        ("408", Answer(408, ""), UNKNOWN),
        ("499", Answer(499, ""), UNKNOWN),
        (
            "409",
            Answer(
                409,
                r#"{"message":"Contact already exists. Existing ID: 12","category":"CONFLICT"}"#,
            ),
            ["N dead", "N resolve", "N dead", "N reread", "N dead", "&"],
        ),
        ("413", Answer(413, ""), dead),
        ("414", Answer(414, "<html>"), dead),
        ("415", Answer(415, "{}"), dead),
        ("422", Answer(422, "{}"), dead),
        ("423", Answer(423, "{}"), all("N requeue 2")),
        ("429 window", Answer(429, TEN), all("N requeue 10 free")),
        ("429 without a name", Answer(429, "{}"), all("N requeue 10 free")),
        ("429 window, wait", AnswerLater(429, TEN, "3"), all("N requeue 3 free")),
        (
            "429 window, huge wait",
            AnswerLater(429, TEN, "10000"),
            all("N requeue 30 free"),
        ),
        (
            "429 window, wait as a date",
            AnswerLater(429, TEN, "Sun, 22 Nov 2026 12:00:07 GMT"),
            all("N requeue 7 free"),
        ),
        (
            "429 window, a date that is past",
            AnswerLater(429, TEN, "Sun, 22 Nov 2026 11:00:00 GMT"),
            all("N requeue 1 free"),
        ),
        (
            "429 window, a wait nobody can read",
            AnswerLater(429, TEN, "soon"),
            all("N requeue 10 free"),
        ),
        ("429 second, wait", AnswerLater(429, ONE, "2"), all("N requeue 2 free")),
        ("429 day, wait", AnswerLater(429, DAY, "3600"), all("N pause 3600 free")),
        ("429 second", Answer(429, ONE), all("N requeue 1 free")),
        ("429 day", Answer(429, DAY), all("N pause till reset free")),
        ("477", AnswerLater(477, "{}", "7200"), all("N pause 7200 free")),
        (
            "477, huge wait",
            AnswerLater(477, "{}", "9999999"),
            all("N pause 86400 free"),
        ),
        (
            "477, wait as a date",
            AnswerLater(477, "{}", "Sun, 22 Nov 2026 14:00:00 GMT"),
            all("N pause 7200 free"),
        ),
        ("477, no wait", Answer(477, "{}"), all("N pause 60 free")),
        (
            "488",
            Answer(488, r#"{"correctHublet":"eu1"}"#),
            all("N requeue 0 free"),
        ),
        ("500", Answer(500, "{}"), SERVER),
        ("502 html", Answer(502, "<html>"), SERVER),
        ("503, wait", AnswerLater(503, "<html>", "5"), SERVER),
        ("504", Answer(504, ""), SERVER),
        ("520", Answer(520, ""), SERVER),
        ("521", Answer(521, ""), SERVER),
        ("522", Answer(522, ""), SERVER),
        ("523", Answer(523, ""), SERVER),
        ("524", Answer(524, "<html>"), SERVER),
        ("525", Answer(525, ""), SERVER),
        ("526", Answer(526, ""), SERVER),
        ("501", Answer(501, "{}"), STRANGE),
        ("530", Answer(530, "<html>"), BLOCKED),
        ("418", Answer(418, "{}"), STRANGE),
        ("599", Answer(599, "{}"), STRANGE),
    ]
}

/// One line of the table: what came, and what it means for each class.
type Line = (&'static str, Wire, [&'static str; 6]);

/// Where the function and the table differ, and how many verdicts were compared.
fn differences(table: &[Line]) -> (Vec<String>, usize) {
    let mut differences = Vec::new();
    let mut compared = 0;
    for (name, wire, expected) in table {
        let signal = wire.signal();
        let mut last = "";
        for (op, verdict) in OpClass::ALL.into_iter().zip(expected) {
            last = if *verdict == "&" { last } else { verdict };
            let said = say(classify(op, &signal));
            if said != last {
                differences.push(format!("{name} for {op:?} ({signal:?}): '{said}' instead of '{last}'"));
            }
            compared += 1;
        }
    }
    (differences, compared)
}

#[test]
fn every_signal_has_its_verdict_for_every_class() {
    let (differences, compared) = differences(&table());
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(compared >= 420, "{compared}");
}

#[test]
fn one_wrong_verdict_in_the_table_is_noticed() {
    let mut table = table();
    let place = table.iter().position(|(name, ..)| *name == "503, wait").unwrap();
    // As if a note of unknown outcome might simply be sent again.
    table[place].2[2] = "? resend 1";
    let (differences, _) = differences(&table);
    assert_eq!(differences.len(), 1, "{differences:#?}");
    assert!(
        differences[0].starts_with("503, wait for UnkeyedCreate"),
        "{differences:#?}"
    );
}

#[test]
fn an_unkeyed_create_of_unknown_outcome_is_never_sent_again_by_itself() {
    for (name, wire, _) in table() {
        let verdict = classify(OpClass::UnkeyedCreate, &wire.signal());
        let again = matches!(
            verdict.action,
            Action::Requeue { .. } | Action::Resend { .. } | Action::Offline
        );
        assert!(!(again && verdict.applied != Applied::No), "{name}");
    }
}

#[test]
fn a_refusal_keeps_everything_a_person_needs() {
    let scope = refusal::read(&response(403, SCOPE_A, None), Quota::Burst);
    assert_eq!(scope.scopes, ["crm.objects.deals.read"]);
    assert_eq!(scope.fault().what, "the token lacks the scope crm.objects.deals.read");
    let fields = refusal::read(&response(400, FIELDS, None), Quota::Burst);
    assert_eq!(fields.fields, ["close_date"]);
    let conflict =
        r#"{"message":"Contact already exists. Existing ID: 12345","correlationId":"c-1","category":"CONFLICT"}"#;
    let conflict = refusal::read(&response(409, conflict, None), Quota::Burst);
    assert_eq!(conflict.existing_id.as_deref(), Some("12345"));
    assert_eq!(conflict.correlation_id.as_deref(), Some("c-1"));
    assert_eq!(
        conflict.message, "Contact already exists. Existing ID: 12345",
        "verbatim"
    );
    let validation = r#"{"message":"Property values were not valid: [{\"isValid\":false,\"name\":\"dealstage\",\"error\":\"INVALID_OPTION\"}]","category":"VALIDATION_ERROR"}"#;
    assert_eq!(
        refusal::read(&response(400, validation, None), Quota::Burst).fields,
        ["dealstage"]
    );
    let html = refusal::read(&response(502, "<html>secret</html>", None), Quota::Burst);
    assert_eq!(html.message, "HubSpot answered 502 Bad Gateway");
}

#[test]
fn an_unnamed_refusal_of_a_search_is_about_searches() {
    let signal = refusal::read(&response(429, "{}", None), Quota::Search).signal;
    assert_eq!(signal, Signal::RateSecond { retry_after: None });
}

#[test]
fn a_region_that_is_not_a_plain_word_is_not_followed() {
    assert_eq!(
        refusal::hublet(&response(488, r#"{"correctHublet":"eu1"}"#, None)).as_deref(),
        Some("eu1")
    );
    assert_eq!(
        refusal::hublet(&response(488, r#"{"correctHublet":"evil.com/"}"#, None)),
        None
    );
    assert_eq!(refusal::hublet(&response(488, "<html>", None)), None);
}
