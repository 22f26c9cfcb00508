//! First run: no usable token yet. One field, why it is asked for, and where to get one.

use ratatui::layout::Rect;

use crate::{
    app::{Geometry, Model, SetupState},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::Row,
        text::SafeText,
        theme::Token,
        widgets::{field::secret, section::section},
    },
};

use super::{header, keys};

const WIDTH: u16 = 96;
const WHERE: &str = "In HubSpot: Development, Keys, Service keys. It needs to read and write deals and contacts, and to read \
                     companies and owners.";

/// Draws the set-up screen.
pub fn setup(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, state: &SetupState) {
    let (columns, rows) = geometry.size;
    let look = canvas.look;
    let width = WIDTH.min(columns.saturating_sub(2));
    let height = 18.min(rows.saturating_sub(4));
    let plane = Rect {
        x: (columns - width) / 2,
        y: 3 + rows.saturating_sub(height + 6) / 3,
        width,
        height,
    }
    .intersection(canvas.area());
    let title = header::name(look, model, false).add("  your pipeline, one key away", Token::Muted);
    canvas.ends(
        Rect {
            y: plane.y.saturating_sub(2),
            height: 1,
            ..plane
        },
        title,
        look.row().add("set-up", Token::Muted),
    );
    canvas.plane(plane, Token::Surface);
    let margin = if width > 60 { 4 } else { 2 };
    let inner = Rect {
        x: plane.x + margin,
        y: plane.y,
        width: plane.width.saturating_sub(2 * margin),
        height: plane.height.saturating_sub(1),
    };
    let body = keys::foot(canvas, model, inner, look.row(), look.row());
    form(canvas, body, state);
    let below = Rect {
        y: plane.bottom() + 1,
        height: 1,
        ..inner
    };
    if below.y < rows {
        demo(canvas, below);
    }
}

fn form(canvas: &mut Canvas<'_>, body: Rect, state: &SetupState) {
    let look = canvas.look;
    let mut y = body.y + 1;
    let mut lines: Vec<Row<'_>> = Vec::new();
    let word = if state.checking { "checking" } else { "next" };
    section(
        canvas,
        (body.x, y),
        body.width,
        "Connect",
        look.row().add(word, Token::Muted),
    );
    y += 1;
    if let Some(fault) = &state.why {
        let why = look.text(&fault.what);
        for (nth, part) in why.wrap(body.width.saturating_sub(2)).into_iter().enumerate() {
            let row = if nth == 0 {
                look.row().add("! ", Token::Warn.bold())
            } else {
                look.row().blank(2)
            };
            lines.push(row.add_safe(part, Token::Text));
        }
        if !fault.next.is_empty() {
            lines.extend(paragraph(look, &look.text(&fault.next), body.width, Token::Muted));
        }
    } else {
        lines.push(
            look.row()
                .blank(2)
                .add("Paste the token of a service key or a private app.", Token::Text),
        );
    }
    lines.push(look.row());
    let label = look.row().add("Token", Token::Text).blank(3);
    let room = body.width.saturating_sub(label.width() + 2);
    let typed = if state.checking {
        let dots = look.glyphs.sign(Glyph::Secret).repeat(state.token.text.chars().count());
        look.row().add(dots, Token::Muted)
    } else {
        secret(look, &state.token, room)
    };
    lines.push(look.row().blank(2).join(label).join(typed));
    let kept = if state.checking {
        "asking HubSpot whose it is and what it may do"
    } else {
        "stored, never shown again"
    };
    lines.push(look.row().blank(2).add(kept, Token::Muted));
    lines.push(look.row());
    lines.extend(paragraph(look, &look.text(WHERE), body.width, Token::Muted));
    for row in lines.into_iter().take(usize::from(body.bottom().saturating_sub(y))) {
        canvas.row(body.x, y, body.width, row);
        y += 1;
    }
}

fn paragraph<'l>(look: &'l Look, text: &SafeText, width: u16, token: Token) -> Vec<Row<'l>> {
    text.wrap(width.saturating_sub(2))
        .into_iter()
        .map(|line| look.row().blank(2).add_safe(line, token))
        .collect()
}

fn demo(canvas: &mut Canvas<'_>, area: Rect) {
    let look = canvas.look;
    let short = look
        .row()
        .add("No account at hand? ", Token::Text)
        .add("dealdeck --demo", Token::Accent.bold());
    let long = short
        .clone()
        .add(" opens a simulated portal: no token, no network", Token::Muted);
    let row = if long.width() <= area.width { long } else { short };
    canvas.row(area.x, area.y, area.width, row);
}
