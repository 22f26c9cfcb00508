//! What can be open on top of the body. At most one at a time.

use crate::domain::{DealId, StageId};

use super::{Confirm, Editor, FieldsForm, Line, OperationView};

/// Something open on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// Keys and marks.
    Help(Help),
    /// Find a deal by type-ahead.
    Find(Finder),
    /// Choose a stage for a deal.
    Stage(StagePicker),
    /// Write a note.
    Note(NoteEditor),
    /// Choose a pipeline to look at.
    Pipeline(PipelinePicker),
    /// One operation of the outbox, with what can be decided about it.
    Operation(OperationView),
    /// Values to be filled in for an operation.
    Fields(FieldsForm),
    /// A question before something that cannot be taken back.
    Confirm(Confirm),
}

/// The help overlay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// The search text; empty = everything, grouped.
    pub query: Line,
    /// The search has the keys (after `/`).
    pub searching: bool,
    /// Position among the actions listed; within them.
    pub chosen: usize,
}

/// The finder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finder {
    /// What is typed.
    pub query: Line,
    /// The best hits, best first, at most [`Finder::LIMIT`]; recomputed at every key.
    pub hits: Vec<Hit>,
    /// Position among the hits; within them.
    pub chosen: usize,
    /// How many deals match in all.
    pub matching: usize,
}

impl Finder {
    /// How many hits are kept.
    pub const LIMIT: usize = 50;
}

/// One hit of a type-ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The deal.
    pub deal: DealId,
    /// Character positions of its name that matched.
    pub matched: Vec<u32>,
}

/// The stage picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagePicker {
    /// The deal to move.
    pub deal: DealId,
    /// What is typed.
    pub query: Line,
    /// Stages in the order shown: matching ones first. `(stage, matched character positions or None)`.
    pub stages: Vec<(StageId, Option<Vec<u32>>)>,
    /// Position among the stages; within them.
    pub chosen: usize,
}

/// The note editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteEditor {
    /// The deal it is written on.
    pub deal: DealId,
    /// The text.
    pub editor: Editor,
    /// The draft on disk equals the text, as far as we asked for it.
    pub kept: bool,
    /// The draft on disk was not read yet: it must not be replaced.
    pub unread: bool,
    /// When the draft was last on disk.
    pub kept_at: Option<jiff::Timestamp>,
    /// The note is being kept in the outbox: keys wait for the answer so that nothing is kept twice.
    pub sending: bool,
}

/// The pipeline picker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelinePicker {
    /// What is typed.
    pub query: Line,
    /// Position among the matching pipelines; within them.
    pub chosen: usize,
}
