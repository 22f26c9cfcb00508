//! Choosing the pipeline to look at.

use crate::{
    app::{BoardState, Effect, Model, Overlay, PipelinePicker, SaidKind},
    domain::PipelineId,
    filter::fuzzy,
};

use super::{board, say};

/// Opens the picker, the pipeline in view chosen.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let here = model.board.pipeline.as_ref();
    let position = model
        .facts
        .pipelines
        .iter()
        .position(|pipeline| Some(&pipeline.id) == here);
    model.overlay = Some(Overlay::Pipeline(PipelinePicker {
        chosen: position.unwrap_or(0),
        ..PipelinePicker::default()
    }));
    Vec::new()
}

/// The pipelines that match what is typed, best first, with the character positions hit. [`PipelinePicker::chosen`] counts
/// in this list.
#[must_use]
pub fn matching_pipelines(model: &Model, query: &str) -> Vec<(PipelineId, Vec<u32>)> {
    fuzzy::rank(query, &model.facts.pipelines, |pipeline| &pipeline.label)
        .into_iter()
        .map(|ranked| (ranked.item.id.clone(), ranked.hits))
        .collect()
}

/// The pipelines may be other ones now: an existing one is chosen.
pub(super) fn refresh(model: &mut Model) {
    let count = match &model.overlay {
        Some(Overlay::Pipeline(picker)) => matching_pipelines(model, &picker.query.text).len(),
        _ => return,
    };
    if let Some(Overlay::Pipeline(picker)) = &mut model.overlay {
        picker.chosen = picker.chosen.min(count.saturating_sub(1));
    }
}

/// Shows the chosen pipeline.
pub(super) fn take(model: &mut Model, picker: PipelinePicker) -> Vec<Effect> {
    let matching = matching_pipelines(model, &picker.query.text);
    match matching.into_iter().nth(picker.chosen) {
        Some((id, _)) => {
            if model.board.pipeline.as_ref() != Some(&id) {
                model.board = BoardState {
                    pipeline: Some(id),
                    scope: model.board.scope,
                    scope_settled: model.board.scope_settled,
                    ..BoardState::default()
                };
                board::arrange(model);
            }
        }
        None => {
            let text = format!("no pipeline fits '{}', type something else", picker.query.text);
            model.overlay = Some(Overlay::Pipeline(picker));
            say(model, SaidKind::Fault, text);
        }
    }
    Vec::new()
}
