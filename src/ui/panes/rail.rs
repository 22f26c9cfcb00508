//! Rails: where in a row of stages something is. The board's rail carries the counts of all stages, so that nothing is out
//! of sight on a narrow screen, only out of focus.

use crate::{
    app::{Column, Geometry, Model},
    domain::{StageKind, format},
    ui::{
        canvas::Canvas,
        row::{Row, squeeze},
        theme::Token,
    },
};

use super::marks::op_sign;

/// One line with every stage and its count, the current one filled, what waits in the outbox at the right.
pub fn stages(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, y: u16) {
    let look = canvas.look;
    let mut outbox = look.row();
    for (nth, (state, count, _)) in model.outbox.rows.iter().enumerate() {
        let (glyph, token) = op_sign(*state);
        outbox = outbox
            .blank(u16::from(nth > 0))
            .sign(glyph, token.bold())
            .add(format::count(*count as u64), token);
    }
    let right = geometry.body_width.saturating_sub(1);
    let end = canvas.row_right(right, y, right / 3, outbox);
    let room = end.saturating_sub(3);
    let current = model.board.column;
    // Labels get as many letters as fit for all of them, four at least.
    let letters = (4..=24)
        .rev()
        .find(|letters| width(model, *letters) <= room)
        .unwrap_or(4);
    let parts: Vec<(u8, Row<'_>)> = model
        .board
        .columns
        .iter()
        .enumerate()
        .map(|(nth, column)| {
            let label = look.text(&short(column, letters));
            let count = format::count(column.cards.len() as u64);
            let row = if nth == current {
                let text = format!(" {} {count} ", label.as_str());
                look.row().add(text, Token::Accent.filled())
            } else {
                look.row()
                    .add_safe(label, Token::Text)
                    .blank(1)
                    .add(count, Token::Muted)
            };
            let away = nth.abs_diff(current);
            (u8::try_from(away).unwrap_or(u8::MAX), row)
        })
        .collect();
    canvas.row(1, y, room, squeeze(look, parts, 3, room));
}

fn width(model: &Model, letters: usize) -> u16 {
    let cells = model.board.columns.iter().map(|column| {
        let label = short(column, letters).chars().count();
        label + 1 + format::count(column.cards.len() as u64).len() + 3
    });
    u16::try_from(cells.sum::<usize>() + 2).unwrap_or(u16::MAX)
}

/// A label cut to some letters without a sign: there is no room for one, and the column head has the whole label. Closed
/// stages often begin alike, so they say what kind of end they are.
fn short(column: &Column, letters: usize) -> String {
    match column.kind {
        StageKind::Won => "Won".to_owned(),
        StageKind::Lost => "Lost".to_owned(),
        StageKind::Open => column
            .label
            .chars()
            .take(letters)
            .collect::<String>()
            .trim_end()
            .to_owned(),
    }
}
