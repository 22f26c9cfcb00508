//! A client without opinions: sends what it is told through the router in process, returns status, headers and JSON.

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use dealdeck::portal::{Portal, Settings};
use serde_json::{Value, json};
use tower::ServiceExt;

pub const NOON: &str = "2026-11-22T12:00:00Z";

pub struct Client {
    pub portal: Portal,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn str(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer} in {}", self.body))
    }

    /// The ids of `results`, in order.
    pub fn ids(&self) -> Vec<String> {
        let results = self.body["results"]
            .as_array()
            .unwrap_or_else(|| panic!("no results in {}", self.body));
        results
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A portal at noon, small unless the test says otherwise.
pub fn settings() -> Settings {
    Settings {
        contacts: 120,
        companies: 20,
        deals: 60,
        tickets: 5,
        now: Some(NOON.parse().unwrap()),
        ..Settings::default()
    }
}

pub fn client(settings: Settings) -> Client {
    Client {
        portal: Portal::new(settings).unwrap(),
    }
}

pub fn fixture(lines: &[Value]) -> Settings {
    let text = lines.iter().map(|line| format!("{line}\n")).collect();
    Settings {
        fixture: Some(text),
        ..settings()
    }
}

impl Client {
    pub async fn raw(&self, request: Request<Body>) -> Response<Body> {
        self.portal.router().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Authorization", format!("Bearer {}", self.portal.token()))
            .header("Content-Type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        open(self.raw(request.body(body).unwrap()).await).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    /// The ids of all live records of a type, by listing.
    pub async fn all(&self, object: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut path = format!("/crm/objects/2026-09/{object}?limit=100");
        loop {
            let page = self.get(&path).await;
            ids.extend(page.ids());
            let Some(after) = page.body.pointer("/paging/next/after") else {
                return ids;
            };
            path = format!(
                "/crm/objects/2026-09/{object}?limit=100&after={}",
                after.as_str().unwrap()
            );
        }
    }

    /// The lines a witness endpoint prints.
    pub async fn witness(&self, path: &str) -> Vec<Value> {
        let answer = self.get(&format!("/__portal/{path}")).await;
        answer
            .text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A deal in the first stage of the default pipeline.
    pub async fn new_deal(&self, name: &str) -> String {
        let answer = self
            .post(
                "/crm/objects/2026-09/deals",
                json!({"properties": {"dealname": name, "amount": "1000"}}),
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.str("/id").to_owned()
    }
}

pub async fn open(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
        text,
    }
}
