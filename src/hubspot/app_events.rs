//! App events in timelines. Only an app with event types of its own can send them; a service key cannot, and writes notes.

use serde_json::{Value, json};

use super::{budget::Permit, call::Call, client::Client, failure::Failure, paths, signal::Signal, wire};
use crate::domain::{AppEvent, EventTarget};

/// The scope of event types, for the refusals that do not name it.
const SCOPE: &str = "timeline";

impl Client {
    /// Writes an event into a timeline. HubSpot refuses an id that it has already, so an event that has one has arrived
    /// also when it says so.
    ///
    /// # Errors
    /// [`Failure`]; [`Signal::MissingScope`] when the token is none of an app with event types.
    pub async fn send_event(&self, permit: Permit, event: &AppEvent) -> Result<(), Failure> {
        let call = Call::post(paths::app_events().to_owned(), &body(event));
        match self.write(permit, &call).await {
            Ok(response) if response.body.is_empty() => Ok(()),
            Ok(response) => wire::read::<Value>(&response).map(|_| ()),
            Err(failure) if failure.signal == Signal::Conflict && event.id.is_some() => Ok(()),
            Err(mut failure) => {
                if failure.signal == Signal::MissingScope && failure.scopes.is_empty() {
                    failure.scopes.push(SCOPE.to_owned());
                }
                Err(failure)
            }
        }
    }
}

fn body(event: &AppEvent) -> Value {
    let mut body = json!({ "eventTypeName": event.kind, "properties": event.properties });
    let (key, value) = match &event.about {
        EventTarget::Record(id) => ("objectId", id),
        EventTarget::Email(email) => ("email", email),
        EventTarget::Visitor(cookie) => ("utk", cookie),
        EventTarget::Domain(domain) => ("domain", domain),
    };
    body[key] = json!(value);
    if let Some(id) = &event.id {
        body["id"] = json!(id);
    }
    if let Some(at) = event.at {
        body["timestamp"] = json!(at.to_string());
    }
    body
}
