//! Facts about HubSpot that nobody could confirm, each as a switch. Off is what the better evidence says; on is the other
//! possibility, so that a client can be shown both. What is documented has no switch.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::settings::BadSetting;

/// One uncertain fact. The comment says what happens when it is on, and what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// 429 carries `Retry-After` in seconds. Reported as usually absent; not checked for every endpoint.
    RetryAfter,
    /// 429 carries no rate headers. Nobody has written down whether it does.
    BareRefusals,
    /// Every other 429 leaves `groupName` out, as some recorded ones do.
    GroupSometimes,
    /// Association batch answers carry the rate headers. The specification exempts them from the window; headers unknown.
    BatchHeaders,
    /// `toObjectId` is a text under the date versions, as their specification says; recorded answers hold numbers.
    TextIds,
    /// The total of a search stops at 10,000. Recorded totals were both.
    TotalCapped,
    /// `NEQ` and `NOT_IN` also match records where the property is unset.
    NeqMatchesUnset,
    /// `hs_unique_creation_key` may be written. Reported read-only on at least one object type.
    CreationKey,
    /// Archiving a record nobody has answers 404 instead of 204.
    DeleteUnknown,
    /// Updating a contact to an address somebody has answers 400 instead of 409.
    TakenEmail,
    /// `POST /crm/lists/2026-09/all` does not exist: announced, but absent from the August specification.
    NoListsAll,
    /// List pages are sometimes short or empty and still carry a cursor, as was seen.
    ShortPages,
    /// A closing stage leaves a close date that is already set alone.
    CloseDateKept,
    /// `hs_v2_*_time_in_*` count seconds, as documented, rather than milliseconds, as dumps look.
    StageSeconds,
    /// Partial failures of a batch answer 200: the 2026-09 specification does not mention 207.
    Batch200,
    /// A batch read that names a record twice answers 400, as a batch update does.
    ReadDoubles,
    /// JSON null in a write is refused instead of clearing the property.
    NullRefused,
    /// A deal needs a name and a stage to be created, as the documentation says; v3 was seen to take less.
    DealMinimums,
    /// A lifecycle stage set backwards answers 400 instead of staying as it was without a word.
    LifecycleRefused,
    /// `createdate` of a deal cannot be set on create.
    CreateDateFixed,
    /// An update answers with the whole record instead of the default, touched and computed properties.
    PatchWhole,
    /// HTML comments in note bodies are thrown away.
    CommentsStripped,
    /// Writes to one record that overlap answer 423. Needs a latency to overlap in.
    Locks,
    /// The day's usage is told from a cache: `fetchStatus` `CACHED`, collected five minutes ago.
    UsageCached,
    /// Whoever is asked for consent at `/oauth/authorize` says no.
    ConsentDenied,
}

/// Every switch with its spelling and what it does, in the order the help lists them.
const SPELLINGS: [(Switch, &str, &str); 25] = [
    (Switch::RetryAfter, "retry-after", "429 carries Retry-After in seconds"),
    (Switch::BareRefusals, "bare-429", "429 carries no rate headers"),
    (
        Switch::GroupSometimes,
        "group-sometimes",
        "every other 429 leaves groupName out",
    ),
    (
        Switch::BatchHeaders,
        "batch-headers",
        "association batches carry rate headers",
    ),
    (
        Switch::TextIds,
        "text-ids",
        "toObjectId is text under the date versions",
    ),
    (
        Switch::TotalCapped,
        "total-capped",
        "the total of a search stops at 10,000",
    ),
    (
        Switch::NeqMatchesUnset,
        "neq-unset",
        "NEQ and NOT_IN match unset properties",
    ),
    (
        Switch::CreationKey,
        "creation-key",
        "hs_unique_creation_key may be written",
    ),
    (
        Switch::DeleteUnknown,
        "delete-unknown-404",
        "archiving an unknown id answers 404",
    ),
    (
        Switch::TakenEmail,
        "taken-email-400",
        "updating to a taken address answers 400, not 409",
    ),
    (Switch::NoListsAll, "no-lists-all", "POST lists/2026-09/all answers 404"),
    (
        Switch::ShortPages,
        "short-pages",
        "list pages are sometimes short or empty, with a cursor",
    ),
    (
        Switch::CloseDateKept,
        "closedate-kept",
        "closing a deal keeps a close date that is set",
    ),
    (
        Switch::StageSeconds,
        "stage-seconds",
        "hs_v2_*_time_in_* count seconds, not milliseconds",
    ),
    (Switch::Batch200, "batch-200", "partial failures answer 200, not 207"),
    (
        Switch::ReadDoubles,
        "read-doubles-400",
        "a batch read naming a record twice answers 400",
    ),
    (Switch::NullRefused, "null-refused", "JSON null in a write is refused"),
    (
        Switch::DealMinimums,
        "deal-minimums",
        "a deal needs dealname and dealstage",
    ),
    (
        Switch::LifecycleRefused,
        "lifecycle-400",
        "a lifecycle stage set backwards answers 400",
    ),
    (
        Switch::CreateDateFixed,
        "createdate-fixed",
        "createdate cannot be set on create",
    ),
    (
        Switch::PatchWhole,
        "patch-whole",
        "an update answers with the whole record",
    ),
    (
        Switch::CommentsStripped,
        "comments-stripped",
        "HTML comments in notes are thrown away",
    ),
    (Switch::Locks, "locks", "overlapping writes to one record answer 423"),
    (
        Switch::UsageCached,
        "usage-cached",
        "the day's usage is five minutes old",
    ),
    (
        Switch::ConsentDenied,
        "consent-denied",
        "/oauth/authorize answers access_denied",
    ),
];

/// The switches that are on, as text `retry-after,text-ids`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Switches(BTreeSet<Switch>);

impl Switches {
    pub(super) fn on(&self, switch: Switch) -> bool {
        self.0.contains(&switch)
    }

    /// One line per switch, for a help text.
    pub fn help() -> String {
        SPELLINGS
            .iter()
            .map(|(_, name, text)| format!("  {name:<20}{text}\n"))
            .collect()
    }
}

impl FromStr for Switches {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let switch = |name: &str| {
            let known = SPELLINGS.iter().find(|(_, spelling, _)| *spelling == name);
            known.map(|(switch, ..)| *switch).ok_or_else(|| {
                BadSetting::new(
                    name,
                    "a switch",
                    "names such as 'retry-after,text-ids'; 'simulate --help' lists them",
                )
            })
        };
        names.map(switch).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = SPELLINGS.iter().filter(|(switch, ..)| self.on(*switch));
        let names: Vec<&str> = names.map(|(_, name, _)| *name).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_print_as_they_are_written_and_every_one_can_be_written() {
        let all = SPELLINGS.map(|(_, name, _)| name).join(",");
        let on: Switches = all.parse().unwrap();
        assert!(SPELLINGS.iter().all(|(switch, ..)| on.on(*switch)));
        assert_eq!(on.to_string(), all);
        assert_eq!("".parse::<Switches>().unwrap(), Switches::default());
        let error = "text-ids,teapot".parse::<Switches>().unwrap_err().to_string();
        assert!(error.starts_with("'teapot' is not a switch; write names"), "{error}");
    }
}
