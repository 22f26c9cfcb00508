//! Everything the screen shows. Each field says what holds for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::domain::{
    Account, ActivityItem, Connection, Deal, DealDetail, DealId, Decision, Fault, Freshness, Limits, OpId, OpState,
    Operation, Owner, OwnerId, Pipeline, PipelineId, SegmentCount, StageId,
};

use super::{
    Columns, Line, NoteEditor, OutboxScreen, Overlay, Settings, Story, Ticket,
    outbox::{self, Typed},
    registry::Keymap,
};

/// The dashboard.
#[derive(Clone, Debug)]
pub struct Model {
    /// From the configuration; never changes while it runs.
    pub settings: Settings,
    /// Keys → actions, the user's bindings included; no key has two meanings in one context.
    pub keymap: Keymap,
    /// The time of the last message: every age and every "today" on the screen is computed from it.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The account, its pipelines and its people.
    pub facts: Facts,
    /// All deals of the mirror with pending operations applied. Read again, never patched here.
    pub deals: BTreeMap<DealId, Deal>,
    /// The board: what of the deals is in view, and where the focus is.
    pub board: BoardState,
    /// What fills the body.
    pub screen: Screen,
    /// What is open on top; at most one.
    pub overlay: Option<Overlay>,
    /// Segments of the side panel.
    pub segments: Vec<SegmentCount>,
    /// The gauges as they are shown: they follow [`Model::latest_limits`] when a figure has moved enough to be worth a
    /// frame, and with every key.
    pub limits: Limits,
    /// The gauges as the engine last told them.
    pub latest_limits: Limits,
    /// Unfinished and refused operations by state, for side panel and header.
    pub outbox: OutboxSummary,
    /// The operations of the outbox in the order of its table, at most [`Model::LISTED`].
    pub operations: Vec<Operation>,
    /// How many more there are than are listed.
    pub unlisted: usize,
    /// The operation looked at last with all that is known of it; it may be another one than the one in focus now.
    pub story: Option<Box<Story>>,
    /// The operation whose story was asked for last, as it was then: when it changes, it is asked for again.
    pub story_asked: Option<Box<Operation>>,
    /// What was typed into forms and not sent.
    pub typed: Typed,
    /// The feed, newest first.
    pub activity: Vec<ActivityItem>,
    /// How true the data is.
    pub freshness: Freshness,
    /// The last thing said to the person, until it ends.
    pub said: Option<Said>,
    /// The sentence is about the last key and goes with the next one.
    pub passing: bool,
    /// Cards a colleague changed just now, until their flash ends; at most three are fresh at a time.
    pub flashes: BTreeMap<DealId, Flash>,
    /// Cards whose write landed just now: when the ✓ goes.
    pub landed: BTreeMap<DealId, Timestamp>,
    /// `Some(shown)` after the person pressed `I`; `None` = the layout decides.
    pub panel: Option<bool>,
    /// Which pane has the focus.
    pub focus: Focus,
    /// The first board has arrived. Before that, panes say what they wait for.
    pub loaded: bool,
    /// Why unfinished operations wait, in words, for those with an error.
    pub reasons: BTreeMap<OpId, String>,
    /// The newest question of each kind that is not answered yet; every other answer is dropped.
    pub asked: BTreeMap<&'static str, Ticket>,
    /// The last ticket given out.
    pub last_ticket: Ticket,
    /// Changes handed over and not answered yet. Unlike questions, each of their answers counts.
    pub waiting: BTreeMap<Ticket, Waiting>,
    /// Where deals go that were asked to move, until they were read again: a second `>` goes on from there.
    pub moving: BTreeMap<DealId, StageId>,
    /// Deals asked for and not read yet. A newer question asks for them again, so no answer is missed.
    pub reading: BTreeSet<DealId>,
    /// What a burst of events made stale, to be read when it has ended; `None` = nothing is due.
    pub stale: Option<Stale>,
    /// When [`super::TimerId::Marks`] was asked to ring; `None` = not.
    pub marks_at: Option<Timestamp>,
    /// The midnight [`super::TimerId::Midnight`] was asked to ring at; `None` = not asked yet.
    pub midnight: Option<Timestamp>,
    /// Entry of the feed in focus while the panel has the focus; within the feed.
    pub panel_row: usize,
    /// Where the person was before, latest last; at most [`Model::TRAIL`] places.
    pub trail: Vec<Place>,
}

/// A change that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A stage move of this deal.
    Move(DealId),
    /// A note on this deal.
    Note(DealId),
    /// An undo or a redo.
    Undo,
    /// A decision about this operation.
    Decision(OpId, Decision),
    /// A draft of this deal's note; with the editor when that was closed, to be opened again should the draft be lost.
    Draft(DealId, Option<Box<NoteEditor>>),
}

/// What is to be read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// These deals.
    pub deals: BTreeSet<DealId>,
    /// Everything on the board.
    pub board: bool,
    /// The unfinished operations.
    pub outbox: bool,
}

/// A place to come back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The board with this deal in focus.
    Board(DealId),
    /// This deal in detail.
    Deal(DealId),
    /// The outbox with this operation in focus.
    Outbox(Option<OpId>),
}

/// The account as far as the screen needs it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The account, once known.
    pub account: Option<Account>,
    /// Whose token it is.
    pub me: Option<OwnerId>,
    /// Deal pipelines by order.
    pub pipelines: Vec<Pipeline>,
    /// Owners by id.
    pub owners: BTreeMap<OwnerId, Owner>,
}

impl Facts {
    /// The account's zone; UTC until it is known.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.account.as_ref().map_or(TimeZone::UTC, Account::zone)
    }

    /// The company currency; `USD` until it is known.
    #[must_use]
    pub fn currency(&self) -> &str {
        self.account.as_ref().map_or("USD", |account| account.currency.as_str())
    }
}

/// The board's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardState {
    /// The pipeline in view; `None` until one is known.
    pub pipeline: Option<PipelineId>,
    /// Whose deals are in view.
    pub scope: Scope,
    /// The scope is decided: by the person, or because enough is known. Before that, a board read anew may change it.
    pub scope_settled: bool,
    /// The stages in order, each with its cards in order and its totals; recomputed when deals change.
    pub columns: Columns,
    /// Index of the column in focus; always an existing column when there is one.
    pub column: usize,
    /// The deal in focus, by id: a refresh or a move takes the focus along. `None` only when the column is empty.
    pub focus: Option<DealId>,
    /// Closed stages that are unfolded.
    pub unfolded: Vec<StageId>,
    /// First visible card of each column.
    pub scroll: BTreeMap<StageId, usize>,
    /// First visible column, when not all fit.
    pub first_column: usize,
}

/// Whose deals are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The person's own.
    Mine,
    /// Everyone's.
    #[default]
    Everyone,
}

/// What fills the body.
#[derive(Clone, Debug)]
pub enum Screen {
    /// Deals by stage.
    Board,
    /// One deal.
    Deal(Box<DealScreen>),
    /// The operations of the outbox.
    Outbox(OutboxScreen),
    /// First run: no usable token yet.
    Setup(SetupState),
}

/// One deal in detail.
#[derive(Clone, Debug)]
pub struct DealScreen {
    /// Which deal.
    pub id: DealId,
    /// What was read; `None` until the answer is here.
    pub detail: Option<DealDetail>,
    /// The note in focus, 0 = newest; within the notes there are.
    pub note: usize,
    /// It could not be read: why.
    pub fault: Option<Fault>,
}

/// The set-up screen.
#[derive(Clone, Debug)]
pub struct SetupState {
    /// Why we are here: no token, or the sentence about the one there is.
    pub why: Option<Fault>,
    /// The token being typed; shown as dots.
    pub token: Line,
    /// The check is on its way.
    pub checking: bool,
}

/// Unfinished operations by state, with the name of the first deal of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxSummary {
    /// `(state, how many, first title)`, in the order queued, in flight, uncertain, held, conflict, dead.
    pub rows: Vec<(OpState, usize, String)>,
}

impl OutboxSummary {
    /// How many operations wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.counted(|state| !state.is_final())
    }

    /// How many operations only a person can bring further.
    #[must_use]
    pub fn need_person(&self) -> usize {
        self.counted(OpState::needs_person)
    }

    fn counted(&self, counts: impl Fn(OpState) -> bool) -> usize {
        let rows = self.rows.iter().filter(|(state, ..)| counts(*state));
        rows.map(|(_, count, _)| count).sum()
    }
}

/// A sentence in the context line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What kind of sentence.
    pub kind: SaidKind,
    /// The sentence; of a receipt only what was kept (`stage of Acme … → …`).
    pub text: String,
    /// Until when it stays.
    pub until: Timestamp,
}

/// Kinds of sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidKind {
    /// A write was kept: the person may undo it.
    Kept,
    /// Something to know.
    Info,
    /// Something failed or is not possible.
    Fault,
}

/// A colleague's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Who, when known.
    pub by: Option<OwnerId>,
    /// When the mark ends.
    pub until: Timestamp,
    /// Has the coloured plane (at most three at a time, none with reduced motion).
    pub plane: bool,
}

/// Panes `⇥` walks through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The board, or the detail's timeline.
    Body,
    /// The side panel.
    Panel,
}

impl Model {
    /// How many places are remembered.
    pub const TRAIL: usize = 50;
    /// How many operations are listed; those that need a person come first.
    pub const LISTED: usize = 1_000;

    /// A dashboard that knows nothing yet.
    #[must_use]
    pub fn new(settings: Settings, keymap: Keymap, now: Timestamp, size: (u16, u16)) -> Self {
        Self {
            settings,
            keymap,
            now,
            size,
            facts: Facts::default(),
            deals: BTreeMap::new(),
            board: BoardState::default(),
            screen: Screen::Board,
            overlay: None,
            segments: Vec::new(),
            limits: Limits::default(),
            latest_limits: Limits::default(),
            outbox: OutboxSummary::default(),
            operations: Vec::new(),
            unlisted: 0,
            story: None,
            story_asked: None,
            typed: Typed::new(),
            activity: Vec::new(),
            freshness: Freshness {
                connection: Connection::Cached,
                as_of: None,
                trouble: None,
            },
            said: None,
            passing: false,
            flashes: BTreeMap::new(),
            landed: BTreeMap::new(),
            panel: None,
            focus: Focus::Body,
            loaded: false,
            reasons: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_ticket: Ticket::default(),
            waiting: BTreeMap::new(),
            moving: BTreeMap::new(),
            reading: BTreeSet::new(),
            stale: None,
            marks_at: None,
            midnight: None,
            panel_row: 0,
            trail: Vec::new(),
        }
    }

    /// A first run, or a run whose token is refused: the set-up screen, with the reason.
    #[must_use]
    pub fn in_setup(mut self, why: Option<Fault>) -> Self {
        self.screen = Screen::Setup(SetupState {
            why,
            token: Line::default(),
            checking: false,
        });
        self
    }

    /// Today in the account's zone: the one place "today" comes from.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now.to_zoned(self.facts.zone()).date()
    }

    /// The deal in focus: on the board, in detail, or of the operation in focus.
    #[must_use]
    pub fn focused(&self) -> Option<&Deal> {
        match &self.screen {
            Screen::Deal(state) => self.deals.get(&state.id),
            Screen::Outbox(_) => self.deals.get(&outbox::deal_of(outbox::subject(self)?)?),
            _ => self.board.focus.as_ref().and_then(|id| self.deals.get(id)),
        }
    }

    /// The stage a deal is in, or is on its way to after a move that was not read back yet.
    #[must_use]
    pub fn heading(&self, deal: &Deal) -> StageId {
        self.moving.get(&deal.id).unwrap_or(&deal.stage).clone()
    }

    /// The pipeline in view.
    #[must_use]
    pub fn pipeline(&self) -> Option<&Pipeline> {
        let id = self.board.pipeline.as_ref()?;
        self.facts.pipelines.iter().find(|pipeline| pipeline.id == *id)
    }

    /// Nothing may be written now, and why.
    #[must_use]
    pub fn read_only(&self) -> Option<String> {
        match &self.freshness.connection {
            _ if self.settings.read_only => Some("started with --read-only".to_owned()),
            Connection::ReadOnly(fault) => Some(fault.what.clone()),
            _ => None,
        }
    }
}
