//! The dashboard as data and one function: [`Model`] is everything the screen shows, [`update`] is everything that can
//! happen to it. `update` is total, synchronous, cannot fail and cannot wait; what it wants done comes back as [`Effect`]s.
//! No I/O, no clock, no terminal: the time of every message comes in with it.

mod deals;
mod edit;
mod effect;
mod geometry;
mod key;
mod model;
mod msg;
mod overlay;
pub mod registry;
mod settings;
mod update;

pub use deals::{Column, Columns};
pub use edit::{Editor, Line};
pub use effect::{Effect, Query, TimerId};
pub use geometry::{BoardColumn, BoardLayout, CardSize, Geometry, Panel, geometry};
pub use key::{Key, KeyCode};
pub use model::{
    BoardState, DealScreen, Facts, Flash, Focus, Model, OutboxSummary, Said, SaidKind, Scope, Screen, SetupState,
};
pub use msg::{Answer, Msg, Ticket};
pub use overlay::{Finder, Help, Hit, NoteEditor, Overlay, PipelinePicker, StagePicker};
pub use settings::Settings;
pub use update::update;
