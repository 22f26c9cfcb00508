//! What a face of the engine asks for, and what it gets back at once. A change becomes an operation in the outbox; it is
//! "kept" when it is on disk, long before HubSpot has seen it.

use jiff::Timestamp;

use super::{DealId, OpId, PipelineId, Properties, RecordRef, StageId};

/// A change a person (or a script) wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Move a deal to a stage.
    MoveDeal {
        /// Which deal.
        deal: DealId,
        /// Where to.
        stage: StageId,
        /// Its pipeline, when the move crosses pipelines.
        pipeline: Option<PipelineId>,
    },
    /// Set properties of a record; `None` clears.
    SetProperties {
        /// Which record.
        record: RecordRef,
        /// The new values.
        values: Properties,
    },
    /// Write a note on a deal; it is linked to the deal, its contacts and its company.
    AddNote {
        /// Which deal.
        deal: DealId,
        /// Plain text; escaped to HTML when it is kept.
        text: String,
        /// Where it stands in the timeline; `None` = now.
        at: Option<Timestamp>,
    },
    /// Archive a record.
    Archive(RecordRef),
}

/// Where a change comes from: the dashboard gives a property write a moment in which undo costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Somebody pressed a key: property writes wait out the undo grace (5 s) before they are claimed.
    Screen,
    /// A command or a script: sent at once.
    Command,
}

/// A change with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// What to do.
    pub change: Change,
    /// Who asks.
    pub origin: Origin,
}

/// The change is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The operation it became.
    pub op: OpId,
    /// What was kept, in words: `stage of Acme Rocket Skates  Qualified → Contract sent`.
    pub said: String,
}

/// What undo did with the newest action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoOutcome {
    /// There is nothing to undo.
    Nothing,
    /// It had not been sent; nothing will be.
    Cancelled {
        /// The operation taken back.
        of: OpId,
        /// In words.
        said: String,
    },
    /// The inverse was kept and will be sent.
    Inverse {
        /// The operation being undone.
        of: OpId,
        /// The inverse operation.
        op: OpId,
        /// In words.
        said: String,
    },
    /// It cannot be undone without clobbering somebody: why.
    Refused {
        /// The operation.
        of: OpId,
        /// Why not, and what to do instead.
        why: String,
    },
    /// Actions that were one.
    Several {
        /// Those that are undone, or will be when their inverse is sent.
        undone: Vec<OpId>,
        /// Those that cannot be, and why.
        refused: Vec<(OpId, String)>,
    },
}

/// What redo did with what was undone last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedoOutcome {
    /// Nothing was undone, or something new was done since.
    Nothing,
    /// It was kept once more, as new operations.
    Redone {
        /// The new operations, in the order of the old ones; at least one.
        ops: Vec<OpId>,
        /// In words.
        said: String,
        /// Those that cannot be done again without clobbering somebody, and why.
        refused: Vec<(OpId, String)>,
    },
    /// None of it can be done again: why.
    Refused {
        /// The operation that was undone.
        of: OpId,
        /// Why not, and what to do instead.
        why: String,
    },
}
