//! The board: column heads, the cards in view and nothing else, closed stages folded to their totals.

use ratatui::layout::Rect;
use rust_decimal::Decimal;

use crate::{
    app::{BoardColumn, CardSize, Column, Focus, Geometry, Model, Scope},
    domain::{DealId, StageKind, format},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::{Ink, Look},
        text::SafeText,
        theme::Token,
        widgets::bar::{bar, share},
    },
};

use super::{card::card, marks::Marks, rail};

/// Draws the board into the body.
pub fn board(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    if let Some(y) = geometry.board.rail {
        rail::stages(canvas, model, geometry, y);
    }
    if empty(canvas, model, geometry) {
        return;
    }
    let largest = model
        .board
        .columns
        .iter()
        .filter(|column| column.kind == StageKind::Open)
        .map(|column| column.total)
        .max()
        .unwrap_or_default();
    for place in &geometry.board.columns {
        let Some(column) = model.board.columns.get(place.index) else {
            continue;
        };
        let view = View {
            model,
            geometry,
            place,
            column,
            current: place.index == model.board.column,
        };
        view.head(canvas, largest);
        if place.folded {
            view.folded(canvas);
        } else {
            view.cards(canvas);
        }
    }
    sideways(canvas, model, geometry);
}

/// Says why there is nothing to see; true when nothing else is to be drawn.
fn empty(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) -> bool {
    let (x, y) = (1, geometry.board.head);
    let room = geometry.body_width.saturating_sub(2);
    let say = |canvas: &mut Canvas<'_>, line: u16, text: &str| {
        let text = canvas.look.text(text);
        canvas.text(x, y + line, room, &text, Token::Muted);
    };
    if !model.loaded {
        say(canvas, 0, "Reading what is kept on this machine.");
        return true;
    }
    if model.board.columns.is_empty() {
        say(canvas, 0, "No pipeline is known yet.");
        let row = canvas
            .look
            .row()
            .add("r", Token::Accent.bold())
            .add(" ask HubSpot now", Token::Muted);
        canvas.row(x, y + 1, room, row);
        return true;
    }
    let nothing = model.board.columns.iter().all(|column| column.cards.is_empty());
    if nothing && !geometry.board.single && geometry.board.height > 2 {
        let whose = match model.board.scope {
            Scope::Mine => "No deals of yours in this pipeline.",
            Scope::Everyone => "No deals in this pipeline.",
        };
        let mut row = canvas.look.row().add(whose, Token::Muted);
        if model.board.scope == Scope::Mine {
            row = row
                .blank(3)
                .add("M", Token::Accent.bold())
                .add(" wider scope", Token::Muted);
        }
        let row = row
            .blank(3)
            .add("p", Token::Accent.bold())
            .add(" other pipeline", Token::Muted);
        canvas.row(x, geometry.board.top + 2, room, row);
    }
    false
}

/// More columns than fit: where they are.
fn sideways(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    let columns = &geometry.board.columns;
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else {
        return;
    };
    if geometry.board.single {
        return;
    }
    if first.index > 0 {
        canvas.sign(0, geometry.board.head, Glyph::Left, Token::Accent);
    }
    if last.index + 1 < model.board.columns.len() {
        let x = (last.x + last.width + 1).min(geometry.body_width.saturating_sub(1));
        canvas.sign(x, geometry.board.head, Glyph::Right, Token::Accent);
    }
}

struct View<'m> {
    model: &'m Model,
    geometry: &'m Geometry,
    place: &'m BoardColumn,
    column: &'m Column,
    current: bool,
}

impl View<'_> {
    fn ink(&self) -> Ink {
        let lit = self.current && self.model.focus == Focus::Body;
        if lit {
            Token::Accent.bold()
        } else {
            Token::Strong.bold()
        }
    }

    fn fill(&self) -> Token {
        match self.column.kind {
            StageKind::Won => Token::Good,
            StageKind::Lost => Token::Bad,
            StageKind::Open if self.current => Token::Accent,
            StageKind::Open => Token::Muted,
        }
    }

    fn head(&self, canvas: &mut Canvas<'_>, largest: Decimal) {
        let layout = &self.geometry.board;
        let (x, y, width) = (self.place.x, layout.head, self.place.width);
        match (layout.single, layout.head_rows) {
            (true, _) => self.head_single(canvas, y),
            (false, 2) => self.head_two(canvas, y),
            _ => self.head_three(canvas, y),
        }
        let part = match self.column.kind {
            StageKind::Open => share(self.column.total, largest),
            StageKind::Won | StageKind::Lost if self.column.total > Decimal::ZERO => Decimal::ONE,
            StageKind::Won | StageKind::Lost => Decimal::ZERO,
        };
        let row = bar(canvas.look, width, &[(part, self.fill())]);
        canvas.row(x, y + layout.head_rows - 1, width, row);
    }

    fn total(&self) -> (String, Ink) {
        let ink = match self.column.kind {
            StageKind::Won => Token::Good.bold(),
            StageKind::Lost => Token::Bad.bold(),
            StageKind::Open => Token::Strong.bold(),
        };
        (format::money_short(self.column.total, self.model.facts.currency()), ink)
    }

    fn weighted(&self) -> String {
        format!(
            "w {}",
            format::money_short(self.column.weighted, self.model.facts.currency())
        )
    }

    /// Label and count · total and weighted · share.
    fn head_three(&self, canvas: &mut Canvas<'_>, y: u16) {
        let (x, width) = (self.place.x, self.place.width);
        let count = canvas.look.text(&format::count(self.column.cards.len() as u64));
        let gap = if self.place.folded { 1 } else { 2 };
        let room = width.saturating_sub(count.width().max(2) + gap);
        canvas.text(x, y, room, &canvas.look.text(&self.short_label()), self.ink());
        let count_ink: Ink = if self.current { self.ink() } else { Token::Muted.into() };
        canvas.text((x + width).saturating_sub(count.width()), y, width, &count, count_ink);
        let (total, ink) = self.total();
        let total = self.money(canvas.look, &total, width);
        canvas.text(x, y + 1, width, &total, ink);
        let weighted = canvas.look.text(&self.weighted());
        if self.column.kind == StageKind::Open && total.width() + 2 + weighted.width() <= width {
            canvas.text(x + width - weighted.width(), y + 1, width, &weighted, Token::Muted);
        }
    }

    /// An amount in at most `width` cells; where it is too wide the blank before the currency's code goes first.
    fn money(&self, look: &Look, amount: &str, width: u16) -> SafeText {
        let whole = look.text(amount);
        if whole.width() <= width || !self.place.folded {
            return whole.fit_number(width);
        }
        look.text(&amount.replace(' ', "")).fit_number(width)
    }

    /// A folded column says only what kind of end it is, when its label is longer than its cells.
    fn short_label(&self) -> String {
        match self.column.kind {
            StageKind::Won if self.place.folded => "Won".to_owned(),
            StageKind::Lost if self.place.folded => "Lost".to_owned(),
            _ => self.column.label.clone(),
        }
    }

    /// Label and total · share.
    fn head_two(&self, canvas: &mut Canvas<'_>, y: u16) {
        let (x, width) = (self.place.x, self.place.width);
        let (total, ink) = self.total();
        let total = canvas.look.text(&total).fit_number(width);
        let room = width.saturating_sub(total.width().max(7) + 2);
        canvas.text(x, y, room, &canvas.look.text(&self.column.label), self.ink());
        canvas.text((x + width).saturating_sub(total.width()), y, width, &total, ink);
    }

    /// `‹ Qualified to buy ›   9  $426K  w $170K`
    fn head_single(&self, canvas: &mut Canvas<'_>, y: u16) {
        let (x, width) = (self.place.x, self.place.width);
        let look = canvas.look;
        let (total, ink) = self.total();
        let numbers = look
            .row()
            .add(format::count(self.column.cards.len() as u64), Token::Text)
            .blank(2)
            .add(total, ink);
        let mut with_weighted = numbers.clone();
        if self.column.kind == StageKind::Open {
            with_weighted = with_weighted.blank(2).add(self.weighted(), Token::Muted);
        }
        let label = look.text(&self.column.label);
        let fits = label.width() + 7 + with_weighted.width() <= width;
        let numbers = if fits { with_weighted } else { numbers };
        let room = width.saturating_sub(numbers.width() + 7);
        let row = look
            .row()
            .sign(Glyph::Left, Token::Accent)
            .blank(1)
            .add_safe(label.fit(room), self.ink())
            .blank(1)
            .sign(Glyph::Right, Token::Accent)
            .blank(3)
            .join(numbers);
        canvas.row(x, y, width, row);
    }

    /// The cards in view, and how many are not.
    fn cards(&self, canvas: &mut Canvas<'_>) {
        let layout = &self.geometry.board;
        let cards = &self.column.cards;
        let hidden = self.model.board.scroll.get(&self.column.stage).copied().unwrap_or(0);
        let hidden = hidden.min(cards.len());
        let shown = layout.shown(cards.len(), hidden).min(cards.len() - hidden);
        if cards.is_empty() && layout.height > 0 {
            let text = canvas.look.text("no deals here");
            canvas.text(
                self.place.x + 2,
                layout.top,
                self.place.width.saturating_sub(2),
                &text,
                Token::Muted,
            );
            return;
        }
        if hidden > 0 {
            self.more(canvas, layout.row_of_hidden_above(), Glyph::MoreAbove, &cards[..hidden]);
        }
        let mut y = layout.first_row(hidden);
        let bottom = layout.top + layout.height;
        for id in cards.iter().skip(hidden).take(shown) {
            let Some(deal) = self.model.deals.get(id) else { continue };
            let rows = (layout.card.rows() - layout.card.gap()).min(bottom.saturating_sub(y));
            let area = self.card_area(y, rows);
            card(canvas, self.model, deal, layout.card, area);
            y += layout.card.rows();
        }
        let below = cards.get(hidden + shown..).unwrap_or_default();
        if !below.is_empty() {
            let y = (y - layout.card.gap()).min(bottom.saturating_sub(1));
            self.more(canvas, y, Glyph::Menu, below);
        }
    }

    /// A one-line card reaches over both margins, so that its name stands under the stage's.
    fn card_area(&self, y: u16, height: u16) -> Rect {
        let (x, width) = (self.place.x, self.place.width);
        let (x, width) = match self.geometry.board.card {
            CardSize::One => (x.saturating_sub(1), width + 2),
            CardSize::Two | CardSize::Three => (x, width),
        };
        Rect { x, y, width, height }
    }

    /// `▾ 2 more  $39.8K`
    fn more(&self, canvas: &mut Canvas<'_>, y: u16, glyph: Glyph, ids: &[DealId]) {
        let currency = self.model.facts.currency();
        let mut row = canvas
            .look
            .row()
            .sign(glyph, Token::Muted)
            .add(format!(" {} more", format::count(ids.len() as u64)), Token::Muted);
        // The sum of a few; of thousands it would cost a look at each of them in every frame.
        if ids.len() <= 200 {
            let sum = ids
                .iter()
                .filter_map(|id| self.model.deals.get(id)?.amount_in(currency))
                .fold(Decimal::ZERO, Decimal::saturating_add);
            row = row.blank(2).add(format::money_short(sum, currency), Token::Muted);
        }
        canvas.row(self.place.x + 2, y, self.place.width.saturating_sub(2), row);
    }

    /// The latest deals of a closed stage, name and amount.
    fn folded(&self, canvas: &mut Canvas<'_>) {
        let layout = &self.geometry.board;
        let (x, width) = (self.place.x, self.place.width);
        let fits = usize::from(layout.height.saturating_sub(1) / 2).min(6);
        if self.column.cards.is_empty() || fits == 0 {
            return;
        }
        canvas.text(x, layout.top, width, &canvas.look.text("latest"), Token::Muted);
        for (nth, id) in self.column.cards.iter().take(fits).enumerate() {
            let Some(deal) = self.model.deals.get(id) else { continue };
            let y = layout.top + 1 + u16::try_from(nth * 2).unwrap_or(0);
            let marks = Marks::of(self.model, deal);
            canvas.text(x, y, width, &canvas.look.text(deal.name.trim()), Token::Text);
            let amount = match (deal.amount, deal.amount_in(self.model.facts.currency())) {
                (None, _) => canvas.look.text(format::UNKNOWN),
                (Some(_), home) => {
                    let own = self.money(canvas.look, &marks.amount().0, width);
                    match home.filter(|_| own.as_str() == "#") {
                        Some(home) => {
                            let home = format::money_short(home, self.model.facts.currency());
                            self.money(canvas.look, &home, width)
                        }
                        None => own,
                    }
                }
            };
            let ink = if self.column.kind == StageKind::Won {
                Token::Good
            } else {
                Token::Muted
            };
            canvas.text(x, y + 1, width, &amount, ink);
        }
    }
}
