//! What the engine says. Events carry no record data: what they touch is read again, once, when the burst has ended.

use std::collections::BTreeSet;

use crate::{
    app::{Effect, Flash, Line, Model, Query, SaidKind, Screen, SetupState, Stale, TimerId},
    domain::{ActivityItem, Connection, DealId, Event, FaultKind, Gauge, Limits, OpId, OpState, OwnerId},
};

use super::{ask, kind, outbox, say, timers};

/// So many stale deals are read faster by reading everything.
const MANY: usize = 500;
/// Cards with a coloured plane at a time.
const PLANES: usize = 3;
/// More changes at once are no news of a colleague but a catch-up; they are not marked.
const NEWS: usize = 50;
/// Entries of the feed that are kept.
const FEED: usize = 200;

/// Takes an event in.
pub(super) fn happened(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::DealsChanged { ids, by, remote } => {
            if remote {
                flash(model, &ids, by);
            }
            stale(model, |stale| stale.deals.extend(ids))
        }
        // Another process may have sent or queued operations, or events were lost: the outbox is read with the board.
        Event::BoardChanged => stale(model, |stale| {
            stale.board = true;
            stale.outbox = true;
        }),
        Event::SegmentsChanged => stale(model, |stale| stale.board = true),
        Event::OperationChanged { op, deal, state } => {
            operation(model, op, deal.as_ref(), state);
            stale(model, |stale| {
                stale.deals.extend(deal);
                stale.outbox = true;
            })
        }
        Event::Happened(item) => {
            feed(model, item);
            Vec::new()
        }
        Event::Freshness(freshness) => {
            model.freshness = freshness;
            no_way_in(model);
            Vec::new()
        }
        Event::Limits(limits) => {
            if worth_a_frame(&model.limits, &limits) {
                model.limits.clone_from(&limits);
            }
            model.latest_limits = *limits;
            Vec::new()
        }
    }
}

/// A token refused before anything was ever read leaves nothing to look at: back to set-up, with the reason. With a mirror
/// the board stays, read only.
pub(super) fn no_way_in(model: &mut Model) {
    let Connection::ReadOnly(fault) = &model.freshness.connection else {
        return;
    };
    let is_first = model.loaded && model.facts.pipelines.is_empty() && matches!(model.screen, Screen::Board);
    if is_first && fault.kind == FaultKind::Auth {
        model.screen = Screen::Setup(SetupState {
            why: Some(fault.clone()),
            token: Line::default(),
            checking: false,
        });
        model.overlay = None;
    }
}

/// Whether a gauge has moved by a twentieth of its capacity, or come down to nothing, and by more than the one request of a
/// quiet poll; or another limit, a queue of a person's requests, or somebody else on the same budget. Anything less waits
/// for the next key: an idle screen stays still.
fn worth_a_frame(shown: &Limits, latest: &Limits) -> bool {
    let moved = |shown: &Gauge, latest: &Gauge| {
        let by = shown.used().abs_diff(latest.used());
        let is_far = by * 20 >= latest.capacity || latest.used() == 0;
        shown.capacity != latest.capacity || (by > 1 && is_far)
    };
    let busy = |limits: &Limits| limits.lanes.map(|lane| lane.waiting > 0);
    let daily = match (&shown.daily, &latest.daily) {
        (Some(shown), Some(latest)) => moved(shown, latest),
        (shown, latest) => shown.is_some() != latest.is_some(),
    };
    daily
        || moved(&shown.burst, &latest.burst)
        || moved(&shown.search, &latest.search)
        || busy(shown) != busy(latest)
        || shown.rate_limited != latest.rate_limited
        || shown.shared_since != latest.shared_since
        || shown.daily_low != latest.daily_low
}

/// Something is to be read again when the burst has ended. The first event of a burst sets the time.
fn stale(model: &mut Model, mark: impl FnOnce(&mut Stale)) -> Vec<Effect> {
    let first = model.stale.is_none();
    mark(model.stale.get_or_insert_default());
    if first { vec![later(model)] } else { Vec::new() }
}

fn later(model: &Model) -> Effect {
    Effect::Timer(TimerId::Reload, timers::after(model.now, timers::BURST))
}

/// The burst has ended: reads again what it touched. While the whole board is being read it waits, so that a steady stream
/// of events cannot keep an answer from ever counting.
pub(super) fn reload(model: &mut Model) -> Vec<Effect> {
    let Some(stale) = model.stale.take() else {
        return Vec::new();
    };
    if model.asked.contains_key(kind::BOARD) {
        model.stale = Some(stale);
        return vec![later(model)];
    }
    let mut effects = Vec::new();
    let everything = stale.board || stale.deals.len() > MANY;
    let stale_deals = stale.deals.clone();
    if let Screen::Deal(state) = &model.screen
        && (everything || stale.deals.contains(&state.id))
    {
        let query = Query::Detail(state.id.clone());
        effects.push(ask(model, query));
    }
    if everything {
        effects.push(ask(model, Query::Board));
    } else if !stale.deals.is_empty() {
        effects.push(ask_deals(model, stale.deals));
    }
    if (outbox::deal_in_view(model)).is_some_and(|deal| everything || stale_deals.contains(&deal)) {
        // What HubSpot has of it may be something else now.
        model.story_asked = None;
    }
    if stale.outbox {
        effects.push(ask(model, Query::Outbox));
    }
    effects
}

/// Asks for these deals and for all that were asked for and not read yet.
pub(super) fn ask_deals(model: &mut Model, ids: impl IntoIterator<Item = DealId>) -> Effect {
    model.reading.extend(ids);
    let all = model.reading.iter().cloned().collect();
    ask(model, Query::Deals(all))
}

/// Marks cards a colleague changed.
fn flash(model: &mut Model, ids: &[DealId], by: Option<OwnerId>) {
    let catching_up = !model.loaded || matches!(model.freshness.connection, Connection::Syncing(_)) || ids.len() > NEWS;
    let mine = by.is_some() && by == model.facts.me;
    if catching_up || mine {
        return;
    }
    let until = timers::after(model.now, timers::FLASH);
    for id in ids {
        let planes = model
            .flashes
            .iter()
            .filter(|(other, flash)| flash.plane && *other != id)
            .count();
        let flash = Flash {
            by: by.clone(),
            until,
            plane: !model.settings.reduced_motion && planes < PLANES,
        };
        model.flashes.insert(id.clone(), flash);
    }
}

/// An operation is in a new state: `✓` when it landed, a sentence when it needs a person.
fn operation(model: &mut Model, op: OpId, deal: Option<&DealId>, state: OpState) {
    let known = deal.and_then(|id| model.deals.get(id));
    let before = known.and_then(|deal| deal.pending.iter().find(|pending| pending.op == op));
    let name = known.map_or("a record", |deal| deal.name.trim());
    let text = match state {
        OpState::Landed => None,
        // Some writes are confirmed and seen in the mirror in one step.
        OpState::Done if before.is_some_and(|before| before.state != OpState::Landed) => None,
        OpState::Conflict => Some(format!(
            "somebody else changed the same value of '{name}', yours is not sent, O shows both"
        )),
        OpState::Held => Some(format!("a change of '{name}' waits for you, O shows why")),
        OpState::Dead => Some(format!(
            "HubSpot refuses a change of '{name}', its value is HubSpot's again, O shows why"
        )),
        _ => return,
    };
    match text {
        Some(text) => say(model, SaidKind::Fault, text),
        None => {
            let until = timers::after(model.now, timers::LANDED);
            model.landed.extend(deal.map(|id| (id.clone(), until)));
        }
    }
}

/// Puts an entry into the feed, newest first. The panel's focus stays on its entry.
fn feed(model: &mut Model, item: ActivityItem) {
    if model.activity.contains(&item) {
        return;
    }
    let at = model.activity.partition_point(|other| other.at > item.at);
    model.activity.insert(at, item);
    model.activity.truncate(FEED);
    if model.focus == crate::app::Focus::Panel && at <= model.panel_row {
        model.panel_row += 1;
    }
}

/// The deals that are read now; those still to be read stay.
pub(super) fn read(model: &mut Model, asked: &BTreeSet<DealId>) {
    if !model.asked.contains_key(kind::BOARD) {
        model.reading.retain(|id| !asked.contains(id));
    }
}
