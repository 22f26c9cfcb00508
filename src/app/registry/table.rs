//! The records. The order is the order of the hints: what does not fit is dropped from the right.

use crate::app::{Key, KeyCode, Model};

use super::{
    Action, Context, Group, Hint, Record, Risk,
    possible::{self, always},
};

const BOARD: &[Context] = &[Context::Board];
const DEAL: &[Context] = &[Context::Deal];
const MAIN: &[Context] = &[Context::Board, Context::Deal];
const VIEWS: &[Context] = &[Context::Board, Context::Deal, Context::Outbox];
const WALKED: &[Context] = &[Context::Board, Context::Deal, Context::Outbox, Context::Operation];
const OPENED: &[Context] = &[Context::Board, Context::Outbox, Context::Operation];
const OUTBOX: &[Context] = &[Context::Outbox];
const DECIDED: &[Context] = &[Context::Outbox, Context::Operation];
const OPERATION: &[Context] = &[Context::Operation];
const FORM: &[Context] = &[Context::Form];
const CONFIRM: &[Context] = &[Context::Confirm];
const PICKER: &[Context] = &[Context::Picker];
const CHOICE: &[Context] = &[Context::Picker, Context::Help, Context::Form];
const NOTE: &[Context] = &[Context::Note];
const HELP: &[Context] = &[Context::Help];
const SETUP: &[Context] = &[Context::Setup];
const EVERYWHERE: &[Context] = &Context::ALL;

const ENTER: Key = Key::plain(KeyCode::Enter);
const ESC: Key = Key::plain(KeyCode::Esc);
const DOWN: Key = Key::plain(KeyCode::Down);
const UP: Key = Key::plain(KeyCode::Up);

/// A key that is no character.
const fn named(code: KeyCode) -> Key {
    Key::plain(code)
}

/// A record that changes nothing, shows no hint and is always possible.
const fn record(action: Action, id: &'static str, title: &'static str, description: &'static str) -> Record {
    Record {
        action,
        id,
        title,
        description,
        group: Group::Open,
        contexts: MAIN,
        keys: &[],
        risk: Risk::Read,
        hint: Hint::No,
        possible: always,
    }
}

impl Record {
    const fn on(mut self, group: Group, contexts: &'static [Context], keys: &'static [Key]) -> Self {
        self.group = group;
        self.contexts = contexts;
        self.keys = keys;
        self
    }

    const fn hint(mut self, hint: Hint) -> Self {
        self.hint = hint;
        self
    }

    const fn word(self, word: &'static str) -> Self {
        self.hint(Hint::Left(word))
    }

    const fn when(mut self, possible: fn(&Model) -> Result<(), String>) -> Self {
        self.possible = possible;
        self
    }

    const fn destroys(mut self) -> Self {
        self.risk = Risk::Destructive;
        self
    }

    const fn writes(mut self) -> Self {
        self.risk = Risk::Write;
        self
    }
}

/// Every action, in the order of [`Action`].
pub static REGISTRY: &[Record] = &[
    record(Action::Left, "left", "stage to the left", "left: stage or pane")
        .on(Group::Walk, BOARD, &[Key::char('h'), named(KeyCode::Left)])
        .hint(Hint::Joined(&[Action::Down, Action::Up, Action::Right], "move")),
    record(Action::Down, "down", "down", "down: deal, note, entry or operation").on(
        Group::Walk,
        WALKED,
        &[Key::char('j'), DOWN],
    ),
    record(Action::Up, "up", "up", "up: deal, note, entry or operation").on(Group::Walk, WALKED, &[Key::char('k'), UP]),
    record(Action::Right, "right", "stage to the right", "right: stage or pane").on(
        Group::Walk,
        BOARD,
        &[Key::char('l'), named(KeyCode::Right)],
    ),
    record(Action::First, "first", "first", "first").on(Group::Walk, WALKED, &[Key::char('g'), named(KeyCode::Home)]),
    record(Action::Last, "last", "last", "last").on(Group::Walk, WALKED, &[Key::char('G'), named(KeyCode::End)]),
    record(Action::HalfDown, "half-down", "half a page down", "half a page down").on(
        Group::Walk,
        WALKED,
        &[Key::ctrl('d')],
    ),
    record(Action::HalfUp, "half-up", "half a page up", "half a page up").on(Group::Walk, WALKED, &[Key::ctrl('u')]),
    record(Action::PageDown, "page-down", "page down", "page down").on(
        Group::Walk,
        WALKED,
        &[named(KeyCode::PageDown)],
    ),
    record(Action::PageUp, "page-up", "page up", "page up").on(Group::Walk, WALKED, &[named(KeyCode::PageUp)]),
    record(Action::Open, "open", "open", "open the deal or the operation in focus")
        .on(Group::Walk, OPENED, &[ENTER])
        .word("open")
        .when(possible::open),
    record(Action::NextDeal, "next-deal", "next deal", "next deal of the column")
        .on(Group::Walk, DEAL, &[Key::ctrl('n'), Key::char(')')])
        .when(possible::next_deal),
    record(
        Action::PrevDeal,
        "prev-deal",
        "previous deal",
        "previous deal of the column",
    )
    .on(Group::Walk, DEAL, &[Key::ctrl('p'), Key::char('(')])
    .when(possible::prev_deal),
    record(Action::Pane, "pane", "next pane", "next, previous pane")
        .on(Group::Walk, BOARD, &[named(KeyCode::Tab), named(KeyCode::BackTab)])
        .when(possible::pane),
    record(Action::Back, "back", "where I was", "where I was before")
        .on(Group::Walk, VIEWS, &[named(KeyCode::Backspace)])
        .when(possible::back),
    record(
        Action::Drop,
        "drop",
        "drop it",
        "give this operation up; asks first unless it simply waits",
    )
    .on(Group::Decide, DECIDED, &[Key::char('X'), Key::char('1')])
    .word("drop")
    .when(possible::drop)
    .destroys(),
    record(
        Action::Retry,
        "retry",
        "send it",
        "send this operation now, or again; in a conflict: over what is there",
    )
    .on(Group::Decide, DECIDED, &[Key::char('R'), Key::char('2')])
    .word("send")
    .when(possible::retry)
    .writes(),
    record(
        Action::Amend,
        "amend",
        "fill in, edit",
        "fill in what HubSpot wants, or other values, then send",
    )
    .on(Group::Decide, DECIDED, &[Key::char('E'), Key::char('3')])
    .word("edit")
    .when(possible::amend)
    .writes(),
    record(
        Action::OpenDeal,
        "open-deal",
        "its deal",
        "open the deal of this operation",
    )
    .on(Group::Walk, DECIDED, &[Key::char('l'), named(KeyCode::Right)])
    .word("deal")
    .when(possible::open_deal),
    record(
        Action::Attention,
        "attention",
        "next that needs me",
        "next operation that needs me",
    )
    .on(Group::Walk, OUTBOX, &[Key::char('!')])
    .word("next that needs me")
    .when(possible::attention),
    record(Action::Move, "move", "stage…", "move to a stage chosen by type-ahead")
        .on(Group::Change, MAIN, &[Key::char('m')])
        .word("stage")
        .when(possible::movable)
        .writes(),
    record(Action::Advance, "advance", "advance", "advance one stage")
        .on(Group::Change, MAIN, &[Key::char('>')])
        .word("advance")
        .when(possible::advance)
        .writes(),
    record(Action::Retreat, "retreat", "step back", "step back one stage")
        .on(Group::Change, MAIN, &[Key::char('<')])
        .when(possible::retreat)
        .writes(),
    record(Action::Note, "note", "note", "write a note")
        .on(Group::Write, MAIN, &[Key::char('n')])
        .word("note")
        .when(possible::writable)
        .writes(),
    record(Action::Undo, "undo", "undo", "undo my last write")
        .on(Group::Undo, VIEWS, &[Key::char('u')])
        .word("undo")
        .when(possible::undo)
        .writes(),
    record(Action::Redo, "redo", "redo", "do again what was undone last")
        .on(Group::Undo, VIEWS, &[Key::ctrl('r')])
        .when(possible::undo)
        .writes(),
    record(Action::Find, "find", "find a deal", "find a deal by type-ahead")
        .on(Group::Find, MAIN, &[Key::char('/')])
        .word("find")
        .when(possible::any_deal),
    record(Action::Pipeline, "pipeline", "pipeline", "choose the pipeline")
        .on(Group::Find, BOARD, &[Key::char('p')])
        .word("pipeline")
        .when(possible::pipelines),
    record(Action::Scope, "scope", "mine, everyone", "my deals, or everyone's")
        .on(Group::Find, BOARD, &[Key::char('M')])
        .word("whose")
        .when(possible::scope),
    record(
        Action::Fold,
        "fold",
        "fold a stage",
        "fold this closed stage; entering it unfolds it",
    )
    .on(Group::See, BOARD, &[Key::char('z')])
    .word("fold")
    .when(possible::fold),
    record(Action::Panel, "panel", "side panel", "show or hide the side panel")
        .on(Group::See, BOARD, &[Key::char('I')])
        .word("panel")
        .when(possible::panel),
    record(
        Action::Outbox,
        "go-outbox",
        "outbox",
        "outbox: what waits, and what needs you; to the operation of the deal in focus",
    )
    .on(Group::See, MAIN, &[Key::char('O')])
    .word("outbox"),
    record(Action::Refresh, "refresh", "refresh", "ask HubSpot for changes now")
        .on(Group::See, VIEWS, &[Key::char('r')])
        .word("refresh"),
    record(
        Action::CopyLink,
        "copy-link",
        "copy the link",
        "copy the link to the deal",
    )
    .on(Group::Away, VIEWS, &[Key::char('Y')])
    .when(possible::link),
    record(
        Action::Browser,
        "browser",
        "open in browser",
        "open the deal in the browser",
    )
    .on(Group::Away, VIEWS, &[Key::char('o')])
    .word("browser")
    .when(possible::link),
    record(Action::Help, "help", "help", "help: keys and marks of this view")
        .on(Group::Program, VIEWS, &[Key::char('?'), named(KeyCode::F(1))])
        .hint(Hint::Right("help", VIEWS)),
    record(
        Action::Escape,
        "escape",
        "close, back",
        "close what is open, back to the board",
    )
    .on(Group::Walk, VIEWS, &[ESC])
    .hint(Hint::Right("board", &[Context::Deal, Context::Outbox])),
    record(Action::Quit, "quit", "back, quit", "back; on the board: quit")
        .on(Group::Program, VIEWS, &[Key::char('q')])
        .hint(Hint::Right("quit", BOARD)),
    record(
        Action::QuitNow,
        "quit-now",
        "quit at once",
        "quit at once; drafts and queue are on disk",
    )
    .on(Group::Program, EVERYWHERE, &[Key::ctrl('c')]),
    record(Action::Suspend, "suspend", "suspend", "suspend; `fg` comes back").on(
        Group::Program,
        EVERYWHERE,
        &[Key::ctrl('z')],
    ),
    record(Action::Redraw, "redraw", "draw again", "draw everything again").on(
        Group::Program,
        EVERYWHERE,
        &[Key::ctrl('l')],
    ),
    record(Action::Take, "take", "take", "take the chosen one")
        .on(Group::Open, PICKER, &[ENTER])
        .word("take")
        .writes(),
    record(Action::Run, "run", "run", "run the chosen action")
        .on(Group::Open, HELP, &[ENTER])
        .word("run the action"),
    record(Action::ChooseNext, "choose-next", "next choice", "next choice").on(
        Group::Open,
        CHOICE,
        &[DOWN, Key::ctrl('n'), Key::char('j')],
    ),
    record(Action::ChoosePrev, "choose-prev", "previous choice", "previous choice")
        .on(Group::Open, CHOICE, &[UP, Key::ctrl('p'), Key::char('k')])
        .hint(Hint::Joined(&[Action::ChooseNext], "choose")),
    record(Action::Search, "search", "search", "search keys and actions")
        .on(Group::Open, HELP, &[Key::char('/')])
        .word("search"),
    record(Action::CloseHelp, "close-help", "close", "close the help")
        .on(
            Group::Open,
            HELP,
            &[Key::char('?'), ESC, named(KeyCode::F(1)), Key::char('q')],
        )
        .word("close"),
    record(Action::Cancel, "cancel", "cancel", "close, nothing is sent")
        .on(Group::Open, PICKER, &[ESC])
        .word("cancel, nothing sent"),
    record(Action::Save, "save", "save", "save the note")
        .on(Group::Open, NOTE, &[Key::ctrl('s'), named(KeyCode::F(2))])
        .word("save")
        .writes(),
    record(Action::Editor, "editor", "own editor", "go on in $EDITOR")
        .on(Group::Open, NOTE, &[Key::ctrl('e'), named(KeyCode::F(4))])
        .word("$EDITOR"),
    record(Action::CloseNote, "close-note", "close", "close, the draft stays")
        .on(Group::Open, NOTE, &[ESC])
        .word("close, draft stays"),
    record(
        Action::CloseOperation,
        "leave-it",
        "leave it",
        "close, nothing is decided",
    )
    .on(
        Group::Open,
        OPERATION,
        &[ESC, Key::char('4'), Key::char('q'), Key::char('O')],
    )
    .word("leave it"),
    record(
        Action::Submit,
        "submit",
        "send",
        "to the next field that is empty; when none is, send with these values",
    )
    .on(Group::Open, FORM, &[ENTER, Key::ctrl('s'), named(KeyCode::F(2))])
    .word("send")
    .writes(),
    record(Action::NextField, "next-field", "next field", "next field")
        .on(Group::Open, FORM, &[named(KeyCode::Tab)])
        .word("next field")
        .when(possible::fields),
    record(Action::PrevField, "prev-field", "previous field", "previous field")
        .on(Group::Open, FORM, &[named(KeyCode::BackTab)])
        .when(possible::fields),
    record(
        Action::CloseForm,
        "close-form",
        "close",
        "close, nothing is sent, what was typed stays",
    )
    .on(Group::Open, FORM, &[ESC])
    .word("close, nothing sent"),
    record(Action::Yes, "yes", "yes", "yes, do it")
        .on(Group::Open, CONFIRM, &[Key::char('y')])
        .word("yes")
        .writes(),
    record(Action::No, "no", "no", "no, leave it as it is")
        .on(Group::Open, CONFIRM, &[Key::char('n'), ESC, Key::char('q')])
        .word("no, leave it"),
    record(Action::Connect, "connect", "connect", "keep and check the token")
        .on(Group::Open, SETUP, &[ENTER])
        .word("connect"),
    record(Action::Leave, "leave", "quit", "quit, keep nothing")
        .on(Group::Open, SETUP, &[ESC])
        .word("quit, keep nothing"),
];
