//! The first run: a token is typed, kept and checked by the engine. It is never shown.

use crate::{
    app::{Effect, Line, Model, SaidKind, Screen},
    domain::{Connection, Fault},
};

use super::{kind, say, start, ticket_for};

/// Hands the typed token over.
pub(super) fn connect(model: &mut Model) -> Vec<Effect> {
    let token = match &mut model.screen {
        Screen::Setup(state) if !state.checking => state.token.text.trim().to_owned(),
        _ => return Vec::new(),
    };
    if token.is_empty() {
        say(model, SaidKind::Fault, "there is no token yet, type or paste one first");
        return Vec::new();
    }
    if let Screen::Setup(state) = &mut model.screen {
        state.checking = true;
        state.why = None;
    }
    vec![Effect::Connect(ticket_for(model, kind::CONNECT), token)]
}

/// The token was checked: on to the board, or another try.
pub(super) fn connected(model: &mut Model, result: Result<(), Fault>) -> Vec<Effect> {
    let Screen::Setup(state) = &mut model.screen else {
        return Vec::new();
    };
    match result {
        Ok(()) => {
            model.screen = Screen::Board;
            // What the refused token left behind is not true of this one.
            model.freshness.connection = Connection::Cached;
            start(model)
        }
        Err(fault) => {
            state.checking = false;
            state.token = Line::default();
            state.why = Some(fault);
            Vec::new()
        }
    }
}
