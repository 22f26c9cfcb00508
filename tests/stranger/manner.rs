//! How a stranger spells what it means. Every choice is legal; together they are as far from one another as can be.

use serde_json::{Map, Number, Value, json};

use super::http::Body;

/// A personality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Says as little as it may: no rate headers, no correlation ids, errors of one sentence, short and empty pages, no
    /// introspection, no daily usage.
    Terse,
    /// Numbers and flags where texts are usual, texts where numbers are; header names in capitals.
    Numeric,
    /// Unknown keys and nulls everywhere, properties nobody asked for, shuffled and repeated results, stale searches.
    Chatty,
}

/// Properties that are numbers by their definition, or ids.
const NUMBERS: [&str; 7] = [
    "amount",
    "dealstage",
    "hs_deal_stage_probability",
    "hs_object_id",
    "hubspot_owner_id",
    "num_associated_contacts",
    "pipeline",
];

impl Manner {
    /// A record's id.
    pub fn id(self, id: u64) -> Value {
        match self {
            Self::Numeric => json!(id),
            _ => json!(id.to_string()),
        }
    }

    /// An id inside an association: numbers in HubSpot's v4, texts in its date versions.
    pub fn linked_id(self, id: u64) -> Value {
        match self {
            Self::Terse => json!(id.to_string()),
            _ => json!(id),
        }
    }

    /// What is usually a JSON number.
    pub fn number(self, number: u64) -> Value {
        match self {
            Self::Numeric => json!(number.to_string()),
            _ => json!(number),
        }
    }

    /// What is usually a JSON flag.
    pub fn flag(self, flag: bool) -> Value {
        match self {
            Self::Numeric => json!(flag.to_string()),
            Self::Chatty if !flag => Value::Null,
            _ => json!(flag),
        }
    }

    /// A stage's metadata, which is usually text.
    pub fn metadata(self, probability: &str, closed: bool) -> Value {
        match self {
            Self::Numeric => json!({"isClosed": closed, "probability": number(probability)}),
            _ => json!({"isClosed": closed.to_string(), "probability": probability}),
        }
    }

    /// The value of a property, which is usually text.
    pub fn property(self, name: &str, text: &str) -> Value {
        match self {
            Self::Numeric if NUMBERS.contains(&name) => number(text),
            Self::Numeric if text == "true" || text == "false" => json!(text == "true"),
            _ => json!(text),
        }
    }

    /// A cursor nobody can guess the meaning of. `n` numbers them.
    pub fn cursor(self, n: usize) -> Value {
        match self {
            Self::Terse => json!(format!("bW9yZQ+/{:x}==", n * 7_919)),
            Self::Numeric => json!(n * 7_919),
            Self::Chatty => json!(format!("{{\"shard\":\"ö {n}&a=b\",\"t\":\"50%\"}}")),
        }
    }

    /// How many records a page holds, however many were asked for.
    pub fn page(self, asked: usize) -> usize {
        match self {
            Self::Terse => asked.min(29),
            Self::Numeric => asked.min(60),
            Self::Chatty => asked,
        }
    }

    /// How many requests it takes in ten seconds: what it announces, and where it announces nothing the usual smallest.
    pub fn window(self) -> usize {
        match self {
            Self::Terse => 100,
            Self::Numeric => 110,
            Self::Chatty => 150,
        }
    }

    /// The headers of an answer of this kind; searches say nothing of the limits.
    pub fn headers(self, kind: &str, is_search: bool) -> Vec<(String, String)> {
        let mut headers: Vec<(&str, &str)> = match self {
            Self::Terse => vec![("content-type", kind)],
            Self::Numeric => vec![("CONTENT-TYPE", kind), ("X-HUBSPOT-CORRELATION-ID", "0192-numeric")],
            Self::Chatty => vec![("Content-Type", kind), ("CF-Ray", "8f"), ("Set-Cookie", "__cf_bm=1")],
        };
        match self {
            Self::Numeric if !is_search => headers.extend([
                ("X-HUBSPOT-RATELIMIT-MAX", "110"),
                ("X-HUBSPOT-RATELIMIT-REMAINING", "90"),
                ("X-HUBSPOT-RATELIMIT-INTERVAL-MILLISECONDS", "10000"),
            ]),
            Self::Chatty if !is_search => headers.extend([
                ("x-HubSpot-RateLimit-max", "150"),
                ("X-Hubspot-Ratelimit-Remaining", "120"),
                ("X-Hubspot-RateLimit-Secondly", "15"),
                ("X-HubSpot-RateLimit-Daily", "500000"),
                ("X-HubSpot-RateLimit-Daily-Remaining", "499000"),
            ]),
            _ => {}
        }
        let owned = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.collect()
    }

    /// The kind of a JSON body.
    pub fn json_kind(self) -> &'static str {
        match self {
            Self::Terse => "application/json",
            Self::Numeric => "APPLICATION/JSON; CHARSET=UTF-8",
            Self::Chatty => "application/json;charset=utf-8",
        }
    }

    /// How bodies are sent.
    pub fn body(self) -> Body {
        match self {
            Self::Terse => Body::Chunked,
            Self::Numeric => Body::Whole,
            Self::Chatty => Body::Gzip,
        }
    }

    /// An error, with as much in it as this server likes to say.
    pub fn error(self, category: &str, message: &str) -> Value {
        match self {
            Self::Terse => json!({"message": message}),
            Self::Numeric => json!({"status": "error", "message": message, "category": category, "errors": []}),
            Self::Chatty => json!({
                "status": "error", "message": message, "category": category, "correlationId": "0192-chatty",
                "subCategory": {"name": "ANY", "id": 7}, "context": {"reason": ["any"]}, "errors": null, "links": null,
            }),
        }
    }

    /// The JSON text. The chatty one puts unknown keys into every object, and the last key first.
    pub fn text(self, value: &Value) -> String {
        match self {
            Self::Chatty => backwards(&adorned(value, "")),
            _ => value.to_string(),
        }
    }
}

fn number(text: &str) -> Value {
    text.parse::<Number>().map_or_else(|_| json!(text), Value::Number)
}

/// Unknown keys in every object whose keys are not data.
fn adorned(value: &Value, under: &str) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| adorned(item, "")).collect()),
        Value::Object(_) if matches!(under, "properties" | "propertiesWithHistory") => value.clone(),
        Value::Object(map) => {
            let mut more: Map<String, Value> = map
                .iter()
                .map(|(name, value)| (name.clone(), adorned(value, name)))
                .collect();
            if under != "associations" {
                more.insert("_experiments".to_owned(), json!([{"on": true}, null, 1.5e3]));
                more.insert("zone".to_owned(), Value::Null);
            }
            Value::Object(more)
        }
        other => other.clone(),
    }
}

fn backwards(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[ {} ]", items.iter().map(backwards).collect::<Vec<_>>().join(" ,\n")),
        Value::Object(map) => {
            let pairs = map
                .iter()
                .rev()
                .map(|(name, value)| format!("{} : {}", json!(name), backwards(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(",\r\n\t"))
        }
        other => other.to_string(),
    }
}
