//! Model to cells. [`view`] draws the dashboard's model on a frame and changes nothing: no clock, no I/O, no state of its
//! own. Sizes come from `app::geometry`, words for money and dates from `domain::format`, colours from [`theme`], signs
//! from [`glyphs`]; every text passes [`text::SafeText`] on its way to a cell.

mod canvas;
pub mod glyphs;
mod look;
mod panes;
mod row;
pub mod text;
pub mod theme;
mod widgets;

pub use glyphs::Glyphs;
pub use look::{Ink, Look};
pub use theme::{Depth, Palette, Theme, Token};

use crate::app::Model;

/// Draws the dashboard on a frame. Pure: the same model and look give the same cells.
pub fn view(model: &Model, look: &Look, frame: &mut ratatui::Frame<'_>) {
    panes::draw(&mut canvas::Canvas::new(frame.buffer_mut(), look), model);
}

/// The terminal's title: the product and what waits. No names.
#[must_use]
pub fn plain_title(model: &Model) -> String {
    match model.outbox.waiting() {
        0 => "dealdeck".to_owned(),
        waiting => format!("dealdeck · {waiting} waiting"),
    }
}
