//! The one handle every face talks to. Looks are answered from the mirror at once and never wait for the network; changes
//! are answered when they are on disk.

use std::{sync::Arc, time::Duration};

use tokio::sync::broadcast;

use super::{
    PushSettings,
    connection::is_open,
    core::Core,
    decide,
    detail::{detail, of, pending},
    keys,
    listing::{self, DealQuery},
    once::{self, SyncOptions},
    pull, redo, segments, submit, undo, view, words,
};
use crate::{
    domain::{
        Account, Board, Bug, Contact, ContactId, Deal, DealDetail, DealId, Decision, Event, Facts, Fault, Freshness,
        Identity, KeySupport, LastSync, Limits, ObjectType, OpId, OpState, Operation, OperationStory, Page, Payload,
        Progress, PropertyDefinition, Receipt, RedoOutcome, SegmentCount, SentRequest, Submission, SyncReport,
        UndoOutcome,
    },
    hubspot::Clock,
    store::OutboxFilter,
};

/// How many entries of the feed a board shows.
const FEED: usize = 100;
/// Somebody who waits for an operation looks this often, because another process may be the one that sends.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A face's way to the engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) core: Arc<Core>,
}

impl Handle {
    pub(super) const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Everything the board needs, as it is shown: the mirror with our pending operations on top.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn board(&self) -> Result<Board, Fault> {
        let segments = segments::counted(&self.core).await?;
        let (settings, freshness) = (self.core.settings.clone(), self.core.line.freshness());
        self.core
            .desk
            .read(move |reader| {
                let owners = reader.mirror.owners()?;
                Ok(Board {
                    account: reader.mirror.account()?,
                    me: words::me(&reader.mirror, &settings, &owners)?,
                    pipelines: reader.mirror.pipelines()?,
                    owners,
                    deals: listing::shown_deals(reader)?,
                    segments,
                    activity: reader.mirror.feed(FEED)?,
                    freshness,
                })
            })
            .await
    }

    /// How many contacts each segment has, as they were counted last: at once, however many contacts there are.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn segments(&self) -> Result<Vec<SegmentCount>, Fault> {
        segments::counted(&self.core).await
    }

    /// Counts the segments now, unless what was counted last still holds.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn count_segments(&self) -> Result<Vec<SegmentCount>, Fault> {
        if segments::is_due(&self.core).await? {
            segments::recount(&self.core).await?;
        }
        self.segments().await
    }

    /// What ids are called, from the mirror.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn facts(&self) -> Result<Facts, Fault> {
        self.core
            .desk
            .read(|reader| {
                Ok(Facts {
                    account: reader.mirror.account()?,
                    pipelines: reader.mirror.pipelines()?,
                    owners: reader.mirror.owners()?,
                })
            })
            .await
    }

    /// The property definitions of an object type, from the mirror; empty until they were read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn definitions(&self, object: ObjectType) -> Result<Vec<PropertyDefinition>, Fault> {
        self.core
            .desk
            .read(move |reader| Ok(reader.mirror.definitions(object)?))
            .await
    }

    /// Asks HubSpot whose token this is, as the engine does before it reads or sends anything. Some tokens cannot be asked
    /// who they are and what they may do: `None`.
    ///
    /// # Errors
    /// HubSpot refuses the token or does not answer; the token is of another account than the configuration, the mirror
    /// or what waits to be sent.
    pub async fn check(&self) -> Result<(Account, Option<Identity>), Fault> {
        Ok(pull::check(&self.core).await?)
    }

    /// Which types have a property that makes their creates safe to send again, as HubSpot says now.
    pub async fn key_support(&self) -> Vec<KeySupport> {
        keys::support(&self.core).await
    }

    /// Gives the types that have none such a property: notes, tasks and deals get a unique text of our own.
    pub async fn set_up_keys(&self) -> Vec<KeySupport> {
        keys::set_up(&self.core).await
    }

    /// These deals as they are shown; a vanished one is simply absent.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn deals(&self, ids: &[DealId]) -> Result<Vec<Deal>, Fault> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.core
            .desk
            .read(move |reader| {
                let pending = pending(reader)?;
                let records = reader.mirror.records(ObjectType::Deals, &ids)?;
                Ok(records
                    .iter()
                    .map(|record| view::deal(record, of(&pending, record)))
                    .collect())
            })
            .await
    }

    /// One deal with what belongs to it, as it is shown. `None` when the mirror does not have it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn deal(&self, id: &DealId) -> Result<Option<DealDetail>, Fault> {
        let id = id.clone();
        self.core.desk.read(move |reader| detail(reader, &id)).await
    }

    /// Somebody looks at this deal: its notes, contacts and companies are read, and an event tells when they are there.
    pub fn look_at(&self, id: &DealId) {
        let mut wishes = self.core.wishes();
        wishes.retain(|wish| wish != id);
        wishes.push_back(id.clone());
        drop(wishes);
        self.core.look_bell.notify_one();
    }

    /// Keeps a change. When this returns, it survives anything.
    ///
    /// # Errors
    /// When the change makes no sense (an unknown stage names the ones there are) or cannot be kept.
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let saved = self
            .core
            .desk
            .keep(move |store| submit::keep(store, &settings, submission, now))
            .await;
        if saved.is_err() && self.core.settings.drill.has(Bug::SavedAnyway) {
            return Ok(Receipt {
                op: OpId(uuid::Uuid::nil()),
                said: "saved".to_owned(),
            });
        }
        let saved = saved?;
        for (op, state) in saved.moved {
            self.core.tell_operation(op.id, saved.deal.clone(), state);
        }
        self.core.push_bell.notify_one();
        Ok(saved.receipt)
    }

    /// Keeps changes that are one for the person (a bulk edit): each is checked and kept for itself, and one undo takes back
    /// all that were kept. The answers stand in the order of the changes.
    ///
    /// # Errors
    /// When the store cannot make them one; what was kept stays kept, each for itself.
    pub async fn submit_all(&self, submissions: Vec<Submission>) -> Result<Vec<Result<Receipt, Fault>>, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let all = self
            .core
            .desk
            .keep(move |store| submit::keep_all(store, &settings, submissions, now))
            .await?;
        for saved in all.iter().flatten() {
            for (op, state) in &saved.moved {
                self.core.tell_operation(op.id, saved.deal.clone(), *state);
            }
        }
        self.core.push_bell.notify_one();
        Ok(all.into_iter().map(|saved| saved.map(|saved| saved.receipt)).collect())
    }

    /// Takes back the newest action of any face, whatever it was; actions that were one are taken back as one.
    ///
    /// # Errors
    /// When the store cannot keep it.
    pub async fn undo(&self) -> Result<UndoOutcome, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let undone = self
            .core
            .desk
            .keep(move |store| undo::undo(store, &settings, now))
            .await?;
        for (op, deal, state) in undone.moved {
            self.core.tell_operation(op, deal, state);
        }
        self.core.push_bell.notify_one();
        Ok(undone.outcome)
    }

    /// Does again what was undone last, as new operations.
    ///
    /// # Errors
    /// When the store cannot keep it.
    pub async fn redo(&self) -> Result<RedoOutcome, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let redone = self
            .core
            .desk
            .keep(move |store| redo::redo(store, &settings, now))
            .await?;
        for (op, deal, state) in redone.moved {
            self.core.tell_operation(op, deal, state);
        }
        self.core.push_bell.notify_one();
        Ok(redone.outcome)
    }

    /// Carries out what a person decided about an operation.
    ///
    /// # Errors
    /// When its state does not allow that, or a value makes no sense, or the store cannot keep it.
    pub async fn decide(&self, id: OpId, decision: Decision) -> Result<Operation, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        if decision != Decision::Drop {
            // Whoever sends again may have given the token what it lacked.
            self.core.scopes.ask_again();
        }
        let (kept, deal) = self
            .core
            .desk
            .keep(move |store| {
                let kept = decide::decide(store, &settings, id, &decision, now)?;
                let deal = super::core::deal_of(&store.outbox, &kept);
                Ok((kept, deal))
            })
            .await?;
        self.core.tell_operation(id, deal, kept.state);
        self.core.push_bell.notify_one();
        Ok(kept.op)
    }

    /// The operation somebody means: by its id, or by how that begins or ends.
    ///
    /// # Errors
    /// When there is none, or there are several, or the store cannot be read.
    pub async fn find_operation(&self, text: &str) -> Result<OpId, Fault> {
        let text = text.to_owned();
        self.core.desk.read(move |reader| decide::find(reader, &text)).await
    }

    /// One operation with every send of it and what the mirror has now.
    ///
    /// # Errors
    /// When there is none, or the store cannot be read.
    pub async fn operation_story(&self, id: OpId) -> Result<OperationStory, Fault> {
        self.core.desk.read(move |reader| decide::story(reader, id)).await
    }

    /// Operations, newest first; `None` = in any state.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn operations(&self, states: Option<&[OpState]>, limit: usize) -> Result<Vec<Operation>, Fault> {
        let filter = OutboxFilter {
            states: states.unwrap_or_default().to_vec(),
            entity: None,
            limit: Some(limit),
        };
        self.core
            .desk
            .read(move |reader| Ok(submit::operations(reader.outbox.list(&filter)?)))
            .await
    }

    /// One operation.
    ///
    /// # Errors
    /// When there is none, or the store cannot be read.
    pub async fn operation(&self, id: OpId) -> Result<Operation, Fault> {
        self.core
            .desk
            .read(move |reader| Ok(reader.outbox.get(id)?.ok_or(crate::store::Error::Missing(id))?.op))
            .await
    }

    /// Waits until an operation has come to rest, or until the time is up. One that cannot be sent at the moment, because
    /// HubSpot does not answer or refuses the token, is not waited for. Nor is a note without a key of which nobody knows
    /// whether it arrived: that takes minutes. Everything else is looked up at once, and waited for.
    ///
    /// # Errors
    /// When there is no such operation, or the store cannot be read.
    pub async fn wait_for(&self, id: OpId, timeout: Duration) -> Result<Operation, Fault> {
        let clock = self.core.client.clock();
        let deadline = clock.now() + timeout;
        let mut events = self.subscribe();
        loop {
            let operation = self.operation(id).await?;
            let is_coming = match operation.state {
                OpState::Queued => is_open(&self.core.line.freshness().connection),
                OpState::InFlight => true,
                OpState::Uncertain => !matches!(operation.payload, Payload::CreateNote { key: None, .. }),
                _ => false,
            };
            if !is_coming || clock.now() >= deadline {
                return Ok(operation);
            }
            let next = deadline.min(clock.now() + LOOK_AGAIN);
            tokio::select! {
                biased;
                () = clock.sleep_until(next) => {}
                () = heard_of(&mut events, id) => {}
            }
        }
    }

    /// A page of deals, as they are shown.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_deals(&self, query: DealQuery) -> Result<Page<Deal>, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let wished = self.core.wished.clone();
        self.core
            .desk
            .read(move |reader| listing::deals(reader, &settings, &wished, &query, now))
            .await
    }

    /// These contacts, as far as the mirror has them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>, Fault> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.core
            .desk
            .read(move |reader| Ok(reader.mirror.contacts(&ids)?))
            .await
    }

    /// Keeps a draft; `None` forgets it.
    ///
    /// # Errors
    /// When the store cannot keep it.
    pub async fn save_draft(&self, key: &str, text: Option<&str>) -> Result<(), Fault> {
        let (key, text) = (key.to_owned(), text.map(str::to_owned));
        self.core
            .desk
            .keep(move |store| match text {
                Some(text) => Ok(store.outbox.put_draft(&key, &text)?),
                None => Ok(store.outbox.drop_draft(&key)?),
            })
            .await
    }

    /// The draft under this key. A store that cannot be read has none.
    pub async fn draft(&self, key: &str) -> Option<String> {
        let key = key.to_owned();
        let draft = self.core.desk.read(move |reader| Ok(reader.outbox.draft(&key)?)).await;
        draft.ok().flatten()
    }

    /// The engine's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.core.client.clock()
    }

    /// Both budgets and the statistics.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.core.client.limits()
    }

    /// The last requests of every process of the store, newest first, at most so many.
    #[must_use]
    pub fn requests(&self, count: usize) -> Vec<SentRequest> {
        self.core.client.budget().requests(count)
    }

    /// How true the data is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.core.line.freshness()
    }

    /// How contacts of one's own are pushed.
    #[must_use]
    pub fn push_settings(&self) -> &PushSettings {
        &self.core.settings.push
    }

    /// What happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.core.events.subscribe()
    }

    /// Whether the mirror was damaged when it was opened: it holds nothing until the next sync.
    #[must_use]
    pub fn was_damaged(&self) -> bool {
        self.core.desk.was_damaged
    }

    /// What the store has to say to people once: a mirror that was damaged, a mode that was tightened.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.core.notices
    }

    /// Poll now, and try again what the token was refused.
    pub fn refresh(&self) {
        self.core.scopes.ask_again();
        self.core.poll_bell.notify_waiters();
    }

    /// A dashboard looks (or does not look any more): deals are polled often, and background work leaves a reserve.
    pub fn set_watched(&self, watched: bool) {
        self.core
            .watched
            .send_if_modified(|now| std::mem::replace(now, watched) != watched);
    }

    /// One pass: push and pull, then done.
    ///
    /// # Errors
    /// A fault of kind busy when another process holds the lock; what goes wrong on the way otherwise stands in the report.
    pub async fn sync_once(
        &self,
        options: SyncOptions,
        progress: impl Fn(Progress) + Sync,
    ) -> Result<SyncReport, Fault> {
        once::sync_once(&self.core, &options, &progress).await
    }

    /// What the last pass did, whichever process ran it; `None` before the first one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_sync(&self) -> Result<Option<LastSync>, Fault> {
        once::last_sync(&self.core).await
    }
}

/// Waits for news of an operation, or for having missed some.
async fn heard_of(events: &mut broadcast::Receiver<Event>, id: OpId) {
    loop {
        match events.recv().await {
            Ok(Event::OperationChanged { op, .. }) if op == id => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
