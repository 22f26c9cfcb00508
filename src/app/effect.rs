//! What the dashboard wants done. `term` carries effects out and brings the answers back as messages.

use jiff::Timestamp;

use crate::domain::{DealId, Decision, OpId, Submission};

use super::Ticket;

/// One thing to do outside the pure world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the engine; the answer carries the ticket.
    Query(Ticket, Query),
    /// Keep a change; answered by [`super::Answer::Kept`].
    Submit(Ticket, Submission),
    /// Carry out what a person decided about an operation; answered by [`super::Answer::Decided`].
    Decide(Ticket, OpId, Decision),
    /// Undo the newest action; answered by [`super::Answer::Undone`].
    Undo(Ticket),
    /// Do again what was undone last; answered by [`super::Answer::Redone`].
    Redo(Ticket),
    /// Keep a note's draft (`None` drops it); answered by [`super::Answer::Drafted`].
    SaveDraft(Ticket, DealId, Option<String>),
    /// Put text under the draft on disk, which was not read yet; answered by [`super::Answer::Drafted`].
    AddDraft(Ticket, DealId, String),
    /// Have the engine read this deal's notes and people now; an event follows.
    LookAt(DealId),
    /// Poll HubSpot now.
    Refresh,
    /// Ring at this time; a newer timer with the same id replaces it.
    Timer(TimerId, Timestamp),
    /// Hand this text to the person's editor; answered by [`super::Answer::Edited`].
    Edit(Ticket, String),
    /// Put text on the clipboard.
    Copy(String),
    /// Open a page of the account in the browser.
    Browse(String),
    /// Keep and check a token typed in set-up; answered by [`super::Answer::Connected`].
    Connect(Ticket, String),
    /// Draw everything again from scratch.
    Redraw,
    /// Stop until the shell brings us back.
    Suspend,
    /// Leave.
    Quit,
}

/// A question to the engine; all are answered from the mirror, none waits for the network.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// The whole board.
    Board,
    /// These deals.
    Deals(Vec<DealId>),
    /// One deal in detail.
    Detail(DealId),
    /// Operations that are not finished or that HubSpot refused, and the last ones that are finished.
    Outbox,
    /// One operation with all that is known of it.
    Story(OpId),
    /// The draft of a note on this deal.
    Draft(DealId),
}

/// Timers, one of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerId {
    /// A receipt, a flash or a landed mark ends: one redraw.
    Marks,
    /// Midnight of the account's zone: ages in days move.
    Midnight,
    /// The draft of the open note is due to be kept.
    Draft,
    /// A burst of engine events has ended: read again what changed.
    Reload,
}
