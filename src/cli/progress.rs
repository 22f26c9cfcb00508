//! What `sync` shows while it reads: a bar per type on a terminal, a line per type about every two seconds elsewhere, as
//! JSON where the report will be JSON. It goes to standard error.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::{
    domain::{Progress, Reading, format},
    report::Format,
    sync::Clock,
};

/// Between two lines about a type.
const BETWEEN: Duration = Duration::from_secs(2);

/// How it is shown.
enum Way {
    Nothing,
    Bars(MultiProgress),
    Lines,
    Json,
}

/// The progress of one sync.
pub struct Screen {
    way: Way,
    clock: Clock,
    parts: Mutex<BTreeMap<Reading, Part>>,
    /// Says what everything waits for.
    waits: Option<ProgressBar>,
}

/// The progress of one part of it.
struct Part {
    last: Progress,
    /// What was there when it was first heard of, and when that was: an interrupted walk goes on in the middle.
    first: (u64, tokio::time::Instant),
    bar: Option<ProgressBar>,
    said: Option<(tokio::time::Instant, u64)>,
}

impl Screen {
    /// For a report in this format.
    pub fn new(format: Format, quiet: bool, clock: &Clock) -> Self {
        let way = if quiet {
            Way::Nothing
        } else if matches!(format, Format::Json | Format::Jsonl) {
            Way::Json
        } else if io::stderr().is_terminal() {
            Way::Bars(MultiProgress::new())
        } else {
            Way::Lines
        };
        let waits = match &way {
            Way::Bars(bars) => {
                let bar = bars.add(ProgressBar::no_length());
                if let Ok(style) = ProgressStyle::with_template("{msg}") {
                    bar.set_style(style);
                }
                Some(bar)
            }
            _ => None,
        };
        Self {
            way,
            clock: clock.clone(),
            parts: Mutex::default(),
            waits,
        }
    }

    /// A page was read.
    pub fn heard(&self, progress: Progress) {
        let now = self.clock.now();
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = parts.entry(progress.what).or_insert_with(|| Part {
            last: progress,
            first: (progress.fetched, now),
            bar: self.bar(&progress),
            said: None,
        });
        known.last = progress;
        if let Some(bar) = &known.bar {
            if let Some(about) = progress.about {
                bar.set_length(about.max(progress.fetched));
            }
            bar.set_position(progress.fetched);
            bar.set_message(known.beside_the_bar(now));
        }
    }

    fn bar(&self, progress: &Progress) -> Option<ProgressBar> {
        let Way::Bars(bars) = &self.way else { return None };
        let bar = ProgressBar::no_length();
        let bar = match &self.waits {
            Some(last) => bars.insert_before(last, bar),
            None => bars.add(bar),
        };
        // An account that nobody has counted yet has no end to draw.
        if let Ok(style) = ProgressStyle::with_template("{prefix:10} {wide_bar} {human_pos:>9} {msg:>30}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(progress.what.name());
        Some(bar)
    }

    /// Time passes; so many requests wait for the budget.
    pub fn tick(&self, waiting: u32) {
        if let Some(bar) = &self.waits {
            let requests = format::plural(u64::from(waiting), "request waits", "requests wait");
            bar.set_message(if waiting > 0 {
                format!("{requests} for HubSpot's budget")
            } else {
                String::new()
            });
        }
        if !matches!(self.way, Way::Lines | Way::Json) {
            return;
        }
        let now = self.clock.now();
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        for known in parts.values_mut() {
            let is_early = known.said.is_some_and(|(then, _)| now.duration_since(then) < BETWEEN);
            let is_old = known.said.is_some_and(|(_, fetched)| fetched == known.last.fetched);
            let waits = waiting > 0 && known.goes_on();
            if is_early || (is_old && !waits) {
                continue;
            }
            known.said = Some((now, known.last.fetched));
            let line = match self.way {
                Way::Json => json!({ "progress": known.json(now, waits) }).to_string(),
                _ => format!("dealdeck: {}", known.line(now, waits)),
            };
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// Leaves the terminal as it was.
    pub fn over(&self) {
        if let Way::Bars(bars) = &self.way {
            let _ = bars.clear();
        }
    }
}

impl Part {
    /// Rows a second since it was first heard of.
    fn per_second(&self, now: tokio::time::Instant) -> Option<f64> {
        let (first, since) = self.first;
        let seconds = now.duration_since(since).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a pace for people")]
        let rows = self.last.fetched.saturating_sub(first) as f64;
        (seconds >= 0.1 && rows > 0.0).then(|| rows / seconds)
    }

    /// There is more to read, as far as anybody knows: a type that nobody counted may be at its end.
    fn goes_on(&self) -> bool {
        self.last.about.is_some_and(|about| self.last.fetched < about)
    }

    /// How long the rest takes at this pace; nothing when there is none.
    fn left(&self, now: tokio::time::Instant) -> Option<Duration> {
        let rest = self
            .last
            .about?
            .checked_sub(self.last.fetched)
            .filter(|rest| *rest > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "a pace for people")]
        let seconds = rest as f64 / self.per_second(now)?;
        Duration::try_from_secs_f64(seconds.round()).ok()
    }

    /// `1,820/s, 0:09 left`
    fn pace(&self, now: tokio::time::Instant) -> String {
        let Some(pace) = self.per_second(now) else {
            return String::new();
        };
        let pace = format!("{}/s", format::count(whole(pace)));
        match self.left(now) {
            Some(left) => format!("{pace}, {} left", clock(left)),
            None => pace,
        }
    }

    /// `97 pages, 1820/s, 0:09 left`
    fn beside_the_bar(&self, now: tokio::time::Instant) -> String {
        let pages = format::plural(self.last.pages, "page", "pages");
        match self.pace(now) {
            pace if pace.is_empty() => pages,
            pace => format!("{pages}, {pace}"),
        }
    }

    fn line(&self, now: tokio::time::Instant, waits: bool) -> String {
        let Progress {
            what,
            fetched,
            pages,
            about,
        } = self.last;
        let of = about.map_or_else(String::new, |about| format!(" of about {}", format::count(about)));
        let pace = match self.pace(now) {
            pace if pace.is_empty() => pace,
            pace => format!(", {pace}"),
        };
        let waits = if waits { "; waiting for HubSpot's budget" } else { "" };
        let pages = format::plural(pages, "page", "pages");
        format!("{what}: {}{of} in {pages}{pace}{waits}", format::count(fetched))
    }

    fn json(&self, now: tokio::time::Instant, waiting: bool) -> Value {
        json!({
            "object": self.last.what.name(),
            "fetched": self.last.fetched,
            "about": self.last.about,
            "pages": self.last.pages,
            "per_second": self.per_second(now).map(whole),
            "eta_seconds": self.left(now).map(|left| left.as_secs()),
            "waiting": waiting,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows a second: positive and small"
)]
fn whole(pace: f64) -> u64 {
    pace.round() as u64
}

/// `0:09`, `12:30`, `1:02:03`
fn clock(left: Duration) -> String {
    let seconds = left.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ObjectType;

    fn contacts(fetched: u64) -> Part {
        let begin = tokio::time::Instant::now();
        Part {
            last: Progress {
                what: Reading::Records(ObjectType::Contacts),
                fetched,
                pages: fetched / 100,
                about: Some(20_000),
            },
            first: (1_000, begin),
            bar: None,
            said: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_that_of_this_run_and_the_end_follows_from_it() {
        let known = contacts(3_000);
        let now = known.first.1 + Duration::from_secs(4);
        assert_eq!(
            known.line(now, true),
            "contacts: 3000 of about 20,000 in 30 pages, 500/s, 0:34 left; waiting for HubSpot's budget"
        );
        assert_eq!(
            known.json(now, false),
            json!({"object": "contacts", "fetched": 3000, "about": 20000, "pages": 30, "per_second": 500,
                "eta_seconds": 34, "waiting": false})
        );
        assert_eq!(known.beside_the_bar(now), "30 pages, 500/s, 0:34 left");
        let begun = contacts(1_000);
        assert_eq!(begun.line(now, false), "contacts: 1000 of about 20,000 in 10 pages");
        let done = contacts(20_000);
        assert!(!done.goes_on());
        assert_eq!(
            done.line(now, false),
            "contacts: 20,000 of about 20,000 in 200 pages, 4750/s"
        );
        assert_eq!(clock(Duration::from_secs(3_723)), "1:02:03");
    }
}
