//! The left column of a deal: what HubSpot has about it, exact, and the next step.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::{
    app::{DealScreen, Model},
    domain::{Deal, DealDetail, PropertyDefinition, format, parse_time, stage_of},
    ui::{canvas::Canvas, look::Ink, theme::Token, widgets::section::section},
};

use super::marks::{Marks, Step};

/// Cells of the labels; they get more where a label needs it, up to half of the column.
const LABEL: u16 = 14;

/// Shown first, under these words, where they are set.
const FIRST: [(&str, &str); 3] = [
    ("dealtype", "Type"),
    ("hs_analytics_source", "Source"),
    ("hs_priority", "Priority"),
];

/// Shown by name above, or in the headline, or nothing a person reads.
const SHOWN_ELSEWHERE: [&str; 18] = [
    "amount",
    "amount_in_home_currency",
    "closedate",
    "createdate",
    "days_to_close",
    "deal_currency_code",
    "dealname",
    "dealstage",
    "dealtype",
    "description",
    "hubspot_owner_assigneddate",
    "hubspot_owner_id",
    "hubspot_team_id",
    "notes_last_contacted",
    "notes_last_updated",
    "notes_next_activity_date",
    "num_notes",
    "pipeline",
];

/// Draws properties and next step.
pub fn properties(canvas: &mut Canvas<'_>, model: &Model, screen: &DealScreen, deal: &Deal, area: Rect) {
    let look = canvas.look;
    section(canvas, (area.x, area.y), area.width, "Properties", look.row());
    let mut y = area.y + 1;
    let next_step = 4;
    let bottom = area.bottom().saturating_sub(next_step);
    let mut rows = known(model, deal);
    if let Some(detail) = &screen.detail {
        rows.extend(first(detail));
        rows.extend(others(model, detail));
    }
    let labels = rows.iter().map(|(label, ..)| look.text(label).width() + 1).max();
    let labels = labels.unwrap_or(LABEL).max(LABEL).min(area.width / 2);
    let left_out = rows.len().saturating_sub(usize::from(bottom.saturating_sub(y)));
    for (label, value, ink) in rows {
        if y >= bottom {
            break;
        }
        let row = look
            .row()
            .add_safe(look.text(&label).fit(labels.saturating_sub(1)), Token::Muted)
            .pad_to(labels)
            .add_safe(look.text(&value).fit(area.width.saturating_sub(labels)), ink);
        canvas.row(area.x, y, area.width, row);
        y += 1;
    }
    if left_out > 0 {
        let more = format!("… {} more", format::count(left_out as u64));
        let row = look.row().add(more, Token::Muted);
        canvas.row_right(area.x + area.width, area.y, area.width, look.row().blank(1).join(row));
    }
    step(
        canvas,
        model,
        deal,
        Rect {
            y: y + 1,
            height: area.bottom().saturating_sub(y + 1),
            ..area
        },
    );
}

type Property = (String, String, Ink);

fn known(model: &Model, deal: &Deal) -> Vec<Property> {
    let unknown = || format::UNKNOWN.to_owned();
    let currency = deal.currency.as_deref().unwrap_or(model.facts.currency());
    let amount = deal
        .amount
        .map_or_else(unknown, |amount| format::money_exact(amount, currency));
    let close = deal
        .close_date(&model.facts.zone())
        .map_or_else(unknown, format::day_exact);
    let stage = stage_of(&model.facts.pipelines, &deal.stage);
    let label = stage.map_or_else(|| deal.stage.to_string(), |(_, stage)| stage.label.clone());
    let from = if deal.probability.is_some() { "" } else { " from stage" };
    let probability = format!("{}{from}", format::percent(deal.probability(&model.facts.pipelines)));
    let owner = deal.owner.as_ref().and_then(|id| model.facts.owners.get(id));
    let owner = owner.map_or_else(unknown, crate::domain::Owner::name);
    let forecast = deal.category.as_deref().map_or_else(unknown, category);
    let row = |label: &str, value: String, ink: Ink| (label.to_owned(), value, ink);
    vec![
        row("Amount", amount, Token::Strong.bold()),
        row("Close date", close, Token::Strong.bold()),
        row("Stage", label, Token::Text.into()),
        row("Probability", probability, Token::Text.into()),
        row("Forecast", forecast, Token::Text.into()),
        row("Owner", owner, Token::Text.into()),
    ]
}

/// What people look for next, where it is set.
fn first(detail: &DealDetail) -> impl Iterator<Item = Property> {
    FIRST.iter().filter_map(|(name, label)| {
        let value = set(detail, name)?;
        let definition = definition(detail, name);
        Some(((*label).to_owned(), worded(definition, value), Token::Text.into()))
    })
}

/// Whatever else a person has set, under its label. What HubSpot computes repeats what is above and is left out.
fn others(model: &Model, detail: &DealDetail) -> Vec<Property> {
    let zone = model.facts.zone();
    let shown = detail
        .properties
        .keys()
        .filter(|name| !name.starts_with("hs_") && !SHOWN_ELSEWHERE.contains(&name.as_str()));
    shown
        .filter_map(|name| {
            let value = set(detail, name)?;
            let definition = definition(detail, name);
            if definition.is_some_and(|definition| definition.hidden || definition.read_only) {
                return None;
            }
            let label = definition.map_or(name.as_str(), |definition| definition.label.as_str());
            let value = match definition.map(|definition| definition.kind.as_str()) {
                Some("date") => parse_time(value).map(|at| at.to_zoned(TimeZone::UTC).date()),
                Some("datetime") => parse_time(value).map(|at| at.to_zoned(zone.clone()).date()),
                _ => None,
            }
            .map_or_else(|| worded(definition, value), format::day_exact);
            Some((label.to_owned(), value, Token::Text.into()))
        })
        .collect()
}

fn set<'d>(detail: &'d DealDetail, name: &str) -> Option<&'d str> {
    let value = detail.properties.get(name)?.as_deref()?;
    Some(value).filter(|value| !value.trim().is_empty())
}

fn definition<'d>(detail: &'d DealDetail, name: &str) -> Option<&'d PropertyDefinition> {
    detail.definitions.iter().find(|definition| definition.name == name)
}

/// A value as people read it: an option's label.
fn worded(definition: Option<&PropertyDefinition>, value: &str) -> String {
    let option = definition.and_then(|definition| definition.options.iter().find(|(key, _)| key == value));
    option.map_or(value, |(_, label)| label.as_str()).to_owned()
}

/// A forecast category as people read it: HubSpot's internal names are upper case with underscores.
#[must_use]
pub fn category(word: &str) -> String {
    let lower = word.replace('_', " ").to_lowercase();
    let mut chars = lower.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn step(canvas: &mut Canvas<'_>, model: &Model, deal: &Deal, area: Rect) {
    if area.height < 2 {
        return;
    }
    let look = canvas.look;
    section(canvas, (area.x, area.y), area.width, "Next step", look.row());
    let marks = Marks::of(model, deal);
    if !marks.open {
        return;
    }
    let step = marks.step();
    let (glyph, token) = step.sign();
    canvas.sign(area.x, area.y + 1, glyph, token);
    let text = deal.next_step.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let words = text.unwrap_or(if step == Step::None {
        "none"
    } else {
        "an activity is planned"
    });
    let ink = if text.is_some() { Token::Text } else { Token::Muted };
    canvas.text(
        area.x + 2,
        area.y + 1,
        area.width.saturating_sub(2),
        &look.text(words),
        ink,
    );
    if let Some(at) = deal.next_activity.filter(|_| area.height > 2) {
        let zone = model.facts.zone();
        let date = at.to_zoned(zone.clone()).date();
        let away = (date - model.today()).get_days();
        let days = format::plural(u64::from(away.unsigned_abs()), "day", "days");
        let when = match away {
            0 => "today".to_owned(),
            1.. => format!("in {days}"),
            _ => format!("{days} ago"),
        };
        let row = look
            .row()
            .blank(2)
            .add(
                format!(
                    "{} {}",
                    format::day_spoken(date, model.today()),
                    format::clock(at, &zone)
                ),
                token,
            )
            .add(format!(" {when}"), Token::Muted);
        canvas.row(area.x, area.y + 2, area.width, row);
    }
}
