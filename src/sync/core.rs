//! What every part of the engine shares: the client, the store, the line, the bells. It starts nothing by itself.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{Notify, broadcast, watch};

use super::{
    Settings,
    connection::{Line, Part, later},
    desk::Desk,
    extent::{Wished, wished},
    labels::Labels,
    pull::Trouble,
    scopes::Scopes,
};
use crate::{
    domain::{
        ActivityItem, ActivityKind, Connection, DealId, Event, Fault, FaultKind, Lane, ObjectType, OpId, OpState,
        Operation, Pipeline, SegmentCount, Who,
    },
    hubspot::{Client, Failure, Signal},
    store::{self, OutboxView},
};

/// How many events a slow listener may fall behind before it has to read everything again.
const EVENTS: usize = 1_024;
/// Between two words about a board that fills.
const BOARD_EVERY: Duration = Duration::from_millis(250);
/// So long HubSpot may be left alone before it is asked whether anybody is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this long, HubSpot's own word for "later" is not believed without asking again.
const SLOWEST: Duration = Duration::from_secs(60);

/// The engine's shared parts.
pub struct Core {
    /// How to behave.
    pub settings: Settings,
    /// The properties that the settings want read besides those every read asks for.
    pub wished: Wished,
    /// The way to HubSpot.
    pub client: Client,
    /// The way to the store.
    pub desk: Desk,
    /// Where the store, and so the lock, is.
    pub dir: PathBuf,
    /// The state of the connection.
    pub line: Line,
    /// What faces hear.
    pub events: broadcast::Sender<Event>,
    /// Rings when there is something to send.
    pub push_bell: Notify,
    /// Rings when contacts of one's own were kept.
    pub queue_bell: Notify,
    /// Rings when somebody wants fresh data now.
    pub poll_bell: Notify,
    /// Rings when a deal is looked at.
    pub look_bell: Notify,
    /// Deals somebody looks at, oldest wish first; never the same one twice.
    pub looks: Mutex<VecDeque<DealId>>,
    /// A dashboard is open. Changes ring through the channel, so that the pace changes at once.
    pub watched: watch::Sender<bool>,
    /// Whether there is nothing to send right now.
    pub push_idle: watch::Sender<bool>,
    /// When the board was last said to have grown.
    pub board_told: Mutex<Option<Timestamp>>,
    /// Segment counts as last computed; `None` = compute again.
    pub segments: Mutex<Option<Vec<SegmentCount>>>,
    /// What people should hear about once: notices of the store.
    pub notices: Vec<String>,
    /// This run has made sure that the token and the store belong to the same account. Nothing is sent or kept before.
    pub account_checked: watch::Sender<bool>,
    /// What the token may do.
    pub scopes: Scopes,
}

impl Core {
    /// Ties the parts together.
    pub fn new(settings: Settings, place: &store::Settings, client: Client) -> Result<Self, Fault> {
        let (desk, notices) = Desk::open(place, &settings)?;
        let (as_of, account, unread) = desk.peek(|reader| {
            let as_of = reader.mirror.cursor(AS_OF)?.and_then(|text| text.parse().ok());
            Ok((as_of, reader.mirror.account()?, reader.mirror.cursor(UNREAD)?))
        })?;
        let scopes = Scopes::default();
        scopes.remember(
            unread
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
        );
        if let Some(account) = account {
            client.set_zone(account.zone());
        }
        Ok(Self {
            wished: wished(&settings),
            settings,
            client,
            desk,
            dir: place.dir.clone(),
            line: Line::new(as_of),
            events: broadcast::Sender::new(EVENTS),
            push_bell: Notify::new(),
            queue_bell: Notify::new(),
            poll_bell: Notify::new(),
            look_bell: Notify::new(),
            looks: Mutex::default(),
            watched: watch::Sender::new(false),
            push_idle: watch::Sender::new(true),
            board_told: Mutex::default(),
            segments: Mutex::default(),
            notices,
            account_checked: watch::Sender::new(false),
            scopes,
        })
    }

    /// What people call what is stored of this type.
    pub async fn labels(&self, object: ObjectType) -> Result<Labels, Fault> {
        self.desk.read(move |reader| Labels::read(&reader.mirror, object)).await
    }

    /// Writes down what the client did since it started, when a session ends.
    pub fn sum_up(&self) {
        let limits = self.client.limits();
        tracing::info!(
            requests = limits.total_requests,
            waited_ms = u64::try_from(limits.total_wait.as_millis()).unwrap_or(u64::MAX),
            refused = limits.rate_limited,
            retries = limits.retries,
            window_left = limits.burst.left,
            window = limits.burst.capacity,
            day_left = limits.daily.map(|day| day.left),
            day = limits.daily.map(|day| day.capacity),
            "the session ends"
        );
    }

    /// Wall time now.
    pub fn now(&self) -> Timestamp {
        self.client.clock().wall()
    }

    /// Waits until the wall clock shows `at`.
    pub async fn wait_until(&self, at: Timestamp) {
        let span = at.duration_since(self.now());
        if let Ok(span) = Duration::try_from(span) {
            tokio::time::sleep(span).await;
        }
    }

    /// Tells every face. Nobody listening is fine.
    pub fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Tells that these deals look different because of us.
    pub fn tell_deals(&self, ids: Vec<DealId>) {
        if !ids.is_empty() {
            self.tell(Event::DealsChanged {
                ids,
                by: None,
                remote: false,
            });
        }
    }

    /// Tells where an operation is now, and that its deal looks different.
    pub fn tell_operation(&self, op: OpId, deal: Option<DealId>, state: OpState) {
        self.tell(Event::OperationChanged {
            op,
            deal: deal.clone(),
            state,
        });
        self.tell_deals(deal.into_iter().collect());
    }

    /// Puts a sentence of the engine into the feed.
    pub async fn say(&self, sentence: String) {
        let item = ActivityItem {
            at: self.now(),
            who: Who::Net,
            deal: None,
            name: String::new(),
            kind: ActivityKind::Said(sentence),
        };
        self.happened(vec![item]).await;
    }

    /// Puts entries into the feed and tells the faces. A feed that cannot be written is not worth stopping for.
    pub async fn happened(&self, items: Vec<ActivityItem>) {
        if items.is_empty() {
            return;
        }
        let kept = items.clone();
        let _ = self.desk.write(move |store| Ok(store.mirror.feed_add(&kept)?)).await;
        for item in items {
            self.tell(Event::Happened(item));
        }
    }

    /// Takes note of what a failed request says about the line.
    pub fn failed(&self, failure: &Failure) {
        let now = self.now();
        match &failure.signal {
            signal if signal.is_silence() => {
                self.line.broke(now, self.client.rests_until());
            }
            Signal::Unauthorized | Signal::Interception | Signal::Redirect | Signal::WrongHost => {
                self.line.refused(failure.fault());
            }
            Signal::RateDaily { .. } | Signal::Denied | Signal::Migrating { .. } | Signal::RateWindow { .. } => {
                self.line.slowed(later(now, failure.retry_after.unwrap_or(SLOWEST)));
            }
            // That says nothing about HubSpot.
            Signal::Unkept(_) => {}
            _ => self.line.answered(),
        }
    }

    /// A part of a round, or a look, came to its end. What the state of the line does not say is told until one goes
    /// through. `answers` is how many answers there were when the round began. Answers whether other parts make sense now.
    pub async fn ended<T>(&self, part: Part, outcome: &Result<T, Trouble>, answers: u64) -> bool {
        match outcome {
            Ok(_) => {
                self.line.troubled(part, None);
                true
            }
            Err(Trouble::Failure(failure)) if failure.signal.is_silence() => {
                let is_down = self.is_down(failure, answers).await;
                if is_down {
                    self.failed(failure);
                }
                if !is_down || !line_says_it(&failure.signal) {
                    self.line.troubled(part, Some(failure.fault()));
                }
                !is_down
            }
            Err(Trouble::Failure(failure)) => {
                self.failed(failure);
                if !line_says_it(&failure.signal) {
                    self.line.troubled(part, Some(failure.fault()));
                }
                matches!(failure.signal, Signal::RateSecond { .. }) || !failure.signal.is_about_everything()
            }
            Err(Trouble::Fault(fault)) => {
                let is_refused = matches!(self.line.freshness().connection, Connection::ReadOnly(_));
                if !is_refused {
                    self.line.troubled(part, Some(fault.clone()));
                }
                !is_refused
            }
        }
    }

    /// Takes note of what the failure of one look says about the line: nothing, as long as somebody answers at all.
    pub async fn weigh(&self, failure: &Failure) {
        if !failure.signal.is_silence() || self.is_down(failure, self.client.answers()).await {
            self.failed(failure);
        }
    }

    /// Whether nobody answers at all: one thing that HubSpot fails at is no reason to leave everything else alone. Where
    /// nothing else was asked since there were so many answers, something that always works is.
    async fn is_down(&self, failure: &Failure, answers: u64) -> bool {
        let is_silent = || self.client.answers() == answers;
        if !is_silent() {
            return false;
        }
        if !matches!(failure.signal, Signal::NotSent | Signal::Unreachable(_)) {
            let patience = later(self.now(), PATIENCE);
            let rest = self.client.rests_until().filter(|rest| *rest <= patience);
            self.wait_until(rest.unwrap_or_else(|| self.now())).await;
            // Whatever it says: the count tells whether somebody answered.
            let _ = self.client.account(Lane::Verify).await;
        }
        is_silent()
    }

    /// More of the board is there; told at most four times a second, since reading it all again costs.
    pub fn board_grew(&self) {
        let now = self.now();
        let mut told = self.board_told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|then| later(then, BOARD_EVERY) <= now) {
            *told = Some(now);
            self.tell(Event::BoardChanged);
        }
    }

    /// The deals waiting to be looked at.
    pub fn wishes(&self) -> MutexGuard<'_, VecDeque<DealId>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment counts as last computed.
    pub fn counted(&self) -> MutexGuard<'_, Option<Vec<SegmentCount>>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a dashboard is open.
    pub fn is_watched(&self) -> bool {
        *self.watched.borrow()
    }

    /// Whether this run has made sure that the token and the store belong to the same account.
    pub fn is_account_checked(&self) -> bool {
        *self.account_checked.borrow()
    }

    /// Waits until that is sure.
    pub async fn account_is_checked(&self) {
        // The sender lives in `self`: the wait cannot fail.
        let _ = self.account_checked.subscribe().wait_for(|checked| *checked).await;
    }
}

/// The name under which the mirror keeps how true it is.
pub const AS_OF: &str = "as_of";
/// The cursor that keeps which types could not be read the last time somebody tried.
pub const UNREAD: &str = "unread";

/// Offline, slowed and refused say all there is to say; an answer that is not HubSpot's, and an account that is being moved,
/// need their own sentence besides.
const fn line_says_it(signal: &Signal) -> bool {
    matches!(
        signal,
        Signal::NotSent
            | Signal::NotProcessed
            | Signal::TimedOut
            | Signal::Lost
            | Signal::Unreachable(_)
            | Signal::Server(_)
            | Signal::Unauthorized
            | Signal::Interception
            | Signal::Redirect
            | Signal::WrongHost
            | Signal::RateDaily { .. }
            | Signal::RateWindow { .. }
            | Signal::RateSecond { .. }
            | Signal::Denied
            | Signal::Resting
    )
}

/// The deal an operation is about: its record, or the deal whose note it takes back.
pub fn deal_of(outbox: &OutboxView, operation: &Operation) -> Option<DealId> {
    if operation.entity.object == ObjectType::Deals {
        return Some(operation.entity.id.as_str().into());
    }
    let original = outbox.get(operation.undo_of?).ok()??;
    (original.entity.object == ObjectType::Deals).then(|| original.entity.id.as_str().into())
}

/// The fault of a record that is not in the mirror.
pub fn unknown_record(object: ObjectType, id: &str) -> Fault {
    Fault::new(
        FaultKind::Usage,
        format!("there is no {} '{id}' here", object.singular()),
        "run `dealdeck sync` if it is new",
    )
}

/// The labels of a pipeline's stages, for a sentence.
pub fn stage_labels(pipeline: &Pipeline) -> String {
    let labels: Vec<&str> = pipeline.stages.iter().map(|stage| stage.label.as_str()).collect();
    labels.join(", ")
}
