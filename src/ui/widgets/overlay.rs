//! What is open on top: a framed plane over the dimmed body. Header and side panel stay readable behind it, and it carries
//! its own hints in its last row, so the footer is cleared.

use ratatui::layout::Rect;

use crate::{
    app::{Geometry, Panel},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::{Row, squeeze},
        theme::Token,
    },
};

/// Per cent of its colour a backdrop keeps.
const BODY: u16 = 30;
const AROUND: u16 = 72;

/// How an overlay wants to stand.
pub struct Shape {
    /// Cells, its frame included.
    pub width: u16,
    /// Rows, its frame included; it gets fewer when there are fewer.
    pub height: u16,
    /// Wider than the board, so it centres on the screen.
    pub whole_screen: bool,
}

/// Opens an overlay and gives the cells for its content. The title is in the frame at the left, one fact at the right.
pub fn open(canvas: &mut Canvas<'_>, geometry: &Geometry, shape: &Shape, title: Row<'_>, fact: Row<'_>) -> Rect {
    let area = place(geometry, shape);
    dim_around(canvas, geometry);
    canvas.frame(area);
    let look = canvas.look;
    if area.width > 8 {
        let fact_width = if fact.is_empty() { 0 } else { fact.width() + 2 };
        let room = area.width.saturating_sub(6 + fact_width);
        let title = look.row().blank(1).join(title).blank(1);
        canvas.row(area.x + 2, area.y, room, title);
        if fact_width > 0 && fact_width + 8 < area.width {
            let fact = look.row().blank(1).join(fact).blank(1);
            canvas.row_right(area.right() - 2, area.y, fact_width, fact);
        }
    }
    Rect {
        x: area.x + 3,
        y: area.y + 1,
        width: area.width.saturating_sub(6),
        height: area.height.saturating_sub(2),
    }
    .intersection(canvas.area())
}

fn place(geometry: &Geometry, shape: &Shape) -> Rect {
    let (columns, rows) = geometry.size;
    let (top, height) = (geometry.body_top, geometry.body_height);
    let board = if shape.whole_screen {
        columns
    } else {
        geometry.body_width
    };
    // What does not fit beside the panel centres on the screen; what does not fit there takes the whole body, the row of the
    // context line with it.
    let ground = [board, columns]
        .into_iter()
        .find(|width| columns >= 100 && shape.width + 4 <= *width);
    let Some(ground) = ground else {
        return Rect::new(0, top, columns, rows.saturating_sub(1 + top));
    };
    let rows = shape.height.min(height);
    let (x, y) = ((ground - shape.width) / 2, top + (height - rows) * 2 / 5);
    Rect::new(x, y, shape.width, rows)
}

fn dim_around(canvas: &mut Canvas<'_>, geometry: &Geometry) {
    let screen = canvas.area();
    let row = |y: u16, height: u16| Rect { y, height, ..screen };
    let bottom = screen.height.saturating_sub(1);
    canvas.dim(row(0, geometry.header), AROUND);
    let body = row(geometry.header, bottom.saturating_sub(geometry.header));
    match geometry.panel {
        Panel::Beside(width) | Panel::Over(width) => {
            let left = body.width.saturating_sub(width);
            canvas.dim(Rect { width: left, ..body }, BODY);
            // The context line runs under the panel and belongs to the body.
            let height = body.height.saturating_sub(u16::from(geometry.context));
            let line = Rect {
                x: left,
                y: body.y + height,
                width,
                height: body.height - height,
            };
            canvas.dim(line, BODY);
            canvas.dim(
                Rect {
                    x: left,
                    width,
                    height,
                    ..body
                },
                AROUND,
            );
        }
        Panel::Hidden => canvas.dim(body, BODY),
    }
    canvas.plane(row(bottom, 1), Token::Base);
}

/// One hint: key and word.
pub type Hint<'t> = (&'t str, &'t str);

/// Keys in accent, words muted, three cells apart; what does not fit goes from the right.
#[must_use]
pub fn hints<'l>(look: &'l Look, hints: &[Hint<'_>], room: u16) -> Row<'l> {
    let parts = hints
        .iter()
        .enumerate()
        .map(|(nth, (key, word))| {
            let row = look
                .row()
                .add(key, Token::Accent.bold())
                .blank(1)
                .add(word, Token::Muted);
            (u8::try_from(nth).unwrap_or(u8::MAX), row)
        })
        .collect();
    squeeze(look, parts, 3, room)
}

/// The last rows of an overlay: a rule, the sentence about what will happen, the hints with one fact at their right. Gives
/// the rows that are left above.
pub fn foot(canvas: &mut Canvas<'_>, inner: Rect, sentence: Option<Row<'_>>, keys: &[Hint<'_>], fact: Row<'_>) -> Rect {
    let look = canvas.look;
    let used = if sentence.is_some() { 3 } else { 2 };
    if inner.height <= used + 1 {
        return inner;
    }
    let last = inner.bottom() - 1;
    let room = if fact.is_empty() {
        inner.width
    } else {
        inner.width.saturating_sub(fact.width() + 2)
    };
    canvas.rule(inner.x, last + 1 - used, inner.width);
    if let Some(sentence) = sentence {
        canvas.row(inner.x, last - 1, inner.width, sentence);
    }
    canvas.row(inner.x, last, inner.width, hints(look, keys, room));
    if fact.width() <= inner.width {
        canvas.row_right(inner.right(), last, inner.width, fact);
    }
    Rect {
        height: inner.height - used,
        ..inner
    }
}

/// The plane and the edge of the chosen row of a list: two cells wider than the content.
pub fn chosen(canvas: &mut Canvas<'_>, inner: Rect, y: u16) {
    let row = Rect {
        x: inner.x.saturating_sub(1),
        y,
        width: inner.width + 2,
        height: 1,
    };
    canvas.repaint(row, Token::Focus);
    canvas.sign(row.x, y, Glyph::FocusEdge, Token::Accent);
}

/// Ends the drawing of the chosen row.
pub fn settle(canvas: &mut Canvas<'_>, inner: Rect, y: u16) {
    canvas.settle_focus(Rect {
        x: inner.x.saturating_sub(1),
        y,
        width: inner.width + 2,
        height: 1,
    });
}

/// First row to draw of a list of `count`, so that `chosen` is in view in `room` rows.
#[must_use]
pub fn scrolled(chosen: usize, count: usize, room: usize) -> usize {
    (chosen + 1).saturating_sub(room).min(count.saturating_sub(room))
}
