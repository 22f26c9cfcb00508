//! The state of the line to HubSpot: live, slowed, offline or refused, and when to try again. It decides nothing about
//! operations; it only says whether requests make sense now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::scopes::Need;
use crate::domain::{Connection, Fault, FaultKind, Freshness, ObjectType};

/// The first wait after the line broke; it doubles with every failed probe.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait between two probes.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What can go wrong by itself while HubSpot answers, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Reading what is to be sent.
    Outbox,
    /// A step of an operation.
    Sending,
    /// Account and token.
    Account,
    /// What changed of a type.
    Read(ObjectType),
    /// Pipelines, owners and definitions.
    Facts,
    /// What is gone of a type.
    Gone(ObjectType),
    /// Looking at the lists.
    Lists,
    /// Lists whose members cannot be read.
    Members,
    /// Counting segments.
    Segments,
    /// Reading what properties of a type were before.
    Past(ObjectType),
    /// Something the token may not do.
    Scope(Need),
    /// The deal somebody looks at.
    Looks,
}

/// The line and everybody who waits for it.
pub struct Line {
    troubles: Mutex<BTreeMap<Part, Fault>>,
    /// Types of which not everything is here yet.
    awaited: Mutex<BTreeSet<ObjectType>>,
    freshness: watch::Sender<Freshness>,
    wait: Mutex<Duration>,
}

impl Line {
    /// A line nobody has used yet; `as_of` is how true the mirror was when the last process left it.
    pub fn new(as_of: Option<Timestamp>) -> Self {
        let (freshness, _) = watch::channel(Freshness {
            connection: Connection::Cached,
            as_of,
            trouble: None,
        });
        Self {
            troubles: Mutex::default(),
            awaited: Mutex::default(),
            freshness,
            wait: Mutex::new(FIRST_WAIT),
        }
    }

    /// The state now.
    pub fn freshness(&self) -> Freshness {
        self.freshness.borrow().clone()
    }

    /// Everybody who wants to hear of changes.
    pub fn watch(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }

    /// Whether a request makes sense now.
    pub fn is_open(&self) -> bool {
        is_open(&self.freshness.borrow().connection)
    }

    /// Waits until a request makes sense.
    pub async fn opened(&self) {
        let mut watch = self.watch();
        // The sender lives in `self`: the wait cannot fail.
        let _ = watch.wait_for(|freshness| is_open(&freshness.connection)).await;
    }

    /// Waits until requests make no sense: with the next try while nobody answers, without one while we are refused.
    pub async fn shut(&self) -> Option<Timestamp> {
        let mut watch = self.watch();
        loop {
            match watch.borrow_and_update().connection {
                Connection::Offline { next_try, .. } => return Some(next_try),
                Connection::ReadOnly(_) => return None,
                _ => {}
            }
            if watch.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// A probe was answered.
    pub fn reopened(&self) {
        self.set_wait(FIRST_WAIT);
        if !self.is_open() {
            self.set(Connection::Live);
        }
    }

    /// A type is being read whole: nothing is live before it came.
    pub fn awaits(&self, object: ObjectType) {
        self.awaited().insert(object);
    }

    /// A type came whole, or is not to be had.
    pub fn came(&self, object: ObjectType) {
        let is_all = {
            let mut awaited = self.awaited();
            awaited.remove(&object);
            awaited.is_empty()
        };
        if is_all && matches!(self.freshness.borrow().connection, Connection::Syncing(_)) {
            self.set(Connection::Live);
        }
    }

    /// Whether a type is being read whole.
    pub fn is_awaiting(&self) -> bool {
        !self.awaited().is_empty()
    }

    fn awaited(&self) -> MutexGuard<'_, BTreeSet<ObjectType>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer came in.
    pub fn answered(&self) {
        self.set_wait(FIRST_WAIT);
        if matches!(self.freshness.borrow().connection, Connection::Offline { .. }) {
            self.set(Connection::Live);
        }
    }

    /// A pass is on its way; its progress is what people see.
    pub fn syncing(&self, connection: Connection) {
        if self.is_open() {
            self.set(connection);
        }
    }

    /// A poll that began at `as_of` is complete. A refusal that came meanwhile stands until somebody asks again.
    pub fn complete(&self, as_of: Timestamp) {
        self.set_wait(FIRST_WAIT);
        let is_all = self.awaited().is_empty();
        self.freshness.send_if_modified(|freshness| {
            let before = freshness.clone();
            let stands = match freshness.connection {
                Connection::ReadOnly(_) => true,
                Connection::Syncing(_) | Connection::Cached => !is_all,
                _ => false,
            };
            if !stands {
                freshness.connection = Connection::Live;
            }
            freshness.as_of = freshness.as_of.max(Some(as_of));
            *freshness != before
        });
    }

    /// Takes over how true the mirror is, as another process leaves it: what that one read within `recent` is live here too.
    pub fn seen(&self, as_of: Option<Timestamp>, now: Timestamp, recent: Duration) {
        self.freshness.send_if_modified(|freshness| {
            let before = freshness.clone();
            freshness.as_of = freshness.as_of.max(as_of);
            let is_recent = freshness
                .as_of
                .is_some_and(|at| now.duration_since(at).unsigned_abs() <= recent);
            // What this process found out about the line itself stands.
            match (&freshness.connection, is_recent) {
                (Connection::Cached, true) => freshness.connection = Connection::Live,
                (Connection::Live, false) => freshness.connection = Connection::Cached,
                _ => {}
            }
            *freshness != before
        });
    }

    /// What was true at `as_of` is live no longer, unless a newer poll came meanwhile.
    pub fn aged(&self, as_of: Timestamp) {
        self.freshness.send_if_modified(|freshness| {
            let is_old = freshness.connection == Connection::Live && freshness.as_of <= Some(as_of);
            if is_old {
                freshness.connection = Connection::Cached;
            }
            is_old
        });
    }

    /// Nobody answers. The first failure opens the wait, every later one doubles it; it never ends before `rest`, until
    /// when the client leaves HubSpot alone. Answers when it is tried again.
    pub fn broke(&self, now: Timestamp, rest: Option<Timestamp>) -> Timestamp {
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, waiting) = match self.freshness.borrow().connection {
            Connection::Offline { since, next_try } => (since, Some(next_try).filter(|at| *at > now)),
            _ => (now, None),
        };
        let next_try = waiting.unwrap_or_else(|| {
            let next_try = later(now, *wait);
            *wait = (*wait * 2).min(LONGEST_WAIT);
            next_try
        });
        let next_try = rest.map_or(next_try, |rest| rest.max(next_try));
        self.set(Connection::Offline { since, next_try });
        next_try
    }

    /// HubSpot says slow down. Who says so is there: the line is not down any more, it only waits.
    pub fn slowed(&self, until: Timestamp) {
        if !matches!(self.freshness.borrow().connection, Connection::ReadOnly(_)) {
            self.set_wait(FIRST_WAIT);
            self.set(Connection::Slowed { until });
        }
    }

    /// What keeps a part from being read or sent; `None` once it goes through again. People are told the worst. While
    /// HubSpot fails at it again and again, the first failure is told: the others differ in their correlation ids.
    pub fn troubled(&self, part: Part, trouble: Option<Fault>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |before: &Fault, now: &Fault| [before.kind, now.kind] == [FaultKind::Offline; 2];
        match trouble {
            Some(fault) if troubles.get(&part).is_some_and(|before| goes_on(before, &fault)) => {}
            Some(fault) => {
                tracing::info!(?part, %fault, "something cannot be done");
                troubles.insert(part, fault);
            }
            None => {
                troubles.remove(&part);
            }
        }
        let worst = troubles.values().next().cloned();
        self.freshness.send_if_modified(|freshness| {
            let changed = freshness.trouble != worst;
            freshness.trouble = worst;
            changed
        });
    }

    /// The token is refused, or something else forbids talking to this account.
    pub fn refused(&self, fault: Fault) {
        self.set(Connection::ReadOnly(fault));
    }

    /// Why we are refused, while we are.
    pub fn refusal(&self) -> Option<Fault> {
        match &self.freshness.borrow().connection {
            Connection::ReadOnly(fault) => Some(fault.clone()),
            _ => None,
        }
    }

    fn set(&self, connection: Connection) {
        self.freshness.send_if_modified(|freshness| {
            let changed = freshness.connection != connection;
            freshness.connection = connection;
            changed
        });
    }

    fn set_wait(&self, wait: Duration) {
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
    }
}

/// Whether anything can be sent.
pub const fn is_open(connection: &Connection) -> bool {
    !matches!(connection, Connection::Offline { .. } | Connection::ReadOnly(_))
}

/// `at` plus a span; an instant beyond the calendar's end stays where it is.
pub fn later(at: Timestamp, span: Duration) -> Timestamp {
    at.checked_add(span).unwrap_or(at)
}

/// `at` minus a span; an instant before the calendar's begin stays where it is.
pub fn earlier(at: Timestamp, span: Duration) -> Timestamp {
    at.checked_sub(span).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute_and_starts_over_after_an_answer() {
        let line = Line::new(None);
        let mut now = 1_000;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let next = line.broke(at(now), None).as_second();
            assert_eq!(
                line.broke(at(now), None).as_second(),
                next,
                "a second failure in the same wait changes nothing"
            );
            waits.push(next - now);
            now = next;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        assert!(matches!(line.freshness().connection, Connection::Offline { since, .. } if since == at(1_000)));
        line.answered();
        assert_eq!(line.freshness().connection, Connection::Live);
        assert_eq!(line.broke(at(now), None).as_second() - now, 2);
        assert_eq!(
            line.broke(at(now), Some(at(now + 40))),
            at(now + 40),
            "HubSpot is left alone"
        );
    }

    #[test]
    fn a_probe_that_is_told_to_wait_ends_the_probing() {
        let line = Line::new(None);
        line.broke(at(1_000), None);
        line.slowed(at(1_060));
        assert_eq!(line.freshness().connection, Connection::Slowed { until: at(1_060) });
        assert!(line.is_open(), "nobody probes an open line");
        let fault = Fault::new(crate::domain::FaultKind::Auth, "no", "ask");
        line.refused(fault.clone());
        line.slowed(at(1_120));
        assert_eq!(line.freshness().connection, Connection::ReadOnly(fault));
    }

    #[test]
    fn the_worst_trouble_is_told_until_its_part_goes_through() {
        let line = Line::new(None);
        let fault = |what: &str| Fault::new(crate::domain::FaultKind::Auth, what, "ask");
        line.troubled(Part::Looks, Some(fault("no notes")));
        line.troubled(Part::Read(ObjectType::Deals), Some(fault("no deals")));
        assert_eq!(line.freshness().trouble, Some(fault("no deals")));
        line.troubled(Part::Read(ObjectType::Deals), None);
        line.complete(at(1));
        assert_eq!(
            line.freshness().trouble,
            Some(fault("no notes")),
            "the notes are still not read"
        );
        line.troubled(Part::Looks, None);
        assert_eq!(line.freshness().trouble, None);
    }

    #[test]
    fn of_failures_that_go_on_the_first_is_told() {
        let line = Line::new(None);
        let fault = |kind, what: &str| Some(Fault::new(kind, what, "wait"));
        line.troubled(Part::Lists, fault(FaultKind::Offline, "failed (id 1)"));
        line.troubled(Part::Lists, fault(FaultKind::Offline, "failed (id 2)"));
        assert_eq!(line.freshness().trouble, fault(FaultKind::Offline, "failed (id 1)"));
        line.troubled(Part::Lists, fault(FaultKind::Auth, "no"));
        assert_eq!(line.freshness().trouble, fault(FaultKind::Auth, "no"));
    }

    #[test]
    fn what_was_live_ages_unless_a_newer_poll_came() {
        let line = Line::new(None);
        line.complete(at(20));
        line.aged(at(10));
        assert_eq!(line.freshness().connection, Connection::Live);
        line.aged(at(20));
        assert_eq!(line.freshness().connection, Connection::Cached);
        line.complete(at(30));
        assert_eq!(line.freshness().connection, Connection::Live);
    }

    #[test]
    fn a_poll_that_was_on_its_way_does_not_hide_a_refusal() {
        let line = Line::new(None);
        line.refused(Fault::new(FaultKind::Auth, "the token is refused", "give another one"));
        line.complete(at(10));
        assert!(!line.is_open());
        assert_eq!(line.freshness().as_of, Some(at(10)));
        line.reopened();
        assert!(line.is_open());
    }

    #[test]
    fn nothing_is_live_before_everything_came() {
        let line = Line::new(None);
        let reading = Connection::Syncing(crate::domain::Progress {
            what: crate::domain::Reading::Records(ObjectType::Contacts),
            fetched: 300,
            pages: 3,
            about: Some(20_000),
        });
        line.awaits(ObjectType::Deals);
        line.awaits(ObjectType::Contacts);
        line.came(ObjectType::Deals);
        line.complete(at(1));
        assert_eq!(line.freshness().connection, Connection::Cached);
        line.syncing(reading.clone());
        line.complete(at(2));
        assert_eq!(line.freshness().connection, reading);
        assert!(line.is_awaiting());
        line.came(ObjectType::Contacts);
        assert!(!line.is_awaiting());
        assert_eq!(line.freshness().connection, Connection::Live);
    }

    #[test]
    fn as_of_never_goes_back() {
        let line = Line::new(Some(at(50)));
        line.complete(at(40));
        assert_eq!(line.freshness().as_of, Some(at(50)));
        line.complete(at(60));
        assert_eq!(line.freshness().as_of, Some(at(60)));
    }
}
