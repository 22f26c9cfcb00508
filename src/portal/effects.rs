//! What HubSpot does by itself when a record is written: dates of stages, probabilities, weighted amounts, closing.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::clock::{DAY, iso, parse};
use super::kinds::ObjectType;
use super::pipelines::Pipeline;
use super::record::{Actor, Record};

/// What the calculations need to know about the account.
pub(super) struct Rules<'a> {
    pub pipelines: &'a [Pipeline],
    pub home_currency: &'a str,
    /// A closing stage leaves a close date alone that is set.
    pub keeps_close_date: bool,
    /// Times in a stage are counted in seconds rather than milliseconds.
    pub counts_seconds: bool,
}

/// Writes values into a record and lets everything follow that HubSpot derives from them. True when anything changed.
pub(super) fn write(
    object: ObjectType,
    record: &mut Record,
    values: &BTreeMap<String, String>,
    rules: &Rules<'_>,
    at: i64,
    by: &Actor,
) -> bool {
    let stage = object.pipeline_properties().map(|(_, stage)| stage);
    let stage_before = stage.and_then(|name| record.get(name)).map(str::to_owned);
    let mut changed = false;
    for (name, value) in values {
        changed |= record.set(name.clone(), value, at, by);
    }
    if !changed {
        return false;
    }
    let stage_changed = stage.and_then(|name| record.get(name)) != stage_before.as_deref();
    match object {
        ObjectType::Deals => {
            if stage_changed {
                enter_stage(record, stage_before.as_deref(), values, rules, at, by);
            }
            derive_deal(record, rules);
        }
        ObjectType::Tickets if stage_changed => {
            let closed = rules
                .pipelines
                .iter()
                .find_map(|p| p.stage(record.get("hs_pipeline_stage")?))
                .is_some_and(|s| s.closed);
            record.calculate("closed_date", if closed { iso(at) } else { String::new() });
        }
        ObjectType::Contacts => derive_contact(record),
        ObjectType::Tasks if values.contains_key("hs_task_status") => {
            let done = record.get("hs_task_status") == Some("COMPLETED");
            record.calculate("hs_task_completion_date", if done { iso(at) } else { String::new() });
        }
        ObjectType::Notes => record.calculate("hs_body_preview", plain(record.get("hs_note_body").unwrap_or_default())),
        _ => {}
    }
    touch(object, record, at, by);
    true
}

/// Moves the modified date, as every change does.
pub(super) fn touch(object: ObjectType, record: &mut Record, at: i64, by: &Actor) {
    record.calculate(object.modified_property(), iso(at));
    if let Some(user) = by.user {
        record.calculate("hs_updated_by_user_id", user.to_string());
    }
}

/// The dates of leaving one stage and entering another; a closing stage stamps the close date unless the same write set it.
fn enter_stage(
    record: &mut Record,
    before: Option<&str>,
    values: &BTreeMap<String, String>,
    rules: &Rules<'_>,
    at: i64,
    by: &Actor,
) {
    let Some(now) = record.get("dealstage").map(str::to_owned) else {
        return;
    };
    if let Some(before) = before {
        record.calculate(format!("hs_v2_date_exited_{before}"), iso(at));
        if let Some(entered) = record.get(&format!("hs_v2_date_entered_{before}")).and_then(parse) {
            let cumulative = format!("hs_v2_cumulative_time_in_{before}");
            let spent: i64 = record.get(&cumulative).and_then(|text| text.parse().ok()).unwrap_or(0);
            let stay = if rules.counts_seconds {
                (at - entered) / 1_000
            } else {
                at - entered
            };
            record.calculate(cumulative, (spent + stay).to_string());
            record.calculate(format!("hs_v2_latest_time_in_{before}"), stay.to_string());
        }
    }
    record.calculate(format!("hs_v2_date_entered_{now}"), iso(at));
    record.calculate(format!("hs_v2_date_exited_{now}"), "");
    record.calculate("hs_v2_date_entered_current_stage", iso(at));
    record.calculate("hs_v2_time_in_current_stage", iso(at));
    let Some(stage) = rules.pipelines.iter().find_map(|pipeline| pipeline.stage(&now)) else {
        return;
    };
    if !values.contains_key("hs_deal_stage_probability") {
        record.calculate(
            "hs_deal_stage_probability",
            stage.probability.clone().unwrap_or_default(),
        );
    }
    let kept = rules.keeps_close_date && record.get("closedate").is_some();
    if stage.closed && !values.contains_key("closedate") && !kept {
        record.set("closedate", &iso(at), at, by);
    }
    record.calculate("hs_closed_won_date", if stage.won() { iso(at) } else { String::new() });
}

/// Everything a deal shows that follows from its stage, amount and currency.
pub(super) fn derive_deal(record: &mut Record, rules: &Rules<'_>) {
    let stage = record
        .get("dealstage")
        .and_then(|id| rules.pipelines.iter().find_map(|pipeline| pipeline.stage(id)));
    let (closed, won, lost) = stage.map_or((false, false, false), |stage| (stage.closed, stage.won(), stage.lost()));
    record.calculate("hs_is_closed", closed.to_string());
    record.calculate("hs_is_closed_won", won.to_string());
    record.calculate("hs_is_closed_lost", lost.to_string());
    record.calculate("hs_is_open_count", if closed { "0" } else { "1" });
    let number = |record: &Record, name: &str| record.get(name).and_then(|text| text.parse::<Decimal>().ok());
    let amount = number(record, "amount");
    let foreign = record
        .get("deal_currency_code")
        .is_some_and(|code| code != rules.home_currency);
    let rate = if foreign {
        number(record, "hs_exchange_rate")
    } else {
        Some(Decimal::ONE)
    };
    let home = amount.and_then(|amount| amount.checked_mul(rate?));
    let chance = number(record, "hs_deal_stage_probability");
    let text = |value: Option<Decimal>| value.map_or_else(String::new, |value| value.normalize().to_string());
    record.calculate("amount_in_home_currency", text(home));
    record.calculate("hs_projected_amount", text(amount.and_then(|a| a.checked_mul(chance?))));
    record.calculate(
        "hs_projected_amount_in_home_currency",
        text(home.and_then(|a| a.checked_mul(chance?))),
    );
    record.calculate(
        "hs_closed_amount",
        text(amount.map(|amount| if won { amount } else { Decimal::ZERO })),
    );
    let days = |record: &Record| Some((parse(record.get("closedate")?)? - parse(record.get("createdate")?)?) / DAY);
    let to_close = won
        .then(|| days(record))
        .flatten()
        .map_or_else(String::new, |days| days.max(0).to_string());
    record.calculate("days_to_close", to_close);
}

fn derive_contact(record: &mut Record) {
    let name = [record.get("firstname"), record.get("lastname")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let email = record.get("email").unwrap_or_default().to_owned();
    record.calculate(
        "hs_email_domain",
        email.split_once('@').map_or("", |(_, domain)| domain),
    );
    record.calculate("hs_full_name_or_email", if name.is_empty() { email } else { name });
}

/// HTML without its tags, as a preview shows it.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}
