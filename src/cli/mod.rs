//! The command line: one file per command. The only room that names concrete parts and ties them together.

mod args;
mod contacts;
mod credentials;
mod dashboard;
mod deals;
mod exit;
mod import;
#[cfg(feature = "keyring")]
mod keyring;
mod limits;
mod local;
mod logs;
mod notes;
mod outbox;
mod progress;
mod pushing;
mod segments;
mod session;
mod setup;
mod signals;
mod simulate;
mod stdin;
mod sync;
mod trial;
mod wiring;
mod write;

use std::process::ExitCode;

use crate::{
    config::Flags,
    domain::{Facts, Fault, FaultKind},
    hubspot::Credentials,
    report::{Format, Names},
    sync::{Clock, Handle},
    term::{self, Surroundings},
};
use clap::Parser as _;

use args::{Cli, Command, Common, ContactsCommand, DealsCommand, NoteCommand, OutboxCommand, SegmentsCommand};
use exit::Outcome;
use session::{Parts, Session};
use wiring::Wiring;

/// Parses the command line, runs what it asks for, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
            return exit::misused(&error, arguments);
        }
    };
    let format = cli.command.as_ref().and_then(format_of);
    let wiring = match Wiring::load(flags(&cli.common), cli.common.read_only) {
        Ok(wiring) => wiring,
        Err(error) => return exit::refuse(&error, format),
    };
    term::keep_from_children(wiring.secret_variable());
    for note in wiring.notes() {
        exit::remark_line(note);
    }
    let clock = wiring.now().map_or_else(Clock::system, Clock::starting_at);
    match session::runtime().and_then(|runtime| runtime.block_on(run(cli, &wiring, &clock))) {
        Ok(code) => ExitCode::from(code),
        Err(fault) => exit::fail(&fault, format, clock.wall()),
    }
}

async fn run(cli: Cli, wiring: &Wiring, clock: &Clock) -> Outcome {
    match cli.command {
        Some(Command::Simulate(args)) => simulate::run(*args).await,
        Some(Command::Setup(args)) => {
            let _logs = logs::start(wiring, clock.wall())?;
            Box::pin(setup::run(wiring, args, clock)).await
        }
        Some(command) => {
            let _logs = logs::start(wiring, clock.wall())?;
            Box::pin(with_engine(wiring, clock, &command)).await
        }
        None => {
            let surroundings = Surroundings::read(|name| std::env::var(name).ok());
            term::check(&surroundings)?;
            if cli.demo {
                Box::pin(dashboard::demo(wiring, &surroundings, clock)).await
            } else {
                let _logs = logs::start(wiring, clock.wall())?;
                Box::pin(dashboard::run(wiring, &surroundings, clock)).await
            }
        }
    }
}

/// Runs a command beside an engine, and ends the engine in order whatever the command says.
async fn with_engine(wiring: &Wiring, clock: &Clock, command: &Command) -> Outcome {
    // What only looks at the mirror and the outbox needs no token.
    let given = if talks(command) || pushes(command) {
        wiring.credentials()?
    } else {
        None
    };
    if given.is_none() && talks(command) {
        return Err(wiring::no_token());
    }
    let has_token = given.is_some();
    let credentials = given.unwrap_or_else(|| Credentials::Token(String::new().into()));
    let parts = Parts::new(wiring, credentials, clock)?;
    let (mut session, engine) = Session::open(parts)?;
    let handle = session.handle.clone();
    if drives(command) && (has_token || !pushes(command)) {
        session.start(engine);
    }
    for notice in session.handle.notices() {
        exit::remark_line(notice);
    }
    if handle.was_damaged() && shows_the_mirror(command) {
        session.close().await;
        // Nothing would look like everything.
        return Err(Fault::new(
            FaultKind::Store,
            "the mirror was damaged and holds nothing now",
            "run 'dealdeck sync', then ask again",
        ));
    }
    let ended = tokio::select! {
        ended = obey(&handle, command, clock, has_token) => ended,
        code = signals::ended_by() => {
            exit::remark_line("stopped; what was read and kept is on disk, and the next sync goes on from there");
            Ok(code)
        }
    };
    session.close().await;
    ended
}

async fn obey(handle: &Handle, command: &Command, clock: &Clock, has_token: bool) -> Outcome {
    match command {
        Command::Sync(args) => sync::run(handle, args, clock).await,
        Command::Deals(command) => deals::run(handle, command).await,
        Command::Note(command) => notes::run(handle, command).await,
        Command::Contacts(command) => Box::pin(contacts::run(handle, command, has_token)).await,
        Command::Segments(command) => segments::run(handle, command).await,
        Command::Outbox(command) => outbox::run(handle, command).await,
        Command::Limits(args) => limits::run(handle, *args).await,
        Command::Setup(_) | Command::Simulate(_) => Ok(0),
    }
}

/// Whether the command sends or keeps anything for HubSpot.
fn talks(command: &Command) -> bool {
    match command {
        Command::Sync(args) => !args.stats,
        Command::Deals(DealsCommand::Move { write, .. }) | Command::Note(NoteCommand::Add { write, .. }) => {
            !write.dry_run
        }
        Command::Outbox(command) => command.drive().is_some(),
        _ => false,
    }
}

/// Whether it pushes contacts of one's own: without a token they are kept, and said to wait for one.
fn pushes(command: &Command) -> bool {
    match command {
        Command::Contacts(ContactsCommand::Import(args)) => !args.write.dry_run,
        Command::Contacts(ContactsCommand::Push(args)) => !args.status && !args.reset && !args.write.dry_run,
        Command::Contacts(ContactsCommand::Queue(_) | ContactsCommand::Select(_)) => true,
        _ => false,
    }
}

/// Whether what it prints comes out of the mirror.
const fn shows_the_mirror(command: &Command) -> bool {
    matches!(
        command,
        Command::Deals(DealsCommand::List(_) | DealsCommand::Get { .. })
            | Command::Contacts(ContactsCommand::List(_) | ContactsCommand::Get { .. })
            | Command::Segments(_)
    )
}

/// A write that waits for its outcome needs a running engine; everything else only the store.
fn drives(command: &Command) -> bool {
    match command {
        Command::Deals(DealsCommand::Move { write, .. }) | Command::Note(NoteCommand::Add { write, .. }) => {
            !write.dry_run && !write.drive.no_wait
        }
        Command::Contacts(ContactsCommand::Import(args)) => !args.write.dry_run && !args.write.drive.no_wait,
        Command::Contacts(ContactsCommand::Push(args)) => {
            !args.status && !args.reset && !args.write.dry_run && !args.write.drive.no_wait
        }
        Command::Outbox(command) => command.drive().is_some_and(|drive| !drive.no_wait),
        _ => false,
    }
}

fn format_of(command: &Command) -> Option<Format> {
    match command {
        Command::Sync(args) => Some(args.format.format),
        Command::Deals(DealsCommand::List(args)) => Some(args.format.format),
        Command::Deals(DealsCommand::Get { format, .. }) => Some(format.format),
        Command::Deals(DealsCommand::Move { write, .. }) | Command::Note(NoteCommand::Add { write, .. }) => {
            Some(write.drive.format.format)
        }
        Command::Outbox(OutboxCommand::List { format, .. } | OutboxCommand::Show { format, .. })
        | Command::Contacts(ContactsCommand::Get { format, .. } | ContactsCommand::Clear { format, .. })
        | Command::Segments(SegmentsCommand::List { format } | SegmentsCommand::Show { format, .. }) => {
            Some(format.format)
        }
        Command::Contacts(ContactsCommand::List(args)) => Some(args.format.format),
        Command::Contacts(ContactsCommand::Import(args)) => Some(args.write.drive.format.format),
        Command::Contacts(ContactsCommand::Push(args)) => Some(args.write.drive.format.format),
        Command::Contacts(
            ContactsCommand::Queue(args) | ContactsCommand::Skip(args) | ContactsCommand::Select(args),
        ) => Some(args.format.format),
        Command::Outbox(command) => command.drive().map(|drive| drive.format.format),
        Command::Limits(args) => Some(args.format.format),
        Command::Setup(_) | Command::Simulate(_) => None,
    }
}

/// What ids are called in reports.
fn names(facts: &Facts) -> Names<'_> {
    Names {
        account: facts.account.as_ref(),
        pipelines: &facts.pipelines,
        owners: &facts.owners,
        width: term::columns(),
    }
}

fn flags(common: &Common) -> Flags {
    Flags {
        config: common.config.clone(),
        data_dir: common.data_dir.clone(),
        base_url: common.base_url.clone(),
        timeout: common.timeout.clone(),
        max_retries: common.max_retries.clone(),
    }
}
