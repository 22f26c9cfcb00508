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
pub mod outbox;
mod overlay;
pub mod registry;
#[doc(hidden)]
pub mod sample;
mod settings;
#[cfg(test)]
mod tests;
mod update;
pub mod values;

pub use deals::{Column, Columns, columns, in_scope};
pub use edit::{Editor, Line};
pub use effect::{Effect, Query, TimerId};
pub use geometry::{BoardColumn, BoardLayout, CardSize, Geometry, Panel, geometry};
pub use key::{Key, KeyCode};
pub use model::{
    BoardState, DealScreen, Facts, Flash, Focus, Model, OutboxSummary, Place, Said, SaidKind, Scope, Screen,
    SetupState, Stale, Waiting,
};
pub use msg::{Answer, Msg, Ticket};
pub use outbox::{Confirm, FieldsForm, FormField, OperationView, OutboxScreen, Story};
pub use overlay::{Finder, Help, Hit, NoteEditor, Overlay, PipelinePicker, StagePicker};
pub use settings::Settings;
pub use update::{focus_on, matching_pipelines, start, update};
