//! The one place where sizes become a layout: breakpoints, column widths, how many cards fit. `update` scrolls by it and
//! `ui` draws by it, so what is in focus is always in view.

use super::Model;

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
    /// Columns left to right, only those in view.
    pub columns: Vec<BoardColumn>,
    /// Card size.
    pub card: CardSize,
    /// First row of the cards.
    pub top: u16,
    /// Rows for cards.
    pub height: u16,
}

impl BoardLayout {
    /// How many cards fit under each other, when none is hidden above.
    #[must_use]
    pub fn fits(&self) -> usize {
        usize::from((self.height / self.card.rows()).max(1))
    }
}

/// The frame of every screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Smaller than anything can be drawn in.
    pub too_small: bool,
    /// Rows of the header: 1 or 2.
    pub header: u16,
    /// A banner pushes the body down by one row.
    pub banner: bool,
    /// The context line is shown.
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
    let _ = model;
    todo!()
}
