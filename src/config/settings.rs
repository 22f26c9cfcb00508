//! Every setting with its default. Plain data: `cli` hands each room its part.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::Timestamp;
use rust_decimal::Decimal;
use secrecy::SecretString;

use super::push::Push;
use crate::domain::{OwnerId, PipelineId, Segment};

/// An enumeration of words, as the file spells them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// Every word.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the file.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The value with this word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// What the goal is for.
    Period {
        /// A calendar month.
        Month = "month",
        /// A fiscal quarter.
        Quarter = "quarter",
        /// A fiscal year.
        Year = "year",
    }
}

words! {
    /// Which palette.
    Theme {
        /// By the terminal's background.
        Auto = "auto",
        /// Light text on a dark ground.
        Dark = "dark",
        /// Dark text on a light ground.
        Light = "light",
        /// High contrast.
        Contrast = "contrast",
        /// Safe for the colour-blind.
        Safe = "safe",
        /// No colour.
        Mono = "mono",
    }
}

words! {
    /// Which signs.
    Glyphs {
        /// Unicode, where the locale allows it.
        Unicode = "unicode",
        /// ASCII only.
        Ascii = "ascii",
    }
}

words! {
    /// What a line of the log looks like.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line, for programs.
        Json = "json",
    }
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which HubSpot account, and how to get in.
    pub account: Account,
    /// Where everything that lives is kept.
    pub store: Store,
    /// Patience with the network.
    pub http: Http,
    /// The person's own OAuth app.
    pub oauth: OAuth,
    /// How much of HubSpot's allowance to use.
    pub budget: Budget,
    /// The goal line.
    pub goals: Goals,
    /// The fiscal year.
    pub calendar: Calendar,
    /// What is read besides what the product needs.
    pub mirror: Mirror,
    /// How contacts of one's own are pushed.
    pub push: Push,
    /// Contact segments: the shipped ones, changed and extended.
    pub segments: Vec<Segment>,
    /// How the dashboard looks.
    pub ui: Ui,
    /// Keys of actions, by action id; the keymap checks them.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Logs.
    pub log: Log,
    /// What the wall clock says at the start; `None` = the time it is.
    pub now: Option<Timestamp>,
}

/// The HubSpot account.
#[derive(Clone, Debug)]
pub struct Account {
    /// A service key or private-app token; never printed.
    pub token: Option<SecretString>,
    /// A command that prints the token, run as these arguments without a shell; empty = none.
    pub token_command: Vec<String>,
    /// Refuse any other portal.
    pub portal_id: Option<u64>,
    /// Who `me` is, when the token does not say.
    pub owner_id: Option<OwnerId>,
    /// The pipeline to open with, and the default of new deals.
    pub pipeline_id: Option<PipelineId>,
    /// Where the API is; which hosts are allowed is the HTTP client's rule.
    pub base_url: String,
}

/// The data directory.
#[derive(Clone, Debug)]
pub struct Store {
    /// Holds databases, state and logs.
    pub dir: PathBuf,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// A whole exchange.
    pub timeout: Duration,
    /// Making a connection.
    pub connect_timeout: Duration,
    /// How often a read is repeated.
    pub max_retries: u32,
    /// A PEM file of certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// A person's own OAuth app. Its id and secret are never in the file: the file names the variables that hold them.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// The variable that holds the client id.
    pub client_id_env: String,
    /// The variable that holds the client secret.
    pub client_secret_env: String,
    /// Where the browser comes back to; which addresses are allowed is the HTTP client's rule.
    pub redirect_uri: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// What the variable holds, if it is set.
    pub client_id: Option<String>,
    /// What the variable holds, if it is set; never printed.
    pub client_secret: Option<SecretString>,
}

/// The budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Requests per ten seconds; `None` = what HubSpot says.
    pub burst: Option<u32>,
    /// Requests a day; `None` = what HubSpot says.
    pub daily: Option<u64>,
    /// Searches per second.
    pub search_per_second: u32,
    /// Share of the window that background work leaves to people.
    pub reserve_percent: u8,
    /// Share of the day that background work leaves to people.
    pub daily_reserve_percent: u8,
    /// With so few requests of the day left people are told.
    pub warn_daily_left: u64,
}

/// The goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goals {
    /// In the company currency; `None` = no goal line.
    pub quota: Option<Decimal>,
    /// What the quota is for.
    pub period: Period,
}

/// The calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: i8,
}

/// Properties that are read besides those the product needs and those that segments ask for, by their internal names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirror {
    /// Of contacts.
    pub contact_properties: Vec<String>,
    /// Of deals.
    pub deal_properties: Vec<String>,
}

/// The look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ui {
    /// Palette.
    pub theme: Theme,
    /// Signs.
    pub glyphs: Glyphs,
    /// Nothing moves that need not.
    pub reduced_motion: bool,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A filter like `info` or `dealdeck=trace`.
    pub level: String,
    /// What a line looks like.
    pub format: LogFormat,
}

/// What a sales client needs: deals with their pipelines, contacts with notes and tasks, companies, owners.
const SCOPES: &str = "oauth crm.objects.deals.read crm.objects.deals.write crm.objects.contacts.read \
    crm.objects.contacts.write crm.objects.companies.read crm.objects.owners.read";

impl Settings {
    /// The defaults, with this data directory.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            account: Account {
                token: None,
                token_command: Vec::new(),
                portal_id: None,
                owner_id: None,
                pipeline_id: None,
                base_url: "https://api.hubapi.com".to_owned(),
            },
            store: Store { dir: data_dir },
            http: Http {
                timeout: Duration::from_secs(30),
                connect_timeout: Duration::from_secs(5),
                max_retries: 3,
                ca_file: None,
            },
            oauth: OAuth {
                client_id_env: "HUBSPOT_CLIENT_ID".to_owned(),
                client_secret_env: "HUBSPOT_CLIENT_SECRET".to_owned(),
                redirect_uri: "http://localhost:8477/oauth/callback".to_owned(),
                scopes: SCOPES.split_whitespace().map(str::to_owned).collect(),
                client_id: None,
                client_secret: None,
            },
            budget: Budget {
                burst: None,
                daily: None,
                search_per_second: 5,
                reserve_percent: 5,
                daily_reserve_percent: 10,
                warn_daily_left: 1_000,
            },
            goals: Goals {
                quota: None,
                period: Period::Quarter,
            },
            calendar: Calendar { fiscal_year_start: 1 },
            mirror: Mirror::default(),
            push: Push::default(),
            segments: Segment::defaults(),
            ui: Ui {
                theme: Theme::Auto,
                glyphs: Glyphs::Unicode,
                reduced_motion: false,
            },
            keys: BTreeMap::new(),
            log: Log {
                level: "info".to_owned(),
                format: LogFormat::Text,
            },
            now: None,
        }
    }
}
