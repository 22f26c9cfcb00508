//! Deliberate bugs: what the checks of a simulation must catch, or they prove nothing. A build without debug assertions
//! contains none of them.

/// One way to break a promise, at one place each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// A keyed create goes out without its key.
    KeyNotSent,
    /// A note that was not found is sent again without a person's word.
    UnkeyedResent,
    /// What was kept is acknowledged and never committed.
    AckBeforeCommit,
    /// A request goes out before its claim is on disk.
    ClaimAfterSend,
    /// A server error counts as success.
    FalseLanding,
    /// A send of unknown outcome goes back to the queue.
    UncertainToQueued,
    /// An operation does not wait for earlier ones of its record.
    OrderIgnored,
    /// A process whose epoch is over goes on sending.
    EpochIgnored,
    /// An operation that was claimed once is rewritten.
    ClaimedCoalesced,
    /// What somebody else changed meanwhile is overwritten.
    BlindOverwrite,
    /// Undo takes back whatever is there now.
    UndoUnguarded,
    /// What HubSpot confirmed is done before the mirror shows it.
    OverlayDropped,
    /// A search that lags overwrites what is known better.
    OlderRowWins,
    /// What changed is read, counted and not kept.
    PageLost,
    /// One operation that waits for its next try stops all others.
    PoisonBlocks,
    /// A record that is archived is written to.
    GoneIgnored,
    /// Nobody asks whose account the token belongs to.
    NoAccountCheck,
    /// The next try comes at once.
    NoBackoff,
    /// A refused token and a full window count as attempts.
    RefusalsCharged,
    /// The person is told that it was saved, although the store failed.
    SavedAnyway,
}

/// The bug that is wanted; none, unless a test asks for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drill(Option<Bug>);

impl Drill {
    /// A build with this bug.
    #[must_use]
    pub const fn with(bug: Bug) -> Self {
        Self(Some(bug))
    }

    /// Whether this bug is wanted.
    #[must_use]
    pub fn has(self, bug: Bug) -> bool {
        cfg!(debug_assertions) && self.0 == Some(bug)
    }
}
