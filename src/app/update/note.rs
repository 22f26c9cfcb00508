//! Writing a note. The draft is on disk one second after the last key and when the editor closes; the note itself is kept in
//! the outbox before the editor closes, and exactly once.

use crate::{
    app::{Editor, Effect, Key, KeyCode, Model, NoteEditor, Overlay, Query, SaidKind, TimerId, Waiting},
    domain::{Change, DealId, Fault},
};

use super::{ask, kind, new_ticket, say, ticket_for, timers, write};

/// Opens the editor on the focused deal and asks for the draft that was kept.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(deal) = model.focused().map(|deal| deal.id.clone()) else {
        return Vec::new();
    };
    model.overlay = Some(Overlay::Note(NoteEditor {
        deal: deal.clone(),
        editor: Editor::default(),
        kept: true,
        unread: true,
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
    let Some(Overlay::Note(note)) = &mut model.overlay else {
        return;
    };
    if note.deal != *deal {
        return;
    }
    if note.sending {
        // The note is on its way without it: it stays on disk.
        note.unread = text.is_some();
        return;
    }
    note.unread = false;
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

/// Keeps the draft, when it is not kept yet. Not before the one on disk was read, or that would be lost.
pub(super) fn keep_draft(model: &mut Model) -> Vec<Effect> {
    match editor(model) {
        Some(note) if note.unread && !note.kept => changed(model),
        _ => keep(model, false),
    }
}

/// Keeps the draft of an editor that goes: under the one on disk, when that was not read yet.
pub(super) fn part(model: &mut Model) -> Vec<Effect> {
    keep(model, true)
}

fn keep(model: &mut Model, parting: bool) -> Vec<Effect> {
    let Some(note) = editor(model).filter(|note| !note.kept) else {
        return Vec::new();
    };
    note.kept = true;
    let closed = parting.then(|| Box::new(note.clone()));
    let text = (!note.editor.is_blank()).then(|| note.editor.text());
    let (deal, unread) = (note.deal.clone(), note.unread);
    let ticket = new_ticket(model);
    let effect = match (unread, text) {
        (true, None) => return Vec::new(),
        (true, Some(text)) => Effect::AddDraft(ticket, deal.clone(), text),
        (false, text) => Effect::SaveDraft(ticket, deal.clone(), text),
    };
    model.waiting.insert(ticket, Waiting::Draft(deal, closed));
    vec![effect]
}

/// The draft is on disk, and only now it is said. Or it is not: then the editor must not be gone.
pub(super) fn drafted(
    model: &mut Model,
    deal: &DealId,
    closed: Option<Box<NoteEditor>>,
    result: Result<(), Fault>,
) -> Vec<Effect> {
    let now = model.now;
    let open = match &mut model.overlay {
        Some(Overlay::Note(note)) if note.deal == *deal => Some(note),
        _ => None,
    };
    match (result, open, closed) {
        (Ok(()), Some(note), None) => note.kept_at = Some(now),
        (Ok(()), _, Some(closed)) if !closed.editor.is_blank() => {
            say(model, SaidKind::Info, "draft kept, n goes on with it");
        }
        (Ok(()), ..) => {}
        (Err(fault), open, closed) => {
            if let Some(note) = open {
                note.kept = false;
            }
            say(model, SaidKind::Fault, fault.to_string());
            if let (None, Some(mut note)) = (&model.overlay, closed) {
                note.kept = false;
                let unread = note.unread;
                model.overlay = Some(Overlay::Note(*note));
                return read_again(model, deal, unread);
            }
        }
    }
    Vec::new()
}

/// Asks for the draft on disk once more, when no answer to that counted.
fn read_again(model: &mut Model, deal: &DealId, unread: bool) -> Vec<Effect> {
    if unread {
        let mut effects = changed(model);
        effects.push(ask(model, Query::Draft(deal.clone())));
        effects
    } else {
        Vec::new()
    }
}

/// Closes the editor; the draft stays.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    let Some(note) = editor(model) else {
        return Vec::new();
    };
    let on_disk = note.kept && note.kept_at.is_some() && !note.editor.is_blank();
    let effects = part(model);
    if on_disk {
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
        _ if ok => return drop_draft(model, deal),
        _ => return Vec::new(),
    };
    open.sending = false;
    let unread = open.unread;
    if ok {
        end(model);
        // A draft that nobody read is not part of the note.
        if unread { Vec::new() } else { drop_draft(model, deal) }
    } else {
        open.kept = false;
        if unread {
            read_again(model, deal, unread)
        } else {
            keep_draft(model)
        }
    }
}

fn drop_draft(model: &mut Model, deal: &DealId) -> Vec<Effect> {
    vec![Effect::SaveDraft(new_ticket(model), deal.clone(), None)]
}

/// Goes on in the person's own editor; the draft is on disk before.
pub(super) fn edit(model: &mut Model) -> Vec<Effect> {
    let Some((text, unread)) = editor(model).map(|note| (note.editor.text(), note.unread)) else {
        return Vec::new();
    };
    if unread {
        say(
            model,
            SaidKind::Fault,
            "the draft is still being read, try again in a moment",
        );
        return Vec::new();
    }
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
