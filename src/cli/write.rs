//! What every writing command does: keep the change, then drive it. Whatever is kept prints its operation.

use crate::{
    domain::{Connection, Submission},
    report::{self, Format},
    sync::Handle,
};

use super::{
    args::WriteArgs,
    exit::{Outcome, code_of, print_report, remark, remark_line},
    names,
};

/// Keeps the change and waits for its outcome as long as was asked for.
pub async fn drive(handle: &Handle, submission: Submission, args: &WriteArgs) -> Outcome {
    let receipt = handle.submit(submission).await?;
    let operation = if args.no_wait {
        handle.operation(receipt.op).await?
    } else {
        handle.wait_for(receipt.op, args.wait).await?
    };
    let facts = handle.facts().await?;
    print_report(match args.format.format {
        // One operation is one document, not a list of one.
        Format::Json => report::compact(&report::operation_json(&operation)),
        format => report::operations(std::slice::from_ref(&operation), &names(&facts), format),
    })?;
    if !args.no_wait
        && let Some(said) = remark(&operation, waits_for(&handle.freshness().connection).as_deref())
    {
        remark_line(&said);
    }
    Ok(if args.no_wait { 0 } else { code_of(operation.state) })
}

/// What keeps changes from being sent at the moment, in words.
fn waits_for(connection: &Connection) -> Option<String> {
    match connection {
        Connection::Cached | Connection::Syncing(_) | Connection::Live => None,
        Connection::Slowed { until } => Some(format!("HubSpot asks to wait until {until:.0}")),
        Connection::Offline { .. } => Some("HubSpot does not answer".to_owned()),
        Connection::ReadOnly(fault) => Some(fault.to_string()),
    }
}
