//! `dealdeck outbox …`: the durable queue, seen.

use crate::{domain::OpState, report, sync::Handle};

use super::{
    args::OutboxCommand,
    exit::{Outcome, print_report},
    names,
};

/// Runs an outbox command.
pub async fn run(handle: &Handle, command: &OutboxCommand) -> Outcome {
    let OutboxCommand::List { all, limit, format } = command;
    let unfinished: Vec<OpState> = OpState::ALL.into_iter().filter(|state| !state.is_final()).collect();
    let operations = handle
        .operations((!all).then_some(unfinished.as_slice()), *limit)
        .await?;
    let facts = handle.facts().await?;
    print_report(report::operations(&operations, &names(&facts), format.format))?;
    Ok(0)
}
