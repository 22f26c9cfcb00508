//! `dealdeck deals …`: from the mirror, through the outbox.

use serde_json::json;

use crate::{
    domain::{
        Change, DealId, Facts, Fault, FaultKind, ObjectType, Origin, Pipeline, PropertyDefinition, StageId,
        StageLookup, Submission, find_stage, stage_of,
    },
    filter,
    report::{self, Format},
    sync::{DealQuery, DealSort, Handle},
};

use super::{
    args::{DealsCommand, DealsList, WriteArgs},
    contacts,
    exit::{Outcome, print_plan, print_report, remark_line},
    names, write,
};

/// Runs a deals command.
pub async fn run(handle: &Handle, command: &DealsCommand) -> Outcome {
    match command {
        DealsCommand::List(args) => list(handle, args).await,
        DealsCommand::Get { id, format } => get(handle, id, format.format).await,
        DealsCommand::Move { id, stage, write } => move_deal(handle, id, stage, write).await,
    }
}

async fn list(handle: &Handle, args: &DealsList) -> Outcome {
    let facts = handle.facts().await?;
    let definitions = handle.definitions(ObjectType::Deals).await?;
    let filter = args
        .filter
        .as_deref()
        .map(|text| parse(text, &definitions))
        .transpose()?;
    let pipeline = args
        .pipeline
        .as_deref()
        .map(|text| find_pipeline(&facts, text))
        .transpose()?;
    let stage = args
        .stage
        .as_deref()
        .map(|text| find_stage_anywhere(&facts, pipeline, text))
        .transpose()?;
    let (reverse, field) = match args.sort.strip_prefix('-') {
        Some(field) => (true, field),
        None => (false, args.sort.as_str()),
    };
    let query = DealQuery {
        filter,
        pipeline: pipeline.map(|pipeline| pipeline.id.clone()),
        stage,
        sort: sort(field)?,
        reverse,
        limit: args.limit,
        offset: args.offset,
        after: args.after.clone(),
    };
    let page = handle.list_deals(query).await?;
    contacts::warn(handle, ObjectType::Deals, facts.account.is_some()).await?;
    print_report(report::deals(&page.rows, &names(&facts), args.format.format))?;
    if let Some(next) = page.next_after.filter(|_| args.limit > 0) {
        remark_line(&format!("more deals follow; go on with --after {next}"));
    }
    Ok(0)
}

fn parse(text: &str, definitions: &[PropertyDefinition]) -> Result<filter::Expr, Fault> {
    filter::parse(text, filter::Schema::Deals(definitions)).map_err(|error| {
        Fault::new(
            FaultKind::Usage,
            format!("the filter '{text}' cannot be read: {error}"),
            "mend it and try again",
        )
    })
}

fn sort(field: &str) -> Result<DealSort, Fault> {
    let known = [
        ("id", DealSort::Id),
        ("name", DealSort::Name),
        ("amount", DealSort::Amount),
        ("close", DealSort::Close),
        ("stage", DealSort::Stage),
        ("updated", DealSort::Updated),
        ("created", DealSort::Created),
        ("activity", DealSort::Activity),
    ];
    known
        .iter()
        .find(|(name, _)| *name == field)
        .map(|(_, sort)| *sort)
        .ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            Fault::new(
                FaultKind::Usage,
                format!("deals cannot be sorted by '{field}'"),
                format!("use one of: {}", names.join(", ")),
            )
        })
}

fn find_pipeline<'a>(facts: &'a Facts, text: &str) -> Result<&'a Pipeline, Fault> {
    let wanted = text.trim().to_lowercase();
    let is = |pipeline: &&Pipeline| pipeline.id.as_str() == wanted || pipeline.label.to_lowercase() == wanted;
    facts.pipelines.iter().find(is).ok_or_else(|| {
        let labels: Vec<&str> = facts.pipelines.iter().map(|pipeline| pipeline.label.as_str()).collect();
        Fault::new(
            FaultKind::Usage,
            format!("there is no pipeline '{text}'"),
            format!("use one of: {}", labels.join(", ")),
        )
    })
}

/// The stage in the pipeline, or in any when none is given: the first pipeline that has it.
fn find_stage_anywhere(facts: &Facts, pipeline: Option<&Pipeline>, text: &str) -> Result<StageId, Fault> {
    let searched: Vec<&Pipeline> = pipeline.map_or_else(|| facts.pipelines.iter().collect(), |one| vec![one]);
    let mut labels = Vec::new();
    for pipeline in searched {
        match find_stage(pipeline, text) {
            Ok(stage) => return Ok(stage.id.clone()),
            Err(StageLookup::Ambiguous(several)) => return Err(no_such_stage(text, &StageLookup::Ambiguous(several))),
            Err(StageLookup::Unknown(all)) => labels.extend(all),
        }
    }
    Err(no_such_stage(text, &StageLookup::Unknown(labels)))
}

async fn get(handle: &Handle, id: &str, format: Format) -> Outcome {
    let id = DealId::from(id);
    let deal = handle.deal(&id).await?.ok_or_else(|| not_here(&id))?.deal;
    let facts = handle.facts().await?;
    print_report(match format {
        // One deal is one document, not a list of one.
        Format::Json => report::compact(&report::deal_json(&deal, &names(&facts))),
        format => report::deals(std::slice::from_ref(&deal), &names(&facts), format),
    })?;
    Ok(0)
}

async fn move_deal(handle: &Handle, id: &str, stage: &str, args: &WriteArgs) -> Outcome {
    let id = DealId::from(id);
    let deal = handle.deal(&id).await?.ok_or_else(|| not_here(&id))?.deal;
    let facts = handle.facts().await?;
    let pipeline = facts
        .pipelines
        .iter()
        .find(|pipeline| pipeline.id == deal.pipeline)
        .ok_or_else(|| {
            Fault::new(
                FaultKind::Refused,
                format!("the pipeline '{}' is not in the mirror", deal.pipeline),
                "run 'dealdeck sync'",
            )
        })?;
    let target = find_stage(pipeline, stage).map_err(|lookup| no_such_stage(stage, &lookup))?;
    if args.dry_run {
        let from =
            stage_of(&facts.pipelines, &deal.stage).map_or(deal.stage.as_str(), |(_, stage)| stage.label.as_str());
        let said = format!("would move '{}' ({id}): {from} → {}\n", deal.name, target.label);
        let plan = json!({"change": "move_deal", "deal": id, "name": deal.name, "from": deal.stage, "to": target.id});
        print_plan(args.drive.format.format, &said, plan)?;
        return Ok(0);
    }
    let change = Change::MoveDeal {
        deal: id,
        stage: target.id.clone(),
        pipeline: None,
    };
    write::drive(
        handle,
        Submission {
            change,
            origin: Origin::Command,
        },
        args.drive,
    )
    .await
}

/// The deal is not in the mirror.
pub fn not_here(id: &DealId) -> Fault {
    Fault::new(
        FaultKind::Refused,
        format!("there is no deal '{id}' in the mirror"),
        "check the id, or run 'dealdeck sync' if it is new",
    )
}

fn no_such_stage(text: &str, lookup: &StageLookup) -> Fault {
    let (what, labels) = match lookup {
        StageLookup::Unknown(labels) => (format!("there is no stage '{text}'"), labels),
        StageLookup::Ambiguous(labels) => (format!("'{text}' could be several stages"), labels),
    };
    Fault::new(FaultKind::Usage, what, format!("use one of: {}", labels.join(", ")))
}
