//! Hints: the most useful of what is possible now, for the footer and for the last row of what is open on top.

use crate::{
    app::{Model, Overlay, outbox::subject, values::wants_fields},
    domain::{Decision, OpState},
};

use super::{Action, Context, Hint, REGISTRY};

/// A key with its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintText {
    /// The keys, as people read them: `hjkl`, `⏎`.
    pub keys: String,
    /// The word.
    pub word: &'static str,
}

/// The hints of the context the next key goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Dropped from the right where they do not fit.
    pub left: Vec<HintText>,
    /// Always shown.
    pub right: Vec<HintText>,
}

/// What is possible now, in the order of the registry. While something is open on top they are its hints.
#[must_use]
pub fn hints(model: &Model) -> Hints {
    let context = Context::of(model);
    let key = |action| model.keymap.first_key(context, action);
    let mut hints = Hints::default();
    for record in REGISTRY.iter().filter(|record| record.contexts.contains(&context)) {
        // What can be decided stands in the operation itself, with what each means.
        if context == Context::Operation && record.group != super::Group::Open && record.action != Action::Open {
            continue;
        }
        let Some(own) = key(record.action).filter(|_| (record.possible)(model).is_ok()) else {
            continue;
        };
        match record.hint {
            Hint::Left(word) => hints.left.push(HintText {
                keys: own,
                word: word_here(model, record.action).unwrap_or(word),
            }),
            Hint::Joined(others, word) => {
                let keys = own + &others.iter().filter_map(|other| key(*other)).collect::<String>();
                hints.left.push(HintText { keys, word });
            }
            Hint::Right(word, there) if there.contains(&context) => hints.right.push(HintText { keys: own, word }),
            Hint::Right(..) | Hint::No => {}
        }
    }
    hints
}

/// The word of a picker's key says what it does there.
fn word_here(model: &Model, action: Action) -> Option<&'static str> {
    let state = subject(model).map(|operation| operation.state);
    match (action, &model.overlay) {
        (Action::Take, Some(Overlay::Stage(_))) => Some("move"),
        (Action::Take, Some(Overlay::Find(_))) => Some("go to it"),
        (Action::Take, Some(Overlay::Pipeline(_))) => Some("show"),
        (Action::Cancel, Some(Overlay::Find(_) | Overlay::Pipeline(_))) => Some("close"),
        (Action::Open, Some(Overlay::Operation(_))) => Some("its deal"),
        (Action::Drop, _) if state == Some(OpState::Queued) => Some("take back"),
        (Action::Drop, _) if state == Some(OpState::Conflict) => Some("keep theirs"),
        (Action::Amend, _) if subject(model).is_some_and(wants_fields) => Some("fill in"),
        (Action::Retry, _) if state == Some(OpState::Queued) => Some("send now"),
        (Action::Retry, _) if state == Some(OpState::Conflict) => Some("send mine"),
        (Action::Retry, _) => Some("send again"),
        (Action::Yes, Some(Overlay::Confirm(confirm))) if confirm.decision == Decision::Drop => Some("drop it"),
        (Action::Yes, Some(Overlay::Confirm(_))) => Some("send it again"),
        _ => None,
    }
}
