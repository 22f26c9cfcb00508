//! `dealdeck limits`: both budgets as HubSpot last told them, whoever of our processes used them. The counts of requests and
//! waits are this process's own, and a process that only asks has sent none.

use crate::{report, sync::Handle};

use super::{
    args::FormatArgs,
    exit::{Outcome, print_report},
    names,
};

/// Prints the gauges.
pub async fn run(handle: &Handle, args: FormatArgs) -> Outcome {
    let facts = handle.facts().await?;
    print_report(report::limits(&handle.limits(), &names(&facts), args.format))?;
    Ok(0)
}
