//! `dealdeck outbox …`: the durable queue, seen and steered.

use crate::{
    domain::{Decision, OpId, OpState, Properties},
    report,
    sync::Handle,
};

use super::{
    args::{DecideArgs, OutboxCommand},
    exit::{Outcome, print_report, remark_line},
    names, write,
};

/// Runs an outbox command.
pub async fn run(handle: &Handle, command: &OutboxCommand) -> Outcome {
    match command {
        OutboxCommand::List {
            all,
            state,
            limit,
            format,
        } => {
            let unfinished = || OpState::ALL.into_iter().filter(|state| !state.is_final()).collect();
            let states = if state.is_empty() { unfinished() } else { state.clone() };
            // One more than is shown tells whether there are more.
            let asked = if *limit == 0 {
                usize::MAX
            } else {
                limit.saturating_add(1)
            };
            let mut operations = handle.operations((!all).then_some(states.as_slice()), asked).await?;
            let more = *limit > 0 && operations.len() > *limit;
            operations.truncate(if more { *limit } else { usize::MAX });
            let facts = handle.facts().await?;
            print_report(report::operations(&operations, &names(&facts), format.format))?;
            if more {
                remark_line("there are more operations; --limit 0 lists them all");
            }
            Ok(0)
        }
        OutboxCommand::Show { id, format } => {
            let story = handle.operation_story(handle.find_operation(id).await?).await?;
            let facts = handle.facts().await?;
            print_report(report::operation(&story, &names(&facts), format.format))?;
            Ok(0)
        }
        OutboxCommand::Retry(args) => decide(handle, args, &Decision::Send).await,
        OutboxCommand::Cancel(args) => decide(handle, args, &Decision::Drop).await,
        OutboxCommand::Resolve { id, verdict, drive } => {
            let values: Properties = verdict.set.iter().cloned().collect();
            let decision = match verdict.theirs {
                true => Decision::Drop,
                false if values.is_empty() => Decision::Send,
                false => Decision::SendWith(values),
            };
            let id = handle.find_operation(id).await?;
            handle.decide(id, decision).await?;
            write::follow(handle, &[id], *drive).await
        }
    }
}

/// All or nothing as far as names go: a slip in one of them decides none.
async fn decide(handle: &Handle, args: &DecideArgs, decision: &Decision) -> Outcome {
    let mut ids: Vec<OpId> = Vec::with_capacity(args.ids.len());
    for text in &args.ids {
        ids.push(handle.find_operation(text).await?);
    }
    for id in &ids {
        handle.decide(*id, decision.clone()).await?;
    }
    write::follow(handle, &ids, args.drive).await
}
