//! A card: every fact in its own slot, so that the eye scans down a column and finds what is missing. A mark that does not
//! apply leaves its slot empty; nothing moves sideways.

use ratatui::layout::Rect;

use crate::{
    app::{CardSize, Focus, Model},
    domain::Deal,
    ui::{canvas::Canvas, glyphs::Glyph, look::Ink, theme::Token},
};

use super::marks::{Marks, Write};

/// Slots of the third line of a card, from its left edge; the owner stands at the right edge.
pub const DAYS: u16 = 2;
/// The next step.
pub const STEP: u16 = 6;
/// Days without a touch (the slot at 8 is for pushes).
pub const IDLE: u16 = 11;
/// The write state.
pub const WRITE: u16 = 15;

/// Draws the card of a deal with its first row at `area.y`.
pub fn card(canvas: &mut Canvas<'_>, model: &Model, deal: &Deal, size: CardSize, area: Rect) {
    let marks = Marks::of(model, deal);
    let focused = model.board.focus.as_ref() == Some(&deal.id);
    let rows = size.rows() - size.gap();
    let area = Rect { height: rows, ..area };
    let write = marks.write();
    canvas.plane(area, plane(model, &marks, focused, size));
    edge(canvas, area, focused, write, size);
    let card = Card {
        marks,
        focused,
        write,
        area,
    };
    match size {
        CardSize::Three => card.three(canvas),
        CardSize::Two => card.two(canvas),
        CardSize::One => card.one(canvas),
    }
    if focused && model.focus == Focus::Body {
        canvas.settle_focus(area);
    }
}

/// Focus over flash over rest. Without the focus of the keys the current card is only raised.
fn plane(model: &Model, marks: &Marks<'_>, focused: bool, size: CardSize) -> Token {
    let flashing = marks.flash().is_some_and(|flash| flash.plane);
    match (focused, model.focus, size) {
        (true, Focus::Body, _) => Token::Focus,
        (true, Focus::Panel, _) => Token::Raised,
        _ if flashing => Token::Flash,
        (false, _, CardSize::One) => Token::Base,
        _ => Token::Surface,
    }
}

fn edge(canvas: &mut Canvas<'_>, area: Rect, focused: bool, write: Option<Write>, size: CardSize) {
    let resting = if canvas.look.has_planes() {
        Glyph::Edge
    } else {
        Glyph::ThinEdge
    };
    let told = write.and_then(Write::edge);
    let (glyph, token) = match (focused, told, size) {
        (true, _, _) => (Glyph::FocusEdge, Token::Accent),
        (false, Some(token), _) => (resting, token),
        (false, None, CardSize::One) => return,
        (false, None, _) => (resting, Token::Line),
    };
    for y in area.top()..area.bottom() {
        canvas.sign(area.x, y, glyph, token);
    }
}

struct Card<'m> {
    marks: Marks<'m>,
    focused: bool,
    write: Option<Write>,
    area: Rect,
}

impl Card<'_> {
    fn three(&self, canvas: &mut Canvas<'_>) {
        let Rect { x, y, width, .. } = self.area;
        let right = (x + width).saturating_sub(1);
        self.name(canvas, width.saturating_sub(3));
        self.money_and_date(canvas, y + 1, right);
        let days = canvas.look.text(&self.marks.days()).fit_number(STEP - DAYS - 1);
        canvas.text(x + DAYS, y + 2, STEP - DAYS, &days, Token::Muted);
        self.step(canvas, x + STEP, y + 2);
        // A blank stays before a write mark; without one the slot is free.
        let idle = WRITE - IDLE - u16::from(self.write.is_some());
        self.idle(canvas, x + IDLE, y + 2, idle);
        self.write(canvas, x + WRITE, y + 2);
        let (letters, ink) = self.marks.initials();
        let letters = canvas.look.text(&letters).fit(3);
        let start = right.saturating_sub(letters.width());
        if start > x + WRITE {
            canvas.text(start, y + 2, letters.width(), &letters, ink);
        }
    }

    /// Marks follow the date, the days go, the write state stands at the name's end.
    fn two(&self, canvas: &mut Canvas<'_>) {
        let Rect { x, y, width, .. } = self.area;
        self.name(canvas, width.saturating_sub(5));
        self.write(canvas, (x + width).saturating_sub(2), y);
        let step = x + 17.min(width.saturating_sub(1));
        self.money_and_date(canvas, y + 1, step.saturating_sub(1));
        self.step(canvas, step, y + 1);
        self.idle(canvas, step + 5, y + 1, (x + width).saturating_sub(step + 5));
    }

    /// All slots in one row, from the right: write state, idle, pushes, next step, days, date, amount. On a narrow screen
    /// days and idle go first, then the date; the name and the amount stay.
    fn one(&self, canvas: &mut Canvas<'_>) {
        let Rect { x, y, width, .. } = self.area;
        let right = x + width;
        let roomy = width >= 56;
        let (write, step) = if roomy { (3, 14) } else { (2, 4) };
        self.write(canvas, right.saturating_sub(write), y);
        let step = right.saturating_sub(step);
        self.step(canvas, step, y);
        if roomy {
            self.idle(canvas, right.saturating_sub(8), y, 4);
            let days = canvas.look.text(&self.marks.days()).fit_number(4).pad_left(3);
            canvas.text(step - 2 - days.width(), y, 4, &days, Token::Muted);
        }
        let date_end = step.saturating_sub(if roomy { 6 } else { 1 });
        let (date, date_ink) = self.marks.close(self.focused);
        let date = canvas.look.text(&date);
        let (amount, ink) = self.marks.amount();
        let amount = canvas.look.text(&amount);
        let amount_end = date_end.saturating_sub(8);
        let start = amount_end.saturating_sub(amount.width());
        let start = if start > x + 8 {
            canvas.text(date_end.saturating_sub(date.width()), y, 9, &date, date_ink);
            start
        } else {
            step.saturating_sub(1 + amount.width()).max(x + 2)
        };
        let room = step.saturating_sub(start);
        canvas.text(start, y, room, &amount.fit_number(room), ink);
        self.name(canvas, start.saturating_sub(x + 3));
    }

    fn name(&self, canvas: &mut Canvas<'_>, room: u16) {
        let name = canvas.look.text(self.marks.deal.name.trim());
        let named = !name.is_empty();
        let name = if named { name } else { canvas.look.text("no name") };
        let ink: Ink = match (named, self.focused) {
            (true, true) => Token::Strong.bold(),
            (true, false) => Token::Text.into(),
            (false, _) => Token::Warn.into(),
        };
        canvas.text(self.area.x + 2, self.area.y, room, &name, ink);
    }

    /// The amount at the left, the date so that it ends before `right`. Where both do not fit the amount becomes shorter
    /// words, then the date goes: a number is never cut.
    fn money_and_date(&self, canvas: &mut Canvas<'_>, y: u16, right: u16) {
        let x = self.area.x + DAYS;
        let room = right.saturating_sub(x);
        let (amount, amount_ink) = self.marks.amount();
        let (date, date_ink) = self.marks.close(self.focused);
        let (mut amount, date) = (canvas.look.text(&amount), canvas.look.text(&date));
        if amount.width() + 1 + date.width() > room && self.marks.deal.amount.is_none() {
            amount = canvas.look.text("no amt");
        }
        canvas.text(x, y, room, &amount.fit_number(room), amount_ink);
        if amount.width() + 1 + date.width() <= room {
            canvas.text(right - date.width(), y, date.width(), &date, date_ink);
        }
    }

    fn step(&self, canvas: &mut Canvas<'_>, x: u16, y: u16) {
        if self.marks.open {
            let (glyph, token) = self.marks.step().sign();
            canvas.sign(x, y, glyph, token);
        }
    }

    fn idle(&self, canvas: &mut Canvas<'_>, x: u16, y: u16, room: u16) {
        let Some((text, ink)) = self.marks.idle() else { return };
        let text = canvas.look.text(&text);
        // Too many days for the slot: the letter alone still says how bad it is.
        let text = if text.width() <= room { text } else { text.first() };
        canvas.text(x, y, room, &text, ink);
    }

    fn write(&self, canvas: &mut Canvas<'_>, x: u16, y: u16) {
        if let Some(write) = self.write {
            let (glyph, token) = write.sign();
            canvas.sign(x, y, glyph, token.bold());
        }
    }
}
