//! Finding a deal by type-ahead over the whole mirror. What is in view comes first among equals; taking a deal outside the
//! view widens the view and says so.

use crate::{
    app::{Effect, Finder, Hit, Model, Overlay, SaidKind, Scope, Screen, in_scope},
    domain::{Deal, DealId},
    filter::fuzzy,
};

use super::{board, go, say};

/// Opens the finder.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.overlay = Some(Overlay::Find(Finder::default()));
    search(model);
    Vec::new()
}

/// Ranks the deals anew for what is typed now.
pub(super) fn search(model: &mut Model) {
    let Some(Overlay::Find(finder)) = &model.overlay else {
        return;
    };
    let ranked = fuzzy::rank(&finder.query.text, candidates(model), |deal| &deal.name);
    let matching = ranked.len();
    let hits = ranked
        .into_iter()
        .take(Finder::LIMIT)
        .map(|ranked| Hit {
            deal: ranked.item.id.clone(),
            matched: ranked.hits,
        })
        .collect();
    if let Some(Overlay::Find(finder)) = &mut model.overlay {
        finder.hits = hits;
        finder.matching = matching;
        finder.chosen = 0;
    }
}

/// The deals are other ones now: the hits are too, the chosen one stays chosen.
pub(super) fn refresh(model: &mut Model) {
    let Some(Overlay::Find(finder)) = &model.overlay else {
        return;
    };
    let chosen = finder.hits.get(finder.chosen).map(|hit| hit.deal.clone());
    search(model);
    if let Some(Overlay::Find(finder)) = &mut model.overlay {
        let again = finder.hits.iter().position(|hit| Some(&hit.deal) == chosen.as_ref());
        finder.chosen = again.unwrap_or(0);
    }
}

/// All deals: those on the board as they stand there, then the others.
fn candidates(model: &Model) -> Vec<&Deal> {
    let in_view = |deal: &Deal| Some(&deal.pipeline) == model.board.pipeline.as_ref() && in_scope(model, deal);
    let cards = model.board.columns.iter().flat_map(|column| &column.cards);
    let shown = cards.filter_map(|id| model.deals.get(id));
    shown
        .chain(model.deals.values().filter(|deal| !in_view(deal)))
        .collect()
}

/// Goes to the chosen deal.
pub(super) fn take(model: &mut Model, finder: Finder) -> Vec<Effect> {
    let Some(hit) = finder.hits.get(finder.chosen) else {
        let text = format!("no deal fits '{}', type something else", finder.query.text);
        model.overlay = Some(Overlay::Find(finder));
        say(model, SaidKind::Fault, text);
        return Vec::new();
    };
    let id = hit.deal.clone();
    go::remember(model);
    show(model, &id);
    match model.screen {
        Screen::Deal(_) => go::open(model, id),
        _ => Vec::new(),
    }
}

/// Puts the focus on a deal, widening the view as far as needed.
fn show(model: &mut Model, id: &DealId) {
    let Some(deal) = model.deals.get(id) else {
        say(model, SaidKind::Fault, "this deal is not there any more, find another");
        return;
    };
    let (pipeline, outside) = (deal.pipeline.clone(), !in_scope(model, deal));
    let label = model
        .facts
        .pipelines
        .iter()
        .find(|known| known.id == pipeline)
        .map(|known| known.label.clone());
    let mut widened = Vec::new();
    if let Some(label) = label.filter(|_| model.board.pipeline.as_ref() != Some(&pipeline)) {
        widened.push(format!("the pipeline '{label}'"));
        model.board.pipeline = Some(pipeline);
    }
    if outside {
        widened.push("everyone's deals".to_owned());
        model.board.scope = Scope::Everyone;
        model.board.scope_settled = true;
    }
    model.board.focus = Some(id.clone());
    board::arrange(model);
    if !board::seek(model, id) {
        say(
            model,
            SaidKind::Fault,
            "this deal is in a stage that is not known yet, r reads it now",
        );
    } else if !widened.is_empty() {
        say(
            model,
            SaidKind::Info,
            format!("the view shows {} now", widened.join(", ")),
        );
    }
}
