//! The finder: deals by type-ahead over everything in the mirror.

use ratatui::layout::Rect;

use crate::{
    app::{Finder, Geometry, Hit, Model},
    domain::{format, stage_of},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Ink,
        theme::Token,
        widgets::{
            field::field,
            overlay::{self, Shape},
        },
    },
};

use super::{keys, marks::Marks};

const WIDTH: u16 = 88;
const HEIGHT: u16 = 25;

/// Draws the finder.
pub fn finder(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, finder: &Finder) {
    let look = canvas.look;
    let shape = Shape {
        width: WIDTH,
        height: HEIGHT,
        whole_screen: false,
    };
    let fact = format!(
        "{} of {}",
        format::count(finder.matching as u64),
        format::count(model.deals.len() as u64)
    );
    let title = look.row().add("Find", Token::Strong.bold());
    let inner = overlay::open(canvas, geometry, &shape, title, look.row().add(fact, Token::Muted));
    let body = keys::foot(canvas, model, inner, look.row(), look.row());
    if body.height < 4 {
        return;
    }
    let typed = look
        .row()
        .sign(Glyph::Prompt, Token::Accent.bold())
        .blank(1)
        .join(field(
            look,
            &finder.query,
            body.width.saturating_sub(30),
            Token::Strong.bold(),
        ));
    let hint = if finder.query.text.is_empty() {
        "type the beginning of words"
    } else {
        "deals"
    };
    canvas.ends(
        Rect {
            y: body.y + 1,
            height: 1,
            ..body
        },
        typed,
        look.row().add(hint, Token::Muted),
    );
    canvas.rule(body.x, body.y + 2, body.width);
    let list = Rect {
        y: body.y + 3,
        height: body.height - 3,
        ..body
    };
    if finder.hits.is_empty() && !finder.query.text.is_empty() {
        let row = look
            .row()
            .add("Nothing matches '", Token::Muted)
            .add(&finder.query.text, Token::Text)
            .add("'.", Token::Muted);
        canvas.row(list.x, list.y, list.width, row);
    }
    let room = usize::from(list.height);
    let first = overlay::scrolled(finder.chosen, finder.hits.len(), room);
    for (nth, hit) in finder.hits.iter().enumerate().skip(first).take(room) {
        let y = list.y + u16::try_from(nth - first).unwrap_or(0);
        let chosen = nth == finder.chosen;
        if chosen {
            overlay::chosen(canvas, list, y);
        }
        self::hit(canvas, model, Rect { y, height: 1, ..list }, hit, chosen);
        if chosen {
            overlay::settle(canvas, list, y);
        }
    }
}

/// Name, stage, amount. The stage goes first where it is narrow.
fn hit(canvas: &mut Canvas<'_>, model: &Model, area: Rect, hit: &Hit, chosen: bool) {
    let look = canvas.look;
    let Some(deal) = model.deals.get(&hit.deal) else { return };
    let (amount, amount_ink) = Marks::of(model, deal).amount();
    let amount = look.text(&amount);
    let stage_width = if area.width >= 60 { 26 } else { 0 };
    let amount_width = amount.width().max(10);
    let room = area.width.saturating_sub(amount_width + stage_width + 4);
    let ink: Ink = if chosen {
        Token::Strong.bold()
    } else {
        Token::Text.into()
    };
    let name = look
        .row()
        .name_with_hits(deal.name.trim_start(), &hit.matched, room, ink, Token::Accent.hit());
    canvas.row(area.x + 1, area.y, room, name);
    if stage_width > 0 {
        let stage = stage_of(&model.facts.pipelines, &deal.stage);
        let stage = look.text(stage.map_or("unknown stage", |(_, stage)| &stage.label));
        canvas.text(area.x + 1 + room + 2, area.y, stage_width - 2, &stage, Token::Muted);
    }
    canvas.row_right(
        area.right(),
        area.y,
        amount_width,
        look.row().add_safe(amount, amount_ink),
    );
}
