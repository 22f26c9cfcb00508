//! The one place where sizes become a layout: breakpoints, column widths, how many cards fit. `update` scrolls by it and
//! `ui` draws by it, so what is in focus is always in view.

use crate::domain::{Connection, Freshness, StageKind};

use super::{Column, Model, Screen};

/// Narrower than this, or lower than six rows, nothing can be drawn.
const SMALLEST: (u16, u16) = (24, 6);
/// Cells of a folded closed stage.
const FOLDED: usize = 8;
/// Cells of an open column, and what it may grow to on a wide screen.
const COLUMN: (usize, usize) = (21, 26);

/// How a card is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardSize {
    /// Name, amount and date, marks, and a gap.
    Three,
    /// Name; amount, date and marks; and a gap.
    Two,
    /// Everything in one row.
    One,
}

impl CardSize {
    /// Rows a card takes, its gap included.
    #[must_use]
    pub const fn rows(self) -> u16 {
        match self {
            Self::Three => 4,
            Self::Two => 3,
            Self::One => 1,
        }
    }

    /// The rows of that which stay empty.
    #[must_use]
    pub const fn gap(self) -> u16 {
        match self {
            Self::Three | Self::Two => 1,
            Self::One => 0,
        }
    }
}

/// Where the side panel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Not shown.
    Hidden,
    /// Beside the body, this wide.
    Beside(u16),
    /// Laid over the right edge, this wide.
    Over(u16),
}

/// One column of the board on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardColumn {
    /// Index into the model's columns.
    pub index: usize,
    /// First cell.
    pub x: u16,
    /// Cells.
    pub width: u16,
    /// A closed stage folded to its totals.
    pub folded: bool,
}

/// The board on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardLayout {
    /// Columns left to right, only those in view; none on a tiny screen.
    pub columns: Vec<BoardColumn>,
    /// Card size.
    pub card: CardSize,
    /// One stage fills the body, `h` `l` walk the stages.
    pub single: bool,
    /// Row of the stage rail, when it is shown.
    pub rail: Option<u16>,
    /// First row of the column heads.
    pub head: u16,
    /// Rows of a column head: label, totals, share bar (3), or label with total and share bar (2).
    pub head_rows: u16,
    /// First row of the cards.
    pub top: u16,
    /// Rows for cards.
    pub height: u16,
}

impl BoardLayout {
    /// How many cards fit under each other when none is hidden above and more follow below.
    #[must_use]
    pub fn fits(&self) -> usize {
        self.shown(usize::MAX, 0)
    }

    /// How many of `total` cards are in view when the first `hidden` are scrolled away. A row for `▾ 2 more` is kept when
    /// some are hidden below, a row for `▴` when some are hidden above and no blank row is there for it. At least one.
    #[must_use]
    pub fn shown(&self, total: usize, hidden: usize) -> usize {
        let rows = usize::from(self.height.saturating_sub(self.row_above(hidden)));
        let (card, gap) = (usize::from(self.card.rows()), usize::from(self.card.gap()));
        let rest = total.saturating_sub(hidden);
        let all = (rows + gap) / card;
        let with_more = if gap == 0 { rows.saturating_sub(1) } else { rows / card };
        if rest <= all { rest } else { with_more.max(1) }
    }

    /// The row of the first card in view when the first `hidden` are scrolled away.
    #[must_use]
    pub fn first_row(&self, hidden: usize) -> u16 {
        self.top + self.row_above(hidden)
    }

    /// The row that says how many cards are hidden above: the blank one under the column head, else the first of the cards.
    #[must_use]
    pub const fn row_of_hidden_above(&self) -> u16 {
        if self.blank_under_head() {
            self.top - 1
        } else {
            self.top
        }
    }

    const fn blank_under_head(&self) -> bool {
        self.top > self.head + self.head_rows
    }

    fn row_above(&self, hidden: usize) -> u16 {
        u16::from(hidden > 0 && !self.blank_under_head())
    }

    /// The smallest scroll nearest to `hidden` that has the card at `position` of `total` in view.
    #[must_use]
    pub fn scroll_to(&self, position: usize, total: usize, hidden: usize) -> usize {
        let mut first = hidden.min(position);
        while first < position && first + self.shown(total, first) <= position {
            first += 1;
        }
        // No empty rows at the end while cards are hidden above.
        while first > 0 && first - 1 + self.shown(total, first - 1) >= total {
            first -= 1;
        }
        first
    }
}

/// The frame of every screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Smaller than anything can be drawn in.
    pub too_small: bool,
    /// Only the focused deal, the state and one line of hints have room.
    pub tiny: bool,
    /// Rows of the header: 1 or 2.
    pub header: u16,
    /// A banner pushes the body down by one row; it stands right under the header.
    pub banner: bool,
    /// The context line is shown, in the row above the hints.
    pub context: bool,
    /// First row of the body.
    pub body_top: u16,
    /// Rows of the body.
    pub body_height: u16,
    /// Columns of the body, the panel excluded.
    pub body_width: u16,
    /// The stage rail is shown above the columns.
    pub rail: bool,
    /// The side panel.
    pub panel: Panel,
    /// The board, when it is (or lies) in the body.
    pub board: BoardLayout,
}

/// Lays the screen out for the model's size and state.
#[must_use]
pub fn geometry(model: &Model) -> Geometry {
    let (width, height) = model.size;
    let low = height < 20;
    let tiny = width < 40 || height < 10;
    let header = if low || tiny { 1 } else { 2 };
    let banner = !tiny && has_banner(&model.freshness);
    let context = !tiny && (!low || (width < 72 && height >= 16));
    let body_top = header + u16::from(!tiny) + u16::from(banner);
    let bottom = height.saturating_sub(1 + u16::from(context));
    let panel = panel(model, tiny);
    let beside = match panel {
        Panel::Beside(cells) => cells,
        Panel::Hidden | Panel::Over(_) => 0,
    };
    let body_width = width.saturating_sub(beside);
    let board = board(model, body_width, (body_top, bottom), tiny);
    Geometry {
        size: model.size,
        too_small: width < SMALLEST.0 || height < SMALLEST.1,
        tiny,
        header,
        banner,
        context,
        body_top,
        body_height: bottom.saturating_sub(body_top),
        body_width,
        rail: board.rail.is_some(),
        panel,
        board,
    }
}

/// Something keeps data from coming or going that a person must know about at once.
const fn has_banner(freshness: &Freshness) -> bool {
    freshness.trouble.is_some()
        || matches!(
            freshness.connection,
            Connection::Slowed { .. } | Connection::Offline { .. } | Connection::ReadOnly(_)
        )
}

fn panel(model: &Model, tiny: bool) -> Panel {
    let width = model.size.0;
    let cells = if width >= 190 { 36 } else { 31 };
    match model.panel {
        _ if tiny || !matches!(model.screen, Screen::Board) => Panel::Hidden,
        Some(false) => Panel::Hidden,
        _ if width >= 140 => Panel::Beside(cells),
        Some(true) => Panel::Over(cells),
        None => Panel::Hidden,
    }
}

/// Lays out the board between the rows `top` and `bottom` (excluded).
fn board(model: &Model, width: u16, (top, bottom): (u16, u16), tiny: bool) -> BoardLayout {
    let (screen, height) = model.size;
    let low = height < 20;
    let single = screen < 72 || (screen < 100 && low);
    let card = match (single, low || screen < 100) {
        (true, _) => CardSize::One,
        (false, true) => CardSize::Two,
        (false, false) => CardSize::Three,
    };
    let rail = (!single && screen < 140).then_some(top);
    let head = top + if rail.is_some() { 2 } else { 0 };
    let (head_rows, blank) = match card {
        CardSize::Three => (3, 1),
        CardSize::Two => (2, 0),
        CardSize::One => (2, 1),
    };
    let cards = head + head_rows + blank;
    let columns = if tiny {
        Vec::new()
    } else {
        columns(model, usize::from(width), single)
    };
    BoardLayout {
        columns,
        card,
        single,
        rail,
        head,
        head_rows,
        top: cards,
        height: bottom.saturating_sub(cards),
    }
}

/// The columns in view, from the model's first one on, as many as fit; at least one.
fn columns(model: &Model, body: usize, single: bool) -> Vec<BoardColumn> {
    let widths = widths(model, body, single);
    let first = model.board.first_column.min(widths.len().saturating_sub(1));
    let mut x = 1;
    let mut shown = Vec::new();
    for (index, (width, folded)) in widths.into_iter().enumerate().skip(first) {
        let room = (body.saturating_sub(x + usize::from(single))).min(width);
        if !shown.is_empty() && (single || room < width) {
            break;
        }
        shown.push(BoardColumn {
            index,
            x: cells(x),
            width: cells(room),
            folded,
        });
        x += width + 1;
    }
    shown
}

/// What every column of the pipeline would take: cells, and whether it is folded.
fn widths(model: &Model, body: usize, single: bool) -> Vec<(usize, bool)> {
    let screen = usize::from(model.size.0);
    let all = &model.board.columns;
    if single {
        return vec![(body.saturating_sub(2), false); all.len()];
    }
    if screen < 100 {
        // Three columns, their gaps, a margin on both sides.
        let third = (body.saturating_sub(4) / 3).min(25);
        return vec![(third, false); all.len()];
    }
    if screen < 140 {
        return vec![(COLUMN.0, false); all.len()];
    }
    let mut folded: Vec<bool> = all.iter().map(|column| folds(model, column)).collect();
    let roomy = screen >= 190 || model.panel == Some(false);
    if !roomy {
        return sized(&folded, COLUMN.0);
    }
    let closed = folded.iter().filter(|folded| **folded).count();
    let open = all.len() - closed;
    let room = body.saturating_sub(1 + closed * (FOLDED + 1));
    let width = (room / open.max(1)).saturating_sub(1).clamp(COLUMN.0, COLUMN.1);
    for nth in 0..folded.len() {
        let taken: usize = 1 + sized(&folded, width).iter().map(|(cells, _)| cells + 1).sum::<usize>();
        if folded.get(nth) == Some(&true) && taken + width - FOLDED <= body {
            folded.splice(nth..=nth, [false]);
        }
    }
    sized(&folded, width)
}

fn sized(folded: &[bool], width: usize) -> Vec<(usize, bool)> {
    folded
        .iter()
        .map(|folded| (if *folded { FOLDED } else { width }, *folded))
        .collect()
}

/// A closed stage is folded unless the person unfolded it.
fn folds(model: &Model, column: &Column) -> bool {
    column.kind != StageKind::Open && !model.board.unfolded.contains(&column.stage)
}

fn cells(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use crate::app::{Geometry, Panel, geometry, sample};

    fn at(width: u16, height: u16) -> Geometry {
        geometry(&sample::model((width, height)))
    }

    fn row(geometry: &Geometry) -> Vec<(u16, u16)> {
        geometry
            .board
            .columns
            .iter()
            .map(|column| (column.x, column.width))
            .collect()
    }

    #[test]
    fn five_open_columns_two_folded_ones_and_the_panel_fill_160() {
        let geometry = at(160, 45);
        assert_eq!(
            row(&geometry),
            [(1, 21), (23, 21), (45, 21), (67, 21), (89, 21), (111, 8), (120, 8)]
        );
        assert_eq!((geometry.panel, geometry.body_width), (Panel::Beside(31), 129));
        let board = &geometry.board;
        assert_eq!((geometry.body_top, board.head, board.top, board.height), (3, 3, 7, 36));
        assert_eq!((board.shown(11, 0), board.shown(9, 0), board.fits()), (9, 9, 9));
    }

    #[test]
    fn three_columns_with_a_rail_fill_80() {
        let geometry = at(80, 24);
        assert_eq!(row(&geometry), [(1, 25), (27, 25), (53, 25)]);
        let board = &geometry.board;
        assert_eq!((board.rail, board.head, board.top, board.height), (Some(3), 5, 7, 15));
        assert_eq!((board.shown(11, 0), board.shown(11, 3)), (5, 4));
    }

    #[test]
    fn one_stage_at_a_time_fills_60() {
        let geometry = at(60, 18);
        assert_eq!(row(&geometry), [(1, 58)]);
        let board = &geometry.board;
        assert_eq!((geometry.header, board.head, board.top), (1, 2, 5));
        assert_eq!(board.shown(9, 0), 9);
    }

    #[test]
    fn wide_screens_grow_the_columns_before_closed_stages_unfold() {
        assert_eq!(row(&at(190, 50))[4..], [(109, 26), (136, 8), (145, 8)]);
        assert!(
            at(230, 50)
                .board
                .columns
                .iter()
                .all(|column| column.width == 26 && !column.folded)
        );
    }
}
