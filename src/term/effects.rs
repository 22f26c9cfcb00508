//! Carries out what the dashboard wants done, off the loop. Every question is answered exactly once; changes are kept in the
//! order in which they were asked for.

use std::{future::Future, path::PathBuf, sync::Arc};

use futures::future::BoxFuture;
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{Answer, Msg, Query, Story, Ticket, values::editable},
    domain::{DealId, Decision, Event, Fault, FaultKind, OpId, OpState, Operation, Submission},
    sync::Handle,
};

/// Makes an engine out of a token: checks it, keeps it, starts syncing.
pub type Connector = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Handle, Fault>> + Send + Sync>;

/// Answers that may wait for the loop; it drains them faster than an engine can fill them.
const ANSWERS: usize = 1024;

/// The executor.
pub struct Effects {
    engine: Option<Handle>,
    events: Option<broadcast::Receiver<Event>>,
    connect: Connector,
    send: mpsc::Sender<Done>,
    done: mpsc::Receiver<Done>,
    /// Everything under way.
    tasks: TaskTracker,
    /// Nobody waits for answers any more: questions and set-up checks end where they are, changes and drafts go on.
    leaving: CancellationToken,
    /// The newest change under way; the next one waits for it.
    last_change: Option<JoinHandle<()>>,
    /// Where the editor's private file lives.
    scratch: PathBuf,
}

/// More unfinished operations than this are counted but not listed.
const MANY: usize = 10_000;
/// So many finished operations are listed.
const FINISHED: usize = 50;

/// What a spawned effect brings back.
enum Done {
    Answer(Ticket, Answer),
    Connected(Ticket, Result<Handle, Fault>),
}

impl Effects {
    /// An executor on this engine, or on the one a token will make.
    pub fn new(engine: Option<Handle>, connect: Connector) -> Self {
        let (send, done) = mpsc::channel(ANSWERS);
        let events = engine.as_ref().map(Handle::subscribe);
        Self {
            engine,
            events,
            connect,
            send,
            done,
            tasks: TaskTracker::new(),
            leaving: CancellationToken::new(),
            last_change: None,
            scratch: std::env::temp_dir(),
        }
    }

    /// The directory for the editor's file.
    #[must_use]
    pub fn scratch(&self) -> &std::path::Path {
        &self.scratch
    }

    /// The next answer or engine event.
    pub async fn next(&mut self) -> Msg {
        async fn event(events: &mut Option<broadcast::Receiver<Event>>) -> Event {
            let Some(receiver) = events else {
                return std::future::pending().await;
            };
            match receiver.recv().await {
                Ok(event) => event,
                // Too slow for the bursts: whatever was missed, reading the whole board again covers it.
                Err(broadcast::error::RecvError::Lagged(_)) => Event::BoardChanged,
                Err(broadcast::error::RecvError::Closed) => {
                    *events = None;
                    std::future::pending().await
                }
            }
        }
        tokio::select! {
            biased;
            Some(done) = self.done.recv() => self.taken(done),
            event = event(&mut self.events) => Msg::Engine(event),
        }
    }

    /// What is ready right now, without waiting.
    pub fn ready(&mut self) -> Option<Msg> {
        if let Ok(done) = self.done.try_recv() {
            return Some(self.taken(done));
        }
        match self.events.as_mut()?.try_recv() {
            Ok(event) => Some(Msg::Engine(event)),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(Msg::Engine(Event::BoardChanged)),
            Err(_) => None,
        }
    }

    fn taken(&mut self, done: Done) -> Msg {
        match done {
            Done::Answer(ticket, Answer::Board(Ok(mut board))) => {
                // The state of the line may have changed, and been told, while the board was read: an answer must not take
                // that back.
                if let Some(engine) = &self.engine {
                    board.freshness = engine.freshness();
                }
                Msg::Answer(ticket, Answer::Board(Ok(board)))
            }
            Done::Answer(ticket, answer) => Msg::Answer(ticket, answer),
            Done::Connected(ticket, Ok(handle)) => {
                self.events = Some(handle.subscribe());
                self.engine = Some(handle);
                Msg::Answer(ticket, Answer::Connected(Ok(())))
            }
            Done::Connected(ticket, Err(fault)) => Msg::Answer(ticket, Answer::Connected(Err(fault))),
        }
    }

    /// Something whose answer is only worth having while there is a dashboard.
    fn passing(&self, work: impl Future<Output = Done> + Send + 'static) {
        let (send, leaving) = (self.send.clone(), self.leaving.clone());
        self.tasks.spawn(async move {
            leaving
                .run_until_cancelled(async {
                    // The loop is gone only when the dashboard has ended.
                    let _ = send.send(work.await).await;
                })
                .await
        });
    }

    /// Asks the engine. A draft is read after the drafts that were handed over before: an older one must not be taken for
    /// the newest.
    pub fn query(&mut self, ticket: Ticket, query: Query) {
        let Some(engine) = self.engine.clone() else { return };
        if !matches!(query, Query::Draft(_)) {
            return self.passing(async move { Done::Answer(ticket, answer(&engine, query).await) });
        }
        let send = self.send.clone();
        self.in_turn(async move {
            let _ = send.send(Done::Answer(ticket, answer(&engine, query).await)).await;
        });
    }

    /// Keeps a change.
    pub fn submit(&mut self, ticket: Ticket, submission: Submission) {
        self.change(
            ticket,
            Answer::Kept,
            |engine| async move { engine.submit(submission).await },
        );
    }

    /// Carries out what a person decided about an operation.
    pub fn decide(&mut self, ticket: Ticket, op: OpId, decision: Decision) {
        self.change(
            ticket,
            |result| Answer::Decided(result.map(Box::new)),
            |engine| async move { engine.decide(op, decision).await },
        );
    }

    /// Does again what was undone last.
    pub fn redo(&mut self, ticket: Ticket) {
        self.change(ticket, Answer::Redone, |engine| async move { engine.redo().await });
    }

    /// Undoes the newest action.
    pub fn undo(&mut self, ticket: Ticket) {
        self.change(ticket, Answer::Undone, |engine| async move { engine.undo().await });
    }

    /// Keeps a draft on disk.
    pub fn save_draft(&mut self, ticket: Ticket, deal: &DealId, text: Option<String>) {
        let key = draft_key(deal);
        self.change(ticket, Answer::Drafted, |engine| async move {
            engine.save_draft(&key, text.as_deref()).await
        });
    }

    /// Keeps text on disk under the draft that is there.
    pub fn add_draft(&mut self, ticket: Ticket, deal: &DealId, text: String) {
        let key = draft_key(deal);
        self.change(ticket, Answer::Drafted, |engine| async move {
            let text = match engine.draft(&key).await {
                Some(older) => format!("{older}\n{text}"),
                None => text,
            };
            engine.save_draft(&key, Some(&text)).await
        });
    }

    /// A change and its answer.
    fn change<T, F>(&mut self, ticket: Ticket, answer: fn(Result<T, Fault>) -> Answer, change: impl FnOnce(Handle) -> F)
    where
        F: Future<Output = Result<T, Fault>> + Send + 'static,
        T: Send + 'static,
    {
        let changing = self.engine.clone().map(change);
        let send = self.send.clone();
        self.in_turn(async move {
            let result = match changing {
                Some(changing) => changing.await,
                None => Err(no_engine()),
            };
            let _ = send.send(Done::Answer(ticket, answer(result))).await;
        });
    }

    /// Runs `work` once every change before it has ended: what was asked for first is kept first.
    fn in_turn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let before = self.last_change.take();
        self.last_change = Some(self.tasks.spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            work.await;
        }));
    }

    /// Has the engine read a deal's notes and people.
    pub fn look_at(&self, deal: &DealId) {
        if let Some(engine) = &self.engine {
            engine.look_at(deal);
        }
    }

    /// Polls now.
    pub fn refresh(&self) {
        if let Some(engine) = &self.engine {
            engine.refresh();
        }
    }

    /// Checks and keeps a token.
    pub fn connect(&self, ticket: Ticket, token: String) {
        let connecting = (self.connect)(token);
        self.passing(async move { Done::Connected(ticket, connecting.await) });
    }

    /// Waits for the changes and drafts under way: what was acknowledged or typed must be on disk before we leave. What was
    /// only asked for ends at once, or an answer that never comes would keep the terminal.
    pub async fn finish(&mut self) {
        self.leaving.cancel();
        self.tasks.close();
        let tasks = self.tasks.clone();
        let all = tasks.wait();
        tokio::pin!(all);
        loop {
            tokio::select! {
                () = &mut all => return,
                // Answers are taken so that no task waits for a place in the channel.
                _ = self.done.recv() => {}
            }
        }
    }
}

async fn answer(engine: &Handle, query: Query) -> Answer {
    match query {
        Query::Board => Answer::Board(engine.board().await.map(Box::new)),
        Query::Deals(asked) => {
            let found = engine.deals(&asked).await;
            Answer::Deals { asked, found }
        }
        Query::Detail(id) => Answer::Detail(engine.deal(&id).await.map(|detail| detail.map(Box::new))),
        Query::Outbox => Answer::Outbox(operations(engine).await),
        Query::Story(id) => Answer::Story(id, story(engine, id).await.map(Box::new)),
        Query::Draft(id) => {
            let text = engine.draft(&draft_key(&id)).await;
            Answer::Draft(id, text)
        }
    }
}

/// What is not finished or was refused, then the last ones that are finished.
async fn operations(engine: &Handle) -> Result<Vec<Operation>, Fault> {
    let concerns = |state: &OpState| !state.is_final() || state.needs_person();
    let (open, over): (Vec<_>, Vec<_>) = OpState::ALL.into_iter().partition(concerns);
    let mut operations = engine.operations(Some(&open), MANY).await?;
    operations.extend(engine.operations(Some(&over), FINISHED).await?);
    Ok(operations)
}

async fn story(engine: &Handle, id: OpId) -> Result<Story, Fault> {
    let story = engine.operation_story(id).await?;
    let mut definitions = engine.definitions(story.operation.entity.object).await?;
    let names = editable(&story.operation);
    let set = |name: &str| story.operation.payload.sets(name) || names.iter().any(|(wanted, _)| *wanted == name);
    definitions.retain(|definition| set(&definition.name));
    Ok(Story { story, definitions })
}

/// The key under which a deal's note draft is kept.
fn draft_key(deal: &DealId) -> String {
    format!("note:{deal}")
}

fn no_engine() -> Fault {
    Fault::new(FaultKind::Auth, "no account is connected", "enter a token first")
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn leaving_waits_for_what_was_typed_and_not_for_a_token_being_checked() {
        let unanswered: Connector = Arc::new(|_| std::future::pending().boxed());
        let mut effects = Effects::new(None, unanswered);
        effects.connect(Ticket(1), "pat-na1-0123".to_owned());
        let on_disk = Arc::new(AtomicBool::new(false));
        let disk = Arc::clone(&on_disk);
        effects.in_turn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            disk.store(true, Ordering::SeqCst);
        });
        let left = tokio::time::timeout(Duration::from_mins(5), effects.finish()).await;
        assert!(left.is_ok(), "the check of a token keeps the terminal");
        assert!(on_disk.load(Ordering::SeqCst), "a draft was dropped");
    }
}
