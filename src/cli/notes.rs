//! `dealdeck note …`.

use std::io::{Read as _, StdinLock};

use serde_json::json;

use crate::{
    domain::{Change, DealId, Fault, FaultKind, Origin, Submission},
    sync::Handle,
};

use super::{
    args::NoteCommand,
    deals::not_here,
    exit::{Outcome, print_plan},
    stdin, write,
};

/// No note is read further than this: 65,536 characters of at most four bytes each. The engine counts the characters.
const MAX: u64 = 4 * 65_536;

/// Runs a note command.
pub async fn run(handle: &Handle, command: &NoteCommand) -> Outcome {
    let NoteCommand::Add { deal, text, write } = command;
    let deal = DealId::from(deal.as_str());
    let text = if text == "-" { from_stdin().await? } else { text.clone() };
    if text.trim().is_empty() {
        return Err(Fault::new(
            FaultKind::Usage,
            "the note is empty",
            "give its text, or - to read standard input",
        ));
    }
    let found = handle.deal(&deal).await?.ok_or_else(|| not_here(&deal))?.deal;
    if write.dry_run {
        let said = format!("would write on '{}' ({deal}):\n{text}\n", found.name);
        let plan = json!({"change": "add_note", "deal": deal, "name": found.name, "text": text});
        print_plan(write.drive.format.format, &said, plan)?;
        return Ok(0);
    }
    let change = Change::AddNote { deal, text, at: None };
    write::drive(
        handle,
        Submission {
            change,
            origin: Origin::Command,
        },
        write.drive,
    )
    .await
}

async fn from_stdin() -> Result<String, Fault> {
    let all = |input: StdinLock<'_>| {
        let mut text = Vec::new();
        input.take(MAX + 1).read_to_end(&mut text).map(|_| text)
    };
    let unreadable = |error: &dyn std::fmt::Display| {
        Fault::new(
            FaultKind::Usage,
            format!("standard input cannot be read: {error}"),
            "pipe UTF-8 text into the command",
        )
    };
    let text = stdin::read(all).await.map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX {
        let what = "the note is longer than the 65536 characters HubSpot keeps";
        return Err(Fault::new(FaultKind::Usage, what, "split it into several notes"));
    }
    String::from_utf8(text).map_err(|error| unreadable(&error))
}
