//! `dealdeck limits`: both budgets as HubSpot last told them, and who used them: every process of the data directory counts
//! together. `--requests` prints the last requests themselves.

use crate::{report, sync::Handle};

use super::{
    args::LimitsArgs,
    exit::{Outcome, print_report},
    names,
};

/// Prints the gauges, or the last requests.
pub async fn run(handle: &Handle, args: LimitsArgs) -> Outcome {
    let facts = handle.facts().await?;
    let (names, format) = (names(&facts), args.format.format);
    print_report(match args.requests {
        Some(count) => report::requests(&handle.requests(count), &names, format),
        None => report::limits(&handle.limits(), &names, format),
    })?;
    Ok(0)
}
