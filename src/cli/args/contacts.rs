//! What may stand behind `contacts` and `segments`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FormatArgs, WriteArgs};

const CONTACTS_HELP: &str = "\
Examples:
  dealdeck contacts list --filter 'updated<7d lifecycle:lead'
  dealdeck contacts list --segment high_value --sort -updated --limit 20
  dealdeck contacts list --list newsletter --limit 0 --format jsonl > contacts.jsonl
  dealdeck contacts get robin@example.com --format json
  dealdeck contacts clear --yes                    forgets them here, never in HubSpot
  dealdeck contacts import fair.csv                creates or updates them in HubSpot, by e-mail address
  dealdeck contacts push --status                  your own contacts and what became of each

Fields of a filter: name email company phone title lifecycle status owner created updated activity list segment, and by its
internal name any HubSpot property that is mirrored: 'mirror.contact_properties' in the configuration adds some.";

const IMPORT_HELP: &str = "\
Examples:
  dealdeck contacts import fair.csv --dry-run      what it would come to; nothing is kept
  dealdeck contacts import fair.csv --wait 5m
  dealdeck contacts import fair.csv --skip-invalid
  dealdeck contacts import - < fair.csv

The first line names the columns: HubSpot's internal names or labels, usual names (Email, Full name, First name, Last name,
Phone, Company, Job title), or fields of [push.map] in the configuration. Contacts go by their e-mail address. Nothing is
kept before every row was checked. An empty field never blanks a value in HubSpot. The same file again changes nothing.
Days are written like 2026-12-15, moments like 2026-12-15T09:30:00Z, numbers like 48000.50; several options are separated
by ';'. An owner goes by id, e-mail address or name. The CSV of 'contacts list' can be imported, but for what HubSpot keeps.";

const PUSH_HELP: &str = "\
Examples:
  dealdeck contacts push robin@example.com
  dealdeck contacts push r12 --company example.com --deal 40912345678 --list newsletter
  dealdeck contacts push --all --dry-run           how many it would be; nothing is kept
  dealdeck contacts push --all
  dealdeck contacts push --status --format csv
  dealdeck contacts push --reset r12 --yes         as if it had never been pushed
  dealdeck contacts push --create-properties       makes [push.properties] in HubSpot

A contact that HubSpot fails to take is tried again after 5, 10 and 20 minutes ([push] in the configuration); one that it
refuses waits until it is changed.";

const DECIDE_HELP: &str = "\
Examples:
  dealdeck contacts select r12 r13                 the scheduler pushes them when their turn comes
  dealdeck contacts skip --filter 'company:acme' --dry-run
  dealdeck contacts queue robin@example.com        pushed at once, with the next sync or the open dashboard

A filter asks for the values of your own contacts. 'dealdeck contacts push --status' lists them.";

const SEGMENTS_HELP: &str = "\
Examples:
  dealdeck segments list
  dealdeck segments show high_value --format json

Segments are defined in the configuration: [segments.NAME] filter = \"…\" or list_id = \"…\". A filter may name any
HubSpot property of contacts; one that was not read before is read of all of them by the next sync.";

/// `dealdeck contacts …`
#[derive(Debug, Subcommand)]
#[command(after_help = CONTACTS_HELP)]
pub enum ContactsCommand {
    /// List contacts of the mirror
    List(ContactsList),
    /// Show one contact
    Get {
        /// The contact's id or e-mail address
        #[arg(value_name = "ID or E-MAIL")]
        contact: String,
        /// Only these properties of the mirrored ones, separated by commas
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        properties: Vec<String>,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Import a CSV file: keep its contacts and push them to HubSpot
    Import(ContactsImport),
    /// Push contacts of your own to HubSpot, or show what became of them
    Push(Box<ContactsPush>),
    /// Push them at once: with the next sync, or the dashboard that is open
    Queue(ContactsDecide),
    /// Do not push them
    Skip(ContactsDecide),
    /// Let the scheduler push them, a few at a time
    Select(ContactsDecide),
    /// Forget the mirror's contacts and lists, never HubSpot's; what waits to be sent stays
    Clear {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        format: FormatArgs,
    },
}

/// `dealdeck contacts list`
#[derive(Debug, Args)]
#[command(after_help = CONTACTS_HELP)]
pub struct ContactsList {
    /// Only contacts that match, e.g. 'updated<30d lifecycle:customer'
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Only this segment, by name or its unique beginning
    #[arg(long, value_name = "NAME")]
    pub segment: Option<String>,
    /// Only members of this HubSpot list, by id, name or its unique beginning
    #[arg(long, value_name = "LIST")]
    pub list: Option<String>,
    /// Order: id, name, email, company, lifecycle, owner, created, updated, activity; a leading - reverses
    #[arg(long, value_name = "FIELD", default_value = "id", allow_hyphen_values = true)]
    pub sort: String,
    /// At most so many; 0 = all
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Skip so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: usize,
    /// Go on where the page before ended, in the same order: the key it named on stderr
    #[arg(long, value_name = "KEY", conflicts_with = "offset")]
    pub after: Option<String>,
    /// Only these properties of the mirrored ones, separated by commas; in a table as columns
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub properties: Vec<String>,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `dealdeck contacts import`
#[derive(Debug, Args)]
#[command(after_help = IMPORT_HELP)]
pub struct ContactsImport {
    /// The file; - reads standard input
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
    /// Import what can be, and list what was left out
    #[arg(long)]
    pub skip_invalid: bool,
    #[command(flatten)]
    pub write: WriteArgs,
}

/// `dealdeck contacts push`
#[derive(Debug, Args)]
#[command(after_help = PUSH_HELP)]
pub struct ContactsPush {
    /// Contacts, each by its id here, its e-mail address or HubSpot's id
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// All of your own that are not skipped
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Push nothing: list your own contacts with both statuses
    #[arg(long, conflicts_with_all = ["all", "reset", "create_properties"])]
    pub status: bool,
    /// Push nothing: forget what became of them, so that they are pushed from the start
    #[arg(long, conflicts_with = "create_properties")]
    pub reset: bool,
    /// With --reset: do not ask
    #[arg(long, requires = "reset")]
    pub yes: bool,
    /// Make the properties of [push] in HubSpot first, where they are missing
    #[arg(long)]
    pub create_properties: bool,
    /// Link them to the company with this domain
    #[arg(long, value_name = "DOMAIN", conflicts_with_all = ["status", "reset"])]
    pub company: Option<String>,
    /// Link them to this deal; again for more
    #[arg(long, value_name = "ID", conflicts_with_all = ["status", "reset"])]
    pub deal: Vec<String>,
    /// Put them on this static list, by id, name or its unique beginning; again for more
    #[arg(long, value_name = "LIST", conflicts_with_all = ["status", "reset"])]
    pub list: Vec<String>,
    /// Take them off this static list; again for more
    #[arg(long, value_name = "LIST", conflicts_with_all = ["status", "reset"])]
    pub remove_from_list: Vec<String>,
    #[command(flatten)]
    pub write: WriteArgs,
}

/// `dealdeck contacts queue`, `skip` and `select`
#[derive(Debug, Args)]
#[command(after_help = DECIDE_HELP)]
pub struct ContactsDecide {
    /// Contacts of your own, each by its id here, its e-mail address or HubSpot's id
    #[arg(value_name = "ID", required_unless_present = "filter", conflicts_with = "filter")]
    pub ids: Vec<String>,
    /// Those of your own that match
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Show them as they would be and keep nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `dealdeck segments …`
#[derive(Debug, Subcommand)]
#[command(after_help = SEGMENTS_HELP)]
pub enum SegmentsCommand {
    /// Segments with their counts, and HubSpot's lists beside them
    List {
        #[command(flatten)]
        format: FormatArgs,
    },
    /// One segment: what it asks, how many it has, how many it had, and its first contacts
    Show {
        /// The segment's name or its unique beginning
        name: String,
        /// How many contacts; 0 = none
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
        #[command(flatten)]
        format: FormatArgs,
    },
}
