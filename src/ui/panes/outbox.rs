//! The outbox: a row per operation, and below it the one in focus in full.

use ratatui::layout::Rect;

use crate::{
    app::{
        Geometry, Model, OutboxScreen,
        outbox::{next_try, record_name, subject, what},
    },
    domain::{OpState, Operation, format},
    ui::{canvas::Canvas, glyphs::Glyph, look::Ink, theme::Token, widgets::overlay, widgets::section::section},
};

use super::{
    marks::{op_sign, op_word},
    operation,
};

/// Cells of sign and word of the state; every other column is two cells from its neighbour.
const STATE: u16 = 13;
const AGE: u16 = 7;
const TRIES: u16 = 5;
const NEXT: u16 = 15;
/// Rows below the table for the operation in focus: a conflict of two values with its choices.
const DETAIL: u16 = 15;

/// The columns there is room for.
struct Columns {
    what: u16,
    record: u16,
    tries: bool,
    next: bool,
}

impl Columns {
    fn of(width: u16) -> Self {
        let (tries, next) = (width >= 90, width >= 70);
        let fixed = STATE + 2 + AGE + if tries { 2 + TRIES } else { 0 } + if next { 2 + NEXT } else { 0 };
        let rest = width.saturating_sub(fixed + 3);
        let record = (rest * 2 / 5).min(36);
        Self {
            what: rest.saturating_sub(record),
            record,
            tries,
            next,
        }
    }
}

/// Draws the table and the operation in focus.
pub fn outbox(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, screen: &OutboxScreen) {
    let look = canvas.look;
    let body = Rect {
        x: 1,
        y: geometry.body_top,
        width: geometry.size.0.saturating_sub(2),
        height: geometry.body_height,
    };
    if model.operations.is_empty() {
        let text = look.text("Nothing waits to be sent, and nothing needs you.");
        canvas.text(body.x, body.y, body.width, &text, Token::Muted);
        return;
    }
    let below = match body.height {
        0..10 => 0,
        10..16 => body.height / 2 - 1,
        height => (height / 2).min(DETAIL),
    };
    let rows = body.height.saturating_sub(below + 2);
    table(
        canvas,
        model,
        Rect {
            height: rows + 1,
            ..body
        },
        screen,
    );
    if let Some(operation) = subject(model).filter(|_| below > 2) {
        let area = Rect {
            y: body.bottom().saturating_sub(below),
            height: below,
            ..body
        };
        let (glyph, _) = op_sign(operation.state);
        let title = format!("{} {}", look.glyphs.sign(glyph), operation.title);
        section(canvas, (area.x, area.y), area.width, &title, look.row());
        let (room, rows) = (area.width.saturating_sub(2).min(130), usize::from(area.height - 1));
        let lines = operation::summary(look, model, operation, room, rows);
        for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
            canvas.row(area.x + 2, y, area.width.saturating_sub(2), line);
        }
    }
}

/// The column heads, then the rows, scrolled so that the one in focus is in view.
fn table(canvas: &mut Canvas<'_>, model: &Model, area: Rect, screen: &OutboxScreen) {
    let look = canvas.look;
    let columns = Columns::of(area.width);
    if area.height < 2 {
        return;
    }
    let heads = ["State", "What", "Record", "Age", "Tries", "Next try"].map(str::to_owned);
    cells(canvas, area.x, area.y, &columns, &heads, [Token::Muted.into(); 5]);
    let count = model.operations.len();
    // Where not all fit, the last row says how many more there are.
    let cut = count + model.unlisted > usize::from(area.height - 1) && area.height > 2;
    let rows = if cut { area.height - 2 } else { area.height - 1 };
    let first = overlay::scrolled(screen.row, count, usize::from(rows));
    let end = area.y + 1 + rows;
    let hidden = (count + model.unlisted).saturating_sub(first + usize::from(rows));
    if cut && hidden > 0 {
        let more = look
            .row()
            .sign(Glyph::Menu, Token::Muted)
            .add(format!(" {} more", format::count(hidden as u64)), Token::Muted);
        canvas.row(area.x + 1, end, area.width, more);
    }
    let list = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    for (y, operation) in (area.y + 1..end).zip(model.operations.iter().skip(first)) {
        let chosen = Some(operation.id) == screen.chosen;
        if chosen {
            overlay::chosen(canvas, list, y);
        }
        row(canvas, model, (area.x, y), &columns, operation, chosen);
        if chosen {
            overlay::settle(canvas, list, y);
        }
    }
}

fn row(
    canvas: &mut Canvas<'_>,
    model: &Model,
    (x, y): (u16, u16),
    columns: &Columns,
    operation: &Operation,
    chosen: bool,
) {
    let (glyph, token) = op_sign(operation.state);
    let over = operation.state.is_final() && operation.state != OpState::Dead;
    let ink = match (chosen, over) {
        (true, _) => Token::Strong.bold(),
        (false, true) => Token::Muted.into(),
        (false, false) => Token::Text.into(),
    };
    let quiet: Ink = if chosen { Token::Text } else { Token::Muted }.into();
    let next = if operation.state.needs_person() {
        token.into()
    } else {
        quiet
    };
    let state: Ink = if over { quiet } else { token.bold() };
    let texts = [
        format!("{} {}", canvas.look.glyphs.sign(glyph), op_word(operation.state)),
        what(model, operation),
        record_name(model, operation),
        format::age(operation.created_at, model.now),
        operation.attempts.to_string(),
        next_try(model, operation),
    ];
    cells(canvas, x, y, columns, &texts, [state, ink, ink, quiet, next]);
}

/// One line of the table: state, what, record, age, tries, next.
fn cells(canvas: &mut Canvas<'_>, x: u16, y: u16, columns: &Columns, texts: &[String; 6], inks: [Ink; 5]) {
    let look = canvas.look;
    let [state, what, record, age, tries, next] = texts;
    let left = |text: &str, room: u16| look.text(text).fit(room);
    let mut line = look
        .row()
        .add_safe(left(state, STATE - 2), inks[0])
        .pad_to(STATE)
        .add_safe(left(what, columns.what.saturating_sub(1)), inks[1])
        .pad_to(STATE + columns.what)
        .add_safe(left(record, columns.record.saturating_sub(1)), inks[2])
        .pad_to(STATE + columns.what + columns.record + 2)
        .add_safe(look.text(age).pad_left(AGE), inks[3]);
    if columns.tries {
        line = line.blank(2).add_safe(look.text(tries).pad_left(TRIES), inks[3]);
    }
    if columns.next {
        line = line.blank(2).add_safe(left(next, NEXT), inks[4]);
    }
    canvas.row(x + 1, y, canvas.area().width.saturating_sub(x + 2), line);
}

/// What the line above the hints says: what is asked of the person, or that nothing is.
pub fn context<'l>(look: &'l crate::ui::Look, model: &Model) -> crate::ui::row::Row<'l> {
    let Some(operation) = subject(model) else {
        return look.row();
    };
    let (glyph, token) = op_sign(operation.state);
    look.row()
        .sign(glyph, token.bold())
        .blank(1)
        .add(record_name(model, operation), Token::Strong.bold())
        .blank(3)
        .add(operation::asked(operation), Token::Muted)
}
