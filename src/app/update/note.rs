//! Writing a note. The draft is on disk one second after the last key and when the editor closes; the note itself is kept in
//! the outbox before the editor closes, and exactly once.

use crate::{
    app::{Editor, Effect, Key, KeyCode, Model, NoteEditor, Overlay, Query, SaidKind, TimerId, Waiting},
    domain::{Change, DealId},
};

use super::{ask, kind, say, ticket_for, timers, write};

/// Opens the editor on the focused deal and asks for the draft that was kept.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(deal) = model.focused().map(|deal| deal.id.clone()) else {
        return Vec::new();
    };
    model.overlay = Some(Overlay::Note(NoteEditor {
        deal: deal.clone(),
        editor: Editor::default(),
        kept: true,
        kept_at: None,
        sending: false,
    }));
    vec![ask(model, Query::Draft(deal))]
}

/// The editor, when it is open and not waiting for its note to be kept.
fn editor(model: &mut Model) -> Option<&mut NoteEditor> {
    match &mut model.overlay {
        Some(Overlay::Note(note)) if !note.sending => Some(note),
        _ => None,
    }
}

/// The kept draft is here. What was typed meanwhile stays, under it.
pub(super) fn draft(model: &mut Model, deal: &DealId, text: Option<String>) {
    let Some(note) = editor(model).filter(|note| note.deal == *deal) else {
        return;
    };
    let Some(text) = text else { return };
    if note.editor.is_blank() {
        note.editor = Editor::new(&text);
    } else {
        note.editor = Editor::new(&format!("{text}\n{}", note.editor.text()));
        note.kept = false;
    }
}

/// A key that is no action.
pub(super) fn typed(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(note) = editor(model) else {
        return Vec::new();
    };
    let before = note.editor.text();
    let editor = &mut note.editor;
    match (key.code, key.ctrl, key.alt) {
        (KeyCode::Char(c), false, false) => editor.insert(c.encode_utf8(&mut [0; 4])),
        (KeyCode::Char('w'), true, _) => editor.delete_word(),
        (KeyCode::Enter, ..) => editor.newline(),
        (KeyCode::Backspace, ..) => editor.backspace(),
        (KeyCode::Delete, ..) => editor.delete(),
        (KeyCode::Left, ..) => editor.shift(false),
        (KeyCode::Right, ..) => editor.shift(true),
        (KeyCode::Up, ..) => editor.climb(-1),
        (KeyCode::Down, ..) => editor.climb(1),
        (KeyCode::Home, ..) => editor.home(),
        (KeyCode::End, ..) => editor.end(),
        _ => {}
    }
    if note.editor.text() == before {
        return Vec::new();
    }
    changed(model)
}

/// Pasted text.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    match editor(model) {
        Some(note) => {
            note.editor.insert(text);
            changed(model)
        }
        None => Vec::new(),
    }
}

/// The text is another one now: its draft is due one second after the last key.
fn changed(model: &mut Model) -> Vec<Effect> {
    let due = timers::after(model.now, timers::DRAFT);
    if let Some(note) = editor(model) {
        note.kept = false;
    }
    vec![Effect::Timer(TimerId::Draft, due)]
}

/// The draft is due. Not before the one on disk was read, or it would be lost.
pub(super) fn draft_due(model: &mut Model) -> Vec<Effect> {
    if model.asked.contains_key(kind::DRAFT) && editor(model).is_some() {
        let due = timers::after(model.now, timers::DRAFT);
        return vec![Effect::Timer(TimerId::Draft, due)];
    }
    keep_draft(model)
}

/// Keeps the draft, when it is not kept yet.
pub(super) fn keep_draft(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let Some(note) = editor(model).filter(|note| !note.kept) else {
        return Vec::new();
    };
    note.kept = true;
    note.kept_at = Some(now);
    let text = (!note.editor.is_blank()).then(|| note.editor.text());
    vec![Effect::SaveDraft(note.deal.clone(), text)]
}

/// Closes the editor; the draft stays.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    if editor(model).is_none() {
        return Vec::new();
    }
    let effects = keep_draft(model);
    if editor(model).is_some_and(|note| !note.editor.is_blank()) {
        say(model, SaidKind::Info, "draft kept, n goes on with it");
    }
    end(model);
    effects
}

/// The editor is gone; answers meant for it are too.
fn end(model: &mut Model) {
    model.overlay = None;
    model.asked.remove(kind::DRAFT);
    model.asked.remove(kind::EDIT);
}

/// Hands the note over.
pub(super) fn save(model: &mut Model) -> Vec<Effect> {
    let Some(note) = editor(model) else {
        return Vec::new();
    };
    if note.editor.is_blank() {
        say(
            model,
            SaidKind::Fault,
            "an empty note is not sent, write something or press Esc",
        );
        return Vec::new();
    }
    note.sending = true;
    let (deal, text) = (note.deal.clone(), note.editor.text().trim_end().to_owned());
    let change = Change::AddNote {
        deal: deal.clone(),
        text,
        at: None,
    };
    vec![write::submit(model, Waiting::Note(deal), change)]
}

/// The note was kept: its draft goes and the editor closes. Or it was not: the editor stays, and the draft is kept.
pub(super) fn kept(model: &mut Model, deal: &DealId, ok: bool) -> Vec<Effect> {
    let open = match &mut model.overlay {
        Some(Overlay::Note(note)) if note.sending && note.deal == *deal => note,
        _ => return drop_draft(deal, ok),
    };
    open.sending = false;
    if ok {
        end(model);
        drop_draft(deal, true)
    } else {
        open.kept = false;
        keep_draft(model)
    }
}

fn drop_draft(deal: &DealId, ok: bool) -> Vec<Effect> {
    if ok {
        vec![Effect::SaveDraft(deal.clone(), None)]
    } else {
        Vec::new()
    }
}

/// Goes on in the person's own editor; the draft is on disk before.
pub(super) fn edit(model: &mut Model) -> Vec<Effect> {
    let Some(text) = editor(model).map(|note| note.editor.text()) else {
        return Vec::new();
    };
    let mut effects = keep_draft(model);
    effects.push(Effect::Edit(ticket_for(model, kind::EDIT), text));
    effects
}

/// What the person's own editor left.
pub(super) fn edited(model: &mut Model, text: Option<String>) -> Vec<Effect> {
    match (editor(model), text) {
        (Some(note), Some(text)) => {
            note.editor = Editor::new(text.trim_end());
            changed(model)
        }
        _ => Vec::new(),
    }
}
