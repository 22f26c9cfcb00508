//! The line above the hints: what was just said, else the focused deal in words. Cards speak in marks; nobody has to learn
//! them, because this line says the same.

use ratatui::layout::Rect;

use crate::{
    app::{Geometry, Model, SaidKind, Screen},
    domain::{Deal, format},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::{Row, squeeze_with},
        theme::Token,
    },
};

use super::{
    marks::{Marks, Step},
    outbox,
};

/// Draws the context line.
pub fn context(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    if !geometry.context {
        return;
    }
    let (width, height) = geometry.size;
    let area = Rect {
        x: 1,
        y: height.saturating_sub(2),
        width: width.saturating_sub(2),
        height: 1,
    };
    let look = canvas.look;
    let row = match (&model.said, model.focused()) {
        (Some(_), _) => said(look, model),
        (None, _) if matches!(model.screen, Screen::Outbox(_)) => outbox::context(look, model),
        (None, Some(deal)) => words(look, model, deal, area.width),
        (None, None) => return,
    };
    canvas.row(area.x, area.y, area.width, row);
}

/// The last thing said to the person. A receipt says what waits before it and what takes it back.
pub fn said<'l>(look: &'l Look, model: &Model) -> Row<'l> {
    let Some(said) = &model.said else { return look.row() };
    match said.kind {
        SaidKind::Kept => {
            let mut row = look
                .row()
                .sign(Glyph::Landed, Token::Good.bold())
                .add(" kept", Token::Good.bold())
                .blank(2)
                .add(&said.text, Token::Text);
            if matches!(model.freshness.connection, crate::domain::Connection::Offline { .. }) {
                let waiting = format!("waiting for the network, {} in line", model.outbox.waiting().max(1));
                row = row.blank(3).add(waiting, Token::Muted);
            }
            row.blank(3).add("u", Token::Accent.bold()).add(" undo", Token::Muted)
        }
        SaidKind::Info => look.row().add(&said.text, Token::Text),
        SaidKind::Fault => look.row().add("! ", Token::Warn.bold()).add(&said.text, Token::Text),
    }
}

/// The deal in words: full name, then every mark. Less important words go where there is no room.
fn words<'l>(look: &'l Look, model: &Model, deal: &Deal, room: u16) -> Row<'l> {
    let marks = Marks::of(model, deal);
    let name = if deal.name.trim().is_empty() {
        "no name"
    } else {
        deal.name.trim()
    };
    let short = room < 110;
    // With one line per deal the row above has the name already, and the line is needed for words.
    let name = match look.text(name) {
        _ if room < 70 => look.row(),
        name if short => look
            .row()
            .add_safe(name.fit(room * 3 / 10), Token::Strong.bold())
            .blank(3),
        name => look.row().add_safe(name, Token::Strong.bold()).blank(3),
    };
    let mut parts: Vec<(u8, Row<'_>)> = Vec::new();
    let mut fact = |drop: u8, row: Row<'l>| parts.push((drop, row));
    let days = u64::try_from(deal.days_in_stage(model.now)).unwrap_or(0);
    let muted = |text: String| look.row().add(text, Token::Muted);
    if short {
        fact(3, muted(format!("{days} d")));
    } else {
        fact(3, muted(format!("{} in stage", format::plural(days, "day", "days"))));
    }
    if marks.open {
        let step = next_step(model, deal, &marks);
        let step = if short {
            look.text(step.strip_prefix("next step ").unwrap_or(&step)).fit(20)
        } else {
            look.text(&step)
        };
        fact(2, look.row().add_safe(step, Token::Muted));
        fact(4, muted(touched(model, deal)));
    }
    if deal.amount.is_none() && marks.open {
        fact(6, look.row().add("no amount", Token::Warn));
    }
    if let Some(owner) = deal.owner.as_ref().filter(|id| Some(*id) != model.facts.me.as_ref()) {
        let name = model
            .facts
            .owners
            .get(owner)
            .map_or_else(|| owner.to_string(), crate::domain::Owner::name);
        fact(5, look.row().add(name, Token::Info));
    }
    if let Some(write) = marks.write() {
        let (glyph, token) = write.sign();
        fact(
            1,
            look.row()
                .sign(glyph, token.bold())
                .blank(1)
                .add(write.words(model), token),
        );
    }
    let dot = look.row().blank(1).sign(Glyph::Dot, Token::Muted).blank(1);
    let room = room.saturating_sub(name.width());
    name.join(squeeze_with(look, parts, &dot, room))
}

fn next_step(model: &Model, deal: &Deal, marks: &Marks<'_>) -> String {
    let zone = model.facts.zone();
    let day = deal.next_activity.map(|at| at.to_zoned(zone).date());
    let text = deal.next_step.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let when = match (marks.step(), day) {
        (Step::None, _) => return "no next step".to_owned(),
        (Step::Today, _) => Some("today".to_owned()),
        (Step::Overdue, Some(day)) => Some(format!("overdue since {}", format::day_spoken(day, model.today()))),
        (_, day) => day.map(|day| format::day_spoken(day, model.today())),
    };
    match (when, text) {
        (Some(when), Some(text)) => format!("next step {when}: {text}"),
        (Some(when), None) => format!("next step {when}"),
        (None, text) => format!("next step {}", text.unwrap_or("planned")),
    }
}

fn touched(model: &Model, deal: &Deal) -> String {
    match u64::try_from(deal.idle_days(model.now)).unwrap_or(0) {
        0 => "touched today".to_owned(),
        days => format!("touched {} ago", format::plural(days, "day", "days")),
    }
}
