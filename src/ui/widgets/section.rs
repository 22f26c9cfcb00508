//! The section head: a bold title, a thin rule, one muted fact at its end. It is the only heading there is.

use crate::ui::{canvas::Canvas, look::Ink, row::Row, theme::Token};

/// Draws a section head across `width` cells.
pub fn section(canvas: &mut Canvas<'_>, (x, y): (u16, u16), width: u16, title: &str, fact: Row<'_>) {
    titled(canvas, (x, y), width, title, Token::Strong.bold(), fact);
}

/// The same with the title in another ink.
pub fn titled(
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
    width: u16,
    title: &str,
    ink: impl Into<Ink>,
    fact: Row<'_>,
) {
    let look = canvas.look;
    let right = x.saturating_add(width);
    let title = look.text(title);
    let fits = !fact.is_empty() && title.width() + fact.width() + 4 <= width;
    let end = if fits {
        canvas.row_right(right, y, width, fact).saturating_sub(1)
    } else {
        right
    };
    let at = canvas.text(x, y, width, &title, ink) + 1;
    canvas.rule(at, y, end.saturating_sub(at));
}
