//! Everything that can be read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    http::Request,
    manner::Manner,
    server::Reply,
    truth::{self, OWNERS, PIPELINES, PORTAL, Row, STAGES, World},
};

const SCOPES: [&str; 8] = [
    "oauth",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.owners.read",
    "crm.schemas.deals.read",
];
const AN_HOUR_AGO: &str = "2026-11-22T11:00:00Z";

pub fn introspection(manner: Manner) -> Reply {
    match manner {
        Manner::Terse => Reply::Html(404),
        Manner::Numeric => Reply::Json(
            200,
            json!({"hubId": PORTAL.to_string(), "userId": "9003", "scopes": null}),
        ),
        Manner::Chatty => Reply::Json(
            200,
            json!({"hubId": PORTAL, "userId": 9003, "appId": null, "scopes": SCOPES}),
        ),
    }
}

pub fn account(manner: Manner) -> Reply {
    Reply::Json(
        200,
        json!({
            "portalId": manner.number(PORTAL), "accountType": "SANDBOX", "timeZone": "Australia/Lord_Howe",
            "companyCurrency": "EUR", "additionalCurrencies": ["JPY"], "utcOffset": "+11:00",
            "uiDomain": if manner == Manner::Chatty { Value::Null } else { json!("app-eu1.hubspot.com") },
        }),
    )
}

pub fn usage(manner: Manner) -> Reply {
    match manner {
        Manner::Terse => Reply::Json(404, manner.error("", "not here")),
        Manner::Numeric => Reply::Json(
            200,
            json!({"results": [{
                "name": "private-apps-api-calls-daily", "usageLimit": "250000", "currentUsage": "17", "resetsAt": null,
            }]}),
        ),
        Manner::Chatty => Reply::Json(
            200,
            json!({"results": [
                {"name": null, "usageLimit": null},
                {"name": "private-apps-api-calls-daily", "fetchStatus": "FAILURE", "usageLimit": null, "currentUsage": null},
            ]}),
        ),
    }
}

pub fn pipelines(manner: Manner) -> Reply {
    let results: Vec<Value> = PIPELINES
        .iter()
        .map(|(id, label, order)| {
            let stages = STAGES.iter().enumerate().filter(|(_, stage)| stage.0 == *id);
            let mut stages: Vec<Value> = stages.map(|(n, (_, id, label, probability, closed))| json!({
            "id": manner.property("dealstage", id), "label": label, "displayOrder": manner.number(n as u64 * 3),
            "metadata": manner.metadata(probability, *closed), "archived": manner.flag(false),
            "createdAt": "1970-01-01T00:00:00Z",
        })).collect();
            stages.reverse();
            stages.push(json!({
                "id": format!("old-{id}"), "label": "Long gone", "displayOrder": 0, "archived": true, "metadata": {},
            }));
            json!({
                "id": manner.property("pipeline", id), "label": label, "displayOrder": manner.number(*order),
                "archived": manner.flag(false), "stages": stages, "updatedAt": AN_HOUR_AGO,
            })
        })
        .collect();
    Reply::Json(200, json!({"results": results}))
}

pub fn owners(manner: Manner, world: &mut World, request: &Request) -> Reply {
    let wanted = request.query.get("archived").is_some_and(|archived| archived == "true");
    let all: Vec<_> = OWNERS.iter().filter(|owner| owner.5 == wanted).collect();
    let Some(from) = start(manner, world, request.query.get("after").map(String::as_str)) else {
        return Reply::Json(400, manner.error("VALIDATION_ERROR", "unknown cursor"));
    };
    let results: Vec<Value> = all.iter().skip(from).take(2).map(|(id, user, first, last, email, archived)| {
        let name = |name: &str| if name.is_empty() { Value::Null } else { json!(name) };
        json!({
            "id": manner.id(*id), "email": email, "type": "PERSON", "firstName": name(first), "lastName": name(last),
            "userId": if *archived { Value::Null } else { manner.number(*user) },
            "userIdIncludingInactive": manner.number(*user), "archived": manner.flag(*archived), "teams": null,
        })
    }).collect();
    let paging = more(manner, world, all.len() > from + 2, from + 2);
    Reply::Json(200, page(manner, results, paging))
}

/// Definitions of kinds nobody documented, some with almost nothing said of them.
pub fn definitions(manner: Manner) -> Reply {
    let mut results = vec![
        json!({"name": "amount", "type": "number", "label": "Amount"}),
        json!({"name": "x_place", "type": "object_coordinates", "label": "Place", "hidden": manner.flag(true)}),
        json!({"name": "hs_is_closed", "type": "bool", "label": "Closed", "calculated": manner.flag(true)}),
        json!({"name": "x_rank", "type": "enumeration", "label": "Rank", "options": [
            {"value": manner.property("amount", "2"), "label": "Second", "displayOrder": manner.number(1)},
            {"value": manner.property("amount", "1"), "label": "First", "displayOrder": manner.number(0)},
        ]}),
    ];
    if manner == Manner::Chatty {
        results.push(json!({
            "name": "x_blank", "label": null, "type": null, "options": null, "calculated": null, "hidden": null,
            "hasUniqueValue": null, "modificationMetadata": null,
        }));
        results.push(json!({
            "name": "x_pick", "label": "Pick", "type": "enumeration", "modificationMetadata": {"readOnlyValue": null},
            "options": [{"value": "a", "label": null, "displayOrder": null, "hidden": null}],
        }));
    }
    Reply::Json(200, json!({"results": results}))
}

/// Live or archived records by id, in pages that may be short, or empty with more to come.
pub fn list(manner: Manner, world: &mut World, request: &Request, kind: &'static str) -> Reply {
    let limit = request.query.get("limit").map_or(10, |limit| limit.parse().unwrap());
    let properties = request.list("properties");
    let history = request.list("propertiesWithHistory");
    let most = if history.is_empty() { 100 } else { 50 };
    if !(1..=most).contains(&limit) {
        return Reply::Json(400, manner.error("VALIDATION_ERROR", "bad limit"));
    }
    let Some(from) = start(manner, world, request.query.get("after").map(String::as_str)) else {
        return Reply::Json(400, manner.error("VALIDATION_ERROR", "unknown cursor"));
    };
    let archived = request
        .query
        .get("archived")
        .is_some_and(|archived| archived.eq_ignore_ascii_case("true"));
    let rows: Vec<&Row> = world
        .rows
        .iter()
        .filter(|((of, _), row)| *of == kind && row.archived == archived)
        .map(|(_, row)| row)
        .collect();
    let total = rows.len();
    // The second page of the terse one is empty.
    let is_gap = manner == Manner::Terse && from == 29 && !world.spent.contains(&"an empty page");
    let size = if is_gap { 0 } else { manner.page(limit) };
    let with = request.list("associations");
    let results: Vec<Value> = rows
        .into_iter()
        .skip(from)
        .take(size)
        .map(|row| {
            let mut value = record(manner, kind, row, &properties, &history);
            associated(manner, &mut value, row, &with);
            value
        })
        .collect();
    if is_gap {
        world.spent.push("an empty page");
    }
    // The chatty one only notices on an empty page that there is nothing more.
    let has_more = from + size < total || (manner == Manner::Chatty && size > 0 && from < total && total > size);
    let paging = more(manner, world, has_more, from + size);
    Reply::Json(200, page(manner, results, paging))
}

pub fn get(manner: Manner, world: &World, request: &Request, kind: &'static str, id: &str) -> Reply {
    let wants_archived = request.query.get("archived").is_some_and(|archived| archived == "true");
    let Some(row) = world.row(kind, id).filter(|row| row.archived == wants_archived) else {
        return Reply::Json(404, manner.error("", "resource not found"));
    };
    let mut value = record(
        manner,
        kind,
        row,
        &request.list("properties"),
        &request.list("propertiesWithHistory"),
    );
    associated(manner, &mut value, row, &request.list("associations"));
    Reply::Json(200, value)
}

pub fn batch(manner: Manner, world: &World, request: &Request, kind: &'static str) -> Reply {
    let ids = inputs(request);
    let history = texts(&request.body["propertiesWithHistory"]);
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() != ids.len() || ids.is_empty() || ids.len() > if history.is_empty() { 100 } else { 50 } {
        return Reply::Json(400, manner.error("VALIDATION_ERROR", "bad inputs"));
    }
    let properties = texts(&request.body["properties"]);
    let rows: Vec<&Row> = ids
        .iter()
        .filter_map(|id| world.row(kind, id))
        .filter(|row| !row.archived)
        .collect();
    let missing = ids.len() - rows.len();
    let mut results: Vec<Value> = rows
        .into_iter()
        .map(|row| record(manner, kind, row, &properties, &history))
        .collect();
    let third = results.len() / 3;
    results.rotate_left(third);
    results.reverse();
    let error = json!({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some objects."});
    Reply::Json(
        if missing > 0 { 207 } else { 200 },
        envelope(manner, results, missing, error),
    )
}

/// An answer to a batch of which some inputs had nothing: said fully, in part, or not at all.
fn envelope(manner: Manner, results: Vec<Value>, missing: usize, error: Value) -> Value {
    let mut body = json!({"status": "COMPLETE", "results": results});
    match manner {
        Manner::Terse if missing > 0 => {
            body["numErrors"] = json!(missing + 2);
            body["errors"] = json!([{"message": error["message"]}]);
        }
        Manner::Numeric if missing > 0 => body["numErrors"] = json!(missing.to_string()),
        Manner::Chatty if missing > 0 => body["errors"] = json!([error]),
        Manner::Chatty => body["errors"] = Value::Null,
        _ => {}
    }
    body
}

/// Three links at most for each input, and a cursor where there are more.
pub fn associations(
    manner: Manner,
    world: &mut World,
    request: &Request,
    from: &'static str,
    to: &'static str,
) -> Reply {
    let inputs: Vec<Value> = request.body["inputs"].as_array().cloned().unwrap_or_default();
    let (mut results, mut none) = (Vec::new(), 0);
    for input in &inputs {
        let id = input["id"].as_str().unwrap_or_default();
        let links = world
            .row(from, id)
            .and_then(|row| row.links.get(to))
            .cloned()
            .unwrap_or_default();
        let Some(begin) = start(manner, world, input["after"].as_str()) else {
            return Reply::Json(400, manner.error("VALIDATION_ERROR", "unknown cursor"));
        };
        if links.is_empty() {
            none += 1;
            continue;
        }
        let mut linked: Vec<Value> = links
            .iter()
            .skip(begin)
            .take(3)
            .map(|id| {
                json!({
                    "toObjectId": manner.linked_id(*id),
                    "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": manner.number(3), "label": null}],
                })
            })
            .collect();
        if manner == Manner::Chatty {
            linked.extend(linked.first().cloned());
        }
        let mut result = json!({"from": {"id": manner.id(id.parse().unwrap())}, "to": linked});
        if let Some(paging) = more(manner, world, links.len() > begin + 3, begin + 3) {
            result["paging"] = paging;
        }
        results.push(result);
    }
    results.reverse();
    let error = json!({
        "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": "No company is associated.", "context": {"fromObjectId": null},
    });
    Reply::Json(if none > 0 { 207 } else { 200 }, envelope(manner, results, none, error))
}

/// A search over an index that, with the chatty one, does not know of the last write, and answers a row nobody asked for.
pub fn search(manner: Manner, world: &mut World, request: &Request, kind: &'static str) -> Reply {
    let body = &request.body;
    let limit = body["limit"].as_u64().unwrap_or(10) as usize;
    let groups = body["filterGroups"].as_array().cloned().unwrap_or_default();
    if limit > 200 || groups.len() > 5 || body.to_string().len() > 3_000 {
        return Reply::Json(400, manner.error("VALIDATION_ERROR", "too much"));
    }
    let Some(from) = start(manner, world, body["after"].as_str()) else {
        return Reply::Json(400, manner.error("VALIDATION_ERROR", "unknown cursor"));
    };
    let mut known: Vec<Row> = world.live(kind).map(|row| indexed(manner, row).clone()).collect();
    let fits = |row: &Row| {
        let all = |group: &Value| {
            group["filters"]
                .as_array()
                .into_iter()
                .flatten()
                .all(|filter| matches(row, filter))
        };
        groups.is_empty() || groups.iter().any(all)
    };
    let outside = known.iter().find(|row| !fits(row)).cloned();
    known.retain(|row| fits(row));
    let sort = body["sorts"][0]["propertyName"]
        .as_str()
        .unwrap_or("createdate")
        .to_owned();
    known.sort_by(|a, b| a.get(&sort).cmp(b.get(&sort)));
    if body["sorts"][0]["direction"] == "DESCENDING" {
        known.reverse();
    }
    let total = known.len();
    let properties = texts(&body["properties"]);
    let size = manner.page(limit);
    let mut found: Vec<&Row> = known.iter().skip(from).take(size).collect();
    if manner == Manner::Chatty && from == 0 {
        found.extend(&outside);
    }
    let results: Vec<Value> = found
        .into_iter()
        .map(|row| record(manner, kind, row, &properties, &[]))
        .collect();
    let paging = more(manner, world, from + size < total, from + size);
    let mut answer = page(manner, results, paging);
    answer["total"] = if manner == Manner::Chatty {
        json!(10_000)
    } else {
        manner.number(total as u64)
    };
    Reply::Json(200, answer)
}

/// What the index has of a record.
fn indexed(manner: Manner, row: &Row) -> &Row {
    match &row.before {
        Some(before) if manner == Manner::Chatty => before,
        _ => row,
    }
}

fn matches(row: &Row, filter: &Value) -> bool {
    let name = filter["propertyName"].as_str().unwrap();
    let (has, wanted) = (row.get(name), filter["value"].as_str().unwrap_or_default());
    // Times are compared as milliseconds, ids as text.
    let (has, wanted) = match has.parse::<Timestamp>() {
        Ok(at) => (
            format!("{:020}", at.as_millisecond()),
            format!("{:020}", wanted.parse::<i64>().unwrap()),
        ),
        Err(_) => (has.to_owned(), wanted.to_owned()),
    };
    match filter["operator"].as_str().unwrap() {
        "EQ" => has == wanted,
        "LT" => has < wanted,
        "LTE" => has <= wanted,
        "GT" => has > wanted,
        "GTE" => has >= wanted,
        "BETWEEN" => has >= wanted && has.as_str() <= filter["highValue"].as_str().unwrap_or_default(),
        other => panic!("the stranger was never asked for {other}"),
    }
}

/// A record as this manner spells it.
pub fn record(manner: Manner, kind: &str, row: &Row, asked: &[String], history: &[String]) -> Value {
    let default: &[&str] = match kind {
        "deals" => &["amount", "closedate", "createdate", "dealname", "dealstage", "pipeline"],
        "contacts" => &["createdate", "email", "firstname", "lastname"],
        "companies" => &["createdate", "domain", "name"],
        _ => &["hs_createdate"],
    };
    let always = ["hs_object_id", truth::modified(kind)];
    let names = asked
        .iter()
        .chain(history)
        .map(String::as_str)
        .chain(default.iter().copied())
        .chain(always);
    let mut properties: Map<String, Value> = names
        // Nobody defined it: dropped, not null.
        .filter(|name| *name != "hs_merged_object_ids")
        .map(|name| {
            let value = row.properties.get(name).filter(|value| !value.is_empty());
            (
                name.to_owned(),
                value.map_or(Value::Null, |value| manner.property(name, value)),
            )
        })
        .collect();
    if manner == Manner::Chatty {
        let more = row.properties.iter().map(|(name, value)| (name.clone(), json!(value)));
        properties.extend(more.collect::<Vec<_>>());
    }
    let mut value = json!({
        "id": manner.id(row.id), "properties": properties, "archived": manner.flag(row.archived),
        "createdAt": row.get(truth::created(kind)), "updatedAt": row.get(truth::modified(kind)),
    });
    if !history.is_empty() {
        value["propertiesWithHistory"] = history
            .iter()
            .map(|name| (name.clone(), versions(manner, row, name)))
            .collect();
    } else if manner == Manner::Chatty {
        for name in ["propertiesWithHistory", "associations", "archivedAt", "warnings"] {
            value[name] = Value::Null;
        }
    }
    value
}

/// The versions of a property, newest first; the chatty one does not care.
fn versions(manner: Manner, row: &Row, name: &str) -> Value {
    let first = vec![(row.get(name).to_owned(), row.get("createdate").to_owned())];
    let kept = row.history.get(name).unwrap_or(&first);
    let mut versions: Vec<Value> = kept
        .iter()
        .map(|(value, at)| {
            json!({
                "value": manner.property(name, value), "timestamp": at, "sourceType": "INTEGRATION",
                "updatedByUserId": if manner == Manner::Chatty { Value::Null } else { manner.number(9_003) },
            })
        })
        .collect();
    if manner != Manner::Chatty {
        versions.reverse();
    }
    Value::Array(versions)
}

/// The associated ids asked for: once per type of association, and of some records only the first.
fn associated(manner: Manner, value: &mut Value, row: &Row, with: &[String]) {
    let mut all = BTreeMap::new();
    for kind in with {
        let links = row.links.get(kind.as_str()).cloned().unwrap_or_default();
        if links.is_empty() {
            continue;
        }
        let is_cut = manner == Manner::Numeric && links.len() > 2;
        let shown = if is_cut { &links[..1] } else { &links };
        let types: &[&str] = if manner == Manner::Chatty {
            &["deal_to_contact", "champion"]
        } else {
            &["any"]
        };
        let results: Vec<Value> = types
            .iter()
            .flat_map(|name| shown.iter().map(move |id| json!({"id": manner.id(*id), "type": name})))
            .collect();
        let mut list = json!({"results": results});
        if is_cut {
            list["paging"] = json!({"next": {"after": "of no use here"}});
        }
        all.insert(kind.clone(), list);
    }
    if !all.is_empty() {
        value["associations"] = json!(all);
    }
}

/// Where a cursor goes on; `None` when nobody handed it out.
fn start(manner: Manner, world: &World, cursor: Option<&str>) -> Option<usize> {
    let Some(cursor) = cursor else {
        return Some(0);
    };
    (0..world.cursors.len())
        .find(|n| plain(&manner.cursor(*n)) == cursor)
        .map(|n| world.cursors[n])
}

fn plain(cursor: &Value) -> String {
    cursor.as_str().map_or_else(|| cursor.to_string(), str::to_owned)
}

/// `paging` with a cursor, and without the link nobody needs; or none, in several ways.
fn more(manner: Manner, world: &mut World, has_more: bool, from: usize) -> Option<Value> {
    if has_more {
        let n = world.cursors.len();
        world.cursors.push(from);
        return Some(json!({"next": {"after": manner.cursor(n)}}));
    }
    match manner {
        Manner::Terse => None,
        Manner::Numeric => Some(json!({})),
        Manner::Chatty => Some(json!({"next": null, "prev": {"after": "0"}})),
    }
}

fn page(manner: Manner, results: Vec<Value>, paging: Option<Value>) -> Value {
    let mut page = json!({"results": results});
    if let Some(paging) = paging {
        page["paging"] = paging;
    } else if manner == Manner::Chatty {
        page["paging"] = Value::Null;
    }
    page
}

fn inputs(request: &Request) -> Vec<String> {
    let inputs = request.body["inputs"].as_array().into_iter().flatten();
    inputs
        .filter_map(|input| input["id"].as_str().map(str::to_owned))
        .collect()
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
