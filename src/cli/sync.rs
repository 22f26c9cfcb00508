//! `dealdeck sync`: one pass of the engine without a screen, or what the last one did.

use std::time::Duration;

use crate::{
    domain::{Fault, FaultKind, Lane, SyncReport},
    report,
    sync::{Clock, Handle, Part, SyncOptions},
};

use super::{
    args::SyncArgs,
    exit::{Outcome, code, print_report, remark_line},
    names,
    progress::Screen,
};

/// How often it is looked what waits.
const TICK: Duration = Duration::from_millis(250);

/// Runs the pass.
pub async fn run(handle: &Handle, args: &SyncArgs, clock: &Clock) -> Outcome {
    if args.stats {
        return stats(handle, args, clock).await;
    }
    let segment = args.segment.clone().map(Part::Segment);
    let options = SyncOptions {
        full: args.full,
        only: args.only.clone(),
        max: args.max,
        page: args.batch_size,
        part: segment.or_else(|| args.list.clone().map(Part::List)),
        ..SyncOptions::default()
    };
    let screen = Screen::new(args.format.format, args.quiet, clock);
    let report = {
        let sync = handle.sync_once(options, |progress| screen.heard(progress));
        let mut sync = std::pin::pin!(sync);
        loop {
            tokio::select! {
                report = &mut sync => break report,
                () = tokio::time::sleep(TICK) => screen.tick(waiting(handle)),
            }
        }
    };
    screen.over();
    let report = report?;
    print_report(report::sync(&report, clock.wall(), args.format.format))?;
    for fault in report.errors.iter().chain(&report.left_out) {
        remark_line(&fault.to_string());
    }
    Ok(exit_code(&report))
}

/// Requests of the sync that wait for the budget.
fn waiting(handle: &Handle) -> u32 {
    let lanes = Lane::ALL.into_iter().zip(handle.limits().lanes);
    let sync = lanes.filter(|(lane, _)| *lane == Lane::Sync);
    sync.map(|(_, load)| load.waiting).sum()
}

async fn stats(handle: &Handle, args: &SyncArgs, clock: &Clock) -> Outcome {
    let last = handle.last_sync().await?.ok_or_else(|| {
        Fault::new(
            FaultKind::Refused,
            "no sync has ended here yet",
            "run 'dealdeck sync'; a running dashboard syncs without one",
        )
    })?;
    let facts = handle.facts().await?;
    print_report(report::stats(&last, &names(&facts), clock.wall(), args.format.format))?;
    Ok(0)
}

fn exit_code(report: &SyncReport) -> u8 {
    let pushed = &report.pushed;
    if let Some(fault) = report.errors.first() {
        code(fault.kind)
    } else if pushed.uncertain > 0 {
        9
    } else if pushed.held + pushed.conflict + pushed.dead > 0 {
        3
    } else {
        0
    }
}
