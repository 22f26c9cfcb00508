//! The account itself: owners, details, the day's usage, limits.

use axum::http::Method;
use serde_json::{Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::switches::Switch;
use crate::portal::world::World;

/// How many properties of its own an object type may have.
const CUSTOM_PROPERTIES: usize = 1_000;

/// `/account-info/…`.
pub(super) fn info(world: &mut World, call: &Call, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, ["details"]) => Answer::ok(world.account.clone()),
        (&Method::GET, ["api-usage", "daily", "private-apps" | ""] | ["api-usage", "daily"]) => {
            let now = world.clock.now();
            let cached = world.switches.on(Switch::UsageCached);
            let daily = &mut world.gate.daily;
            let (status, collected) = if cached {
                ("CACHED", now - 300_000)
            } else {
                ("SUCCESS", now)
            };
            Answer::ok(json!({"results": [{
                "name": "private-apps-api-calls-daily", "usageLimit": daily.allowance(), "currentUsage": daily.used(now),
                "collectedAt": iso(collected), "fetchStatus": status, "resetsAt": iso(daily.resets_at(now)),
            }]}))
        }
        _ => Err(Problem::not_found()),
    }
}

/// `/crm/limits/…/custom-properties`: how many of one's own there are per object type.
pub(super) fn limits(world: &World, call: &Call, rest: &[&str]) -> Reply {
    if (&call.method, rest) != (&Method::GET, &["custom-properties"][..]) {
        return Err(Problem::not_found());
    }
    let rows = ObjectType::ALL.into_iter().map(|object| {
        let own = world.schema.all(object).filter(|(_, d)| d.wire["hubspotDefined"] == false).count();
        let share = own as f64 / CUSTOM_PROPERTIES as f64 * 100.0;
        json!({"objectTypeId": object.type_id(), "objectTypeName": object.plural(), "limit": CUSTOM_PROPERTIES, "usage": own,
            "percentage": share})
    });
    Answer::ok(json!({"byObjectType": rows.collect::<Vec<_>>()}))
}

/// `/crm-object-schemas/…/schemas`: this account has no custom objects.
pub(super) fn schemas(call: &Call, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, []) => Answer::ok(json!({"results": []})),
        (&Method::GET, [name]) => Err(Problem::unknown_type(name)),
        _ => Err(wrong_method(call)),
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
