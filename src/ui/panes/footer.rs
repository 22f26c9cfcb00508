//! The last row: what is possible now, from the registry. It never wraps; what does not fit goes from the right, the right
//! end stays.

use ratatui::layout::Rect;

use crate::{
    app::{
        Geometry, Model,
        registry::{HintText, hints},
    },
    ui::{
        canvas::Canvas,
        look::Look,
        row::{Row, squeeze},
        theme::Token,
    },
};

/// Draws the hints.
pub fn footer(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    let (width, height) = geometry.size;
    let area = Rect {
        x: 0,
        y: height.saturating_sub(1),
        width,
        height: 1,
    };
    canvas.plane(area, Token::Surface);
    let look = canvas.look;
    let hints = hints(model);
    let right = hints
        .right
        .iter()
        .enumerate()
        .map(|(nth, hint)| part(look, nth, hint))
        .collect();
    let right = squeeze(look, right, 2, width.saturating_sub(2));
    let start = canvas.row_right(width.saturating_sub(1), area.y, width.saturating_sub(2), right);
    let room = start.saturating_sub(1 + 2);
    // The last one goes first: its drop number is the highest.
    let left = hints
        .left
        .iter()
        .enumerate()
        .map(|(nth, hint)| part(look, nth + 1, hint))
        .collect();
    let left = squeeze(look, left, 2, room);
    if left.width() <= room {
        canvas.row(1, area.y, room, left);
    }
}

fn part<'l>(look: &'l Look, nth: usize, hint: &HintText) -> (u8, Row<'l>) {
    let row = look
        .row()
        .add(&hint.keys, Token::Accent.bold())
        .blank(1)
        .add(hint.word, Token::Muted);
    (u8::try_from(nth).unwrap_or(u8::MAX), row)
}
