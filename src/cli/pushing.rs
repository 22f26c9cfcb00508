//! What the commands about contacts of one's own share: driving what was kept, and saying what it came to.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    domain::{
        Connection, Fault, FaultKind, ImportCount, ObjectType, OpState, ProcessingStatus, SyncStatus, format, statuses,
    },
    report::{self, Format},
    sync::{Handle, Pushed},
};

use super::{
    args::DriveArgs,
    exit::{Outcome, print_report, remark_line},
};

/// Between two looks at what became of them: at least, and at most.
const LOOK: Duration = Duration::from_millis(100);
const LONG_LOOK: Duration = Duration::from_secs(1);

/// What is said where nothing can be sent.
pub const NO_TOKEN: &str =
    "there is no token: contacts are kept here and go out once there is one, see 'dealdeck setup'";

/// A bar on a terminal; nothing anywhere else.
pub struct Bar(ProgressBar);

impl Bar {
    /// Towards so many.
    pub fn new(what: &'static str, most: usize) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(u64::try_from(most).unwrap_or(u64::MAX)), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix:10} {wide_bar} {human_pos:>9} of {human_len}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        Self(bar)
    }

    /// So many are done.
    pub fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// All of it is over.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Where contacts are after the wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whereabouts {
    complete: u64,
    waiting: u64,
    uncertain: u64,
    errors: u64,
}

impl Whereabouts {
    async fn look(handle: &Handle, numbers: &[u64]) -> Result<Self, Fault> {
        let mut all = Self::default();
        for (decision, state, count) in handle.contact_states(numbers).await? {
            match statuses(decision, state) {
                (_, Some(ProcessingStatus::Error)) => all.errors += count,
                (SyncStatus::Processing, _) if state == Some(OpState::Uncertain) => all.uncertain += count,
                (SyncStatus::Queued | SyncStatus::Processing, _) => all.waiting += count,
                (_, Some(ProcessingStatus::Complete)) => all.complete += count,
                _ => {}
            }
        }
        Ok(all)
    }

    const fn is_over(&self) -> bool {
        self.waiting == 0 && self.uncertain == 0
    }

    /// What nobody knows (9) is worse than what waits for a person (3).
    const fn code(&self) -> u8 {
        match self {
            Self { uncertain: 1.., .. } => 9,
            Self { errors: 1.., .. } => 3,
            _ => 0,
        }
    }
}

/// Refuses to push with a day that HubSpot has no place for.
pub async fn check_sync_date(handle: &Handle) -> Result<(), Fault> {
    let Some(name) = handle.sync_date() else { return Ok(()) };
    let definitions = handle.definitions(ObjectType::Contacts).await?;
    if definitions.is_empty() || definitions.iter().any(|known| known.name == name) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Usage,
        format!("contacts have no property '{name}' for the day of their push"),
        "make it with 'dealdeck contacts push --create-properties', or change 'push.sync_date_property'",
    ))
}

/// Waits for contacts as long as was asked for, then says where they are.
pub async fn drive(handle: &Handle, kept: &Pushed, args: DriveArgs, has_token: bool) -> Outcome {
    let clock = handle.clock();
    let deadline = clock.now() + args.wait;
    let bar = Bar::new("pushed", kept.numbers.len());
    let mut now = Whereabouts::look(handle, &kept.numbers).await?;
    let pause = pause(kept.numbers.len());
    while has_token && !args.no_wait && !now.is_over() && clock.now() < deadline {
        if is_cut(&handle.freshness().connection) {
            break;
        }
        clock.sleep_until(deadline.min(clock.now() + pause)).await;
        now = Whereabouts::look(handle, &kept.numbers).await?;
        bar.at(now.complete + now.errors);
    }
    bar.end();
    print_count(kept.count, Some(now), args.format.format)?;
    say(handle, now, args, has_token);
    Ok(if args.no_wait { 0 } else { now.code() })
}

/// Whether nothing goes out, however long one waits.
const fn is_cut(connection: &Connection) -> bool {
    matches!(connection, Connection::ReadOnly(_) | Connection::Offline { .. })
}

/// Between two looks at so many contacts: each look counts them all.
fn pause(contacts: usize) -> Duration {
    let pause = u64::try_from(contacts / 10).unwrap_or(u64::MAX);
    Duration::from_millis(pause).clamp(LOOK, LONG_LOOK)
}

/// Says what is not in HubSpot, and why.
fn say(handle: &Handle, now: Whereabouts, args: DriveArgs, has_token: bool) {
    if !has_token {
        remark_line(NO_TOKEN);
    } else if now.waiting > 0 && !args.no_wait {
        let why = match handle.freshness().connection {
            Connection::Offline { .. } => ": HubSpot does not answer".to_owned(),
            Connection::ReadOnly(fault) => format!(": {fault}"),
            Connection::Slowed { until } => format!(": HubSpot asks to wait until {until:.0}"),
            _ => String::new(),
        };
        remark_line(&format!(
            "{} kept on disk, not in HubSpot yet{why}; a later sync sends them when their next try is due, see 'dealdeck contacts push --status'",
            format::plural(now.waiting, "contact is", "contacts are")
        ));
    }
    if now.uncertain > 0 {
        remark_line(&format!(
            "of {} the answer was lost; HubSpot is asked before anything is sent again",
            format::plural(now.uncertain, "contact", "contacts")
        ));
    }
    if now.errors > 0 {
        remark_line(&format!(
            "HubSpot did not take {}; 'dealdeck contacts push --status' says why",
            format::plural(now.errors, "contact", "contacts")
        ));
    }
}

/// Prints what keeping contacts came to, and where they are.
pub fn print_count(count: ImportCount, now: Option<Whereabouts>, format: Format) -> Result<(), Fault> {
    let now = now.map(|now| report::PushedNow {
        complete: now.complete,
        waiting: now.waiting + now.uncertain,
        errors: now.errors,
    });
    print_report(report::import(count, now, format))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn many_contacts_are_looked_at_less_often() {
        let paused = [0, 1, 1_000, 5_000, 10_000, 1_000_000].map(|contacts| pause(contacts).as_millis());
        assert_eq!(paused, [100, 100, 100, 500, 1_000, 1_000]);
    }

    #[test]
    fn nobody_waits_for_a_line_that_is_cut() {
        let (since, next_try) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        assert!(is_cut(&Connection::Offline { since, next_try }));
        assert!(!is_cut(&Connection::Slowed { until: since }));
        assert!(!is_cut(&Connection::Cached));
    }
}
