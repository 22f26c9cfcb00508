//! What happens to the model, one family of actions per file.

mod answers;
mod board;
mod events;
mod finder;
mod form;
mod go;
mod help;
mod keys;
mod note;
mod outbox;
mod pipeline;
mod setup;
mod stage;
mod timers;
mod walk;
mod write;

use jiff::Timestamp;

use super::{Effect, Model, Msg, Query, Said, SaidKind, Screen, Ticket, TimerId};

pub use board::focus_on;
pub use pipeline::matching_pipelines;

/// Everything that can happen, happens here. Total: any message at any time leaves a consistent model.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Vec<Effect> {
    model.now = now;
    let mut effects = match msg {
        Msg::Key(key) => {
            model.limits.clone_from(&model.latest_limits);
            keys::press(model, key)
        }
        Msg::Paste(text) => keys::paste(model, &text),
        Msg::Resize(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Msg::Engine(event) => events::happened(model, event),
        Msg::Answer(ticket, answer) => answers::answered(model, ticket, answer),
        Msg::Timer(TimerId::Reload) => events::reload(model),
        Msg::Timer(TimerId::Draft) => note::keep_draft(model),
        Msg::Timer(TimerId::Marks) => {
            model.marks_at = None;
            Vec::new()
        }
        Msg::Timer(TimerId::Midnight) => {
            model.midnight = None;
            Vec::new()
        }
        Msg::Resumed => vec![Effect::Redraw],
    };
    board::settle(model);
    effects.extend(outbox::settle(model));
    effects.extend(timers::arm(model));
    effects
}

/// The first questions: the board and the outbox. Nothing while a token is missing.
pub fn start(model: &mut Model) -> Vec<Effect> {
    if matches!(model.screen, Screen::Setup(_)) {
        return Vec::new();
    }
    vec![ask(model, Query::Board), ask(model, Query::Outbox)]
}

/// Kinds of questions: answers to older ones of the same kind are dropped.
mod kind {
    pub const BOARD: &str = "board";
    pub const DEALS: &str = "deals";
    pub const DETAIL: &str = "detail";
    pub const OUTBOX: &str = "outbox";
    pub const DRAFT: &str = "draft";
    pub const STORY: &str = "story";
    pub const EDIT: &str = "edit";
    pub const CONNECT: &str = "connect";
}

/// Asks the engine; older answers to the same kind of question count no more.
fn ask(model: &mut Model, query: Query) -> Effect {
    let kind = match &query {
        Query::Board => kind::BOARD,
        Query::Deals(_) => kind::DEALS,
        Query::Detail(_) => kind::DETAIL,
        Query::Outbox => kind::OUTBOX,
        Query::Draft(_) => kind::DRAFT,
        Query::Story(_) => kind::STORY,
    };
    Effect::Query(ticket_for(model, kind), query)
}

/// A ticket for the newest question of this kind.
fn ticket_for(model: &mut Model, kind: &'static str) -> Ticket {
    let ticket = new_ticket(model);
    model.asked.insert(kind, ticket);
    ticket
}

fn new_ticket(model: &mut Model) -> Ticket {
    model.last_ticket = Ticket(model.last_ticket.0 + 1);
    model.last_ticket
}

/// Says a sentence in the context line, for six seconds.
fn say(model: &mut Model, kind: SaidKind, text: impl Into<String>) {
    model.passing = false;
    model.said = Some(Said {
        kind,
        text: text.into(),
        until: timers::after(model.now, timers::RECEIPT),
    });
}
