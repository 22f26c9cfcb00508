//! Filling in values for an operation: what the account's rules want, or a third value in a conflict. What is typed is kept
//! until the operation is decided, also while the form is closed.

use std::collections::BTreeMap;

use crate::{
    app::{
        Effect, FieldsForm, FormField, Key, Line, Model, OperationView, Overlay, SaidKind, outbox,
        registry::Action,
        values::{as_typed, editable, label, matching, value, wants_fields},
    },
    domain::{Decision, OpState, Properties},
};

use super::{
    keys::{line, turn},
    outbox::decide,
    say,
};

/// Opens the form of the operation, with what was typed into it before.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(operation) = outbox::subject(model) else {
        return Vec::new();
    };
    let op = operation.id;
    let kept = model.typed.get(&op);
    let fields: Vec<FormField> = editable(operation)
        .into_iter()
        .map(|(name, before)| {
            let words = before.map_or_else(String::new, |value| as_typed(model, operation, name, value));
            let line = kept.and_then(|lines| lines.get(name)).cloned();
            FormField {
                name: name.to_owned(),
                line: line.unwrap_or_else(|| Line::new(&words)),
                option: None,
                before: before.map(|value| (words, Some(value.to_owned()))),
            }
        })
        .collect();
    if fields.is_empty() {
        return Vec::new();
    }
    let chosen = fields
        .iter()
        .position(|field| field.line.text.trim().is_empty())
        .unwrap_or(0);
    let back = matches!(model.overlay, Some(Overlay::Operation(_)));
    model.overlay = Some(Overlay::Fields(FieldsForm {
        op,
        fields,
        chosen,
        fault: None,
        sending: false,
        back,
    }));
    Vec::new()
}

/// Steps through the fields, sends, or closes.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Fields(form)) = &mut model.overlay else {
        return Vec::new();
    };
    match action {
        Action::NextField => form.chosen = turn(form.chosen, 1, form.fields.len()),
        Action::PrevField => form.chosen = turn(form.chosen, -1, form.fields.len()),
        Action::Submit => return submit(model),
        _ => return close(model),
    }
    Vec::new()
}

/// Chooses among the options of the field, or steps to another field where it has none.
pub(super) fn choose(model: &mut Model, by: isize) {
    let options = match &model.overlay {
        Some(Overlay::Fields(form)) => match (outbox::find(model, form.op), form.fields.get(form.chosen)) {
            (Some(operation), Some(field)) => matching(model, operation, field).len(),
            _ => 0,
        },
        _ => 0,
    };
    let Some(Overlay::Fields(form)) = &mut model.overlay else {
        return;
    };
    match form.fields.get_mut(form.chosen) {
        Some(field) if options > 0 => {
            field.option = Some(match field.option {
                Some(position) => turn(position, by, options),
                None if by > 0 => 0,
                None => options - 1,
            });
        }
        _ => form.chosen = turn(form.chosen, by, form.fields.len()),
    }
}

/// A key that is text.
pub(super) fn typed(form: &mut FieldsForm, key: Key) {
    if form.sending {
        return;
    }
    if let Some(field) = form.fields.get_mut(form.chosen)
        && line(&mut field.line, key)
    {
        field.option = None;
        form.fault = None;
    }
}

/// Pasted text goes into the field.
pub(super) fn paste(form: &mut FieldsForm, text: &str) {
    if form.sending {
        return;
    }
    if let Some(field) = form.fields.get_mut(form.chosen) {
        field.line.insert(text);
        field.option = None;
        form.fault = None;
    }
}

/// Sends with what was filled in; the first thing that keeps it from being sent is said and gets the cursor.
fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Fields(form)) = &model.overlay else {
        return Vec::new();
    };
    let Some(operation) = outbox::find(model, form.op) else {
        return Vec::new();
    };
    if form.sending {
        return Vec::new();
    }
    let wanted = wants_fields(operation);
    let mut values = Properties::new();
    let mut missing = None;
    for (nth, field) in form.fields.iter().enumerate() {
        match value(model, operation, field) {
            Ok(None) if wanted => {
                missing = missing.or_else(|| {
                    Some((
                        nth,
                        format!("'{}' is empty, fill it in", label(model, form.op, &field.name)),
                    ))
                });
            }
            Ok(value) => {
                values.insert(field.name.clone(), value);
            }
            Err(why) => missing = missing.or(Some((nth, why))),
        }
    }
    let Some(Overlay::Fields(form)) = &mut model.overlay else {
        return Vec::new();
    };
    if let Some((nth, why)) = missing {
        // On the way to the next field that is empty nothing is wrong yet.
        form.fault = (form.chosen == nth).then_some(why);
        form.chosen = nth;
        return Vec::new();
    }
    form.fault = None;
    form.sending = true;
    decide(model, Decision::SendWith(values))
}

/// What is typed stays for the next time.
pub(super) fn keep(model: &mut Model) {
    if let Some(Overlay::Fields(form)) = &model.overlay {
        let lines: BTreeMap<String, Line> = (form.fields.iter())
            .filter(|field| field.before.as_ref().map_or("", |(words, _)| words.as_str()) != field.line.text)
            .map(|field| (field.name.clone(), field.line.clone()))
            .collect();
        // What was typed for other fields, before HubSpot wanted these, stays too.
        let names: Vec<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
        let typed = model.typed.entry(form.op).or_default();
        typed.retain(|name, _| !names.contains(&name.as_str()));
        typed.extend(lines);
        let op = form.op;
        model.typed.retain(|id, lines| *id != op || !lines.is_empty());
    }
}

/// The operation is another one now than when the form was opened: one that was sent is not edited any more, and one that
/// HubSpot wants other values for asks for those. What was typed is kept.
pub(super) fn follow(model: &mut Model) {
    let Some(Overlay::Fields(form)) = &model.overlay else {
        return;
    };
    let (op, back, sending) = (form.op, form.back, form.sending);
    let Some(operation) = outbox::find(model, op).filter(|_| !sending) else {
        return;
    };
    let is_over = operation.state.is_final() && !operation.state.needs_person() || operation.state == OpState::Landed;
    let (state, asks, wanted) = (operation.state, editable(operation), wants_fields(operation));
    let names = form.fields.iter().map(|field| field.name.as_str());
    if is_over {
        keep(model);
        model.overlay = back.then_some(Overlay::Operation(OperationView { op, scroll: 0 }));
        let what = match state {
            OpState::Landed | OpState::Done => "it was sent meanwhile",
            _ => "it was taken back meanwhile",
        };
        say(
            model,
            SaidKind::Fault,
            format!("{what}, nothing of what you typed is sent"),
        );
    } else if !names.eq(asks.iter().map(|(name, _)| *name)) {
        keep(model);
        open(model);
        if let Some(Overlay::Fields(form)) = &mut model.overlay {
            form.back = back;
            form.fault = wanted.then(|| "HubSpot answered meanwhile, this is what it wants now".to_owned());
        }
    }
}

fn close(model: &mut Model) -> Vec<Effect> {
    keep(model);
    if let Some(Overlay::Fields(form)) = model.overlay.take() {
        if model.typed.contains_key(&form.op) {
            say(
                model,
                SaidKind::Info,
                "nothing is sent, what you typed is here when you come back",
            );
        }
        let op = form.op;
        model.overlay = (form.back).then_some(Overlay::Operation(OperationView { op, scroll: 0 }));
    }
    Vec::new()
}
