//! Changes: they are handed to the engine, which keeps them on disk and answers. What cannot be done is said.

use crate::{
    app::{Effect, Model, Query, SaidKind, Screen, Waiting, registry},
    domain::{Change, DealId, Fault, Origin, Receipt, RedoOutcome, StageId, Submission, UndoOutcome, format},
};

use super::{ask, events, new_ticket, note, say};

/// Hands a change over.
pub(super) fn submit(model: &mut Model, waiting: Waiting, change: Change) -> Effect {
    let ticket = new_ticket(model);
    model.waiting.insert(ticket, waiting);
    let origin = Origin::Screen;
    Effect::Submit(ticket, Submission { change, origin })
}

/// Moves a deal to a stage.
pub(super) fn move_deal(model: &mut Model, deal: DealId, stage: StageId) -> Vec<Effect> {
    model.moving.insert(deal.clone(), stage.clone());
    let change = Change::MoveDeal {
        deal: deal.clone(),
        stage,
        pipeline: None,
    };
    vec![submit(model, Waiting::Move(deal), change)]
}

/// One stage on or back.
pub(super) fn advance(model: &mut Model, by: isize) -> Vec<Effect> {
    let target = registry::step(model, by).map(|(deal, stage)| (deal.id.clone(), stage.id.clone()));
    match target {
        Ok((deal, stage)) => move_deal(model, deal, stage),
        Err(why) => {
            say(model, SaidKind::Fault, why);
            Vec::new()
        }
    }
}

/// Undoes the newest action.
pub(super) fn undo(model: &mut Model) -> Vec<Effect> {
    let ticket = new_ticket(model);
    model.waiting.insert(ticket, Waiting::Undo);
    // Where deals were going is not known any more until they are read again.
    model.moving.clear();
    vec![Effect::Undo(ticket)]
}

/// A change was kept, or not.
pub(super) fn kept(model: &mut Model, waiting: Waiting, result: Result<Receipt, Fault>) -> Vec<Effect> {
    let (deal, is_note) = match waiting {
        Waiting::Move(deal) => (deal, false),
        Waiting::Note(deal) => (deal, true),
        Waiting::Undo | Waiting::Draft(..) | Waiting::Decision(..) => return Vec::new(),
    };
    let mut effects = if is_note {
        note::kept(model, &deal, result.is_ok())
    } else {
        Vec::new()
    };
    match result {
        Ok(receipt) => {
            say(model, SaidKind::Kept, receipt.said);
            effects.extend(read_again(model, deal));
        }
        Err(fault) => {
            if !is_note {
                model.moving.remove(&deal);
            }
            say(model, SaidKind::Fault, fault.to_string());
        }
    }
    effects
}

/// Does again what was undone last.
pub(super) fn redo(model: &mut Model) -> Vec<Effect> {
    let ticket = new_ticket(model);
    model.waiting.insert(ticket, Waiting::Undo);
    model.moving.clear();
    vec![Effect::Redo(ticket)]
}

/// Redo did something.
pub(super) fn redone(model: &mut Model, result: Result<RedoOutcome, Fault>) -> Vec<Effect> {
    let (kind, text) = match result {
        Ok(RedoOutcome::Nothing) => (SaidKind::Info, "there is nothing to redo".to_owned()),
        Ok(RedoOutcome::Redone { ops, said, refused }) => match (ops.len(), refused.first()) {
            (1, None) => (SaidKind::Kept, said),
            (count, None) => (SaidKind::Kept, format!("{} done again", changes(count))),
            (count, Some((_, why))) => (
                SaidKind::Fault,
                format!("{} done again, {} not: {why}", changes(count), refused.len()),
            ),
        },
        Ok(RedoOutcome::Refused { why, .. }) => (SaidKind::Fault, format!("not done again: {why}")),
        Err(fault) => (SaidKind::Fault, fault.to_string()),
    };
    say(model, kind, text);
    vec![ask(model, Query::Outbox)]
}

fn changes(count: usize) -> String {
    format::plural(u64::try_from(count).unwrap_or(u64::MAX), "change", "changes")
}

/// Undo did something.
pub(super) fn undone(model: &mut Model, result: Result<UndoOutcome, Fault>) -> Vec<Effect> {
    let (kind, text) = match result {
        Ok(UndoOutcome::Nothing) => (SaidKind::Info, "there is nothing to undo".to_owned()),
        Ok(UndoOutcome::Cancelled { said, .. }) => (SaidKind::Info, format!("undone before it was sent  {said}")),
        Ok(UndoOutcome::Inverse { said, .. }) => (SaidKind::Info, format!("undone  {said}")),
        Ok(UndoOutcome::Refused { why, .. }) => (SaidKind::Fault, format!("not undone: {why}")),
        Ok(UndoOutcome::Several { undone, refused }) => match refused.first() {
            None => (SaidKind::Info, format!("undone  {}", changes(undone.len()))),
            Some((_, why)) => (
                SaidKind::Fault,
                format!("{} undone, {} not: {why}", changes(undone.len()), refused.len()),
            ),
        },
        Err(fault) => (SaidKind::Fault, fault.to_string()),
    };
    say(model, kind, text);
    vec![ask(model, Query::Outbox)]
}

/// Reads a deal we changed again at once, and what hangs on it.
fn read_again(model: &mut Model, deal: DealId) -> Vec<Effect> {
    let is_open = matches!(&model.screen, Screen::Deal(state) if state.id == deal);
    let mut effects = vec![events::ask_deals(model, [deal.clone()])];
    if is_open {
        effects.push(ask(model, Query::Detail(deal)));
    }
    effects.push(ask(model, Query::Outbox));
    effects
}
