//! The one registry of actions: id, words, group, default keys, when it is possible and why not, risk. Keymap, help,
//! footer hints and the README's key table come from it. An action that does not work yet is not in it.

mod hints;
mod keymap;
mod possible;
mod table;

use super::{Key, Model, Overlay, Screen};

pub(super) use possible::{neighbour, step};

pub use hints::{HintText, Hints, hints};
pub use keymap::{Keymap, KeymapError};
pub use table::REGISTRY;

/// What a key can do. One variant per record of the registry, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is described by its record")]
pub enum Action {
    Left,
    Down,
    Up,
    Right,
    First,
    Last,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    Open,
    NextDeal,
    PrevDeal,
    Pane,
    Back,
    Drop,
    Retry,
    Amend,
    OpenDeal,
    Attention,
    Move,
    Advance,
    Retreat,
    Note,
    Undo,
    Redo,
    Find,
    Pipeline,
    Scope,
    Fold,
    Panel,
    Outbox,
    Refresh,
    CopyLink,
    Browser,
    Help,
    Escape,
    Quit,
    QuitNow,
    Suspend,
    Redraw,
    Take,
    Run,
    ChooseNext,
    ChoosePrev,
    Search,
    CloseHelp,
    Cancel,
    Save,
    Editor,
    CloseNote,
    CloseOperation,
    Submit,
    NextField,
    PrevField,
    CloseForm,
    Yes,
    No,
    Connect,
    Leave,
}

/// Where keys have their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The board.
    Board,
    /// A deal in detail.
    Deal,
    /// The outbox.
    Outbox,
    /// Help.
    Help,
    /// Pickers and the finder.
    Picker,
    /// The note editor.
    Note,
    /// An operation of the outbox.
    Operation,
    /// Values to be filled in for an operation.
    Form,
    /// A question before something that cannot be taken back.
    Confirm,
    /// The set-up screen.
    Setup,
}

impl Context {
    /// All of them, in the order of the key table.
    pub const ALL: [Self; 10] = [
        Self::Board,
        Self::Deal,
        Self::Outbox,
        Self::Operation,
        Self::Form,
        Self::Confirm,
        Self::Picker,
        Self::Note,
        Self::Help,
        Self::Setup,
    ];

    /// The heading of the key table.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Board => "Board",
            Self::Deal => "Deal detail",
            Self::Outbox => "Outbox",
            Self::Operation => "Operation",
            Self::Form => "Form",
            Self::Confirm => "Question",
            Self::Help => "Help",
            Self::Picker => "Pickers and finder",
            Self::Note => "Note editor",
            Self::Setup => "First run",
        }
    }

    /// Letters are text there, so no action can have one of them as its key.
    #[must_use]
    pub const fn types_text(self) -> bool {
        matches!(self, Self::Picker | Self::Note | Self::Form | Self::Setup)
    }

    /// Where the next key goes: what is open on top, else the screen.
    #[must_use]
    pub const fn of(model: &Model) -> Self {
        match (&model.overlay, &model.screen) {
            (Some(Overlay::Help(_)), _) => Self::Help,
            (Some(Overlay::Note(_)), _) => Self::Note,
            (Some(Overlay::Find(_) | Overlay::Stage(_) | Overlay::Pipeline(_)), _) => Self::Picker,
            (Some(Overlay::Operation(_)), _) => Self::Operation,
            (Some(Overlay::Fields(_)), _) => Self::Form,
            (Some(Overlay::Confirm(_)), _) => Self::Confirm,
            (None, _) => Self::under(model),
        }
    }

    /// The same without what is open on top.
    #[must_use]
    pub const fn under(model: &Model) -> Self {
        match &model.screen {
            Screen::Board => Self::Board,
            Screen::Deal(_) => Self::Deal,
            Screen::Outbox(_) => Self::Outbox,
            Screen::Setup(_) => Self::Setup,
        }
    }
}

/// Headings of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Moving the focus.
    Walk,
    /// Changing a deal.
    Change,
    /// Writing something down.
    Write,
    /// Deciding about an operation.
    Decide,
    /// Taking something back.
    Undo,
    /// Finding, and choosing what is in view.
    Find,
    /// How things are shown.
    See,
    /// Taking something out of the program.
    Away,
    /// The program itself.
    Program,
    /// Inside something that is open on top.
    Open,
}

impl Group {
    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Walk => "Walk",
            Self::Change => "Change a deal",
            Self::Write => "Write down",
            Self::Decide => "Decide",
            Self::Undo => "Undo",
            Self::Find => "Find",
            Self::See => "See",
            Self::Away => "Take away",
            Self::Program => "Program",
            Self::Open => "In what is open",
        }
    }
}

/// How much an action can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Changes nothing in HubSpot.
    Read,
    /// Is kept and sent, and can be undone.
    Write,
    /// Asks first.
    Destructive,
}

impl Risk {
    /// The word in the key table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }
}

/// Where an action shows itself in the hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Not at all.
    No,
    /// With this word, at the left.
    Left(&'static str),
    /// With this word and the keys of these actions before it, at the left.
    Joined(&'static [Action], &'static str),
    /// With this word, at the fixed right end, in these contexts.
    Right(&'static str, &'static [Context]),
}

/// One action.
#[derive(Clone, Copy)]
pub struct Record {
    /// Which.
    pub action: Action,
    /// Its id in the configuration.
    pub id: &'static str,
    /// Its name in the help, at most twenty cells.
    pub title: &'static str,
    /// What it does, as the key table says it.
    pub description: &'static str,
    /// Its heading in the help.
    pub group: Group,
    /// Where its keys work.
    pub contexts: &'static [Context],
    /// Keys unless the person chose others, the one shown first.
    pub keys: &'static [Key],
    /// How much it can change.
    pub risk: Risk,
    /// Where it shows itself in the hints.
    pub hint: Hint,
    /// Possible now? Else why not, in a person's words.
    pub possible: fn(&Model) -> Result<(), String>,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Action {
    /// Its record.
    #[must_use]
    pub fn record(self) -> &'static Record {
        // The order of the variants is the order of the records; a test holds it.
        &REGISTRY[self as usize]
    }

    /// Possible now?
    ///
    /// # Errors
    /// Why not, in a person's words.
    pub fn possible(self, model: &Model) -> Result<(), String> {
        (self.record().possible)(model)
    }
}

/// One row of the help: an action with its keys, and why it is not possible now.
#[derive(Clone, Debug)]
pub struct HelpRow {
    /// The action.
    pub record: &'static Record,
    /// Its keys in this context, as people read them: `j ↓`.
    pub keys: String,
    /// Why it is not possible now.
    pub why_not: Option<String>,
}

/// The actions of the screen under the help that match its search, by group in the order of the headings. The position
/// [`super::Help::chosen`] counts in this list.
#[must_use]
pub fn help_rows(model: &Model, query: &str) -> Vec<HelpRow> {
    let context = Context::under(model);
    let query = query.trim().to_lowercase();
    let mut rows: Vec<HelpRow> = REGISTRY
        .iter()
        .filter(|record| record.contexts.contains(&context))
        .map(|record| HelpRow {
            record,
            keys: model.keymap.keys_text(context, record.action),
            why_not: (record.possible)(model).err(),
        })
        .filter(|row| {
            let record = row.record;
            query.is_empty()
                || [record.title, record.description, record.group.title(), record.id]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&query))
                || row.keys.to_lowercase().split(' ').any(|key| key == query)
        })
        .collect();
    rows.sort_by_key(|row| row.record.group);
    rows
}

/// One row of the key table of the README and of `dealdeck keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Where: [`Context::title`], or `Everywhere`.
    pub place: &'static str,
    /// The keys, as people read them.
    pub keys: String,
    /// The action's id in the configuration.
    pub id: &'static str,
    /// What it does.
    pub description: &'static str,
    /// How much it can change.
    pub risk: Risk,
}

/// All keys of a keymap. Actions that work in several contexts stand once, under the first of them; those that work in all,
/// under `Everywhere`.
#[must_use]
pub fn key_table(keymap: &Keymap) -> Vec<KeyRow> {
    let mut rows = Vec::new();
    let everywhere = |record: &Record| record.contexts.len() == Context::ALL.len();
    let mut push = |record: &'static Record, context: Context, place| {
        rows.push(KeyRow {
            place,
            keys: keymap.keys_text(context, record.action),
            id: record.id,
            description: record.description,
            risk: record.risk,
        });
    };
    for record in REGISTRY.iter().filter(|record| everywhere(record)) {
        push(record, Context::Board, "Everywhere");
    }
    for context in Context::ALL {
        for record in REGISTRY.iter().filter(|record| !everywhere(record)) {
            if record.contexts.first() == Some(&context) {
                let place = match (record.contexts.len(), context) {
                    (3.., Context::Board) => "Board, deal and outbox",
                    (2, Context::Board) if record.contexts.contains(&Context::Outbox) => "Board and outbox",
                    (2, Context::Board) => "Board and deal detail",
                    (2.., Context::Outbox) => "Outbox and operation",
                    (2.., Context::Picker) => "Pickers, finder and help",
                    _ => context.title(),
                };
                push(record, context, place);
            }
        }
    }
    rows.sort_by_key(|row| match row.place {
        "Everywhere" => 0,
        "Board, deal and outbox" => 1,
        "Board and deal detail" => 2,
        _ => 3,
    });
    rows
}
