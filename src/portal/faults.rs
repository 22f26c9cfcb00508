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
    /// An answer of this status in HubSpot's JSON form, before anything was done.
    Status(u16),
    /// 524 as HTML *after* the request was carried out.
    LateTimeout,
    /// 200 with an HTML page instead of JSON; nothing was done.
    Html,
    /// The body breaks off: the declared length never arrives and the connection ends.
    Truncated,
    /// A complete HTTP answer whose JSON is cut in half.
    Cut,
    /// The connection is closed before the request is looked at.
    Reset,
    /// The request is carried out, then the connection is closed without an answer.
    Lost,
    /// The connection is closed at once, and the request is carried out 45 seconds later.
    Late,
    /// Accepted, then silence for 120 seconds or until the client leaves; nothing is done.
    Hang,
}

/// Every spelling of a fault, in the order the help lists them.
const SPELLINGS: [(&str, FaultKind); 17] = [
    ("500", FaultKind::Status(500)),
    ("502", FaultKind::Status(502)),
    ("503", FaultKind::Status(503)),
    ("504", FaultKind::Status(504)),
    ("429", FaultKind::Status(429)),
    ("401", FaultKind::Status(401)),
    ("403", FaultKind::Status(403)),
    ("423", FaultKind::Status(423)),
    ("477", FaultKind::Status(477)),
    ("524", FaultKind::LateTimeout),
    ("html", FaultKind::Html),
    ("truncated", FaultKind::Truncated),
    ("cut", FaultKind::Cut),
    ("reset", FaultKind::Reset),
    ("lost", FaultKind::Lost),
    ("late", FaultKind::Late),
    ("hang", FaultKind::Hang),
];

impl FaultKind {
    /// The spelling used in plans and in the request log.
    pub fn name(self) -> &'static str {
        SPELLINGS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
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
            "'kind=5%' or 'kind=3', optionally after 'POST:'; kinds are 500, 502, 503, 504, 429, 401, 403, 423, 477, 524, \
             html, truncated, cut, reset, lost, late, hang",
        )
    };
    let (name, often) = part.split_once('=').ok_or_else(bad)?;
    let (method, name) = match name.split_once(':') {
        Some((method, name)) => (Some(method.trim().to_ascii_uppercase()), name),
        None => (None, name),
    };
    let (_, kind) = *SPELLINGS
        .iter()
        .find(|(spelling, _)| *spelling == name.trim())
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
    pub(super) fn next(&mut self, method: &str) -> Option<FaultKind> {
        let matching = |rule: &Rule| rule.method.as_deref().is_none_or(|wanted| wanted == method);
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
        assert_eq!(faults.next("GET"), Some(FaultKind::Hang));
        assert_eq!(faults.next("GET"), None);
        assert_eq!(faults.next("POST"), Some(FaultKind::Lost));
        assert_eq!(faults.next("POST"), None);
    }

    #[test]
    fn shares_split_one_seeded_draw() {
        let (mut one, mut two) = (faults("500=5%,429=5%"), faults("500=5%,429=5%"));
        let drawn: Vec<_> = (0..4_000).map(|_| one.next("GET")).collect();
        assert_eq!(drawn, (0..4_000).map(|_| two.next("GET")).collect::<Vec<_>>());
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
