//! What may stand on the command line. Only flags and commands that do something are here.

mod contacts;
mod outbox;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    domain::ObjectType,
    portal::{CursorKind, FaultPlan, Latency, Portal, Quota, Switches},
    report::Format,
};

pub use contacts::{ContactsCommand, ContactsDecide, ContactsImport, ContactsList, ContactsPush, SegmentsCommand};
pub use outbox::{DecideArgs, OutboxCommand};

const EXAMPLES: &str = "\
Examples:
  dealdeck --demo                                  look around on a simulated portal
  DEALDECK_TOKEN=pat-na1-… dealdeck                open your own pipeline
  dealdeck setup                                   check a token, see what it may do, keep it
  dealdeck sync --format json                      one pass of the engine, for scripts
  dealdeck deals list --filter 'amount>90k'        the deals you mean
  dealdeck deals move 40912345678 'contract'       by stage id, label or its beginning
  dealdeck note add --deal 40912345678 -           a note from standard input
  dealdeck contacts list --segment high_value      the contacts of a segment
  dealdeck sync --list newsletter                  only the contacts of a HubSpot list
  dealdeck contacts import fair.csv                contacts of a file into HubSpot

Exit codes: 0 ok, 1 bug, 2 usage or configuration, 3 refused or needs a person, 4 offline, 5 authentication,
6 rate or daily budget, 7 store in use, 8 store damaged, 9 outcome unknown, 130 and 143 ended by a signal.";

const SETUP_HELP: &str = "\
Examples:
  dealdeck setup                                   asks for a token, which is not shown
  pass show hubspot | dealdeck setup               takes the first line of standard input
  dealdeck setup --oauth                           needs HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET
  dealdeck setup --keys                            makes notes, tasks and deals safe to send again

It says whose token it is and which scopes are missing for what, and keeps it in a private file of the data directory.
A token from the environment, a .env, the configuration or its token_command wins over what is kept.";

/// A terminal dashboard for HubSpot sales pipelines. Without a command it opens the dashboard.
#[derive(Debug, Parser)]
#[command(name = "dealdeck", version, after_help = EXAMPLES, max_term_width = 110, subcommand_negates_reqs = true)]
pub struct Cli {
    /// Open the dashboard on a built-in simulated portal: no account, no token, no network
    #[arg(long, conflicts_with_all = ["base_url", "read_only"])]
    pub demo: bool,
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags every command understands; they win over environment, `.env` and configuration file.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Configuration file to use
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory for everything that lives: outbox, mirror, logs
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// HubSpot's address, or a simulated portal's: https, or http on this machine only
    #[arg(long, global = true, value_name = "URL")]
    pub base_url: Option<String>,
    /// Never write to HubSpot
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Longest wait for one answer (30s)
    #[arg(long, global = true, value_name = "TIME")]
    pub timeout: Option<String>,
    /// How often a read is tried again (3)
    #[arg(long, global = true, value_name = "N")]
    pub max_retries: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check and keep a token, typed without echo or piped in, or access granted to your own OAuth app
    Setup(SetupArgs),
    /// One pass of the engine without a screen: read what changed, send what waits
    Sync(SyncArgs),
    /// Deals: list, get, move
    #[command(subcommand)]
    Deals(DealsCommand),
    /// Notes: add
    #[command(subcommand)]
    Note(NoteCommand),
    /// Contacts: list, get, import, push, queue, skip, select, clear
    #[command(subcommand)]
    Contacts(ContactsCommand),
    /// Segments of contacts with their counts: list, show
    #[command(subcommand)]
    Segments(SegmentsCommand),
    /// The durable queue of changes
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Both budgets: capacity, left, who used them
    Limits(LimitsArgs),
    /// A simulated HubSpot as a server of its own
    Simulate(Box<SimulateArgs>),
}

/// `--format`, where a table is the default.
#[derive(Debug, Clone, Copy, Args)]
pub struct FormatArgs {
    /// table, json, jsonl, csv or markdown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `dealdeck setup`
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = SETUP_HELP)]
pub struct SetupArgs {
    /// Grant access in the browser, to the app that [oauth] in the configuration describes
    #[arg(long)]
    pub oauth: bool,
    /// Only print the address of the page, start no browser
    #[arg(long, requires = "oauth")]
    pub no_browser: bool,
    /// Make notes, tasks and deals duplicate-safe: adds the property 'dealdeck_key' where the account has none such
    #[arg(long, conflicts_with = "oauth")]
    pub keys: bool,
    /// Do not ask before the account is changed
    #[arg(long, requires = "keys")]
    pub yes: bool,
}

/// `dealdeck limits`
#[derive(Debug, Clone, Copy, Args)]
pub struct LimitsArgs {
    /// The last requests instead, newest first: at most so many
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "50")]
    pub requests: Option<usize>,
    #[command(flatten)]
    pub format: FormatArgs,
}

const SYNC_HELP: &str = "\
Examples:
  dealdeck sync                                    everything that changed, and what waits to be sent
  dealdeck sync --full --only contacts             every contact again
  dealdeck sync --list newsletter                  the contacts of one HubSpot list, by id or name
  dealdeck sync --segment engaged                  those of a segment, and those that left it
  dealdeck sync --stats --format json              what the last sync did; needs no token

On a terminal it shows bars; elsewhere a line per type about every two seconds on stderr, as JSON with --format json:
{\"progress\":{\"object\",\"fetched\",\"about\",\"pages\",\"per_second\",\"eta_seconds\",\"waiting\"}}";

/// `dealdeck sync`
#[derive(Debug, Args)]
#[command(after_help = SYNC_HELP)]
pub struct SyncArgs {
    /// Read everything again, whatever the mirror has
    #[arg(long)]
    pub full: bool,
    /// Only these object types, separated by commas: deals, contacts, companies
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    pub only: Vec<ObjectType>,
    /// At most so many records of each type
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max: Option<u64>,
    /// Only the contacts of this segment, by name or its unique beginning
    #[arg(long, value_name = "NAME", conflicts_with_all = ["only", "list"])]
    pub segment: Option<String>,
    /// Only the contacts of this HubSpot list, by id, name or its unique beginning
    #[arg(long, value_name = "LIST", conflicts_with = "only")]
    pub list: Option<String>,
    /// Records per page where types are listed whole, and per batch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub batch_size: Option<u32>,
    /// No sync: what the last one did
    #[arg(long, conflicts_with_all = ["full", "only", "max", "segment", "list", "batch_size"])]
    pub stats: bool,
    /// No bars and no progress lines
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `dealdeck deals …`
#[derive(Debug, Subcommand)]
pub enum DealsCommand {
    /// List deals of the mirror
    List(DealsList),
    /// Show one deal
    Get {
        /// The deal's id
        id: String,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Move a deal to another stage
    Move {
        /// The deal's id
        id: String,
        /// Stage id, label or unique beginning
        stage: String,
        #[command(flatten)]
        write: WriteArgs,
    },
}

/// `dealdeck deals list`
#[derive(Debug, Args)]
pub struct DealsList {
    /// Only deals that match, e.g. 'stage:contract amount>90k close<=eoq'
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Only this pipeline, by id or label
    #[arg(long, value_name = "P")]
    pub pipeline: Option<String>,
    /// Only this stage, by id, label or unique beginning
    #[arg(long, value_name = "S")]
    pub stage: Option<String>,
    /// Order: id, name, close, stage (first to last), amount, updated, created, activity (largest or newest first); a
    /// leading - reverses
    #[arg(long, value_name = "FIELD", default_value = "id", allow_hyphen_values = true)]
    pub sort: String,
    /// At most so many; 0 = all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub limit: usize,
    /// Skip so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: usize,
    /// Go on after this deal id
    #[arg(long, value_name = "ID", conflicts_with = "offset")]
    pub after: Option<String>,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `dealdeck note …`
#[derive(Debug, Subcommand)]
pub enum NoteCommand {
    /// Write a note on a deal
    Add {
        /// The deal's id
        #[arg(long, value_name = "ID")]
        deal: String,
        /// The note; - reads standard input
        text: String,
        #[command(flatten)]
        write: WriteArgs,
    },
}

/// What every write understands.
#[derive(Debug, Clone, Copy, Args)]
pub struct WriteArgs {
    /// Show the exact change and keep nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub drive: DriveArgs,
}

/// How long to wait for what was kept.
#[derive(Debug, Clone, Copy, Args)]
pub struct DriveArgs {
    /// Wait so long for the outcome
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub wait: Duration,
    /// Return as soon as the change is on disk
    #[arg(long, conflicts_with = "wait")]
    pub no_wait: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// What `simulate --help` says after the options: the names of faults and switches.
fn simulate_help() -> String {
    format!(
        "Faults, for --faults and POST /__portal/faults ('500=5%' is a share, 'hang=3' the next three, 'POST:lost=1' one \
         method):\n{}\nSwitches, for --switch and POST /__portal/switches (facts about HubSpot that nobody could confirm):\n{}\n\
         What other people do meanwhile, for POST /__portal/NAME with this body (no token, no budget, no fault):\n{}",
        FaultPlan::help(),
        Switches::help(),
        Portal::witness_help()
    )
}

/// `dealdeck simulate`
#[derive(Debug, Args)]
#[command(after_long_help = simulate_help())]
pub struct SimulateArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Everything generated follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many contacts; a million cost no memory to speak of
    #[arg(long)]
    pub contacts: Option<u32>,
    /// How many companies
    #[arg(long)]
    pub companies: Option<u32>,
    /// How many deals, each with notes, calls, e-mails, meetings and tasks
    #[arg(long)]
    pub deals: Option<u32>,
    /// How many owners
    #[arg(long)]
    pub owners: Option<u32>,
    /// How long an answer takes: 120ms, or 80ms..300ms
    #[arg(long, default_value = "0ms")]
    pub latency: Latency,
    /// The rolling window
    #[arg(long, default_value = "190/10s")]
    pub limit: Quota,
    /// The search quota
    #[arg(long, default_value = "5/1s")]
    pub search_limit: Quota,
    /// Requests a day
    #[arg(long, default_value_t = 625_000)]
    pub daily: u64,
    /// How late search sees a change
    #[arg(long, default_value = "3s..10s")]
    pub index_lag: Latency,
    /// Colleagues' edits per minute
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    pub live: f64,
    /// What goes wrong, e.g. '500=5%,429=5%,reset=5%,html=1%,hang=1'; the kinds are listed below
    #[arg(long, value_name = "PLAN", default_value = "")]
    pub faults: FaultPlan,
    /// Enforce the portal's own rules on writes
    #[arg(long)]
    pub strict_rules: bool,
    /// What list cursors look like: id or opaque
    #[arg(long, default_value = "id")]
    pub cursor: CursorKind,
    /// Uncertain facts to turn round, separated by commas; listed below
    #[arg(long, value_name = "NAMES", default_value = "")]
    pub switch: Switches,
    /// A token to accept instead of a made-up one; may be given several times
    #[arg(long, value_name = "VALUE")]
    pub token: Vec<String>,
    /// What a token may do, separated by commas; the first belongs to the first token, and so on (all)
    #[arg(long, value_name = "SCOPES")]
    pub scopes: Vec<String>,
    /// An OAuth app besides: its id and secret are in the first line
    #[arg(long)]
    pub oauth: bool,
    /// How long an OAuth access token lives
    #[arg(long, value_name = "TIME", default_value = "1800s", value_parser = duration)]
    pub token_ttl: Duration,
    /// Another integration that uses the same token, e.g. 20/10s
    #[arg(long, value_name = "QUOTA")]
    pub others: Option<Quota>,
    /// Another integration that searches, e.g. 2/1s
    #[arg(long, value_name = "QUOTA")]
    pub others_search: Option<Quota>,
    /// The account's region, e.g. eu1: only hosts that begin with api-eu1. are answered, others with 488
    #[arg(long, value_name = "REGION")]
    pub hublet: Option<String>,
    /// Compress answers for clients that take it, as HubSpot does
    #[arg(long)]
    pub gzip: bool,
    /// An account to load instead of generating one (NDJSON)
    #[arg(long, value_name = "FILE")]
    pub fixture: Option<PathBuf>,
    /// The portal's wall clock at the start
    #[arg(long, value_name = "TIME")]
    pub now: Option<jiff::Timestamp>,
}

/// The longest wait a command takes.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// `10s`, `500ms`, `2m`, or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("'{text}' is not a time; use forms like: 10s  500ms  2m");
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let time = match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err(bad()),
    };
    if time > LONGEST {
        Err(format!("'{text}' is too long; a day is the longest wait"))
    } else {
        Ok(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("soon").is_err() && duration("5 h").is_err() && duration("18446744073709551615m").is_err());
    }
}
