//! The only hand that touches cells. It takes [`SafeText`] and nothing else, clips everything to the screen, and knows
//! planes, overlays and the dimmed ground behind them.

use ratatui::{
    buffer::{Buffer, CellWidth as _},
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::{
    glyphs::Glyph,
    look::{Ink, Look},
    row::Row,
    text::SafeText,
    theme::{Depth, Token, color, mix},
};

/// The screen while it is drawn.
pub struct Canvas<'f> {
    cells: &'f mut Buffer,
    /// How it looks here.
    pub look: &'f Look,
}

impl<'f> Canvas<'f> {
    /// A screen to draw on.
    pub const fn new(cells: &'f mut Buffer, look: &'f Look) -> Self {
        Self { cells, look }
    }

    /// The whole screen.
    #[must_use]
    pub const fn area(&self) -> Rect {
        self.cells.area
    }

    /// Empties an area and gives it a plane.
    pub fn plane(&mut self, area: Rect, plane: Token) {
        let style = self.look.palette.text(Token::Text, self.look.depth);
        let style = style.patch(self.look.palette.plane(plane, self.look.depth));
        self.unsplit(area);
        self.each(area, |cell| {
            cell.reset();
            cell.set_style(style);
        });
    }

    /// A wide character that would lose its right half to an area becomes a blank.
    fn unsplit(&mut self, area: Rect) {
        let Some(x) = area.x.checked_sub(1) else { return };
        let left = Rect { x, width: 1, ..area };
        self.each(left, |cell| {
            if cell.symbol().cell_width() > 1 {
                cell.set_symbol(" ");
            }
        });
    }

    /// Gives an area another plane under what is drawn on it.
    pub fn repaint(&mut self, area: Rect, plane: Token) {
        let style = self.look.palette.plane(plane, self.look.depth);
        self.each(area, |cell| {
            cell.set_style(style);
        });
    }

    /// Ends the drawing of a focused area. Where focus is shown by reversing, colours inside it would turn into
    /// backgrounds, so they go.
    pub fn settle_focus(&mut self, area: Rect) {
        if self.look.depth == Depth::Ansi16 {
            self.each(area, |cell| {
                cell.set_style(Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED));
            });
        }
    }

    fn each(&mut self, area: Rect, change: impl Fn(&mut ratatui::buffer::Cell)) {
        for at in area.intersection(self.cells.area).positions() {
            change(&mut self.cells[at]);
        }
    }

    /// Draws text into at most `room` cells, cut with an ellipsis; returns the column after it.
    pub fn text(&mut self, x: u16, y: u16, room: u16, text: &SafeText, ink: impl Into<Ink>) -> u16 {
        let area = self.cells.area;
        if y >= area.bottom() || x >= area.right() {
            return x;
        }
        let room = room.min(area.right() - x);
        let fitted = text.fit(room);
        let style = self.look.style(ink.into());
        let (end, _) = self.cells.set_stringn(x, y, fitted.as_str(), usize::from(room), style);
        end
    }

    /// Draws one of our own signs.
    pub fn sign(&mut self, x: u16, y: u16, glyph: Glyph, ink: impl Into<Ink>) {
        let sign = self.look.sign(glyph);
        self.text(x, y, sign.width(), &sign, ink);
    }

    /// Draws a row from the left; returns the column after it.
    pub fn row(&mut self, x: u16, y: u16, room: u16, row: Row<'_>) -> u16 {
        let room = room.min(self.area().right().saturating_sub(x));
        let mut at = x;
        for (text, ink) in row.fitted(room) {
            at = self.text(at, y, text.width(), &text, ink);
        }
        at
    }

    /// Draws a row so that it ends before column `right`; returns its first column.
    pub fn row_right(&mut self, right: u16, y: u16, room: u16, row: Row<'_>) -> u16 {
        let x = right.saturating_sub(row.width().min(room));
        self.row(x, y, right - x, row);
        x
    }

    /// A left row and a right row; the right one keeps its place, the left one is cut two cells before it.
    pub fn ends(&mut self, area: Rect, left: Row<'_>, right: Row<'_>) {
        let start = if right.is_empty() {
            area.right()
        } else {
            self.row_right(area.right(), area.y, area.width, right)
        };
        let gap = if start == area.right() { 0 } else { 2 };
        self.row(area.x, area.y, start.saturating_sub(area.x + gap), left);
    }

    /// A rule across `width` cells.
    pub fn rule(&mut self, x: u16, y: u16, width: u16) {
        let sign = self.look.glyphs.sign(Glyph::BarRest);
        let rule = self.look.text(&sign.repeat(usize::from(width)));
        self.text(x, y, width, &rule, Token::Line);
    }

    /// Makes an area a ground for something open on top: `share` per cent of the colour stay.
    pub fn dim(&mut self, area: Rect, share: u16) {
        let (palette, depth) = (self.look.palette, self.look.depth);
        let base = palette.rgb(Token::Base);
        let faded = |colour: Color| match colour {
            Color::Rgb(r, g, b) => color(mix((r, g, b), base, share)),
            other => other,
        };
        let quiet = palette.text(Token::Line, depth);
        self.each(area, |cell| match depth {
            Depth::True => {
                cell.fg = faded(cell.fg);
                cell.bg = faded(cell.bg);
                cell.modifier.remove(Modifier::BOLD);
            }
            Depth::Ansi256 | Depth::Ansi16 if share < 50 => {
                cell.modifier = Modifier::empty();
                cell.set_style(quiet.patch(palette.plane(Token::Base, depth)));
            }
            Depth::Mono => {
                cell.modifier.remove(Modifier::BOLD);
                cell.modifier.insert(Modifier::DIM);
            }
            Depth::Ansi256 | Depth::Ansi16 | Depth::NoAttributes => {}
        });
    }

    /// Draws the frame of an overlay and empties what it covers, two cells of clear ground at both sides included.
    pub fn frame(&mut self, area: Rect) {
        let [top_left, top_right, bottom_left, bottom_right, across, down] = self.look.glyphs.frame();
        let left = area.x.min(2);
        let clear = Rect {
            x: area.x - left,
            width: area.width.saturating_add(left + 2),
            ..area
        };
        self.plane(clear, Token::Base);
        self.plane(area, Token::Raised);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let style = self
            .look
            .palette
            .mixed(Token::Accent, Token::Raised, 65, self.look.depth);
        let side = across.repeat(usize::from(area.width - 2));
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        self.plain(area.x, area.y, &format!("{top_left}{side}{top_right}"), style);
        self.plain(area.x, bottom, &format!("{bottom_left}{side}{bottom_right}"), style);
        for y in area.y + 1..bottom {
            self.plain(area.x, y, down, style);
            self.plain(right, y, down, style);
        }
    }

    /// Signs of our own in a mixed colour.
    fn plain(&mut self, x: u16, y: u16, signs: &str, style: Style) {
        let area = self.cells.area;
        if y < area.bottom() && x < area.right() {
            self.cells
                .set_stringn(x, y, signs, usize::from(area.right() - x), style);
        }
    }
}
