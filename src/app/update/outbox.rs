//! The outbox: walking through it, opening an operation, and what a person decides about one. Decisions are handed to the
//! engine, which checks them once more; what cannot be taken back is asked for first.

use jiff::SignedDuration;

use crate::{
    app::{
        Confirm, Effect, Focus, Model, OperationView, OutboxScreen, OutboxSummary, Overlay, Query, Said, SaidKind,
        Screen, Waiting, geometry, outbox, registry::Action,
    },
    domain::{DealId, Decision, Fault, OpId, OpState, Operation},
};

use super::{ask, events, form, go, new_ticket, say, timers, walk::moved};

/// Keys pressed so soon after a question was put were meant for something else.
const UNREAD: SignedDuration = SignedDuration::from_millis(150);

/// Opens the outbox: at the operation of the deal in focus that needs a person, which is opened too; else at the first row.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let deal = model.focused().map(|deal| deal.id.clone());
    let of_deal = |operation: &&Operation| deal.is_some() && outbox::deal_of(operation) == deal;
    let needy = (model.operations.iter().filter(of_deal)).find(|operation| operation.state.needs_person());
    let any = model
        .operations
        .iter()
        .filter(of_deal)
        .find(|operation| !operation.state.is_final());
    let (chosen, opens) = (needy.or(any).map(|operation| operation.id), needy.is_some());
    go::remember(model);
    let from = match &model.screen {
        Screen::Deal(state) => Some(state.id.clone()),
        _ => None,
    };
    let effects = show(model, chosen, from);
    if let (Some(op), true) = (chosen, opens) {
        model.overlay = Some(Overlay::Operation(OperationView { op, scroll: 0 }));
    }
    effects
}

/// Puts the outbox on the screen.
pub(super) fn show(model: &mut Model, chosen: Option<OpId>, from: Option<DealId>) -> Vec<Effect> {
    model.focus = Focus::Body;
    model.screen = Screen::Outbox(OutboxScreen { chosen, row: 0, from });
    vec![ask(model, Query::Outbox)]
}

/// Moves through the table or scrolls what is open; false when neither is there.
pub(super) fn walk(model: &mut Model, by: isize) -> bool {
    let count = model.operations.len();
    match (&mut model.overlay, &mut model.screen) {
        (Some(Overlay::Operation(view)), _) => {
            // Drawing stops at the last line; no operation has more than these.
            view.scroll = view.scroll.saturating_add_signed(by).min(MOST_LINES);
            true
        }
        (None, Screen::Outbox(screen)) => {
            screen.row = moved(screen.row, by, count);
            screen.chosen = model.operations.get(screen.row).map(|operation| operation.id);
            true
        }
        _ => false,
    }
}

const MOST_LINES: usize = 400;

/// Opens the operation in focus.
pub(super) fn details(model: &mut Model) -> Vec<Effect> {
    if let Some(op) = outbox::subject(model).map(|operation| operation.id) {
        model.overlay = Some(Overlay::Operation(OperationView { op, scroll: 0 }));
    }
    Vec::new()
}

/// Opens the deal of the operation.
pub(super) fn to_deal(model: &mut Model) -> Vec<Effect> {
    let Some(deal) = outbox::subject(model).and_then(outbox::deal_of) else {
        return Vec::new();
    };
    go::remember(model);
    model.overlay = None;
    go::open(model, deal)
}

/// What a key does to the operation it is about.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Drop => drop_it(model),
        Action::Retry => retry(model),
        Action::Amend => form::open(model),
        Action::OpenDeal => to_deal(model),
        Action::Attention => attention(model),
        Action::Yes => yes(model),
        Action::No => no(model),
        _ => {
            model.overlay = None;
            Vec::new()
        }
    }
}

/// In a conflict that is open both values are on the screen: keeping theirs is an answer, not a slip. Anything else that was
/// not simply waiting is asked for.
fn drop_it(model: &mut Model) -> Vec<Effect> {
    let Some(operation) = outbox::subject(model) else {
        return Vec::new();
    };
    let is_open = matches!(model.overlay, Some(Overlay::Operation(_)));
    match operation.state {
        OpState::Queued => decide(model, Decision::Drop),
        OpState::Conflict if is_open => decide(model, Decision::Drop),
        _ => question(model, Decision::Drop),
    }
}

/// A conflict is looked at before it is overwritten; a note that may be in HubSpot already is asked for.
fn retry(model: &mut Model) -> Vec<Effect> {
    let Some(operation) = outbox::subject(model) else {
        return Vec::new();
    };
    let is_open = matches!(model.overlay, Some(Overlay::Operation(_)));
    let may_double = outbox::duplicate_safe(operation) == Some(false)
        && operation
            .error
            .as_ref()
            .is_some_and(|error| error.class == "unknown_outcome");
    match operation.state {
        OpState::Conflict if !is_open => {
            say(model, SaidKind::Info, "look at both values first, then choose");
            details(model)
        }
        OpState::Held if may_double => question(model, Decision::Send),
        _ => decide(model, Decision::Send),
    }
}

fn question(model: &mut Model, decision: Decision) -> Vec<Effect> {
    let back = matches!(model.overlay, Some(Overlay::Operation(_)));
    if let Some(op) = outbox::subject(model).map(|operation| operation.id) {
        model.overlay = Some(Overlay::Confirm(Confirm {
            op,
            decision,
            since: model.now,
            back,
        }));
    }
    Vec::new()
}

fn is_unread(model: &Model) -> bool {
    matches!(&model.overlay, Some(Overlay::Confirm(confirm)) if model.now < timers::after(confirm.since, UNREAD))
}

fn yes(model: &mut Model) -> Vec<Effect> {
    match &model.overlay {
        Some(Overlay::Confirm(confirm)) if !is_unread(model) => {
            let decision = confirm.decision.clone();
            decide(model, decision)
        }
        _ => Vec::new(),
    }
}

fn no(model: &mut Model) -> Vec<Effect> {
    if is_unread(model) {
        return Vec::new();
    }
    if let Some(Overlay::Confirm(confirm)) = model.overlay.take() {
        let op = confirm.op;
        model.overlay = (confirm.back).then_some(Overlay::Operation(OperationView { op, scroll: 0 }));
    }
    Vec::new()
}

/// To the next operation that needs a person, around the end.
fn attention(model: &mut Model) -> Vec<Effect> {
    let needy: Vec<usize> = (model.operations.iter().enumerate())
        .filter(|(_, operation)| operation.state.needs_person())
        .map(|(row, _)| row)
        .collect();
    if let Screen::Outbox(screen) = &mut model.screen
        && let Some(row) = needy.iter().find(|row| **row > screen.row).or(needy.first())
    {
        screen.row = *row;
        screen.chosen = model.operations.get(*row).map(|operation| operation.id);
    }
    Vec::new()
}

/// Hands a decision about the operation over.
pub(super) fn decide(model: &mut Model, decision: Decision) -> Vec<Effect> {
    let Some(op) = outbox::subject(model).map(|operation| operation.id) else {
        return Vec::new();
    };
    let ticket = new_ticket(model);
    model.waiting.insert(ticket, Waiting::Decision(op, decision.clone()));
    vec![Effect::Decide(ticket, op, decision)]
}

/// A decision was carried out, or not.
pub(super) fn decided(model: &mut Model, op: OpId, decision: &Decision, result: Result<(), Fault>) -> Vec<Effect> {
    let is_about = match &model.overlay {
        Some(Overlay::Operation(view)) => view.op == op,
        Some(Overlay::Confirm(confirm)) => confirm.op == op,
        Some(Overlay::Fields(form)) => form.op == op,
        _ => false,
    };
    let known = outbox::find(model, op);
    let (title, deal) = (
        known.map_or_else(String::new, |operation| operation.title.clone()),
        known.and_then(outbox::deal_of),
    );
    match (result, &mut model.overlay) {
        (Ok(()), _) => {
            if is_about {
                model.overlay = None;
            }
            model.typed.remove(&op);
            let text = match decision {
                Decision::Drop => format!("dropped: {title}"),
                Decision::Send | Decision::SendWith(_) => to_be_sent(&title),
            };
            say(model, SaidKind::Info, text);
        }
        (Err(fault), Some(Overlay::Fields(form))) if is_about => {
            form.sending = false;
            form.fault = Some(fault.to_string());
        }
        (Err(fault), _) => say(model, SaidKind::Fault, fault.to_string()),
    }
    let mut effects = vec![ask(model, Query::Outbox)];
    effects.extend(deal.map(|deal| events::ask_deals(model, [deal])));
    effects
}

/// Said until it is sent.
fn to_be_sent(title: &str) -> String {
    format!("to be sent: {title}")
}

/// The operations as they are now: counted by state, with the deal of the first of each named, and listed by urgency.
pub(super) fn listed(model: &mut Model, mut operations: Vec<Operation>) {
    outbox::arrange(&mut operations);
    let order = [
        OpState::Queued,
        OpState::InFlight,
        OpState::Uncertain,
        OpState::Held,
        OpState::Conflict,
        OpState::Dead,
    ];
    let rows = order.into_iter().filter_map(|state| {
        let mut of_state = operations.iter().filter(|operation| operation.state == state);
        let first = of_state.next()?;
        Some((state, 1 + of_state.count(), outbox::record_name(model, first)))
    });
    let rows = rows.collect();
    let reasons = operations
        .iter()
        .filter(|operation| !operation.state.is_final() || operation.state.needs_person());
    let reasons = reasons.filter_map(|operation| Some((operation.id, operation.error.as_ref()?.message.clone())));
    model.reasons = reasons.collect();
    let sent = operations
        .iter()
        .filter(|operation| matches!(operation.state, OpState::Landed | OpState::Done));
    let is_sent = |said: &Said| sent.clone().any(|operation| said.text == to_be_sent(&operation.title));
    if model.said.as_ref().is_some_and(is_sent) {
        model.said = None;
    }
    model.outbox = OutboxSummary { rows };
    model.unlisted = operations.len().saturating_sub(Model::LISTED);
    operations.truncate(Model::LISTED);
    model.operations = operations;
}

/// The deal of the operation that is looked at.
pub(super) fn deal_in_view(model: &Model) -> Option<DealId> {
    outbox::subject(model).and_then(outbox::deal_of)
}

/// Mends what hangs together: an existing operation in focus, what is open about an existing one, and its story asked for
/// when it changed.
pub(super) fn settle(model: &mut Model) -> Option<Effect> {
    if let Screen::Outbox(screen) = &mut model.screen {
        let found = (screen.chosen).and_then(|id| model.operations.iter().position(|operation| operation.id == id));
        screen.row = found.unwrap_or_else(|| screen.row.min(model.operations.len().saturating_sub(1)));
        screen.chosen = model.operations.get(screen.row).map(|operation| operation.id);
    }
    let is_gone = match &model.overlay {
        Some(Overlay::Operation(_) | Overlay::Confirm(_) | Overlay::Fields(_)) => outbox::subject(model).is_none(),
        _ => false,
    };
    if is_gone {
        form::keep(model);
        model.overlay = None;
        say(model, SaidKind::Info, "this operation is not in the outbox any more");
    }
    form::follow(model);
    let operation = outbox::subject(model)?;
    if geometry(model).too_small || model.story_asked.as_deref() == Some(operation) {
        return None;
    }
    let operation = operation.clone();
    let id = operation.id;
    model.story_asked = Some(Box::new(operation));
    Some(ask(model, Query::Story(id)))
}
