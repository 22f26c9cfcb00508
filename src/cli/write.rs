//! What every writing command does: keep the change, then drive it. Whatever is kept prints its operation.

use crate::{
    domain::{Connection, OpId, Submission},
    report::{self, Format},
    sync::Handle,
};

use super::{
    args::DriveArgs,
    exit::{Outcome, code_of, print_report, remark, remark_line},
    names,
};

/// Keeps the change and waits for its outcome as long as was asked for.
pub async fn drive(handle: &Handle, submission: Submission, args: DriveArgs) -> Outcome {
    let receipt = handle.submit(submission).await?;
    follow(handle, &[receipt.op], args).await
}

/// Waits for operations that were kept, prints them and says what became of each.
pub async fn follow(handle: &Handle, ids: &[OpId], args: DriveArgs) -> Outcome {
    let clock = handle.clock();
    let deadline = clock.now() + args.wait;
    let mut operations = Vec::with_capacity(ids.len());
    for id in ids {
        operations.push(if args.no_wait {
            handle.operation(*id).await?
        } else {
            let left = deadline.saturating_duration_since(clock.now());
            handle.wait_for(*id, left).await?
        });
    }
    let facts = handle.facts().await?;
    print_report(match (args.format.format, operations.as_slice()) {
        // One operation is one document, not a list of one.
        (Format::Json, [operation]) => report::compact(&report::operation_json(operation)),
        (format, operations) => report::operations(operations, &names(&facts), format),
    })?;
    if args.no_wait {
        return Ok(0);
    }
    let waits = waits_for(&handle.freshness().connection);
    let said = operations
        .iter()
        .filter_map(|operation| remark(operation, waits.as_deref()));
    said.for_each(|said| remark_line(&said));
    // What nobody knows (9) is worse than what waits for a person (3).
    Ok(operations
        .iter()
        .map(|operation| code_of(operation.state))
        .max()
        .unwrap_or_default())
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
