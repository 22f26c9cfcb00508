//! Listings of deals. They are filtered and sorted as they are shown, pending operations included, so the work is done in
//! memory over the mirror's deals.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::Timestamp;

use super::{
    Settings,
    extent::{self, Wished},
    submit::operations,
    view,
    words::Words,
};
use crate::{
    domain::{Deal, Fault, FaultKind, ObjectType, Page, PipelineId, Properties, RecordRef, StageId, stage_of},
    filter::{Context, DealRow, Expr, Field, Plan},
    store::Reader,
};

/// What deals are sorted by; unset values are last, ties go by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DealSort {
    /// By id, as a number where it is one.
    #[default]
    Id,
    /// By name, case ignored.
    Name,
    /// By amount in the company currency, largest first.
    Amount,
    /// By close date, earliest first.
    Close,
    /// By pipeline order, then stage order.
    Stage,
    /// By last change, newest first.
    Updated,
    /// By creation, newest first.
    Created,
    /// By last activity, newest first.
    Activity,
}

/// Which deals, in which order, which part of them.
#[derive(Clone, Debug, Default)]
pub struct DealQuery {
    /// What they must match.
    pub filter: Option<Expr>,
    /// Only this pipeline.
    pub pipeline: Option<PipelineId>,
    /// Only this stage.
    pub stage: Option<StageId>,
    /// In which order.
    pub sort: DealSort,
    /// The opposite order.
    pub reverse: bool,
    /// At most so many; 0 = all.
    pub limit: usize,
    /// Rows to skip.
    pub offset: usize,
    /// The last id of the page before; it counts before `offset` does.
    pub after: Option<String>,
}

/// All deals as they are shown.
pub fn shown_deals(reader: &Reader) -> Result<Vec<Deal>, Fault> {
    let pending = view::by_record(operations(reader.outbox.pending_of_deals()?));
    let mut deals = reader.mirror.deals()?;
    if pending.is_empty() {
        return Ok(deals);
    }
    for deal in &mut deals {
        let reference = deal.reference();
        if let Some(ops) = pending.get(&reference)
            && let Some(record) = reader.mirror.record(&reference)?
        {
            *deal = view::deal(&record, ops);
        }
    }
    Ok(deals)
}

/// A page of deals.
pub fn deals(
    reader: &Reader,
    settings: &Settings,
    wished: &Wished,
    query: &DealQuery,
    now: Timestamp,
) -> Result<Page<Deal>, Fault> {
    if let Some(filter) = &query.filter {
        extent::check(&reader.mirror, wished, ObjectType::Deals, &filter.properties())?;
    }
    let words = Words::read(&reader.mirror, settings, ObjectType::Deals, now)?;
    let context = words.context();
    let mut rows = shown_deals(reader)?;
    rows.retain(|deal| query.pipeline.as_ref().is_none_or(|id| deal.pipeline == *id));
    rows.retain(|deal| query.stage.as_ref().is_none_or(|id| deal.stage == *id));
    if let Some(expr) = &query.filter {
        let plan = expr.plan(&context);
        rows = matching(reader, rows, &plan, &context)?;
    }
    rows.sort_by(|a, b| {
        let order = compare(query.sort, a, b, &context);
        if query.reverse { order.reverse() } else { order }
    });
    page(rows, query)
}

fn page(mut rows: Vec<Deal>, query: &DealQuery) -> Result<Page<Deal>, Fault> {
    let total = rows.len();
    if let Some(after) = &query.after {
        let Some(last) = rows.iter().position(|deal| deal.id.as_str() == after) else {
            return Err(Fault::new(
                FaultKind::Usage,
                format!("the page after '{after}' cannot be found"),
                "begin again without it",
            ));
        };
        rows.drain(..=last);
    }
    rows.drain(..query.offset.min(rows.len()));
    let limit = if query.limit == 0 { rows.len() } else { query.limit };
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_after = rows.last().filter(|_| has_more).map(|deal| deal.id.to_string());
    Ok(Page {
        rows,
        total,
        next_after,
    })
}

fn matching(reader: &Reader, rows: Vec<Deal>, plan: &Plan, context: &Context<'_>) -> Result<Vec<Deal>, Fault> {
    let wants = wants(plan);
    let names: BTreeMap<String, String> = if wants.companies {
        let all = reader.mirror.all(ObjectType::Companies)?;
        all.into_iter()
            .map(|record| (record.id.clone(), record.get("name").unwrap_or_default().to_owned()))
            .collect()
    } else {
        BTreeMap::new()
    };
    let mut kept = Vec::new();
    for deal in rows {
        let companies: Vec<&str> = deal
            .companies
            .iter()
            .filter_map(|id| names.get(id.as_str()).map(String::as_str))
            .collect();
        let properties = if wants.properties {
            shown_properties(reader, &deal.reference())?
        } else {
            None
        };
        let row = DealRow {
            deal: &deal,
            companies: &companies,
            properties: properties.as_ref(),
        };
        if plan.matches(&row, context) {
            kept.push(deal);
        }
    }
    Ok(kept)
}

fn shown_properties(reader: &Reader, reference: &RecordRef) -> Result<Option<Properties>, Fault> {
    let Some(mut record) = reader.mirror.record(reference)? else {
        return Ok(None);
    };
    view::overlay(
        &mut record.properties,
        &operations(reader.outbox.pending_of(reference)?),
    );
    Ok(Some(record.properties))
}

/// What a plan asks for besides a deal's own fields.
#[derive(Clone, Copy, Default)]
struct Wants {
    companies: bool,
    properties: bool,
}

fn wants(plan: &Plan) -> Wants {
    match plan {
        Plan::All(parts) | Plan::Any(parts) => parts.iter().map(wants).fold(Wants::default(), |a, b| Wants {
            companies: a.companies || b.companies,
            properties: a.properties || b.properties,
        }),
        Plan::Not(part) => wants(part),
        Plan::Test(field, _) => Wants {
            companies: matches!(field, Field::Company),
            properties: matches!(field, Field::Property(_)),
        },
    }
}

fn compare(sort: DealSort, a: &Deal, b: &Deal, context: &Context<'_>) -> Ordering {
    let order = match sort {
        DealSort::Id => Ordering::Equal,
        DealSort::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
        DealSort::Amount => b.amount_in(context.currency).cmp(&a.amount_in(context.currency)),
        DealSort::Close => unset_last(a.close, b.close, Ord::cmp),
        DealSort::Stage => place(a, context).cmp(&place(b, context)),
        DealSort::Updated => b.updated.cmp(&a.updated),
        DealSort::Created => b.created.cmp(&a.created),
        DealSort::Activity => b.last_activity.cmp(&a.last_activity),
    };
    order.then_with(|| number(a).cmp(&number(b)))
}

fn unset_last<T>(a: Option<T>, b: Option<T>, order: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => order(&a, &b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// Pipeline order, then the stage's place in it; stages no pipeline knows are last.
fn place(deal: &Deal, context: &Context<'_>) -> (i64, usize) {
    stage_of(context.pipelines, &deal.stage).map_or((i64::MAX, usize::MAX), |(pipeline, _)| {
        (pipeline.order, pipeline.position(&deal.stage).unwrap_or(usize::MAX))
    })
}

fn number(deal: &Deal) -> (u64, &str) {
    (deal.id.as_str().parse().unwrap_or(u64::MAX), deal.id.as_str())
}
