//! The client against a scripted transport, in virtual time: what is sent, what is read, what is tried again.

mod batches;
mod definitions;
mod families;
mod links;
mod lists;
mod patience;
mod portal;
mod reads;
mod records;
mod retries;
mod searching;
mod writes;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::domain::{FaultKind, Lane, ObjectType, Properties, RecordRef, StageKind};

type Answer = Result<Response, TransportError>;

/// Answers in order, and remembers what it was asked.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request>>,
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'static, Answer> {
        self.asked.lock().unwrap().push(request);
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("a request nobody expected");
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer
        })
    }
}

impl Script {
    fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    fn body(&self, index: usize) -> Value {
        serde_json::from_slice(&self.asked()[index].body).unwrap()
    }

    fn path(&self, index: usize) -> String {
        self.asked()[index].path_and_query.clone()
    }
}

fn client(answers: Vec<Answer>) -> (Client, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Mutex::new(answers.into()),
        ..Script::default()
    });
    let settings = Settings {
        token: "pat-na1-canary".into(),
        jitter_seed: Some(7),
        ..Settings::default()
    };
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let client = Client::new(&settings, script.clone(), clock, Arc::new(MemoryBook::new()));
    (client, script)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "an answer of the script, beside those that fail"
)]
fn status(status: u16, body: Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static("application/json;charset=utf-8"),
    );
    Ok(Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        },
    })
}

fn ok(body: Value) -> Answer {
    status(200, body)
}

fn lost(kind: TransportErrorKind, sent: bool) -> Answer {
    Err(TransportError {
        kind,
        sent,
        message: "connection refused".to_owned(),
    })
}

fn with_header(answer: Answer, name: &'static str, value: &'static str) -> Answer {
    answer.map(|mut response| {
        response
            .headers
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        response
    })
}

fn deal(id: &str) -> Value {
    json!({
        "id": id,
        "properties": { "amount": "1500.00", "closedate": null, "dealname": "Acme", "hs_object_id": id },
        "createdAt": "2026-01-02T03:04:05Z",
        "updatedAt": "2026-01-03T03:04:05.678Z",
        "archived": false,
        "url": "https://app.hubspot.com/contacts/123/record/0-3/1",
    })
}

fn none(id: &str) -> Value {
    json!({
        "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": format!("No company is associated with deal {id}."), "context": { "fromObjectId": [id] },
    })
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}
