//! The loop: wait for a signal, a key, the engine, a timer or the next frame; take what is ready; update; start effects;
//! draw at most once. There is no free-running tick: with nothing to do it sleeps, and an unchanged frame writes nothing.
//! Generic over screen and input, so that tests run what ships.

use std::{collections::BTreeMap, io, io::Write as _, time::Duration};

use jiff::Timestamp;
use ratatui::{
    Terminal,
    backend::Backend,
    layout::{Position, Rect},
};
use tokio::time::Instant;

use crate::{
    app::{self, Answer, Effect, Key, Model, Msg, Ticket, TimerId, update},
    sync::Clock,
    ui::{self, Look},
};

use super::{
    Inputs, Start, browser, clipboard, editor,
    effects::Effects,
    guard,
    signals::{Asked, HUNG_UP, Signals},
};

/// Frames that only the engine asks for are at least this far apart; a key is answered at once.
const FRAME: Duration = Duration::from_millis(100);
/// How many waiting messages are taken before a frame is drawn.
const DRAIN: usize = 256;

/// How the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The person left.
    Quit,
    /// A signal ended it: the exit code it asks for.
    Signalled(u8),
    /// Something panicked on another thread; the terminal is back already.
    Panicked,
}

/// The terminal as something to take and to give back.
pub trait Tty {
    /// Gives the terminal back for a while.
    fn leave(&mut self);

    /// Takes it again.
    ///
    /// # Errors
    /// The terminal is gone.
    fn enter(&mut self) -> io::Result<()>;

    /// Sets the terminal's title.
    ///
    /// # Errors
    /// The terminal is gone.
    fn title(&mut self, title: &str) -> io::Result<()>;

    /// Stops the process until the shell continues it.
    ///
    /// # Errors
    /// It cannot be stopped.
    fn stop(&mut self) -> io::Result<()>;
}

/// The running dashboard.
pub struct Dashboard<B: Backend, I: Inputs, T: Tty> {
    terminal: Terminal<B>,
    inputs: I,
    tty: T,
    look: Look,
    model: Model,
    effects: Effects,
    clock: Clock,
    timers: BTreeMap<TimerId, Timestamp>,
    /// The model changed since the last frame.
    dirty: bool,
    /// Something a person did waits to be seen: no pause before the next frame.
    urgent: bool,
    drawn: Instant,
    titled: String,
    end: Option<End>,
}

/// What woke the loop.
enum Woke {
    Signal(Asked),
    Panicked,
    Input(Option<io::Result<Msg>>),
    Message(Msg),
    Time,
}

impl<B, I, T> Dashboard<B, I, T>
where
    B: Backend,
    io::Error: From<B::Error>,
    I: Inputs,
    T: Tty,
{
    /// A dashboard on this screen and this input.
    pub fn new(terminal: Terminal<B>, inputs: I, tty: T, look: Look, start: Start) -> Self {
        let drawn = start.clock.now();
        Self {
            terminal,
            inputs,
            tty,
            look,
            model: start.model,
            effects: Effects::new(start.engine, start.connect),
            clock: start.clock,
            timers: BTreeMap::new(),
            dirty: true,
            urgent: true,
            drawn,
            titled: String::new(),
            end: None,
        }
    }

    /// Runs until it is left. Everything acknowledged or typed is on disk when this returns.
    ///
    /// # Errors
    /// The terminal cannot be read or written any more.
    pub async fn run(mut self) -> io::Result<End> {
        let ended = self.live().await;
        self.effects.finish().await;
        self.tty.leave();
        ended
    }

    async fn live(&mut self) -> io::Result<End> {
        let size = self.terminal.size().map_err(io::Error::from)?;
        self.take(Msg::Resize(size.width, size.height)).await?;
        for effect in app::start(&mut self.model) {
            self.carry_out(effect).await?;
        }
        let mut signals = Signals::listen();
        loop {
            if self.due() {
                self.draw()?;
            }
            if let Some(end) = self.end {
                return Ok(end);
            }
            match self.wait(&mut signals).await {
                Woke::Signal(Asked::End(code)) => return self.end_by_signal(code).await,
                Woke::Signal(Asked::Continue) => {
                    self.tty.enter()?;
                    self.redraw_all()?;
                }
                Woke::Panicked => return Ok(End::Panicked),
                Woke::Input(None) => return self.end_by_signal(HUNG_UP).await,
                Woke::Input(Some(input)) => {
                    self.urgent = true;
                    self.take(input?).await?;
                }
                Woke::Message(msg) => self.take(msg).await?,
                Woke::Time => self.ring().await?,
            }
            for _ in 0..DRAIN {
                match self.effects.ready() {
                    Some(msg) if self.end.is_none() => self.take(msg).await?,
                    _ => break,
                }
            }
        }
    }

    async fn wait(&mut self, signals: &mut Signals) -> Woke {
        let wake = self.wake_at();
        let asleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = guard::panicked() => Woke::Panicked,
            signal = signals.next() => Woke::Signal(signal),
            input = self.inputs.next() => Woke::Input(input),
            msg = self.effects.next() => Woke::Message(msg),
            () = asleep => Woke::Time,
        }
    }

    /// The next moment something happens by itself: a timer, or a frame that waits for its distance.
    fn wake_at(&self) -> Option<Instant> {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let timer = self.timers.values().min().map(|at| {
            let wait = at.duration_since(wall);
            now + Duration::try_from(wait).unwrap_or_default()
        });
        let frame = self.dirty.then(|| self.drawn + FRAME);
        timer.into_iter().chain(frame).min()
    }

    async fn ring(&mut self) -> io::Result<()> {
        let wall = self.clock.wall();
        let rung: Vec<TimerId> = self
            .timers
            .iter()
            .filter(|(_, at)| **at <= wall)
            .map(|(id, _)| *id)
            .collect();
        for id in rung {
            self.timers.remove(&id);
            self.take(Msg::Timer(id)).await?;
        }
        Ok(())
    }

    fn due(&self) -> bool {
        self.dirty && (self.urgent || self.clock.now() >= self.drawn + FRAME)
    }

    async fn take(&mut self, msg: Msg) -> io::Result<()> {
        #[cfg(debug_assertions)]
        panic_when_told(&msg);
        if matches!(msg, Msg::Resumed) {
            self.redraw_all()?;
        }
        self.dirty = true;
        for effect in update(&mut self.model, msg, self.clock.wall()) {
            self.carry_out(effect).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Query(ticket, query) => self.effects.query(ticket, query),
            Effect::Submit(ticket, submission) => self.effects.submit(ticket, submission),
            Effect::Decide(ticket, op, decision) => self.effects.decide(ticket, op, decision),
            Effect::Undo(ticket) => self.effects.undo(ticket),
            Effect::Redo(ticket) => self.effects.redo(ticket),
            Effect::SaveDraft(ticket, deal, text) => self.effects.save_draft(ticket, &deal, text),
            Effect::AddDraft(ticket, deal, text) => self.effects.add_draft(ticket, &deal, text),
            Effect::LookAt(deal) => self.effects.look_at(&deal),
            Effect::Refresh => self.effects.refresh(),
            Effect::Connect(ticket, token) => self.effects.connect(ticket, token),
            Effect::Timer(id, at) => {
                self.timers.insert(id, at);
            }
            Effect::Edit(ticket, text) => Box::pin(self.edit(ticket, &text)).await?,
            Effect::Copy(text) => clipboard::copy(&mut io::stdout(), &text)?,
            // A browser that does not open is no reason to end: the address is on the screen.
            Effect::Browse(url) => drop(browser::open(&url)),
            Effect::Redraw => self.redraw_all()?,
            Effect::Suspend => Box::pin(self.suspend()).await?,
            Effect::Quit => self.end = Some(End::Quit),
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let (model, look) = (&self.model, &self.look);
        self.terminal
            .draw(|frame| ui::view(model, look, frame))
            .map_err(io::Error::from)?;
        let title = ui::plain_title(model);
        if title != self.titled {
            self.tty.title(&title)?;
            self.titled = title;
        }
        self.drawn = self.clock.now();
        (self.dirty, self.urgent) = (false, false);
        Ok(())
    }

    /// What is on the screen is not known any more: the next frame writes every cell.
    fn redraw_all(&mut self) -> io::Result<()> {
        // Not `clear`, which asks the terminal for its cursor: the answer would be taken for a key.
        let size = self.terminal.size().map_err(io::Error::from)?;
        self.terminal
            .resize(Rect::from((Position::ORIGIN, size)))
            .map_err(io::Error::from)?;
        (self.dirty, self.urgent) = (true, true);
        Ok(())
    }

    /// The terminal belongs to somebody else while `work` runs.
    fn aside<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> io::Result<R> {
        self.inputs.pause();
        self.tty.leave();
        let result = work(self);
        self.tty.enter()?;
        self.inputs.resume();
        Ok(result)
    }

    async fn edit(&mut self, ticket: Ticket, text: &str) -> io::Result<()> {
        let program = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
            .unwrap_or_else(|| "vi".to_owned());
        let edited = self.aside(|it| {
            let scratch = it.effects.scratch().to_path_buf();
            // The engine goes on meanwhile: only this thread waits for the editor.
            tokio::task::block_in_place(|| editor::edit(&program, &scratch, text))
        })?;
        self.take(Msg::Resumed).await?;
        self.take(Msg::Answer(ticket, Answer::Edited(edited.ok()))).await
    }

    async fn suspend(&mut self) -> io::Result<()> {
        self.aside(|it| it.tty.stop())??;
        self.take(Msg::Resumed).await
    }

    /// A draft being typed is kept as if the person had left.
    async fn end_by_signal(&mut self, code: u8) -> io::Result<End> {
        self.take(Msg::Key(Key::ctrl('c'))).await?;
        let _ = io::stdout().flush();
        Ok(End::Signalled(code))
    }
}

/// A debug build panics on F24, a key no keyboard has: the tests see with it that a panic gives the terminal back.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "panicking is what it is for, in debug builds only")]
fn panic_when_told(msg: &Msg) {
    if *msg == Msg::Key(Key::plain(app::KeyCode::F(24))) {
        panic!("told to panic");
    }
}
