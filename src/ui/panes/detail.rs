//! One deal: where it stands, its properties, its notes, its people. Columns go where there is no room for them: people
//! first, then properties; the notes stay.

use ratatui::layout::Rect;

use crate::{
    app::{DealScreen, Geometry, Model},
    domain::{Deal, DealState, Pipeline, Stage, StageKind, format, stage_of},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::{Row, squeeze},
        theme::Token,
    },
};

use super::{notes, people, properties};

/// Cells of the column of properties and of the one of people.
const PROPERTIES: u16 = 46;
const PEOPLE: u16 = 44;

/// Draws the deal.
pub fn detail(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, screen: &DealScreen) {
    let (width, _) = geometry.size;
    let body = Rect {
        x: 1,
        y: geometry.body_top,
        width: width.saturating_sub(2),
        height: geometry.body_height,
    };
    let Some(deal) = model
        .deals
        .get(&screen.id)
        .or(screen.detail.as_ref().map(|detail| &detail.deal))
    else {
        let text = canvas.look.text("This deal is not in the mirror any more.");
        canvas.text(body.x, body.y, body.width, &text, Token::Muted);
        return;
    };
    let head = headline(canvas.look, model, deal, screen, body.width);
    canvas.row(body.x, body.y, body.width, head);
    let mut used = 2;
    if body.height >= 16 && body.width >= 58 {
        rail(canvas, model, deal, Rect { y: body.y + 2, ..body });
        used = 5;
    }
    let body = Rect {
        y: body.y + used,
        height: body.height.saturating_sub(used),
        ..body
    };
    columns(canvas, model, screen, deal, body, geometry);
}

fn columns(canvas: &mut Canvas<'_>, model: &Model, screen: &DealScreen, deal: &Deal, body: Rect, geometry: &Geometry) {
    let width = geometry.size.0;
    let mut middle = body;
    if width >= 140 {
        let plane = Rect {
            x: width - PEOPLE,
            y: body.y.saturating_sub(1),
            width: PEOPLE,
            height: body.height + 1,
        };
        canvas.plane(plane, Token::Surface);
        let right = Rect {
            x: plane.x + 2,
            width: PEOPLE - 3,
            ..body
        };
        let rest = people::people(canvas, model, screen, right);
        notes::preview(canvas, model, screen, rest);
        middle.width = middle.width.saturating_sub(PEOPLE + 1);
    }
    if width >= 90 {
        let cells = if width >= 120 { PROPERTIES } else { 36 };
        let left = Rect {
            width: cells.min(body.width),
            ..body
        };
        properties::properties(canvas, model, screen, deal, left);
        middle.x += cells + 2;
        middle.width = middle.width.saturating_sub(cells + 2);
    }
    notes::timeline(canvas, model, screen, middle);
}

/// Name, company, owner, age; amount × probability; when it closes; what waits.
fn headline<'l>(look: &'l Look, model: &Model, deal: &Deal, screen: &DealScreen, room: u16) -> Row<'l> {
    let zone = model.facts.zone();
    let currency = deal.currency.as_deref().unwrap_or(model.facts.currency());
    let name = if deal.name.trim().is_empty() {
        "no name"
    } else {
        deal.name.trim()
    };
    let mut parts = vec![(0, look.row().add(name, Token::Strong.bold()))];
    if let Some(company) = screen.detail.as_ref().and_then(|detail| detail.companies.first()) {
        parts.push((6, look.row().add(&company.name, Token::Text)));
    }
    if let Some(owner) = deal.owner.as_ref().and_then(|id| model.facts.owners.get(id)) {
        parts.push((5, look.row().add("owner ", Token::Muted).add(owner.name(), Token::Text)));
    }
    let open = deal.state(&model.facts.pipelines) == DealState::Open;
    if open {
        let days = (model.now.as_second() - deal.created.as_second()).max(0) / 86_400;
        let days = format::plural(u64::try_from(days).unwrap_or(0), "day", "days");
        parts.push((7, look.row().add(format!("open {days}"), Token::Muted)));
    }
    parts.push((1, amount(look, model, deal, currency)));
    if let Some(date) = deal.close_date(&zone) {
        parts.push((2, closes(look, model, date, open)));
    }
    if let Some(category) = deal.category.as_deref().filter(|text| !text.is_empty()) {
        let words = format!(" {} ", properties::category(category));
        parts.push((8, look.row().add(words, Token::Info.filled())));
    }
    squeeze(look, parts, 3, room)
}

/// `$96.0K × 60% = $57.6K`
fn amount<'l>(look: &'l Look, model: &Model, deal: &Deal, currency: &str) -> Row<'l> {
    let Some(amount) = deal.amount else {
        return look.row().add("no amount", Token::Warn);
    };
    let probability = deal.probability(&model.facts.pipelines);
    look.row()
        .add(format::money_short(amount, currency), Token::Strong.bold())
        .add(format!(" × {} = ", format::percent(probability)), Token::Muted)
        .add(
            format::money_short(amount.saturating_mul(probability), currency),
            Token::Strong.bold(),
        )
}

fn closes<'l>(look: &'l Look, model: &Model, date: jiff::civil::Date, open: bool) -> Row<'l> {
    let away = (date - model.today()).get_days();
    let days = format::plural(u64::from(away.unsigned_abs()), "day", "days");
    let spoken = format::day_spoken(date, model.today());
    let (word, ink, when) = match (open, away) {
        (true, 0) => ("closes ", Token::Strong.bold(), " today".to_owned()),
        (true, 1..) => ("closes ", Token::Strong.bold(), format!(" in {days}")),
        (true, _) => ("should have closed ", Token::Bad.bold(), format!(" {days} ago")),
        (false, _) => ("closed ", Token::Strong.bold(), String::new()),
    };
    look.row()
        .add(word, Token::Muted)
        .add(spoken, ink)
        .add(when, Token::Muted)
}

/// The stages as a rail: passed, here, ahead. It shows the open stages and the end the deal is at or hopes for.
fn rail(canvas: &mut Canvas<'_>, model: &Model, deal: &Deal, area: Rect) {
    let Some((pipeline, here)) = stage_of(&model.facts.pipelines, &deal.stage) else {
        return;
    };
    let stages = on_the_rail(pipeline, here);
    let position = stages.iter().position(|stage| stage.id == deal.stage).unwrap_or(0);
    let count = u16::try_from(stages.len()).unwrap_or(u16::MAX).max(1);
    let step = if count > 1 {
        area.width.saturating_sub(10) / (count - 1)
    } else {
        area.width
    };
    for (nth, stage) in stages.iter().enumerate() {
        let x = area.x + u16::try_from(nth).unwrap_or(0) * step;
        let (glyph, token) = match nth.cmp(&position) {
            std::cmp::Ordering::Less => (Glyph::Passed, Token::Good),
            std::cmp::Ordering::Equal => (Glyph::Here, Token::Accent),
            std::cmp::Ordering::Greater => (Glyph::Ahead, Token::Muted),
        };
        canvas.sign(x, area.y, glyph, token.bold());
        if nth + 1 < stages.len() {
            let cells = step.saturating_sub(3);
            if nth < position {
                let full = canvas.look.glyphs.sign(Glyph::BarFull).repeat(usize::from(cells));
                canvas.row(x + 2, area.y, cells, canvas.look.row().add(full, Token::Good));
            } else {
                canvas.rule(x + 2, area.y, cells);
            }
        }
        let room = if nth + 1 < stages.len() {
            step.saturating_sub(2)
        } else {
            area.right().saturating_sub(x)
        };
        let row = rail_label(canvas.look, model, deal, stage, (nth, position), room);
        canvas.row(x, area.y + 1, room, row);
    }
}

fn rail_label<'l>(
    look: &'l Look,
    model: &Model,
    deal: &Deal,
    stage: &Stage,
    (nth, position): (usize, usize),
    room: u16,
) -> Row<'l> {
    if nth == position {
        let days = format!(" {}d so far", deal.days_in_stage(model.now));
        let label = look.row().add(&stage.label, Token::Accent.bold());
        if stage.kind() == StageKind::Open && label.width() + look.text(&days).width() <= room {
            return label.add(days, Token::Muted);
        }
        return label;
    }
    let token = if nth < position { Token::Text } else { Token::Muted };
    look.row().add(&stage.label, token)
}

fn on_the_rail<'p>(pipeline: &'p Pipeline, here: &Stage) -> Vec<&'p Stage> {
    let end = if here.kind() == StageKind::Open {
        None
    } else {
        Some(&here.id)
    };
    let open = pipeline.stages.iter().filter(|stage| stage.kind() == StageKind::Open);
    let end = pipeline.stages.iter().find(|stage| match end {
        Some(id) => stage.id == *id,
        None => stage.kind() == StageKind::Won,
    });
    open.chain(end).collect()
}
