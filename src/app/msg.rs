//! Everything that can happen to the dashboard. Messages can be logged, compared and replayed.

use crate::domain::{
    Board, Deal, DealDetail, DealId, Event, Fault, OpId, Operation, Receipt, RedoOutcome, UndoOutcome,
};

use super::{Key, Story, TimerId};

/// Ties an answer to its question: an answer with an older ticket than the newest question of its kind is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now: columns, rows.
    Resize(u16, u16),
    /// The engine says something.
    Engine(Event),
    /// An effect with a ticket was carried out.
    Answer(Ticket, Answer),
    /// A timer armed by [`super::Effect::Timer`] rang.
    Timer(TimerId),
    /// The terminal is ours again (after a suspend or an editor): draw everything.
    Resumed,
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The whole board.
    Board(Result<Box<Board>, Fault>),
    /// These deals as they are now; an id that was asked for and is not there is gone.
    Deals {
        /// The ids that were asked for.
        asked: Vec<DealId>,
        /// What was found.
        found: Result<Vec<Deal>, Fault>,
    },
    /// One deal in detail; `None` = it is not in the mirror.
    Detail(Result<Option<Box<DealDetail>>, Fault>),
    /// A change was kept, or not.
    Kept(Result<Receipt, Fault>),
    /// Undo did something.
    Undone(Result<UndoOutcome, Fault>),
    /// Redo did something.
    Redone(Result<RedoOutcome, Fault>),
    /// Operations that are not finished or that HubSpot refused, and the last ones that are finished; in any order.
    Outbox(Result<Vec<Operation>, Fault>),
    /// One operation with all that is known of it.
    Story(OpId, Result<Box<Story>, Fault>),
    /// What a person decided about an operation was carried out, or not.
    Decided(Result<Box<Operation>, Fault>),
    /// The draft kept for a deal's note.
    Draft(DealId, Option<String>),
    /// A draft is on disk, or not.
    Drafted(Result<(), Fault>),
    /// What the external editor left; `None` = nothing changed or it failed.
    Edited(Option<String>),
    /// The token typed in set-up was checked.
    Connected(Result<(), Fault>),
}
