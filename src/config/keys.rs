//! Every key: where it may be given, how it is read, how it is shown. The example file, `config show` and the errors all
//! come from this list.

use jiff::Timestamp;
use rust_decimal::Decimal;
use secrecy::SecretString;

use super::{
    given::Given,
    push::PUSH_KEYS,
    settings::{Glyphs, LogFormat, Period, Settings, Theme},
};
use crate::domain::Segment;

/// One key.
pub(super) struct Key {
    /// Its name, table and key.
    pub(super) path: &'static str,
    /// It may stand in the configuration file.
    pub(super) in_file: bool,
    /// Environment variables, the first that is not empty wins.
    pub(super) env: &'static [&'static str],
    /// Its flag.
    pub(super) flag: Option<&'static str>,
    /// Its value is never printed.
    pub(super) secret: bool,
    /// Reads a value; the error says what was expected.
    pub(super) set: fn(&mut Settings, &Given) -> Result<(), String>,
    /// The value as people read it.
    pub(super) show: fn(&Settings) -> String,
}

/// A key that only the file knows.
pub(super) const fn key(
    path: &'static str,
    set: fn(&mut Settings, &Given) -> Result<(), String>,
    show: fn(&Settings) -> String,
) -> Key {
    Key {
        path,
        in_file: true,
        env: &[],
        flag: None,
        secret: false,
        set,
        show,
    }
}

fn or_auto<T: ToString>(number: Option<T>) -> String {
    number.map_or_else(|| "auto".to_owned(), |number| number.to_string())
}

pub(super) fn or_empty<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

pub(super) fn seconds(span: std::time::Duration) -> String {
    format!("{span:?}")
}

/// All of them, in the order of the example file.
const KEYS: [Key; 32] = [
    Key {
        env: &[
            "DEALDECK_TOKEN",
            "HUBSPOT_ACCESS_TOKEN",
            "HUBSPOT_PRIVATE_APP_TOKEN",
            "HUBSPOT_API_KEY",
        ],
        secret: true,
        ..key(
            "account.token",
            |settings, given| {
                let token = given.text()?.trim();
                settings.account.token = (!token.is_empty()).then(|| SecretString::from(token));
                Ok(())
            },
            |settings| settings.account.token.as_ref().map_or("", |_| "(set)").to_owned(),
        )
    },
    key(
        "account.token_command",
        |settings, given| given.command().map(|command| settings.account.token_command = command),
        |settings| settings.account.token_command.join(" "),
    ),
    Key {
        env: &["HUBSPOT_PORTAL_ID"],
        ..key(
            "account.portal_id",
            |settings, given| {
                let id = given
                    .id()?
                    .map(|id| id.parse().map_err(|_| "a portal id, a whole number".to_owned()));
                settings.account.portal_id = id.transpose()?;
                Ok(())
            },
            |settings| or_empty(settings.account.portal_id.as_ref()),
        )
    },
    Key {
        env: &["HUBSPOT_OWNER_ID"],
        ..key(
            "account.owner_id",
            |settings, given| given.id().map(|id| settings.account.owner_id = id.map(Into::into)),
            |settings| or_empty(settings.account.owner_id.as_ref()),
        )
    },
    Key {
        env: &["HUBSPOT_PIPELINE_ID"],
        ..key(
            "account.pipeline_id",
            |settings, given| given.id().map(|id| settings.account.pipeline_id = id.map(Into::into)),
            |settings| or_empty(settings.account.pipeline_id.as_ref()),
        )
    },
    Key {
        env: &["DEALDECK_BASE_URL", "HUBSPOT_API_BASE_URL"],
        flag: Some("--base-url"),
        ..key(
            "account.base_url",
            |settings, given| {
                let url = given.text()?.trim();
                if !url.is_empty() {
                    settings.account.base_url = url.to_owned();
                }
                Ok(())
            },
            |settings| settings.account.base_url.clone(),
        )
    },
    Key {
        flag: Some("--timeout"),
        ..key(
            "http.timeout",
            |settings, given| given.duration().map(|span| settings.http.timeout = span),
            |settings| seconds(settings.http.timeout),
        )
    },
    key(
        "http.connect_timeout",
        |settings, given| given.duration().map(|span| settings.http.connect_timeout = span),
        |settings| seconds(settings.http.connect_timeout),
    ),
    Key {
        flag: Some("--max-retries"),
        ..key(
            "http.max_retries",
            |settings, given| given.whole(0..=10_u32).map(|times| settings.http.max_retries = times),
            |settings| settings.http.max_retries.to_string(),
        )
    },
    key(
        "http.ca_file",
        |settings, given| {
            let path = given.text()?.trim();
            settings.http.ca_file = (!path.is_empty()).then(|| path.into());
            Ok(())
        },
        |settings| or_empty(settings.http.ca_file.as_ref().map(|path| path.display()).as_ref()),
    ),
    key(
        "oauth.client_id_env",
        |settings, given| variable(given).map(|name| settings.oauth.client_id_env = name),
        |settings| settings.oauth.client_id_env.clone(),
    ),
    Key {
        // What is no name may be the secret itself.
        secret: true,
        ..key(
            "oauth.client_secret_env",
            |settings, given| variable(given).map(|name| settings.oauth.client_secret_env = name),
            |settings| settings.oauth.client_secret_env.clone(),
        )
    },
    key(
        "oauth.redirect_uri",
        |settings, given| {
            let url = given.text()?.trim();
            if !url.is_empty() {
                url.clone_into(&mut settings.oauth.redirect_uri);
            }
            Ok(())
        },
        |settings| settings.oauth.redirect_uri.clone(),
    ),
    key(
        "oauth.scopes",
        |settings, given| given.words().map(|scopes| settings.oauth.scopes = scopes),
        |settings| settings.oauth.scopes.join(" "),
    ),
    key(
        "budget.burst",
        |settings, given| {
            given
                .whole_or_auto(1..=10_000_u32)
                .map(|burst| settings.budget.burst = burst)
        },
        |settings| or_auto(settings.budget.burst),
    ),
    key(
        "budget.daily",
        |settings, given| {
            let daily = given.whole_or_auto(1..=1_000_000_000_u32)?;
            settings.budget.daily = daily.map(u64::from);
            Ok(())
        },
        |settings| or_auto(settings.budget.daily),
    ),
    key(
        "budget.search_per_second",
        |settings, given| {
            given
                .whole(1..=100_u32)
                .map(|rate| settings.budget.search_per_second = rate)
        },
        |settings| settings.budget.search_per_second.to_string(),
    ),
    key(
        "budget.reserve_percent",
        |settings, given| {
            given
                .whole(0..=90_u8)
                .map(|share| settings.budget.reserve_percent = share)
        },
        |settings| settings.budget.reserve_percent.to_string(),
    ),
    key(
        "budget.daily_reserve_percent",
        |settings, given| {
            given
                .whole(0..=90_u8)
                .map(|share| settings.budget.daily_reserve_percent = share)
        },
        |settings| settings.budget.daily_reserve_percent.to_string(),
    ),
    key(
        "budget.warn_daily_left",
        |settings, given| {
            given
                .whole(0..=1_000_000_000_u32)
                .map(|left| settings.budget.warn_daily_left = left.into())
        },
        |settings| settings.budget.warn_daily_left.to_string(),
    ),
    key(
        "goals.quota",
        |settings, given| quota(given).map(|quota| settings.goals.quota = quota),
        |settings| or_empty(settings.goals.quota.as_ref()),
    ),
    key(
        "goals.period",
        |settings, given| {
            given
                .word(Period::parse, Period::WORDS)
                .map(|period| settings.goals.period = period)
        },
        |settings| settings.goals.period.word().to_owned(),
    ),
    key(
        "calendar.fiscal_year_start",
        |settings, given| {
            given
                .whole(1..=12_i8)
                .map(|month| settings.calendar.fiscal_year_start = month)
        },
        |settings| settings.calendar.fiscal_year_start.to_string(),
    ),
    key(
        "mirror.contact_properties",
        |settings, given| properties(given).map(|names| settings.mirror.contact_properties = names),
        |settings| settings.mirror.contact_properties.join(" "),
    ),
    key(
        "mirror.deal_properties",
        |settings, given| properties(given).map(|names| settings.mirror.deal_properties = names),
        |settings| settings.mirror.deal_properties.join(" "),
    ),
    key(
        "ui.theme",
        |settings, given| {
            given
                .word(Theme::parse, Theme::WORDS)
                .map(|theme| settings.ui.theme = theme)
        },
        |settings| settings.ui.theme.word().to_owned(),
    ),
    key(
        "ui.glyphs",
        |settings, given| {
            given
                .word(Glyphs::parse, Glyphs::WORDS)
                .map(|glyphs| settings.ui.glyphs = glyphs)
        },
        |settings| settings.ui.glyphs.word().to_owned(),
    ),
    key(
        "ui.reduced_motion",
        |settings, given| given.flag().map(|flag| settings.ui.reduced_motion = flag),
        |settings| settings.ui.reduced_motion.to_string(),
    ),
    Key {
        env: &["DEALDECK_LOG"],
        ..key(
            "log.level",
            |settings, given| match given.text()?.trim() {
                "" => Err("a log filter like \"info\" or \"dealdeck=trace\"".to_owned()),
                level => {
                    level.clone_into(&mut settings.log.level);
                    Ok(())
                }
            },
            |settings| settings.log.level.clone(),
        )
    },
    key(
        "log.format",
        |settings, given| {
            given
                .word(LogFormat::parse, LogFormat::WORDS)
                .map(|format| settings.log.format = format)
        },
        |settings| settings.log.format.word().to_owned(),
    ),
    // In the file it stands with the other segments.
    Key {
        in_file: false,
        env: &["CHAINGE_LIST_ID"],
        ..key(CHAINGE_LIST, bind_chainge, |settings| {
            let chainge = settings.segments.iter().find(|segment| segment.name == CHAINGE);
            or_empty(chainge.and_then(|segment| segment.list.as_ref()))
        })
    },
    Key {
        in_file: false,
        env: &["DEALDECK_NOW"],
        ..key(
            "now",
            |settings, given| {
                let time = given.text()?.trim().parse::<Timestamp>();
                settings.now = Some(time.map_err(|_| "a time like 2026-11-22T12:00:00Z".to_owned())?);
                Ok(())
            },
            |settings| or_empty(settings.now.as_ref()),
        )
    },
];

/// Every key: those above, and those of `[push]`.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    static ALL: [Key; KEYS.len()] = KEYS;
    static PUSH: [Key; PUSH_KEYS.len()] = PUSH_KEYS;
    ALL.iter().chain(PUSH.iter())
}

/// The tables whose keys are names of people's own.
pub(super) const OPEN_TABLES: [&str; 4] = ["segments", "keys", "push.map", "push.properties"];

/// The shipped segment whose list has a variable of its own, and that key.
const CHAINGE: &str = "chainge";
pub(super) const CHAINGE_LIST: &str = "segments.chainge.list_id";

/// The list stands in place of the shipped filter, and beside one of people's own.
fn bind_chainge(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let digits = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
    let Some(list) = given.id()?.filter(digits) else {
        return Err("the id of a HubSpot list, like 12345".to_owned());
    };
    let shipped = Segment::defaults();
    for segment in settings.segments.iter_mut().filter(|segment| segment.name == CHAINGE) {
        if shipped.iter().any(|shipped| shipped.filter == segment.filter) {
            segment.filter.clear();
        }
        segment.list = Some(list.as_str().into());
    }
    Ok(())
}

/// The name of an environment variable.
fn variable(given: &Given) -> Result<String, String> {
    let wanted = "the name of an environment variable, like \"HUBSPOT_CLIENT_ID\"";
    let name = given.text().map_err(|_| wanted)?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        Ok(name.to_owned())
    } else {
        Err(wanted.to_owned())
    }
}

/// Internal names of HubSpot properties.
fn properties(given: &Given) -> Result<Vec<String>, String> {
    let wanted = "internal names of properties, like [\"hs_analytics_source\"]";
    let names = given.words().map_err(|_| wanted)?;
    if names.iter().all(|name| property_name(name)) {
        Ok(names)
    } else {
        Err(wanted.to_owned())
    }
}

/// Whether this can be the internal name of a HubSpot property.
pub(super) fn property_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.len() <= 100 && name.chars().all(plain)
}

/// An amount: text, because a float is no money, or a whole number; empty = none.
fn quota(given: &Given) -> Result<Option<Decimal>, String> {
    let amount = match given {
        Given::Whole(number) => Some(Decimal::from(*number)),
        Given::Loose(text) | Given::Text(text) if text.trim().is_empty() => return Ok(None),
        Given::Loose(text) | Given::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let amount = amount.filter(|amount| *amount >= Decimal::ZERO);
    amount
        .map(Some)
        .ok_or_else(|| "an amount of zero or more in quotes, like \"100000\"".to_owned())
}
