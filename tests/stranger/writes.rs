//! Everything that can be written. Answers hold little: what was touched, or nothing at all.

use serde_json::{Value, json};

use super::{
    http::Request,
    manner::Manner,
    reads::record,
    server::Reply,
    truth::{self, STAGES, World},
};

/// Properties only the server sets, and those it knows.
const WRITABLE: [&str; 8] = [
    "dealstage",
    "pipeline",
    "amount",
    "dealname",
    "hs_next_step",
    "hs_timestamp",
    "hs_note_body",
    "hubspot_owner_id",
];

/// The properties of a body, when all of them may be written.
fn values(manner: Manner, request: &Request) -> Result<Vec<(String, String)>, Reply> {
    let map = request.body["properties"].as_object().cloned().unwrap_or_default();
    let bad = map
        .iter()
        .find(|(name, value)| !WRITABLE.contains(&name.as_str()) || !value.is_string());
    if map.is_empty() || bad.is_some() {
        return Err(Reply::Json(
            400,
            manner.error("VALIDATION_ERROR", &format!("Property values were not valid: {bad:?}")),
        ));
    }
    Ok(map
        .into_iter()
        .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
        .collect())
}

pub fn update(manner: Manner, world: &mut World, request: &Request, kind: &'static str, id: &str) -> Reply {
    let values = match values(manner, request) {
        Ok(values) => values,
        Err(refused) => return refused,
    };
    let at = world.now();
    let key = (kind, id.parse().unwrap_or_default());
    let Some(row) = world.rows.get_mut(&key).filter(|row| !row.archived) else {
        return Reply::Json(404, manner.error("", "resource not found"));
    };
    row.before = Some(Box::new(row.clone()));
    for (name, value) in &values {
        if name == "dealstage" {
            let Some((_, _, _, probability, closed)) = STAGES.iter().find(|stage| stage.1 == value) else {
                return Reply::Json(
                    400,
                    manner.error("VALIDATION_ERROR", &format!("{value} is not a valid stage")),
                );
            };
            row.set("hs_deal_stage_probability", probability, &at);
            row.set("hs_is_closed", &closed.to_string(), &at);
            row.set(
                "hs_is_closed_won",
                &(*closed && probability.starts_with('1')).to_string(),
                &at,
            );
            row.set("hs_v2_date_entered_current_stage", &at, &at);
        }
        row.set(name, value, &at);
    }
    row.properties.insert(truth::modified(kind).to_owned(), at);
    let touched: Vec<String> = values.into_iter().map(|(name, _)| name).collect();
    match manner {
        Manner::Numeric => Reply::Bare(204),
        _ => Reply::Json(200, record(manner, kind, row, &touched, &[])),
    }
}

pub fn create(manner: Manner, world: &mut World, request: &Request, kind: &'static str) -> Reply {
    let values = match values(manner, request) {
        Ok(values) => values,
        Err(refused) => return refused,
    };
    let links: Vec<(u64, u64)> = request.body["associations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|link| {
            let to = link["to"]["id"].as_str()?.parse().ok()?;
            Some((link["types"][0]["associationTypeId"].as_u64()?, to))
        })
        .collect();
    let target = |type_id: u64| match type_id {
        214 => Some("deals"),
        202 => Some("contacts"),
        190 => Some("companies"),
        _ => None,
    };
    let is_known =
        |(type_id, to): &(u64, u64)| target(*type_id).is_some_and(|to_kind| world.rows.contains_key(&(to_kind, *to)));
    if kind != "notes" || links.is_empty() || !links.iter().all(is_known) {
        return Reply::Json(
            400,
            manner.error("VALIDATION_ERROR", "One or more associations are invalid"),
        );
    }
    let (id, at) = (world.new_id(), world.now());
    let values: Vec<(&str, String)> = values
        .iter()
        .map(|(name, value)| {
            let kept = if name == "hs_note_body" {
                rewritten(manner, value)
            } else {
                value.clone()
            };
            (name.as_str(), kept)
        })
        .collect();
    world.add(kind, id, &at, &values);
    for (type_id, to) in links {
        if let Some(to_kind) = target(type_id) {
            world.link((kind, id), (to_kind, to));
        }
    }
    let row = &world.rows[&(kind, id)];
    let asked: Vec<String> = row.properties.keys().cloned().collect();
    match manner {
        Manner::Numeric => Reply::Json(200, record(manner, kind, row, &asked, &[])),
        _ => Reply::Json(201, record(manner, kind, row, &asked, &[])),
    }
}

/// A note's markup as it is kept: other tags around the same words.
fn rewritten(manner: Manner, html: &str) -> String {
    match manner {
        Manner::Terse => format!("<p>{}</p>", html.replace("<br>", "</p><p>")),
        Manner::Numeric => html.replace("<br>", "<br />"),
        Manner::Chatty => {
            format!("<div style=\"\" dir=\"auto\" data-top-level=\"true\"><p style=\"margin:0;\">{html}</p></div>")
        }
    }
}

pub fn archive(manner: Manner, world: &mut World, kind: &'static str, id: &str) -> Reply {
    let at = world.now();
    if let Some(row) = world.rows.get_mut(&(kind, id.parse().unwrap_or_default())) {
        row.archived = true;
        row.properties.insert(truth::modified(kind).to_owned(), at);
    }
    match manner {
        Manner::Chatty => Reply::Bare(200),
        Manner::Numeric => Reply::Json(200, json!({"status": "COMPLETE", "results": Value::Array(Vec::new())})),
        Manner::Terse => Reply::Bare(204),
    }
}
