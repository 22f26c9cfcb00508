//! Contacts of one's own that are pushed to HubSpot: what a person decided about each, and what became of it.
//!
//! Nobody writes the second part down. It is read off the newest operation of the contact by [`statuses`], so that it is
//! true after a kill as well.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ListId, OpError, OpId, OpState, Properties, RecordRef};

/// How much of an error a listing shows, in characters.
const LONGEST_ERROR: usize = 500;

/// An enumeration of words, as listings and the store spell them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in JSON and in the store.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),+
                }
            }

            /// The value with this word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    };
}

words! {
    /// What a person decided about a contact.
    PushDecision {
        /// The scheduler pushes it when its turn comes.
        Selected,
        /// It is pushed at once.
        Queued,
        /// It is not pushed.
        Skipped,
    }
}

words! {
    /// What a person's decision has come to.
    SyncStatus {
        /// It waits for the scheduler.
        Selected,
        /// It waits to be sent.
        Queued,
        /// HubSpot may be hearing of it right now.
        Processing,
        /// HubSpot has it.
        Complete,
        /// It did not go through, and nobody tries again by himself.
        Error,
        /// A person does not want it sent.
        Skipped,
    }
}

words! {
    /// What the system did last for a contact.
    ProcessingStatus {
        /// Its operation waits: for a slot, for the network, or for the next try.
        Queued,
        /// Its operation is on the wire, or its outcome is being found out.
        Processing,
        /// HubSpot has it.
        Complete,
        /// HubSpot refuses it, or it was tried as often as is allowed.
        Error,
    }
}

/// Both statuses of a contact, by what a person decided and where its newest operation is. This is the one table:
///
/// | operation | system | `Queued` shows as | `Selected` shows as | `Skipped` shows as |
/// |---|---|---|---|---|
/// | none yet | – | Queued | Selected | Skipped |
/// | queued | Queued | Queued | Queued | Queued |
/// | in flight, uncertain | Processing | Processing | Processing | Processing |
/// | landed, done | Complete | Complete | Selected | Skipped |
/// | held, conflict, dead | Error | Error | Selected | Skipped |
/// | cancelled | – | Skipped | Selected | Skipped |
/// | superseded | Queued | Queued | Queued | Queued |
///
/// An operation under way shows whatever was decided since: it cannot be un-sent.
#[must_use]
pub const fn statuses(decision: PushDecision, operation: Option<OpState>) -> (SyncStatus, Option<ProcessingStatus>) {
    let Some(state) = operation else {
        return (own(decision, SyncStatus::Queued), None);
    };
    match state {
        OpState::Queued | OpState::Superseded => (SyncStatus::Queued, Some(ProcessingStatus::Queued)),
        OpState::InFlight | OpState::Uncertain => (SyncStatus::Processing, Some(ProcessingStatus::Processing)),
        OpState::Landed | OpState::Done => (own(decision, SyncStatus::Complete), Some(ProcessingStatus::Complete)),
        OpState::Held | OpState::Conflict | OpState::Dead => {
            (own(decision, SyncStatus::Error), Some(ProcessingStatus::Error))
        }
        OpState::Cancelled => (own(decision, SyncStatus::Skipped), None),
    }
}

/// The decision itself, unless it was to push: then what that came to.
const fn own(decision: PushDecision, pushed: SyncStatus) -> SyncStatus {
    match decision {
        PushDecision::Selected => SyncStatus::Selected,
        PushDecision::Skipped => SyncStatus::Skipped,
        PushDecision::Queued => pushed,
    }
}

/// A contact to keep and push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewContact {
    /// Its e-mail address; what it goes by.
    pub email: String,
    /// HubSpot properties to set; nothing is cleared, so that none is unset.
    pub values: Properties,
    /// HubSpot's id, where it is known.
    pub hubspot_id: Option<String>,
}

/// What else is to happen to a pushed contact, once HubSpot has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// It is linked to this record.
    Link(RecordRef),
    /// It is put on this static list, or taken off.
    List(ListId, bool),
}

/// A contact of one's own, as listings show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalContact {
    /// Its number here.
    pub n: u64,
    /// Its e-mail address, folded.
    pub email: String,
    /// HubSpot properties to set.
    pub values: Properties,
    /// What a person decided last.
    pub decision: PushDecision,
    /// HubSpot's id, once known.
    pub hubspot_id: Option<String>,
    /// When it was first kept.
    pub created_at: Timestamp,
    /// When its values last changed.
    pub updated_at: Timestamp,
    /// When a person last decided about it by hand; when it was first kept, if nobody has.
    pub decided_at: Timestamp,
    /// Its newest operation.
    pub operation: Option<ContactOperation>,
}

/// What a contact's newest operation says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactOperation {
    /// Which one.
    pub id: OpId,
    /// Where it is.
    pub state: OpState,
    /// How often it was sent, sends that do not count left out.
    pub attempts: u32,
    /// When it was kept.
    pub created_at: Timestamp,
    /// When it was last sent.
    pub claimed_at: Option<Timestamp>,
    /// When it is tried again.
    pub not_before: Option<Timestamp>,
    /// Its last error.
    pub error: Option<OpError>,
}

impl LocalContact {
    /// Its id for people: no number of HubSpot's looks like it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("r{}", self.n)
    }

    /// The number in an id for people.
    #[must_use]
    pub fn number(id: &str) -> Option<u64> {
        id.strip_prefix('r')?.parse().ok()
    }

    /// Both statuses.
    #[must_use]
    pub fn statuses(&self) -> (SyncStatus, Option<ProcessingStatus>) {
        statuses(self.decision, self.operation.as_ref().map(|operation| operation.state))
    }

    /// HubSpot said no to these very values: only an edit makes sense of another try. Giving the push up is no edit.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let Some(operation) = &self.operation else {
            return false;
        };
        let class = operation.error.as_ref().map(|error| error.class.as_str());
        let is_over = matches!(operation.state, OpState::Dead | OpState::Held | OpState::Cancelled);
        is_over && matches!(class, Some(OpError::VALIDATION | OpError::NEEDS_FIELDS)) && !self.is_changed_since()
    }

    /// Its values changed after its newest operation was kept.
    #[must_use]
    pub fn is_changed_since(&self) -> bool {
        let operation = self.operation.as_ref();
        operation.is_some_and(|operation| operation.created_at < self.updated_at)
    }

    /// The last error, at most 500 characters of it; none once it went through.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        let operation = self.operation.as_ref()?;
        let message = &operation.error.as_ref()?.message;
        Some(message.chars().take(LONGEST_ERROR).collect())
    }

    /// How often it was, or will be, tried again; nothing once it went through.
    #[must_use]
    pub fn retry_count(&self) -> u32 {
        self.operation.as_ref().map_or(0, |operation| match operation.state {
            OpState::Landed | OpState::Done | OpState::Cancelled => 0,
            // It waits for its next try.
            OpState::Queued => operation.attempts,
            _ => operation.attempts.saturating_sub(1),
        })
    }

    /// When the last try that failed was made.
    #[must_use]
    pub fn last_retry_at(&self) -> Option<Timestamp> {
        let operation = self.operation.as_ref()?;
        operation.claimed_at.filter(|_| self.retry_count() > 0)
    }

    /// When it is tried again by itself.
    #[must_use]
    pub fn next_retry_at(&self) -> Option<Timestamp> {
        let operation = self.operation.as_ref()?;
        operation
            .not_before
            .filter(|_| operation.state == OpState::Queued && operation.attempts > 0)
    }

    /// Where it failed last: there is one CRM. None once it went through.
    #[must_use]
    pub fn last_failed_crm(&self) -> Option<&'static str> {
        self.error().map(|_| "hubspot")
    }
}

/// What keeping contacts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportCount {
    /// New here.
    pub imported: u64,
    /// Known here, with other values.
    pub updated: u64,
    /// Known here with these very values.
    pub unchanged: u64,
    /// Left out: they cannot be pushed, or a person does not want them pushed.
    pub skipped: u64,
    /// On their way to HubSpot now.
    pub queued: u64,
}

impl ImportCount {
    /// Adds another part's.
    pub const fn add(&mut self, other: Self) {
        self.imported += other.imported;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.skipped += other.skipped;
        self.queued += other.queued;
    }
}

/// How often, and when, a contact is tried again that HubSpot failed to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// At most so many retries.
    pub most: u32,
    /// Before the first one.
    pub delay: Duration,
    /// Twice as long every time (5, 10, 20 minutes); else longer by the first one every time (5, 10, 15).
    pub exponential: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            most: 3,
            delay: Duration::from_mins(5),
            exponential: true,
        }
    }
}

impl RetryPolicy {
    /// How long to wait after so many failed sends; `None` when that was the last.
    #[must_use]
    pub fn wait(&self, failed: u32) -> Option<Duration> {
        let retry = failed.max(1);
        let times = if self.exponential {
            1_u32.checked_shl(retry - 1).unwrap_or(u32::MAX)
        } else {
            retry
        };
        (retry <= self.most).then(|| self.delay.saturating_mul(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_statuses_follow_the_operation() {
        use PushDecision::{Queued, Selected, Skipped};
        let words = |decision, state| {
            let (sync, processing) = statuses(decision, state);
            (sync.word(), processing.map(ProcessingStatus::word))
        };
        let pushed = [
            (OpState::Queued, "Queued", Some("Queued")),
            (OpState::InFlight, "Processing", Some("Processing")),
            (OpState::Uncertain, "Processing", Some("Processing")),
            (OpState::Landed, "Complete", Some("Complete")),
            (OpState::Done, "Complete", Some("Complete")),
            (OpState::Conflict, "Error", Some("Error")),
            (OpState::Held, "Error", Some("Error")),
            (OpState::Dead, "Error", Some("Error")),
            (OpState::Cancelled, "Skipped", None),
            (OpState::Superseded, "Queued", Some("Queued")),
        ];
        assert_eq!(pushed.len(), OpState::ALL.len());
        for (state, sync, processing) in pushed {
            assert_eq!(words(Queued, Some(state)), (sync, processing), "{state:?}");
            let under_way = matches!(sync, "Queued" | "Processing");
            for (decision, word) in [(Selected, "Selected"), (Skipped, "Skipped")] {
                let expected = if under_way { sync } else { word };
                assert_eq!(words(decision, Some(state)).0, expected, "{decision:?} {state:?}");
            }
        }
        assert_eq!(words(Queued, None), ("Queued", None));
        assert_eq!(words(Selected, None), ("Selected", None));
        assert_eq!(words(Skipped, None), ("Skipped", None));
    }

    #[test]
    fn retries_grow_and_end() {
        let minutes = |policy: RetryPolicy| -> Vec<Option<u64>> {
            (1..=4)
                .map(|failed| Some(policy.wait(failed)?.as_secs() / 60))
                .collect()
        };
        let exponential = RetryPolicy::default();
        assert_eq!(minutes(exponential), [Some(5), Some(10), Some(20), None]);
        let linear = RetryPolicy {
            exponential: false,
            ..exponential
        };
        assert_eq!(minutes(linear), [Some(5), Some(10), Some(15), None]);
        let none = RetryPolicy { most: 0, ..exponential };
        assert_eq!(minutes(none), [None; 4]);
    }
}
