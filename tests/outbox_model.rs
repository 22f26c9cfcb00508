//! One create, explored whole: every order in which requests can arrive late, get lost or be refused, answers can get
//! lost and the process can be killed, with up to three sends. What the client does with an answer is its own table's
//! word; the usual protocols beside it are the controls and must fail.

use std::collections::{BTreeMap, VecDeque};

use dealdeck::hubspot::{Action, Applied, OpClass, Signal, classify};

/// More sends than this find nothing new: a second copy needs two.
const SENDS: u8 = 3;

/// What the client does with an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// Sends again.
    Again,
    /// Looks, and sends again when it sees nothing.
    Look,
    /// The same through an index that lags.
    LookInIndex,
    /// Ours with a unique key: looks for the key, and sends the same again when it sees nothing.
    Keyed,
    /// Ours without one: looks, and asks a person when it sees nothing.
    Unkeyed,
}

impl Protocol {
    const fn class(self) -> OpClass {
        match self {
            Self::Keyed => OpClass::KeyedCreate,
            _ => OpClass::UnkeyedCreate,
        }
    }

    /// Follows the table; the controls do what they always do.
    const fn is_ours(self) -> bool {
        matches!(self, Self::Keyed | Self::Unkeyed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Client {
    Queued,
    /// A request is on its way, or was; its answer is waited for.
    Waiting,
    Uncertain,
    Landed,
    /// A person is asked.
    Asked,
    Dead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    client: Client,
    sends: u8,
    /// Requests that nobody waits for and that may still arrive.
    stray: u8,
    /// What happened to the request that is waited for: not there yet, applied, or refused because of the key.
    awaited: Option<Fate>,
    copies: u8,
    /// Copies an index shows.
    indexed: u8,
    /// An earlier send had an unknown outcome, and no person has said what to do.
    doubt: bool,
    /// Sends in doubt.
    resends: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Fate {
    Travels,
    Applied,
    Clashed,
}

const BEGIN: State = State {
    client: Client::Queued,
    sends: 0,
    stray: 0,
    awaited: None,
    copies: 0,
    indexed: 0,
    doubt: false,
    resends: 0,
};

impl State {
    /// One request reaches the server.
    fn arrives(mut self, protocol: Protocol) -> (Self, Fate) {
        if protocol == Protocol::Keyed && self.copies > 0 {
            return (self, Fate::Clashed);
        }
        self.copies += 1;
        (self, Fate::Applied)
    }

    /// The answer, or the lack of one, and what the client makes of it.
    fn hears(self, protocol: Protocol, signal: &Signal) -> Self {
        // The request that was waited for is forgotten; if it is still under way, it is a stray one now.
        let stray = self.stray + u8::from(self.awaited == Some(Fate::Travels) && !matches!(signal, Signal::NotSent));
        let quiet = Self {
            awaited: None,
            stray,
            ..self
        };
        let verdict = classify(protocol.class(), signal);
        let client = match verdict.applied {
            Applied::Unknown => Client::Uncertain,
            Applied::Yes => Client::Landed,
            Applied::No => match verdict.action {
                // The key is taken: by ours, as looking it up shows.
                Action::Resolve => Client::Uncertain,
                Action::Dead | Action::Held(_) | Action::FindTarget => Client::Dead,
                _ => Client::Queued,
            },
        };
        Self {
            client,
            doubt: quiet.doubt || verdict.applied == Applied::Unknown,
            ..quiet
        }
    }

    /// What the client does about an unknown outcome.
    fn resolves(self, protocol: Protocol) -> Self {
        let seen = if protocol == Protocol::LookInIndex {
            self.indexed
        } else {
            self.copies
        };
        let client = match protocol {
            Protocol::Again => Client::Queued,
            _ if seen > 0 => Client::Landed,
            Protocol::Unkeyed => Client::Asked,
            _ => Client::Queued,
        };
        Self { client, ..self }
    }

    fn next(self, protocol: Protocol) -> Vec<Self> {
        let mut next = Vec::new();
        // The network and the server, whatever the client does.
        if self.stray > 0 {
            let gone = Self {
                stray: self.stray - 1,
                ..self
            };
            next.push(gone);
            next.push(gone.arrives(protocol).0);
        }
        if self.indexed < self.copies {
            next.push(Self {
                indexed: self.indexed + 1,
                ..self
            });
        }
        if self.awaited == Some(Fate::Travels) {
            let (state, fate) = self.arrives(protocol);
            next.push(Self {
                awaited: Some(fate),
                ..state
            });
        }
        match self.client {
            Client::Queued if self.sends < SENDS => next.push(Self {
                client: Client::Waiting,
                sends: self.sends + 1,
                awaited: Some(Fate::Travels),
                resends: self.resends + u8::from(self.doubt),
                ..self
            }),
            Client::Waiting => {
                let answers: &[Signal] = match self.awaited {
                    Some(Fate::Travels) | None => &[
                        Signal::NotSent,
                        Signal::TimedOut,
                        Signal::Lost,
                        Signal::Server(502),
                        Signal::RateWindow { retry_after: None },
                        Signal::Unauthorized,
                    ],
                    Some(Fate::Applied) => &[
                        Signal::Confirmed,
                        Signal::TimedOut,
                        Signal::Lost,
                        Signal::Unreadable,
                        Signal::NotHubSpot,
                        Signal::Server(500),
                        Signal::Server(504),
                        Signal::Unknown(299),
                    ],
                    Some(Fate::Clashed) => &[Signal::UniqueClash, Signal::Conflict, Signal::TimedOut, Signal::Lost],
                };
                for signal in answers {
                    let mut state = self;
                    if matches!(signal, Signal::RateWindow { .. } | Signal::Unauthorized) {
                        // HubSpot said so: the request did arrive, and was not applied.
                        state.awaited = None;
                    }
                    next.push(state.hears(protocol, signal));
                }
                // Killed: the next start only knows that something may have left.
                next.push(Self {
                    client: Client::Uncertain,
                    doubt: true,
                    stray: self.stray + u8::from(self.awaited == Some(Fate::Travels)),
                    awaited: None,
                    ..self
                });
            }
            Client::Uncertain => next.push(self.resolves(protocol)),
            Client::Asked => next.push(Self {
                client: Client::Queued,
                // The person has decided that it is not there, or wants it twice.
                doubt: false,
                ..self
            }),
            Client::Queued | Client::Landed | Client::Dead => {}
        }
        next
    }
}

/// Every state that can be reached, with the one it was reached from.
fn explore(protocol: Protocol) -> BTreeMap<State, State> {
    let mut seen = BTreeMap::from([(BEGIN, BEGIN)]);
    let mut left = VecDeque::from([BEGIN]);
    while let Some(state) = left.pop_front() {
        for next in state.next(protocol) {
            if let std::collections::btree_map::Entry::Vacant(place) = seen.entry(next) {
                place.insert(state);
                left.push_back(next);
            }
        }
    }
    seen
}

/// The way to a state, for the reader of a failure.
fn way(seen: &BTreeMap<State, State>, to: State) -> String {
    let mut steps = vec![to];
    while let Some(before) = steps
        .last()
        .and_then(|state| seen.get(state))
        .filter(|before| **before != BEGIN)
    {
        steps.push(*before);
    }
    let lines: Vec<String> = steps.iter().rev().map(|state| format!("{state:?}")).collect();
    lines.join("\n")
}

fn most_copies(protocol: Protocol) -> u8 {
    let seen = explore(protocol);
    seen.keys().map(|state| state.copies).max().unwrap_or_default()
}

#[test]
fn with_a_key_there_is_at_most_one_copy_whatever_happens() {
    let seen = explore(Protocol::Keyed);
    for state in seen.keys() {
        assert!(state.copies <= 1, "{}", way(&seen, *state));
        let is_false = state.client == Client::Landed && state.copies == 0;
        assert!(!is_false, "landed without a copy:\n{}", way(&seen, *state));
    }
    let ends = seen.keys().filter(|state| state.client == Client::Landed).count();
    assert!(ends > 0, "it does land");
}

#[test]
fn without_a_key_nothing_is_sent_again_without_a_persons_word() {
    let seen = explore(Protocol::Unkeyed);
    for state in seen.keys() {
        assert_eq!(state.resends, 0, "{}", way(&seen, *state));
        let is_false = state.client == Client::Landed && state.copies == 0;
        assert!(!is_false, "landed without a copy:\n{}", way(&seen, *state));
    }
    let asked = seen.keys().any(|state| state.client == Client::Asked);
    assert!(asked, "a person is asked");
}

#[test]
fn the_usual_protocols_make_copies() {
    for protocol in [Protocol::Again, Protocol::Look, Protocol::LookInIndex] {
        assert!(!protocol.is_ours());
        assert_eq!(most_copies(protocol), SENDS, "{protocol:?}");
    }
    assert_eq!(most_copies(Protocol::Keyed), 1);
}
