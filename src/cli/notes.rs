//! `dealdeck note …`.

use std::io::Read as _;

use crate::{
    domain::{Change, DealId, Fault, FaultKind, Origin, Submission},
    sync::Handle,
};

use super::{
    args::NoteCommand,
    deals::not_here,
    exit::{Outcome, print},
    write,
};

/// HubSpot keeps at most so many characters of a property.
const MAX: u64 = 65_536;

/// Runs a note command.
pub async fn run(handle: &Handle, command: &NoteCommand) -> Outcome {
    let NoteCommand::Add { deal, text, write } = command;
    let deal = DealId::from(deal.as_str());
    let text = if text == "-" { from_stdin()? } else { text.clone() };
    if text.trim().is_empty() {
        return Err(Fault::new(
            FaultKind::Usage,
            "the note is empty",
            "give its text, or - to read standard input",
        ));
    }
    if write.dry_run {
        let found = handle.deal(&deal).await?.ok_or_else(|| not_here(&deal))?.deal;
        print(&format!("would write on '{}' ({deal}):\n{text}\n", found.name))?;
        return Ok(0);
    }
    let change = Change::AddNote { deal, text, at: None };
    write::drive(
        handle,
        Submission {
            change,
            origin: Origin::Command,
        },
        write,
    )
    .await
}

fn from_stdin() -> Result<String, Fault> {
    let mut text = String::new();
    std::io::stdin().take(MAX).read_to_string(&mut text).map_err(|error| {
        Fault::new(
            FaultKind::Usage,
            format!("standard input cannot be read: {error}"),
            "pipe UTF-8 text into the command",
        )
    })?;
    Ok(text)
}
