//! `dealdeck sync`: one pass of the engine without a screen.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::{
    domain::{Progress, SyncReport},
    report,
    sync::{Handle, SyncOptions},
};

use super::{
    args::SyncArgs,
    exit::{Outcome, code, print_report, remark_line},
};

/// Runs the pass.
pub async fn run(handle: &Handle, args: &SyncArgs, now: Timestamp) -> Outcome {
    let bar = bar();
    let options = SyncOptions {
        full: args.full,
        only: args.only.clone(),
        max: args.max,
        ..SyncOptions::default()
    };
    let progress = |progress: Progress| show(&bar, progress);
    let report = handle.sync_once(options, progress).await;
    bar.finish_and_clear();
    let report = report?;
    print_report(report::sync(&report, now, args.format.format))?;
    for fault in report.errors.iter().chain(&report.left_out) {
        remark_line(&fault.to_string());
    }
    Ok(exit_code(&report))
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

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {human_pos} {per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(progress.object.name());
    if let Some(about) = progress.about {
        bar.set_length(about.max(progress.fetched));
    }
    bar.set_position(progress.fetched);
}
