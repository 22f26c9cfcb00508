//! What stands in the place of the account's own answer: refusals of the budgets, injected statuses, batches that lose an
//! input on the way. Decides nothing; the door has drawn the fault.

use serde_json::{Value, json};

use super::answer::{Answer, Call, Payload};
use super::errors::{BadValue, Problem, missing_values};
use super::faults::FaultKind;
use super::gate::{Lane, Refusal};
use super::kinds::ObjectType;
use super::switches::Switch;
use super::world::World;

/// The answer of a budget that is used up.
pub(super) fn refused(world: &mut World, refusal: Refusal) -> Answer {
    let (now, portal) = (world.clock.now(), world.portal_id);
    let (problem, wait) = match refusal {
        Refusal::Burst => (Problem::burst(portal), 10),
        Refusal::Search => (Problem::secondly(world.app_id, portal), 1),
        Refusal::Daily => (Problem::daily(portal), (world.gate.daily.resets_at(now) - now) / 1_000),
        Refusal::Locked => return status(world, 423),
    };
    let mut answer = Answer::from(problem);
    if let Payload::Json(Value::Object(body)) = &mut answer.payload
        && world.switches.on(Switch::GroupSometimes)
        && world.gate.refused().is_multiple_of(2)
    {
        body.remove("groupName");
    }
    match world.switches.on(Switch::RetryAfter) {
        true => answer.header("Retry-After", wait.to_string()),
        false => answer,
    }
}

/// The answer a fault gives before anything is done; `None` when the account must be asked.
pub(super) fn instead(world: &mut World, fault: FaultKind, lane: Lane) -> Option<Answer> {
    let now = world.clock.now();
    Some(match fault {
        FaultKind::Status(429) if lane == Lane::Search => refused(world, Refusal::Search),
        FaultKind::Status(429) => refused(world, Refusal::Burst),
        FaultKind::DailyLimit => refused(world, Refusal::Daily),
        FaultKind::Status(code) => status(world, code),
        FaultKind::Json(code) => Problem::new(code, "internal error").into(),
        FaultKind::Page(code) => page(code),
        FaultKind::Bare(code) => Answer::bare(code),
        FaultKind::Expired => Problem::expired_token(now - 5_000, now).into(),
        FaultKind::OtherScopes => Problem::missing_schema_scopes(&["crm.schemas.deals.read"]).into(),
        FaultKind::Forbidden => Problem::new(403, "You do not have permissions to view object type DEAL.")
            .category("FORBIDDEN")
            .into(),
        FaultKind::LateGateway => page(504),
        FaultKind::Html => Answer::html(200, "One moment please"),
        _ => return None,
    })
}

/// What takes the place of the account's answer after it has done its work.
pub(super) fn afterwards(world: &World, fault: Option<FaultKind>, call: &Call, answer: Answer) -> Answer {
    match fault {
        Some(FaultKind::Applied(code)) => status(world, code),
        Some(FaultKind::LateTimeout) => page(524),
        Some(FaultKind::Partial) => with_failure(call, answer),
        _ => answer,
    }
}

/// An injected status, in the form HubSpot mostly gives it.
fn status(world: &World, code: u16) -> Answer {
    let portal = world.portal_id;
    match code {
        400 => missing_values(&[BadValue::new(
            "closed_lost_reason",
            "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            "closed_lost_reason is required because of a conditional property rule based on [dealstage]",
        )])
        .into(),
        401 => Problem::wrong_token(world.clock.now()).into(),
        403 => Problem::missing_scopes(&["crm.objects.deals.read"]).into(),
        404 => Answer::from(Problem::not_found()).header("X-Hubspot-Notfound", "true"),
        409 => Problem::contact_exists(world.truth.nth(ObjectType::Contacts, 0).unwrap_or(1)).into(),
        414 => Problem::new(414, "URI Too Long").into(),
        423 => Problem::new(423, "This resource is locked by another process. Please try again.").into(),
        477 => Answer::from(Problem::new(477, format!("Hub {portal} is currently being migrated")))
            .header("Retry-After", "30"),
        488 => Problem::wrong_hublet(portal, "eu1").into(),
        503 => Problem::new(503, "Service temporarily unavailable").into(),
        502 | 504 | 521..=530 => page(code),
        _ => Problem::new(code, "internal error").into(),
    }
}

fn page(code: u16) -> Answer {
    let title = match code {
        403 => "Attention Required! | Cloudflare",
        429 => "429 Too Many Requests",
        500 => "500 Internal Server Error",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        521 => "521: Web server is down",
        522 => "522: Connection timed out",
        523 => "523: Origin is unreachable",
        524 => "524: A timeout occurred",
        530 => "530: Origin DNS error",
        _ => "Error",
    };
    Answer::html(code, title)
}

/// Takes inputs out of a batch before the account sees it.
pub(super) fn tamper(call: &mut Call, fault: FaultKind) {
    let Ok(mut body) = call.object() else { return };
    let Some(inputs) = body.get_mut("inputs").and_then(Value::as_array_mut) else {
        return;
    };
    match fault {
        FaultKind::Partial | FaultKind::Missing => _ = inputs.pop(),
        FaultKind::Noop => inputs.clear(),
        _ => return,
    }
    call.body = Value::Object(body).to_string().into_bytes();
}

/// A batch answer to which the failure of the last input is added.
fn with_failure(call: &Call, mut answer: Answer) -> Answer {
    let inputs = call.object().ok().and_then(|body| body.get("inputs").cloned());
    let Some(last) = inputs.as_ref().and_then(|inputs| inputs.as_array()?.last()) else {
        return answer;
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut context = serde_json::Map::new();
    for (key, name) in [("id", "ids"), ("objectWriteTraceId", "objectWriteTraceId")] {
        if let Some(value) = last.get(key) {
            context.insert(name.to_owned(), json!([text(value)]));
        }
    }
    let error = json!({"status": "error", "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.", "context": context});
    if let Payload::Empty = answer.payload {
        answer.payload = Payload::Json(json!({"status": "COMPLETE", "results": []}));
    }
    if let Payload::Json(body) = &mut answer.payload {
        let mut errors = body
            .get("errors")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        errors.push(error);
        body["numErrors"] = json!(errors.len());
        body["errors"] = json!(errors);
    }
    answer.status = 207;
    answer
}
