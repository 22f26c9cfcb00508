//! How a command ends: its exit code, and its error as one sentence for people or one JSON line for scripts.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use serde_json::json;

use crate::{
    config::ConfigError,
    domain::{Fault, FaultKind, OpState, Operation, safe_block},
    report::Format,
};

/// How a command ended when it did not fail.
pub type Outcome = Result<u8, Fault>;

/// The exit code of a fault.
#[must_use]
pub const fn code(kind: FaultKind) -> u8 {
    match kind {
        FaultKind::Bug => 1,
        FaultKind::Usage => 2,
        FaultKind::Refused => 3,
        FaultKind::Offline => 4,
        FaultKind::Auth => 5,
        FaultKind::Rate => 6,
        FaultKind::Busy => 7,
        FaultKind::Store => 8,
        FaultKind::Uncertain => 9,
    }
}

/// The exit code a write ends with, by where its operation is after the wait: stored and still waiting is fine.
#[must_use]
pub const fn code_of(state: OpState) -> u8 {
    match state {
        OpState::Queued
        | OpState::InFlight
        | OpState::Landed
        | OpState::Done
        | OpState::Superseded
        | OpState::Cancelled => 0,
        OpState::Conflict | OpState::Held | OpState::Dead => 3,
        OpState::Uncertain => 9,
    }
}

/// What became of a kept operation, in words, for stderr; nothing to say when it landed. `waits_for` is what keeps
/// everything from being sent.
#[must_use]
pub fn remark(operation: &Operation, waits_for: Option<&str>) -> Option<String> {
    let own = operation.error.as_ref().map(|error| error.message.as_str());
    let general = waits_for.filter(|_| matches!(operation.state, OpState::Queued | OpState::InFlight));
    let why = own.or(general).map(|why| format!(": {why}")).unwrap_or_default();
    match operation.state {
        OpState::Landed | OpState::Done => None,
        OpState::Queued | OpState::InFlight => Some(format!(
            "kept on disk, not sent yet{why}; it goes out with the next sync, see 'dealdeck outbox list'"
        )),
        OpState::Uncertain => Some(format!(
            "sent, but the answer was lost{why}; HubSpot is asked before anything is sent again, see 'dealdeck outbox list'"
        )),
        OpState::Conflict => Some(format!(
            "somebody changed it meanwhile{why}; decide with 'dealdeck outbox resolve {}' and --ours, --theirs or --set",
            operation.id.tail()
        )),
        OpState::Held => Some(format!(
            "it needs you{why}; see 'dealdeck outbox show {}'",
            operation.id.tail()
        )),
        OpState::Dead => Some(format!("HubSpot refuses it{why}")),
        OpState::Cancelled => Some(format!("given up, it is not sent: {}", operation.title)),
        OpState::Superseded => Some("a newer change took its place".to_owned()),
    }
}

/// Prints the fault and gives its exit code.
#[must_use]
pub fn fail(fault: &Fault, format: Option<Format>, now: jiff::Timestamp) -> ExitCode {
    let mut err = io::stderr().lock();
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(err, "dealdeck: {}", safe_block(&fault.to_string()));
    if matches!(format, Some(Format::Json | Format::Jsonl)) {
        let wait = fault.retry_at.map(|at| (at.as_second() - now.as_second()).max(0));
        let error = json!({"error": {
            "kind": fault.kind.word(), "message": fault.what, "next": fault.next, "retry_after_seconds": wait,
        }});
        let _ = writeln!(err, "{error}");
    }
    ExitCode::from(code(fault.kind))
}

/// Prints what is wrong with the command line, or the help that was asked for, and gives the exit code.
#[must_use]
pub fn misused(error: &clap::Error, arguments: impl Iterator<Item = String>) -> ExitCode {
    // Nobody is left to tell when stderr is gone.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let mut before = String::new();
    let wants_json = arguments.into_iter().any(|argument| {
        let value = if before == "--format" {
            Some(argument.as_str())
        } else {
            argument.strip_prefix("--format=")
        };
        let wants = matches!(value, Some("json" | "jsonl"));
        before = argument;
        wants
    });
    if wants_json {
        let text = error.render().to_string();
        let (message, next) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message
            .trim_start_matches("error: ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let error = json!({"error": {
            "kind": FaultKind::Usage.word(), "message": message,
            "next": next.lines().last().unwrap_or_default(), "retry_after_seconds": null,
        }});
        let _ = writeln!(io::stderr().lock(), "{error}");
    }
    ExitCode::from(code(FaultKind::Usage))
}

/// Prints what is wrong with the configuration, with its line, and gives the exit code.
#[must_use]
pub fn refuse(error: &ConfigError, format: Option<Format>) -> ExitCode {
    let mut err = io::stderr().lock();
    let _ = write!(err, "{}", error.plain());
    if matches!(format, Some(Format::Json | Format::Jsonl)) {
        let fault = error.fault();
        let line = json!({"error": {
            "kind": fault.kind.word(), "message": fault.what, "next": fault.next, "retry_after_seconds": null,
        }});
        let _ = writeln!(err, "{line}");
    }
    ExitCode::from(code(error.kind))
}

/// Prints what a dry run would do: a sentence for people, an object for programs.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_plan(format: Format, said: &str, plan: serde_json::Value) -> Result<(), Fault> {
    match format {
        Format::Json | Format::Jsonl => {
            let mut plan = plan;
            plan["dry_run"] = true.into();
            print(&format!("{plan}\n"))
        }
        _ => print(said),
    }
}

/// Writes to standard output. A reader that went away (`| head`) is not an error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    // Data goes out raw to a program that reads it; a terminal would obey what is hidden in it.
    let shown = if out.is_terminal() {
        safe_block(text)
    } else {
        text.into()
    };
    match out.write_all(shown.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::new(
            FaultKind::Store,
            format!("standard output cannot be written: {error}"),
            "check where the output goes",
        )),
        _ => Ok(()),
    }
}

/// Prints what a report wrote.
///
/// # Errors
/// It could not be written as JSON (a bug), or standard output cannot be written.
pub fn print_report(text: serde_json::Result<String>) -> Result<(), Fault> {
    let mut text = text.map_err(|error| {
        Fault::new(
            FaultKind::Bug,
            format!("the report cannot be written: {error}"),
            "please report this",
        )
    })?;
    // No rows are no lines.
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    print(&text)
}

/// Writes a remark to standard error.
pub fn remark_line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "dealdeck: {}", safe_block(text));
}
