//! The account itself: pipelines, owners, details, the day's usage, and what the token may do.

use axum::http::Method;
use serde_json::{Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::world::World;

/// `/account-info/…`.
pub(super) fn info(world: &mut World, call: &Call, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, ["details"]) => Answer::ok(world.account.clone()),
        (&Method::GET, ["api-usage", "daily", "private-apps" | ""] | ["api-usage", "daily"]) => {
            let now = world.clock.now();
            let daily = &mut world.gate.daily;
            Answer::ok(json!({"results": [{
                "name": "private-apps-api-calls-daily", "usageLimit": daily.allowance(), "currentUsage": daily.used(now),
                "collectedAt": iso(now), "fetchStatus": "SUCCESS", "resetsAt": iso(daily.resets_at(now)),
            }]}))
        }
        _ => Err(Problem::not_found()),
    }
}

/// `/crm/pipelines/…/{type}/…`; only reading.
pub(super) fn pipelines(world: &World, call: &Call, kind: &str, rest: &[&str]) -> Reply {
    let object = ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?;
    if call.method != Method::GET {
        return Err(wrong_method(call));
    }
    let all = world.pipelines(object);
    let pipeline = |id: &str| {
        all.iter()
            .find(|p| p.id == id)
            .map(|p| &p.wire)
            .ok_or_else(Problem::not_found)
    };
    let stages = |wire: &Value| wire.get("stages").cloned().unwrap_or_else(|| json!([]));
    match rest {
        [] => Answer::ok(json!({"results": all.iter().map(|pipeline| &pipeline.wire).collect::<Vec<_>>()})),
        [id] => Answer::ok(pipeline(id)?.clone()),
        [id, "stages"] => Answer::ok(json!({"results": stages(pipeline(id)?)})),
        [id, "stages", stage] => {
            let stages = stages(pipeline(id)?);
            let found = stages
                .as_array()
                .into_iter()
                .flatten()
                .find(|s| s.get("id").and_then(Value::as_str) == Some(stage));
            Answer::ok(found.cloned().ok_or_else(Problem::not_found)?)
        }
        _ => Err(Problem::not_found()),
    }
}

/// `/crm/owners/…`.
pub(super) fn owners(world: &World, call: &Call, rest: &[&str]) -> Reply {
    if call.method != Method::GET {
        return Err(wrong_method(call));
    }
    let archived = call.flag("archived");
    match rest {
        [] => {
            let limit = call.limit(100, 500)?;
            let start: usize = call.get("after").and_then(|after| after.parse().ok()).unwrap_or(0);
            let email = call.get("email").map(str::to_lowercase);
            let matching = world.owners.iter().filter(|owner| owner.archived == archived);
            let matching: Vec<&Value> = matching
                .filter(|owner| email.as_ref().is_none_or(|email| owner.email.to_lowercase() == *email))
                .map(|owner| &owner.wire)
                .collect();
            let page: Vec<&&Value> = matching.iter().skip(start).take(limit).collect();
            let mut answer = json!({"results": page});
            if start + limit < matching.len() {
                answer["paging"] = json!({"next": {"after": (start + limit).to_string()}});
            }
            Answer::ok(answer)
        }
        [id] => {
            let by_user = call.get("idProperty") == Some("userId");
            let found = world.owners.iter().find(|owner| {
                owner.archived == archived
                    && if by_user {
                        owner.user_id.is_some_and(|user| user.to_string() == *id)
                    } else {
                        owner.id == *id
                    }
            });
            Answer::ok(found.ok_or_else(Problem::not_found)?.wire.clone())
        }
        _ => Err(Problem::not_found()),
    }
}
