//! What may stand behind `contacts` and `segments`.

use clap::{Args, Subcommand};

use super::FormatArgs;

const CONTACTS_HELP: &str = "\
Examples:
  dealdeck contacts list --filter 'updated<7d lifecycle:lead'
  dealdeck contacts list --segment high_value --sort -updated --limit 20
  dealdeck contacts list --list newsletter --limit 0 --format jsonl > contacts.jsonl
  dealdeck contacts get robin@example.com --format json
  dealdeck contacts clear --yes                    forgets them here, never in HubSpot

Fields of a filter: name email company phone title lifecycle status owner created updated activity list segment, and by its
internal name any HubSpot property that is mirrored: 'mirror.contact_properties' in the configuration adds some.";

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
