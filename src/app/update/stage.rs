//! Choosing a stage by type-ahead. A beginning of a word beats an inner match; `Esc` sends nothing.

use crate::{
    app::{Effect, Line, Model, Overlay, SaidKind, StagePicker},
    domain::{DealId, Pipeline, StageId},
    filter::fuzzy,
};

use super::{say, write};

/// Opens the picker on the focused deal, its own stage chosen.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(deal) = model.focused() else {
        return Vec::new();
    };
    let (id, here) = (deal.id.clone(), model.heading(deal));
    let stages = stages(model, &id, "");
    let chosen = stages.iter().position(|(stage, _)| *stage == here).unwrap_or(0);
    model.overlay = Some(Overlay::Stage(StagePicker {
        deal: id,
        query: Line::default(),
        stages,
        chosen,
    }));
    Vec::new()
}

fn pipeline_of<'a>(model: &'a Model, deal: &DealId) -> Option<&'a Pipeline> {
    let deal = model.deals.get(deal)?;
    model
        .facts
        .pipelines
        .iter()
        .find(|pipeline| pipeline.id == deal.pipeline)
}

/// The stages that match, best first, then the others in order.
fn stages(model: &Model, deal: &DealId, query: &str) -> Vec<(StageId, Option<Vec<u32>>)> {
    let Some(pipeline) = pipeline_of(model, deal) else {
        return Vec::new();
    };
    let matching = fuzzy::rank(query, &pipeline.stages, |stage| &stage.label);
    let mut stages: Vec<_> = matching
        .into_iter()
        .map(|ranked| (ranked.item.id.clone(), Some(ranked.hits)))
        .collect();
    for stage in &pipeline.stages {
        if !stages.iter().any(|(id, _)| *id == stage.id) {
            stages.push((stage.id.clone(), None));
        }
    }
    stages
}

/// Ranks the stages anew for what is typed now; the best is chosen.
pub(super) fn search(model: &mut Model) {
    let Some(Overlay::Stage(picker)) = &model.overlay else {
        return;
    };
    let found = stages(model, &picker.deal, &picker.query.text);
    if let Some(Overlay::Stage(picker)) = &mut model.overlay {
        picker.stages = found;
        picker.chosen = 0;
    }
}

/// The stages may be other ones now: the chosen one stays chosen.
pub(super) fn refresh(model: &mut Model) {
    let Some(Overlay::Stage(picker)) = &model.overlay else {
        return;
    };
    let chosen = picker.stages.get(picker.chosen).map(|(stage, _)| stage.clone());
    search(model);
    if let Some(Overlay::Stage(picker)) = &mut model.overlay {
        let again = picker
            .stages
            .iter()
            .position(|(stage, _)| Some(stage) == chosen.as_ref());
        picker.chosen = again.unwrap_or(0);
    }
}

/// Moves the deal to the chosen stage. Nothing is sent when nothing matches, or when the deal is already there.
pub(super) fn take(model: &mut Model, picker: StagePicker) -> Vec<Effect> {
    let matches = picker.stages.iter().any(|(_, hits)| hits.is_some());
    let chosen = picker.stages.get(picker.chosen).filter(|_| matches).cloned();
    let Some((stage, _)) = chosen else {
        let text = format!("no stage fits '{}', nothing is sent", picker.query.text);
        model.overlay = Some(Overlay::Stage(picker));
        say(model, SaidKind::Fault, text);
        return Vec::new();
    };
    let here = model.deals.get(&picker.deal).map(|deal| model.heading(deal));
    match here {
        Some(here) if here == stage => {
            say(
                model,
                SaidKind::Info,
                "the deal is in this stage already, nothing is sent",
            );
            Vec::new()
        }
        Some(_) => write::move_deal(model, picker.deal, stage),
        None => {
            say(
                model,
                SaidKind::Fault,
                "this deal is not there any more, nothing is sent",
            );
            Vec::new()
        }
    }
}
