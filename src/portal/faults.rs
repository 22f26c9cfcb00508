//! What goes wrong on purpose: the plan (`500=5%,POST:lost=1,hang=1`) and the seeded draw that picks a fault for each
//! request. Carrying a fault out is the door's business, not ours.

use std::fmt;
use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::settings::BadSetting;

/// One way a request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// An answer of this status in the form HubSpot mostly gives it, before anything was done.
    Status(u16),
    /// The same as JSON, where a page is the usual form.
    Json(u16),
    /// The same as an HTML page, where JSON is the usual form.
    Page(u16),
    /// The same without any body.
    Bare(u16),
    /// 401 for a token that ran out five seconds ago.
    Expired,
    /// 403 with the missing scopes at the top level of the body.
    OtherScopes,
    /// 403 because the user may not see the object type.
    Forbidden,
    /// 429 of the day.
    DailyLimit,
    /// This status *after* the request was carried out.
    Applied(u16),
    /// 524 as HTML *after* the request was carried out.
    LateTimeout,
    /// 504 at once, and the request is carried out 45 seconds later.
    LateGateway,
    /// 200 with an HTML page instead of JSON; nothing was done.
    Html,
    /// The right body under the content type of a page.
    WrongType,
    /// The body breaks off: the declared length never arrives and the connection ends.
    Truncated,
    /// A complete HTTP answer whose JSON is cut in half.
    Cut,
    /// The second half of the body comes fifteen seconds after the first.
    Slow,
    /// The body comes in thirty pieces, one a second.
    Drip,
    /// Half a body, then silence for 120 seconds, then the connection ends.
    Stall,
    /// The body is compressed although nobody asked.
    Gzip,
    /// The body says it is compressed and is not.
    BadGzip,
    /// Delivered twice: the request is carried out two times, the first answer is given.
    Twice,
    /// A batch whose last input fails: 207, with an error that names it.
    Partial,
    /// A batch whose last input is neither carried out nor spoken of.
    Missing,
    /// A batch that answers 200 and does nothing.
    Noop,
    /// The connection is closed before the request is looked at.
    Reset,
    /// The request is carried out, then the connection is closed without an answer.
    Lost,
    /// The connection is closed at once, and the request is carried out 45 seconds later.
    Late,
    /// The connection is closed at once, and the request is carried out 120 seconds later.
    Later,
    /// Accepted, then silence for 120 seconds or until the client leaves; nothing is done.
    Hang,
}

/// Every spelling of a fault and what it does, in the order the help lists them.
const SPELLINGS: [(&str, FaultKind, &str); 52] = [
    ("400", FaultKind::Status(400), "refused by a rule of the portal"),
    ("401", FaultKind::Status(401), "wrong token"),
    ("expired", FaultKind::Expired, "401, token expired five seconds ago"),
    ("403", FaultKind::Status(403), "missing scopes, listed under errors[]"),
    ("403b", FaultKind::OtherScopes, "missing scopes, listed under context"),
    ("403html", FaultKind::Page(403), "a page of the proxy"),
    ("forbidden", FaultKind::Forbidden, "403, the user may not see the type"),
    ("404", FaultKind::Status(404), "not found"),
    ("409", FaultKind::Status(409), "contact already exists"),
    ("414", FaultKind::Status(414), "URL too long"),
    ("423", FaultKind::Status(423), "locked by another write"),
    (
        "429",
        FaultKind::Status(429),
        "ten-second limit; for search its own limit",
    ),
    ("429daily", FaultKind::DailyLimit, "daily limit"),
    ("429html", FaultKind::Page(429), "a page of the proxy"),
    ("477", FaultKind::Status(477), "account being moved, Retry-After 30"),
    ("488", FaultKind::Status(488), "wrong region"),
    ("500", FaultKind::Status(500), "JSON, nothing done"),
    ("500html", FaultKind::Page(500), "a page, nothing done"),
    ("500empty", FaultKind::Bare(500), "no body, nothing done"),
    (
        "500applied",
        FaultKind::Applied(500),
        "JSON after the request was carried out",
    ),
    ("502", FaultKind::Status(502), "a page, nothing done"),
    ("502json", FaultKind::Json(502), "JSON, nothing done"),
    (
        "502applied",
        FaultKind::Applied(502),
        "a page after the request was carried out",
    ),
    ("503", FaultKind::Status(503), "JSON, nothing done"),
    ("503html", FaultKind::Page(503), "a page, nothing done"),
    ("504", FaultKind::Status(504), "a page, nothing done"),
    ("504json", FaultKind::Json(504), "JSON, nothing done"),
    (
        "504applied",
        FaultKind::Applied(504),
        "a page after the request was carried out",
    ),
    (
        "504late",
        FaultKind::LateGateway,
        "a page; carried out 45 seconds later",
    ),
    ("521", FaultKind::Status(521), "a page: origin is down"),
    ("522", FaultKind::Status(522), "a page: connection timed out"),
    ("523", FaultKind::Status(523), "a page: origin unreachable"),
    (
        "524",
        FaultKind::LateTimeout,
        "a page after the request was carried out",
    ),
    ("530", FaultKind::Status(530), "a page: origin name error"),
    ("html", FaultKind::Html, "200 with a page, nothing done"),
    ("type", FaultKind::WrongType, "JSON labelled text/html"),
    ("truncated", FaultKind::Truncated, "connection reset within the body"),
    ("cut", FaultKind::Cut, "a complete answer with half the JSON"),
    ("slow", FaultKind::Slow, "second half of the body 15 seconds late"),
    ("drip", FaultKind::Drip, "body in thirty pieces, one a second"),
    ("stall", FaultKind::Stall, "half a body, then 120 seconds of silence"),
    ("gzip", FaultKind::Gzip, "compressed although nobody asked"),
    ("badgzip", FaultKind::BadGzip, "says it is compressed and is not"),
    ("twice", FaultKind::Twice, "carried out twice"),
    ("partial", FaultKind::Partial, "batches: the last input fails, 207"),
    ("missing", FaultKind::Missing, "batches: the last input is passed over"),
    ("noop", FaultKind::Noop, "batches: 200 and nothing is done"),
    ("reset", FaultKind::Reset, "closed before anything is done"),
    ("lost", FaultKind::Lost, "carried out, then closed without an answer"),
    ("late", FaultKind::Late, "closed, carried out 45 seconds later"),
    ("later", FaultKind::Later, "closed, carried out 120 seconds later"),
    ("hang", FaultKind::Hang, "120 seconds of silence, nothing done"),
];

impl FaultKind {
    /// The spelling used in plans and in the request log.
    pub fn name(self) -> &'static str {
        SPELLINGS
            .iter()
            .find(|(_, kind, _)| *kind == self)
            .map_or("", |(name, ..)| name)
    }

    /// Whether the fault can strike this request at all: some need a batch.
    fn fits(self, path: &str) -> bool {
        match self {
            Self::Partial | Self::Missing | Self::Noop => path.contains("/batch/"),
            _ => true,
        }
    }
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Often {
    /// This share of requests, 0.0 to 1.0, drawn from the seed.
    Share(f64),
    /// The next so many requests.
    Next(u64),
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    /// Only requests of this method, when given.
    method: Option<String>,
    kind: FaultKind,
    often: Often,
}

/// A plan of faults, as text `kind=5%` (a seeded share) or `kind=3` (the next three), separated by commas. `POST:kind=…`
/// strikes requests of that method only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultPlan {
    rules: Vec<Rule>,
}

impl FaultPlan {
    /// One line per kind of fault, for a help text.
    pub fn help() -> String {
        SPELLINGS
            .iter()
            .map(|(name, _, text)| format!("  {name:<12}{text}\n"))
            .collect()
    }
}

impl FromStr for FaultPlan {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let rules = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(rule)
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }
}

fn rule(part: &str) -> Result<Rule, BadSetting> {
    let bad = || {
        BadSetting::new(
            part,
            "a fault",
            "'kind=5%' or 'kind=3', optionally after 'POST:', with kinds such as 500, 429, reset, lost, hang; \
             'simulate --help' lists them all",
        )
    };
    let (name, often) = part.split_once('=').ok_or_else(bad)?;
    let (method, name) = match name.split_once(':') {
        Some((method, name)) => (Some(method.trim().to_ascii_uppercase()), name),
        None => (None, name),
    };
    let (_, kind, _) = *SPELLINGS
        .iter()
        .find(|(spelling, ..)| *spelling == name.trim())
        .ok_or_else(bad)?;
    let often = match often.trim().strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().map_err(|_| bad())?;
            Some(percent)
                .filter(|p| (0.0..=100.0).contains(p))
                .map(|p| Often::Share(p / 100.0))
                .ok_or_else(bad)?
        }
        None => Often::Next(often.trim().parse().map_err(|_| bad())?),
    };
    Ok(Rule { method, kind, often })
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if let Some(method) = &rule.method {
                write!(f, "{method}:")?;
            }
            match rule.often {
                Often::Share(share) => write!(f, "{}={}%", rule.kind.name(), share * 100.0)?,
                Often::Next(count) => write!(f, "{}={count}", rule.kind.name())?,
            }
        }
        Ok(())
    }
}

/// A plan at work: counts down and draws.
pub(super) struct Faults {
    plan: FaultPlan,
    dice: ChaCha8Rng,
}

impl Faults {
    pub(super) fn new(plan: FaultPlan, seed: u64) -> Self {
        Self {
            plan,
            dice: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    pub(super) fn replace(&mut self, plan: FaultPlan) {
        self.plan = plan;
    }

    pub(super) fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    /// The fault for the request that has just arrived. Counted faults go first; the shares then split one draw, so that
    /// `500=5%,429=5%` strikes a tenth of the requests.
    pub(super) fn next(&mut self, method: &str, path: &str) -> Option<FaultKind> {
        let matching =
            |rule: &Rule| rule.method.as_deref().is_none_or(|wanted| wanted == method) && rule.kind.fits(path);
        for rule in self.plan.rules.iter_mut().filter(|rule| matching(rule)) {
            if let Often::Next(left) = &mut rule.often
                && *left > 0
            {
                *left -= 1;
                return Some(rule.kind);
            }
        }
        let mut draw: f64 = self.dice.random();
        for rule in self.plan.rules.iter().filter(|rule| matching(rule)) {
            if let Often::Share(share) = rule.often {
                if draw < share {
                    return Some(rule.kind);
                }
                draw -= share;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: &str) -> Faults {
        Faults::new(plan.parse().unwrap(), 7)
    }

    #[test]
    fn a_counted_fault_strikes_exactly_that_often_and_only_its_method() {
        let mut faults = faults("POST:lost=1,hang=1");
        assert_eq!(faults.next("GET", "/crm/objects/2026-09/deals"), Some(FaultKind::Hang));
        assert_eq!(faults.next("GET", "/crm/objects/2026-09/deals"), None);
        assert_eq!(faults.next("POST", "/crm/objects/2026-09/deals"), Some(FaultKind::Lost));
        assert_eq!(faults.next("POST", "/crm/objects/2026-09/deals"), None);
    }

    #[test]
    fn a_fault_of_batches_waits_for_a_batch() {
        let mut faults = faults("partial=1");
        assert_eq!(faults.next("POST", "/crm/objects/2026-09/deals"), None);
        assert_eq!(
            faults.next("POST", "/crm/objects/2026-09/deals/batch/update"),
            Some(FaultKind::Partial)
        );
    }

    #[test]
    fn every_fault_has_one_spelling_of_its_own() {
        for (name, kind, _) in SPELLINGS {
            assert_eq!(kind.name(), name);
            assert_eq!(
                format!("{name}=1").parse::<FaultPlan>().unwrap().to_string(),
                format!("{name}=1")
            );
        }
    }

    #[test]
    fn shares_split_one_seeded_draw() {
        let (mut one, mut two) = (faults("500=5%,429=5%"), faults("500=5%,429=5%"));
        let drawn: Vec<_> = (0..4_000)
            .map(|_| one.next("GET", "/crm/objects/2026-09/deals"))
            .collect();
        assert_eq!(
            drawn,
            (0..4_000)
                .map(|_| two.next("GET", "/crm/objects/2026-09/deals"))
                .collect::<Vec<_>>()
        );
        let struck = drawn.iter().flatten().count();
        assert!((320..480).contains(&struck), "{struck} of 4000 at 10 %");
    }

    #[test]
    fn a_plan_prints_as_it_is_written_and_refuses_what_it_does_not_know() {
        let text = "500=5%,POST:lost=1,hang=1";
        assert_eq!(text.parse::<FaultPlan>().unwrap().to_string(), text);
        assert_eq!("".parse::<FaultPlan>().unwrap(), FaultPlan::default());
        for bad in ["500", "boom=1", "500=101%", "500=-1", "lost=half"] {
            assert!(bad.parse::<FaultPlan>().is_err(), "{bad}");
        }
    }
}
