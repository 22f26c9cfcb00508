//! Deals.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    Column, Format, Named, Names, Sheet, json,
    names::{amount, cents, ratio},
};
use crate::domain::{Deal, DealState, format, stage_of};

/// A deal for scripts. Amount and weighted amount are decimal text in the deal's own currency.
#[derive(Clone, Debug, Serialize)]
pub struct DealJson {
    /// HubSpot's id.
    pub id: String,
    /// Its name, may be empty.
    pub name: String,
    /// Its pipeline.
    pub pipeline: Named,
    /// Its stage.
    pub stage: Named,
    /// `"48000.00"`
    pub amount: Option<String>,
    /// ISO code; the company currency where the deal names none.
    pub currency: Option<String>,
    /// The close date as a day of the account's zone.
    pub close_date: Option<Date>,
    /// Its owner.
    pub owner: Option<OwnerJson>,
    /// 0 to 1, the deal's own or its stage's: `"0.4"`
    pub probability: String,
    /// Amount times probability, to the cent.
    pub weighted: Option<String>,
    /// `open`, `won` or `lost`
    pub state: DealState,
    /// When it entered its stage.
    pub stage_entered_at: Option<Timestamp>,
    /// Its last note, call, e-mail, meeting or task.
    pub last_activity_at: Option<Timestamp>,
    /// Free text.
    pub next_step: Option<String>,
    /// Operations of ours that are not finished; the values above include them.
    pub pending: Vec<String>,
    /// Its page in HubSpot.
    pub url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An owner for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct OwnerJson {
    /// The value of `hubspot_owner_id`.
    pub id: String,
    /// Their name, else their id.
    pub name: String,
}

/// The JSON of a deal.
#[must_use]
pub fn deal_json(deal: &Deal, names: &Names<'_>) -> DealJson {
    let stage = stage_of(names.pipelines, &deal.stage);
    let pipeline = names.pipelines.iter().find(|pipeline| pipeline.id == deal.pipeline);
    let probability = deal.probability(names.pipelines);
    let weighted = deal.amount.and_then(|amount| amount.checked_mul(probability));
    DealJson {
        id: deal.id.to_string(),
        name: deal.name.clone(),
        pipeline: Named {
            id: deal.pipeline.to_string(),
            label: pipeline.map_or_else(|| deal.pipeline.to_string(), |pipeline| pipeline.label.clone()),
        },
        stage: Named {
            id: deal.stage.to_string(),
            label: stage.map_or_else(|| deal.stage.to_string(), |(_, stage)| stage.label.clone()),
        },
        amount: deal.amount.map(amount),
        currency: currency(deal, names),
        close_date: deal.close.map(|at| names.day(at)),
        owner: deal.owner.as_ref().map(|id| OwnerJson {
            id: id.to_string(),
            name: names.owner(id),
        }),
        probability: ratio(probability),
        weighted: weighted.map(cents),
        state: deal.state(names.pipelines),
        stage_entered_at: deal.stage_entered,
        last_activity_at: deal.last_activity,
        next_step: deal.next_step.clone(),
        pending: deal.pending.iter().map(|pending| pending.op.to_string()).collect(),
        url: names.url(&deal.reference()),
        created_at: deal.created,
        updated_at: deal.updated,
    }
}

fn currency(deal: &Deal, names: &Names<'_>) -> Option<String> {
    let home = || names.account.map(|account| account.currency.clone());
    deal.currency.clone().or_else(home)
}

/// Deals in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn deals(deals: &[Deal], names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    let rows = || deals.iter().map(|deal| deal_json(deal, names)).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => json::compact(&rows())? + "\n",
        Format::Jsonl => json::lines(&rows())?,
        Format::Csv => keys(rows()).csv(),
        Format::Table => people(deals, names).table_within(names.width),
        Format::Markdown => people(deals, names).markdown(),
    })
}

/// Every key, labels in place of ids with labels, lists joined by blanks.
fn keys(rows: Vec<DealJson>) -> Sheet {
    let columns = vec![
        Column::text("id"),
        Column::text("name"),
        Column::text("pipeline"),
        Column::text("stage"),
        Column::number("amount"),
        Column::text("currency"),
        Column::text("close_date"),
        Column::text("owner"),
        Column::number("probability"),
        Column::number("weighted"),
        Column::text("state"),
        Column::text("stage_entered_at"),
        Column::text("last_activity_at"),
        Column::text("next_step"),
        Column::text("pending"),
        Column::text("url"),
        Column::text("created_at"),
        Column::text("updated_at"),
    ];
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let cells = |deal: DealJson| {
        vec![
            deal.id,
            deal.name,
            deal.pipeline.label,
            deal.stage.label,
            deal.amount.unwrap_or_default(),
            deal.currency.unwrap_or_default(),
            deal.close_date.map(|day| day.to_string()).unwrap_or_default(),
            deal.owner.map(|owner| owner.name).unwrap_or_default(),
            deal.probability,
            deal.weighted.unwrap_or_default(),
            state(deal.state).to_owned(),
            time(deal.stage_entered_at),
            time(deal.last_activity_at),
            deal.next_step.unwrap_or_default(),
            deal.pending.join(" "),
            deal.url.unwrap_or_default(),
            deal.created_at.to_string(),
            deal.updated_at.to_string(),
        ]
    };
    Sheet {
        columns,
        rows: rows.into_iter().map(cells).collect(),
    }
}

/// The columns people read.
fn people(deals: &[Deal], names: &Names<'_>) -> Sheet {
    let unknown = || format::UNKNOWN.to_owned();
    let cells = |deal: &Deal| {
        let row = deal_json(deal, names);
        let money = |amount| format::money_exact(amount, row.currency.as_deref().unwrap_or_default());
        vec![
            row.id.clone(),
            row.name.clone(),
            row.stage.label.clone(),
            state(row.state).to_owned(),
            deal.amount.map_or_else(unknown, money).trim_end().to_owned(),
            row.close_date.map_or_else(unknown, format::day_exact),
            row.owner.map_or_else(unknown, |owner| owner.name),
            row.next_step.unwrap_or_default(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("id"),
            Column::text("name"),
            Column::text("stage"),
            Column::text("state"),
            Column::number("amount"),
            Column::number("close date"),
            Column::text("owner"),
            Column::text("next step"),
        ],
        rows: deals.iter().map(cells).collect(),
    }
}

const fn state(state: DealState) -> &'static str {
    match state {
        DealState::Open => "open",
        DealState::Won => "won",
        DealState::Lost => "lost",
    }
}
