//! Where a key goes: what is open on top first, else the screen. A key without an action is text where text is typed.

use crate::app::{
    Effect, Key, KeyCode, Line, Model, Overlay, SaidKind, Screen, SetupState,
    registry::{Action, Context},
};

use super::{finder, form, go, help, note, outbox, pipeline, say, setup, stage, walk, write};

/// A key was pressed.
pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    // What is said about a key has been read when the next one comes; what the engine says stays its time.
    if std::mem::take(&mut model.passing) {
        model.said = None;
    }
    let before = model.said.clone();
    let action = model.keymap.action(Context::of(model), key);
    let effects = match action.filter(|_| !(help::is_searching(model) && is_text(key))) {
        Some(action) => run(model, action),
        None => typed(model, key),
    };
    model.passing = model.said != before;
    effects
}

/// Runs an action, or says why it is not possible.
pub(super) fn run(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Err(why) = action.possible(model) {
        say(model, SaidKind::Fault, why);
        return Vec::new();
    }
    use Action as A;
    match action {
        A::Left | A::Down | A::Up | A::Right | A::First | A::Last => walk::walk(model, action),
        A::HalfDown | A::HalfUp | A::PageDown | A::PageUp => walk::walk(model, action),
        A::Pane | A::Panel | A::Fold | A::Scope => walk::arrange_view(model, action),
        A::Open | A::NextDeal | A::PrevDeal | A::Back | A::Escape | A::Quit => go::go(model, action),
        A::QuitNow | A::Suspend | A::Redraw | A::Refresh | A::CopyLink | A::Browser => go::program(model, action),
        A::Outbox => outbox::open(model),
        A::Drop | A::Retry | A::Amend | A::OpenDeal | A::Attention => outbox::act(model, action),
        A::CloseOperation | A::Yes | A::No => outbox::act(model, action),
        A::Submit | A::NextField | A::PrevField | A::CloseForm => form::act(model, action),
        A::Move => stage::open(model),
        A::Advance => write::advance(model, 1),
        A::Retreat => write::advance(model, -1),
        A::Undo => write::undo(model),
        A::Redo => write::redo(model),
        A::Note => note::open(model),
        A::Find => finder::open(model),
        A::Pipeline => pipeline::open(model),
        A::Help | A::Search | A::Run | A::CloseHelp => help::act(model, action),
        A::ChooseNext => choose(model, 1),
        A::ChoosePrev => choose(model, -1),
        A::Take => take(model),
        A::Cancel => close(model),
        A::Save => note::save(model),
        A::Editor => note::edit(model),
        A::CloseNote => note::close(model),
        A::Connect => setup::connect(model),
        A::Leave => vec![Effect::Quit],
    }
}

fn close(model: &mut Model) -> Vec<Effect> {
    model.overlay = None;
    Vec::new()
}

/// Takes what is chosen in the picker that is open.
fn take(model: &mut Model) -> Vec<Effect> {
    match model.overlay.take() {
        Some(Overlay::Find(finder)) => finder::take(model, finder),
        Some(Overlay::Stage(picker)) => stage::take(model, picker),
        Some(Overlay::Pipeline(picker)) => pipeline::take(model, picker),
        other => {
            model.overlay = other;
            Vec::new()
        }
    }
}

/// Steps through the choices, from the last to the first and back.
fn choose(model: &mut Model, by: isize) -> Vec<Effect> {
    let pipelines = match &model.overlay {
        Some(Overlay::Pipeline(picker)) => pipeline::matching_pipelines(model, &picker.query.text).len(),
        _ => 0,
    };
    match &mut model.overlay {
        Some(Overlay::Find(finder)) => finder.chosen = turn(finder.chosen, by, finder.hits.len()),
        Some(Overlay::Stage(picker)) => picker.chosen = turn(picker.chosen, by, picker.stages.len()),
        Some(Overlay::Pipeline(picker)) => picker.chosen = turn(picker.chosen, by, pipelines),
        Some(Overlay::Help(_)) => help::choose(model, by),
        Some(Overlay::Fields(_)) => form::choose(model, by),
        Some(Overlay::Note(_) | Overlay::Operation(_) | Overlay::Confirm(_)) | None => {}
    }
    Vec::new()
}

/// A position moved within `count`, around the ends.
pub(super) fn turn(position: usize, by: isize, count: usize) -> usize {
    match (count, position.checked_add_signed(by)) {
        (0, _) => 0,
        (_, Some(next)) => next % count,
        (_, None) => count - 1,
    }
}

/// Characters without modifiers are text; a shifted one is already the character.
const fn is_text(key: Key) -> bool {
    matches!(key.code, KeyCode::Char(_)) && !key.ctrl && !key.alt
}

/// A key that is no action: text, or a step in a text.
fn typed(model: &mut Model, key: Key) -> Vec<Effect> {
    match &mut model.overlay {
        Some(Overlay::Note(_)) => return note::typed(model, key),
        Some(Overlay::Fields(form)) => form::typed(form, key),
        Some(Overlay::Operation(_) | Overlay::Confirm(_)) => {}
        Some(Overlay::Find(finder)) => {
            if line(&mut finder.query, key) {
                finder::search(model);
            }
        }
        Some(Overlay::Stage(picker)) => {
            if line(&mut picker.query, key) {
                stage::search(model);
            }
        }
        Some(Overlay::Pipeline(picker)) => {
            if line(&mut picker.query, key) {
                picker.chosen = 0;
            }
        }
        Some(Overlay::Help(open)) => {
            if open.searching && line(&mut open.query, key) {
                open.chosen = 0;
            }
        }
        None => {
            if let Screen::Setup(SetupState {
                token, checking: false, ..
            }) = &mut model.screen
            {
                line(token, key);
            }
        }
    }
    Vec::new()
}

/// Edits a line; true when its text may have changed.
pub(super) fn line(line: &mut Line, key: Key) -> bool {
    match (key.code, key.ctrl, key.alt) {
        (KeyCode::Char(c), false, false) => line.insert(c.encode_utf8(&mut [0; 4])),
        (KeyCode::Char('w'), true, _) => line.delete_word(),
        (KeyCode::Char('u'), true, _) => line.clear(),
        (KeyCode::Backspace, ..) => return line.backspace(),
        (KeyCode::Delete, ..) => return line.delete(),
        (KeyCode::Left, ..) => {
            line.shift(-1);
            return false;
        }
        (KeyCode::Right, ..) => {
            line.shift(1);
            return false;
        }
        (KeyCode::Home, ..) => {
            line.cursor = 0;
            return false;
        }
        (KeyCode::End, ..) => {
            line.end();
            return false;
        }
        _ => return false,
    }
    true
}

/// Pasted text goes where text is typed and nowhere else: on the board it must not act as keys.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let first: String = text.lines().next().unwrap_or_default().trim().to_owned();
    match &mut model.overlay {
        Some(Overlay::Note(_)) => return note::paste(model, text),
        Some(Overlay::Fields(form)) => form::paste(form, &first),
        Some(Overlay::Operation(_) | Overlay::Confirm(_)) => {}
        Some(Overlay::Find(finder)) => {
            finder.query.insert(&first);
            finder::search(model);
        }
        Some(Overlay::Stage(picker)) => {
            picker.query.insert(&first);
            stage::search(model);
        }
        Some(Overlay::Pipeline(picker)) => {
            picker.query.insert(&first);
            picker.chosen = 0;
        }
        Some(Overlay::Help(open)) if open.searching => {
            open.query.insert(&first);
            open.chosen = 0;
        }
        Some(Overlay::Help(_)) => {}
        None => {
            if let Screen::Setup(SetupState {
                token, checking: false, ..
            }) = &mut model.screen
            {
                token.insert(&first);
            }
        }
    }
    Vec::new()
}
