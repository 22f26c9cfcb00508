//! HubSpot's error bodies, word for word. A `Problem` becomes an answer at the door, where its correlation id is added.

use serde_json::{Map, Value, json};

use super::kinds::ObjectType;

/// An answer that is an error.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub status: u16,
    pub body: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("status".to_owned(), json!("error"));
        body.insert("message".to_owned(), json!(message.into()));
        Self { status, body }
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.body.insert(key.to_owned(), value);
        self
    }

    pub(super) fn category(self, category: &str) -> Self {
        self.with("category", json!(category))
    }

    /// 400 `VALIDATION_ERROR`.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message).category("VALIDATION_ERROR")
    }

    pub(super) fn unknown_type(name: &str) -> Self {
        Self::new(400, format!("Unable to infer object type from: {name}"))
    }

    /// 404 for a numeric id nobody has.
    pub(super) fn not_found() -> Self {
        Self::new(404, "resource not found")
    }

    /// 404 for an id that is no number.
    pub(super) fn not_numeric(id: &str) -> Self {
        Self::new(404, "Object not found.  objectId are usually numeric.")
            .with("context", json!({"id": [id]}))
            .category("OBJECT_NOT_FOUND")
    }

    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        Self::new(
            400,
            format!(
                "Invalid input JSON on line {}, column {}: {reason}",
                error.line(),
                error.column()
            ),
        )
    }

    /// JSON of the wrong shape.
    pub(super) fn wrong_shape(what: &str) -> Self {
        Self::new(
            400,
            format!("Invalid input JSON on line 1, column 1: Cannot deserialize value of type {what}"),
        )
    }

    pub(super) fn no_credentials() -> Self {
        Self::new(
            401,
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details \
             at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )
        .category("INVALID_AUTHENTICATION")
    }

    /// What a wrong token is told: it seems to have expired when the clock began.
    pub(super) fn wrong_token(now: i64) -> Self {
        let days = now / super::clock::DAY;
        Self::new(
            401,
            format!("The OAuth token used to make this call expired {days} day(s) ago."),
        )
        .category("EXPIRED_AUTHENTICATION")
        .with("context", json!({"expire time": ["1970-01-01T00:00:00Z"]}))
    }

    /// What a token is told that ran out at `expired`; both Unix milliseconds.
    pub(super) fn expired_token(expired: i64, now: i64) -> Self {
        let seconds = (now - expired).max(0) / 1_000;
        let ago = match seconds {
            0..120 => format!("{seconds} second(s)"),
            120..7_200 => format!("{} minute(s)", seconds / 60),
            7_200..172_800 => format!("{} hour(s)", seconds / 3_600),
            _ => format!("{} day(s)", seconds / 86_400),
        };
        Self::new(
            401,
            format!("The OAuth token used to make this call expired {ago} ago."),
        )
        .category("EXPIRED_AUTHENTICATION")
        .with("context", json!({"expire time": [super::clock::iso(expired)]}))
    }

    /// 403 as record-like APIs say it: any one of the scopes would do.
    pub(super) fn missing_scopes(scopes: &[&str]) -> Self {
        let read = "https://developers.hubspot.com/scopes";
        Self::new(
            403,
            format!(
                "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: {read}."
            ),
        )
        .with(
            "errors",
            json!([{"message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": scopes}}]),
        )
        .with("links", json!({"scopes": read}))
        .category("MISSING_SCOPES")
    }

    /// 403 as schema-like APIs say it.
    pub(super) fn missing_schema_scopes(scopes: &[&str]) -> Self {
        Self::new(403, "One or more of the following scopes are required.")
            .with("context", json!({"requiredGranularScopes": scopes}))
            .with("links", json!({"scopes": "https://developers.hubspot.com/scopes"}))
            .category("MISSING_SCOPES")
    }

    /// 488: the account lives in another region.
    pub(super) fn wrong_hublet(portal: u64, hublet: &str) -> Self {
        let message = format!("Hub {portal} is unknown to this Hublet, but it appears to exist in Hublet {hublet}");
        Self::new(488, message).with("correctHublet", json!(hublet))
    }

    /// 429 of the ten-second window.
    pub(super) fn burst(portal: u64) -> Self {
        let group = format!("publicapi:private-apps-api-calls-ten-secondly:{portal}");
        Self::limited(
            "You have reached your ten_secondly_rolling limit.",
            "TEN_SECONDLY_ROLLING",
            &group,
        )
    }

    /// 429 of search.
    pub(super) fn secondly(app: u64, portal: u64) -> Self {
        let group = format!("publicapi:crm:search:oauth:{app}:{portal}");
        Self::limited("You have reached your secondly limit.", "SECONDLY", &group)
    }

    /// 429 of the day.
    pub(super) fn daily(portal: u64) -> Self {
        let group = format!("publicapi:private-apps-api-calls-daily:{portal}");
        Self::limited("You have reached your daily limit.", "DAILY", &group)
    }

    fn limited(message: &str, policy: &str, group: &str) -> Self {
        Self::new(429, message)
            .with("errorType", json!("RATE_LIMIT"))
            .with("policyName", json!(policy))
            .with("groupName", json!(group))
    }

    pub(super) fn contact_exists(id: u64) -> Self {
        Self::new(409, format!("Contact already exists. Existing ID: {id}")).category("CONFLICT")
    }

    /// Ids that a batch did not find, as one entry of a 207.
    pub(super) fn batch_missing(object: ObjectType, ids: &[String]) -> Value {
        let kind = object.singular().to_uppercase();
        json!({"status": "error", "category": "OBJECT_NOT_FOUND",
            "message": format!("Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."),
            "context": {"ids": ids}})
    }
}

/// One property that was refused.
#[derive(Debug, Clone)]
pub(super) struct BadValue {
    pub name: String,
    pub code: &'static str,
    pub message: String,
}

impl BadValue {
    pub(super) fn new(name: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            code,
            message: message.into(),
        }
    }
}

/// 400 for refused properties, all of them together.
pub(super) fn bad_values(bad: &[BadValue], portal: u64) -> Problem {
    let rows: Vec<Value> = bad
        .iter()
        .map(|b| {
            json!({"isValid": false, "message": b.message, "error": b.code, "name": b.name,
                "localizedErrorMessage": b.message, "portalId": portal})
        })
        .collect();
    Problem::invalid(format!("Property values were not valid: {}", Value::Array(rows))).with("errors", entries(bad))
}

/// 400 for values that the portal's rules ask for, as 2026-09 enforces them.
pub(super) fn missing_values(bad: &[BadValue]) -> Problem {
    Problem::invalid("The property values provided are invalid").with("errors", entries(bad))
}

fn entries(bad: &[BadValue]) -> Value {
    bad.iter()
        .map(|b| json!({"message": b.message, "code": b.code, "context": {"propertyName": [b.name]}}))
        .collect()
}
