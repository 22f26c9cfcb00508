//! Deals arranged into columns: the stages of a pipeline in order, cards in order, totals beside them. It decides what is
//! in view (pipeline and scope) and refuses to decide what is drawn.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::{Deal, DealId, Pipeline, StageId, StageKind};

use super::{Model, Scope};

/// The columns of the board, in stage order.
pub type Columns = Vec<Column>;

/// One stage with its cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The stage.
    pub stage: StageId,
    /// Its label.
    pub label: String,
    /// Open, won or lost.
    pub kind: StageKind,
    /// Cards by close date, then name, then id. Open stages: the earliest on top, without a date last. Closed stages: the
    /// latest on top.
    pub cards: Vec<DealId>,
    /// Sum of the amounts in company currency.
    pub total: Decimal,
    /// Sum of amount × probability.
    pub weighted: Decimal,
    /// Deals that could not be summed: without an amount, or in a currency HubSpot did not convert.
    pub unsummed: usize,
}

/// Arranges the deals in view: those of the pipeline that are in scope.
#[must_use]
pub fn columns(model: &Model) -> Columns {
    let Some(pipeline) = model.pipeline() else {
        return Vec::new();
    };
    let mut stages: BTreeMap<&StageId, Vec<&Deal>> = BTreeMap::new();
    for deal in model.deals.values() {
        if deal.pipeline == pipeline.id && in_scope(model, deal) {
            stages.entry(&deal.stage).or_default().push(deal);
        }
    }
    pipeline
        .stages
        .iter()
        .map(|stage| {
            let deals = stages.remove(&stage.id).unwrap_or_default();
            column(model, pipeline, &stage.id, deals)
        })
        .collect()
}

/// The deal belongs to the people in view.
#[must_use]
pub fn in_scope(model: &Model, deal: &Deal) -> bool {
    match model.board.scope {
        Scope::Everyone => true,
        Scope::Mine => deal.owner.is_some() && deal.owner == model.facts.me,
    }
}

fn column(model: &Model, pipeline: &Pipeline, id: &StageId, deals: Vec<&Deal>) -> Column {
    let stage = pipeline.stage(id);
    let kind = stage.map_or(StageKind::Open, crate::domain::Stage::kind);
    let default = stage.map_or(Decimal::ZERO, |stage| stage.probability);
    let currency = model.facts.currency();
    let (mut total, mut weighted, mut unsummed) = (Decimal::ZERO, Decimal::ZERO, 0);
    for deal in &deals {
        match deal.amount_in(currency) {
            Some(amount) => {
                let part = amount.saturating_mul(deal.probability.unwrap_or(default));
                total = total.saturating_add(amount);
                weighted = weighted.saturating_add(part);
            }
            None => unsummed += 1,
        }
    }
    let zone = model.facts.zone();
    let mut cards: Vec<(Option<Date>, &Deal)> = deals.into_iter().map(|deal| (deal.close_date(&zone), deal)).collect();
    cards.sort_by(|left, right| order(kind, left, right));
    Column {
        stage: id.clone(),
        label: stage.map_or_else(|| id.to_string(), |stage| stage.label.clone()),
        kind,
        cards: cards.into_iter().map(|(_, deal)| deal.id.clone()).collect(),
        total,
        weighted,
        unsummed,
    }
}

fn order(kind: StageKind, (day, deal): &(Option<Date>, &Deal), (other_day, other): &(Option<Date>, &Deal)) -> Ordering {
    let by_day = match (day, other_day) {
        (Some(day), Some(other)) if kind == StageKind::Open => day.cmp(other),
        (Some(day), Some(other)) => other.cmp(day),
        (day, other) => other.is_some().cmp(&day.is_some()),
    };
    by_day
        .then_with(|| deal.name.cmp(&other.name))
        .then_with(|| deal.id.cmp(&other.id))
}
