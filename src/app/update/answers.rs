//! Answers to our questions. An answer that is not to the newest question of its kind changes nothing; the answer to a change
//! that was handed over always counts, once.

use std::collections::BTreeSet;

use crate::{
    app::{Answer, Effect, Model, SaidKind, Scope, Screen, Ticket, Waiting},
    domain::{Board, Deal, DealDetail, DealId, DealState, Fault, PipelineId},
};

use super::{board, events, finder, kind, note, outbox, pipeline, say, setup, stage, write};

/// Takes an answer in.
pub(super) fn answered(model: &mut Model, ticket: Ticket, answer: Answer) -> Vec<Effect> {
    let kind = match answer {
        Answer::Kept(result) => {
            return match model.waiting.remove(&ticket) {
                Some(waiting) => write::kept(model, waiting, result),
                None => Vec::new(),
            };
        }
        Answer::Undone(result) => {
            return match model.waiting.remove(&ticket) {
                Some(_) => write::undone(model, result),
                None => Vec::new(),
            };
        }
        Answer::Redone(result) => {
            return match model.waiting.remove(&ticket) {
                Some(_) => write::redone(model, result),
                None => Vec::new(),
            };
        }
        Answer::Decided(result) => {
            return match model.waiting.remove(&ticket) {
                Some(Waiting::Decision(op, decision)) => outbox::decided(model, op, &decision, result.map(drop)),
                _ => Vec::new(),
            };
        }
        Answer::Drafted(result) => {
            return match model.waiting.remove(&ticket) {
                Some(Waiting::Draft(deal, closed)) => note::drafted(model, &deal, closed, result),
                _ => Vec::new(),
            };
        }
        Answer::Board(_) => kind::BOARD,
        Answer::Deals { .. } => kind::DEALS,
        Answer::Detail(_) => kind::DETAIL,
        Answer::Outbox(_) => kind::OUTBOX,
        Answer::Draft(..) => kind::DRAFT,
        Answer::Story(..) => kind::STORY,
        Answer::Edited(_) => kind::EDIT,
        Answer::Connected(_) => kind::CONNECT,
    };
    if model.asked.get(kind) != Some(&ticket) {
        return Vec::new();
    }
    model.asked.remove(kind);
    take(model, ticket, answer)
}

fn take(model: &mut Model, ticket: Ticket, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Board(Ok(found)) => return whole_board(model, ticket, *found),
        Answer::Deals {
            asked,
            found: Ok(found),
        } => some_deals(model, asked, found),
        Answer::Detail(result) => detail(model, result),
        Answer::Outbox(Ok(operations)) => outbox::listed(model, operations),
        Answer::Story(_, Ok(story)) => model.story = Some(story),
        Answer::Draft(deal, text) => note::draft(model, &deal, text),
        Answer::Edited(text) => return note::edited(model, text),
        Answer::Connected(result) => return setup::connected(model, result),
        Answer::Board(Err(fault))
        | Answer::Deals { found: Err(fault), .. }
        | Answer::Outbox(Err(fault))
        | Answer::Story(_, Err(fault)) => {
            say(model, SaidKind::Fault, fault.to_string());
        }
        Answer::Kept(_) | Answer::Undone(_) | Answer::Redone(_) | Answer::Drafted(_) | Answer::Decided(_) => {}
    }
    Vec::new()
}

/// Replaces everything. Deals that were asked for after this was asked may be newer
/// than it: they stay as they are and are asked for again.
fn whole_board(model: &mut Model, ticket: Ticket, found: Board) -> Vec<Effect> {
    let zone = model.facts.zone();
    let asked_later = !model.reading.is_empty() && model.asked.get(kind::DEALS).is_none_or(|deals| *deals > ticket);
    model.facts.account = found.account;
    model.facts.me = found.me;
    model.facts.pipelines = found.pipelines;
    model.facts.owners = found
        .owners
        .into_iter()
        .map(|owner| (owner.id.clone(), owner))
        .collect();
    let newer: Vec<Deal> = model.reading.iter().filter_map(|id| model.deals.remove(id)).collect();
    model.deals = found.deals.into_iter().map(|deal| (deal.id.clone(), deal)).collect();
    if asked_later {
        model
            .deals
            .extend(newer.into_iter().map(|deal| (deal.id.clone(), deal)));
    }
    model.segments = found.segments;
    model.activity = found.activity;
    model.freshness = found.freshness;
    if model.facts.zone() != zone {
        model.midnight = None;
    }
    choose_pipeline(model);
    model.loaded = true;
    events::no_way_in(model);
    if !model.board.scope_settled {
        model.board.scope = first_scope(model);
        model.board.scope_settled = model.board.scope == Scope::Mine || model.freshness.as_of.is_some();
    }
    let effects = if asked_later {
        vec![events::ask_deals(model, [])]
    } else {
        model.asked.remove(kind::DEALS);
        model.reading.clear();
        Vec::new()
    };
    arrived(model);
    effects
}

/// The pipeline in view stays while it exists; else the configured one, else the first.
fn choose_pipeline(model: &mut Model) {
    let wanted = model.settings.pipeline.as_deref();
    let known = |id: &PipelineId| model.facts.pipelines.iter().any(|pipeline| pipeline.id == *id);
    if model.board.pipeline.as_ref().is_some_and(known) {
        return;
    }
    let configured = model.facts.pipelines.iter().find(|pipeline| {
        wanted.is_some_and(|text| pipeline.id.as_str() == text || pipeline.label.eq_ignore_ascii_case(text))
    });
    let chosen = configured.or_else(|| model.facts.pipelines.first());
    model.board.pipeline = chosen.map(|pipeline| pipeline.id.clone());
}

/// Mine when the owner is known and has open deals, else everyone's.
fn first_scope(model: &Model) -> Scope {
    let pipelines = &model.facts.pipelines;
    let mine = |deal: &Deal| deal.owner.is_some() && deal.owner == model.facts.me;
    let has_open = model
        .deals
        .values()
        .any(|deal| mine(deal) && deal.state(pipelines) == DealState::Open);
    if has_open { Scope::Mine } else { Scope::Everyone }
}

/// Replaces these deals; one that was asked for and is not there is gone.
fn some_deals(model: &mut Model, asked: Vec<DealId>, found: Vec<Deal>) {
    let asked: BTreeSet<DealId> = asked.into_iter().collect();
    for id in &asked {
        model.deals.remove(id);
    }
    for deal in found {
        model.deals.insert(deal.id.clone(), deal);
    }
    events::read(model, &asked);
    arrived(model);
}

/// The deals are other ones now: the board is made anew, and moves that were read back are over.
fn arrived(model: &mut Model) {
    let handed_over: BTreeSet<DealId> = model
        .waiting
        .values()
        .filter_map(|waiting| match waiting {
            Waiting::Move(deal) => Some(deal.clone()),
            _ => None,
        })
        .collect();
    let reading = &model.reading;
    model
        .moving
        .retain(|deal, _| handed_over.contains(deal) || reading.contains(deal));
    board::arrange(model);
    finder::refresh(model);
    stage::refresh(model);
    pipeline::refresh(model);
}

fn detail(model: &mut Model, result: Result<Option<Box<DealDetail>>, Fault>) {
    let Screen::Deal(state) = &mut model.screen else {
        return;
    };
    match result {
        Ok(Some(found)) if found.deal.id == state.id => {
            state.note = state.note.min(found.notes.len().saturating_sub(1));
            state.detail = Some(*found);
            state.fault = None;
        }
        Ok(Some(_)) => {}
        Ok(None) => {
            model.screen = Screen::Board;
            say(
                model,
                SaidKind::Info,
                "this deal is not in HubSpot any more, back to the board",
            );
        }
        Err(fault) => state.fault = Some(fault),
    }
}
