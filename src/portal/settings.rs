//! What a portal is told before it opens: how much of everything, how slow, how strict, how faulty. Text forms of every
//! value are read here, with errors a person can act on. Nothing here reads the environment or a file.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::faults::FaultPlan;
use super::switches::Switches;

/// A setting that could not be read. The text names the value, what it was meant to be and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not {what}; write {example}")]
pub struct BadSetting {
    value: String,
    what: &'static str,
    example: &'static str,
}

impl BadSetting {
    pub(super) fn new(value: &str, what: &'static str, example: &'static str) -> Self {
        Self {
            value: value.to_owned(),
            what,
            example,
        }
    }
}

/// A range of delays, both ends included; a single delay has equal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The shortest delay.
    pub min: Duration,
    /// The longest delay.
    pub max: Duration,
}

impl Latency {
    /// No delay at all.
    pub const NONE: Self = Self {
        min: Duration::ZERO,
        max: Duration::ZERO,
    };

    /// The delay at `share` of the range, from 0.0 (shortest) to 1.0 (longest).
    pub(super) fn at(self, share: f64) -> Duration {
        self.min + self.max.saturating_sub(self.min).mul_f64(share.clamp(0.0, 1.0))
    }
}

impl FromStr for Latency {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting::new(text, "a delay", "'120ms', '80ms..300ms' or '3s..10s'");
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let min = duration(min).ok_or_else(bad)?;
        let max = duration(max).ok_or_else(bad)?;
        if min > max { Err(bad()) } else { Ok(Self { min, max }) }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}ms", self.min.as_millis())
        } else {
            write!(f, "{}ms..{}ms", self.min.as_millis(), self.max.as_millis())
        }
    }
}

/// So many requests in any window of this length, as `190/10s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests let through in one window.
    pub count: u32,
    /// The length of the rolling window.
    pub window: Duration,
}

impl FromStr for Quota {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting::new(text, "a limit", "requests per window, such as '190/10s'");
        let (count, window) = text.split_once('/').ok_or_else(bad)?;
        let count = count.trim().parse().map_err(|_| bad())?;
        let window = duration(window).filter(|window| !window.is_zero()).ok_or_else(bad)?;
        Ok(Self { count, window })
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}ms", self.count, self.window.as_millis())
    }
}

/// What a list cursor looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CursorKind {
    /// The id of the next record to start from, which is what HubSpot was seen to hand out.
    #[default]
    Id,
    /// Text that means nothing outside the portal.
    Opaque,
}

impl FromStr for CursorKind {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        match text {
            "id" => Ok(Self::Id),
            "opaque" => Ok(Self::Opaque),
            _ => Err(BadSetting::new(text, "a kind of cursor", "'id' or 'opaque'")),
        }
    }
}

impl fmt::Display for CursorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "id",
            Self::Opaque => "opaque",
        })
    }
}

/// A static token and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The bearer, any printable text.
    pub token: String,
    /// The scopes it holds; empty for everything a sales client asks for.
    pub scopes: Vec<String>,
}

/// Everything a portal is made from. The same settings give the same portal, as long as `now` is given too.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names, amounts, dates, latencies and faults all follow from it.
    pub seed: u64,
    /// Contacts in the account. They are made on demand: a million cost no memory to speak of.
    pub contacts: u32,
    /// Companies in the account.
    pub companies: u32,
    /// Deals in the account; notes and tasks come with them.
    pub deals: u32,
    /// Tickets in the account.
    pub tickets: u32,
    /// Live owners; one archived owner is added, as every grown account has one. Only the first is the token's user.
    pub owners: u32,
    /// How long an answer takes: half of it before the request is carried out, half after.
    pub latency: Latency,
    /// The rolling window for everything but search and the association batches.
    pub limit: Quota,
    /// The account's quota for search.
    pub search_limit: Quota,
    /// Requests per day of the account's time zone, search included.
    pub daily: u64,
    /// How long a write stays unknown to search.
    pub index_lag: Latency,
    /// Edits by colleagues, per minute; 0 for none.
    pub live_per_minute: f64,
    /// What goes wrong, and how often.
    pub faults: FaultPlan,
    /// Whether a move to a lost stage needs `closed_lost_reason` under 2026-09.
    pub strict_rules: bool,
    /// What list cursors look like.
    pub cursor: CursorKind,
    /// Uncertain facts, as this portal shows them.
    pub switches: Switches,
    /// Static tokens; none for one token made from the seed. Each belongs to an app with a ten-second window of its own.
    pub tokens: Vec<Grant>,
    /// Whether the account has an OAuth app as well; its requests are held to 110 in ten seconds and to no day.
    pub oauth: bool,
    /// How long an OAuth access token lives.
    pub token_ttl: Duration,
    /// Another integration that uses the first token: requests evenly spread over the window, counted with ours.
    pub others: Option<Quota>,
    /// The same for the account's search quota.
    pub others_search: Option<Quota>,
    /// The region the account lives in, such as `eu1`: other hosts than `api-eu1.…` then answer 488.
    pub hublet: Option<String>,
    /// Whether bodies are compressed for clients that take it, as HubSpot does. Off unless asked for: without optimisation
    /// it costs more than everything else in an answer.
    pub gzip: bool,
    /// NDJSON text of an account to serve instead of a generated one.
    pub fixture: Option<String>,
    /// The account's time zone, an IANA name or alias.
    pub time_zone: String,
    /// The wall clock at the start; it runs on from there. `None` takes the system's, once.
    pub now: Option<jiff::Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            contacts: 2_000,
            companies: 300,
            deals: 400,
            tickets: 60,
            owners: 6,
            latency: Latency::NONE,
            limit: Quota {
                count: 190,
                window: Duration::from_secs(10),
            },
            search_limit: Quota {
                count: 5,
                window: Duration::from_secs(1),
            },
            daily: 625_000,
            index_lag: Latency {
                min: Duration::from_secs(3),
                max: Duration::from_secs(10),
            },
            live_per_minute: 0.0,
            faults: FaultPlan::default(),
            strict_rules: false,
            cursor: CursorKind::Id,
            switches: Switches::default(),
            tokens: Vec::new(),
            oauth: false,
            token_ttl: Duration::from_secs(1_800),
            others: None,
            others_search: None,
            hublet: None,
            gzip: false,
            fixture: None,
            time_zone: "US/Eastern".to_owned(),
            now: None,
        }
    }
}

/// `120ms`, `3s`, `1.5s`, `2m`, `1h`, or a bare `0`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_read_as_one_value_or_a_range() {
        let range: Latency = "80ms..300ms".parse().unwrap();
        assert_eq!(
            range,
            Latency {
                min: Duration::from_millis(80),
                max: Duration::from_millis(300)
            }
        );
        assert_eq!("0".parse::<Latency>().unwrap(), Latency::NONE);
        assert_eq!("1.5s".parse::<Latency>().unwrap().max, Duration::from_millis(1_500));
        assert_eq!(range.to_string().parse::<Latency>().unwrap(), range);
        for bad in ["fast", "300ms..80ms", "10", "..", "-1s", ""] {
            assert!(bad.parse::<Latency>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_limit_is_quoted_with_the_way_to_write_it() {
        assert_eq!("190/10s".parse::<Quota>().unwrap(), Settings::default().limit);
        let text = "190 per 10".parse::<Quota>().unwrap_err().to_string();
        assert_eq!(
            text,
            "'190 per 10' is not a limit; write requests per window, such as '190/10s'"
        );
        assert!("5/0s".parse::<Quota>().is_err());
    }
}
