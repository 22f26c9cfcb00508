//! Deals arranged into columns: the stages of a pipeline in order, cards in order, totals beside them.

use rust_decimal::Decimal;

use crate::domain::{DealId, StageId, StageKind};

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
    /// Cards: close date first (overdue on top, without a date last), then name, then id.
    pub cards: Vec<DealId>,
    /// Sum of the amounts in company currency.
    pub total: Decimal,
    /// Sum of amount × probability.
    pub weighted: Decimal,
    /// Deals that could not be summed: without an amount, or in a currency HubSpot did not convert.
    pub unsummed: usize,
}
