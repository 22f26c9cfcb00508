//! Moments of an operation's way at which a test ends the process, as a power cut would: nothing is flushed, nobody says
//! goodbye. A build without debug assertions has none of it.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

/// Which moment, and the how-manieth time it comes: `claim-committed:2`. Read once.
const STOP_AT: &str = "DEALDECK_STOP_AT";

/// A moment; its word is what the variable says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The change is written and not committed.
    IntentBegun,
    /// The change is committed, nobody has been told.
    IntentCommitted,
    /// The budget has given a slot, nothing is claimed.
    SlotTaken,
    /// The claim is written and not committed.
    ClaimBegun,
    /// The claim is committed, nothing is sent.
    ClaimCommitted,
    /// The request is about to leave.
    Sending,
    /// The answer was read, nothing is recorded.
    Answered,
    /// The outcome is written and not committed.
    OutcomeBegun,
    /// The outcome is committed, the mirror does not show it.
    OutcomeCommitted,
    /// What is shown on top of the mirror is about to end.
    SettleBegun,
    /// A record is written into the mirror and not committed.
    MirrorBegun,
    /// The mirror shows it.
    MirrorCommitted,
    /// How far reading has come is about to be kept.
    CursorBegun,
    /// What became of a send was looked up, nothing is recorded.
    LookedUp,
    /// A new epoch is written and not committed.
    EpochBegun,
    /// The tables of a file are about to be brought to this version.
    SchemaBegun,
}

impl Moment {
    const fn word(self) -> &'static str {
        match self {
            Self::IntentBegun => "intent-begun",
            Self::IntentCommitted => "intent-committed",
            Self::SlotTaken => "slot-taken",
            Self::ClaimBegun => "claim-begun",
            Self::ClaimCommitted => "claim-committed",
            Self::Sending => "sending",
            Self::Answered => "answered",
            Self::OutcomeBegun => "outcome-begun",
            Self::OutcomeCommitted => "outcome-committed",
            Self::SettleBegun => "settle-begun",
            Self::MirrorBegun => "mirror-begun",
            Self::MirrorCommitted => "mirror-committed",
            Self::CursorBegun => "cursor-begun",
            Self::LookedUp => "looked-up",
            Self::EpochBegun => "epoch-begun",
            Self::SchemaBegun => "schema-begun",
        }
    }
}

/// The moment has come; where a test asked for it, this process ends here.
pub fn reached(moment: Moment) {
    static WANTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static TIMES: AtomicU32 = AtomicU32::new(0);
    if !cfg!(debug_assertions) {
        return;
    }
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var(STOP_AT).ok()?;
        let (word, nth) = text.split_once(':').unwrap_or((&text, "1"));
        Some((word.to_owned(), nth.parse().unwrap_or(1)))
    });
    if let Some((word, nth)) = wanted
        && word == moment.word()
        && TIMES.fetch_add(1, Ordering::SeqCst) + 1 == *nth
    {
        end();
    }
}

/// Ends this process at once.
fn end() -> ! {
    #[cfg(unix)]
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    std::process::abort()
}
