//! The arguments of `dealdeck outbox …`.

use clap::{Args, Subcommand};

use crate::domain::OpState;

use super::{DriveArgs, FormatArgs};

/// `dealdeck outbox …`
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// List operations: unfinished ones, or all of them
    List {
        /// Also those that are done
        #[arg(long)]
        all: bool,
        /// Only these states: queued, in_flight, uncertain, landed, done, conflict, held, dead, cancelled, superseded
        #[arg(long, value_name = "STATE,…", value_delimiter = ',', value_parser = state, conflicts_with = "all")]
        state: Vec<OpState>,
        /// At most so many, newest first; 0 = all
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// One operation: what it sends, every try, and in a conflict what everybody wants
    Show {
        /// Its id, or a unique beginning or end of it
        id: String,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Send again what is held, in conflict (yours wins then) or dead; send now what waits for its next try
    Retry(DecideArgs),
    /// Take back what was not sent yet, and give up what is held, in conflict or dead
    Cancel(DecideArgs),
    /// Decide a conflict, or fill in what HubSpot asked for
    #[command(after_help = RESOLVE_HELP)]
    Resolve {
        /// Its id, or a unique beginning or end of it
        id: String,
        #[command(flatten)]
        verdict: Verdict,
        #[command(flatten)]
        drive: DriveArgs,
    },
}

impl OutboxCommand {
    /// How long to wait for what it decides; `None` = it only looks.
    pub const fn drive(&self) -> Option<&DriveArgs> {
        match self {
            Self::List { .. } | Self::Show { .. } => None,
            Self::Retry(args) | Self::Cancel(args) => Some(&args.drive),
            Self::Resolve { drive, .. } => Some(drive),
        }
    }
}

/// Whose values win; exactly one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Verdict {
    /// Send this change over what is there now
    #[arg(long)]
    pub ours: bool,
    /// Keep what is in HubSpot now, and drop this change
    #[arg(long)]
    pub theirs: bool,
    /// Send it with this value besides, or instead of, its own; again for more, FIELD= clears
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment)]
    pub set: Vec<(String, Option<String>)>,
}

/// `dealdeck outbox retry` and `cancel`
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// Operations, each by its id or a unique beginning or end of it
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub drive: DriveArgs,
}

const RESOLVE_HELP: &str = "Examples:
  dealdeck outbox resolve 4f2a --theirs
  dealdeck outbox resolve 4f2a --ours
  dealdeck outbox resolve 4f2a --set amount=52000
  dealdeck outbox resolve 4f2a --set closedate=2026-12-15 --set closed_won_reason=Price";

fn state(word: &str) -> Result<OpState, String> {
    OpState::parse(word).ok_or_else(|| format!("there is no state '{word}'"))
}

/// `FIELD=VALUE`; nothing after the sign clears the field.
fn assignment(text: &str) -> Result<(String, Option<String>), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            let value = (!value.is_empty()).then(|| value.to_owned());
            Ok((name.trim().to_owned(), value))
        }
        _ => Err("write FIELD=VALUE, with the field's internal name".to_owned()),
    }
}
