//! Taking the terminal and giving it back. Giving back is idempotent and happens on drop, on panic and on every way out.

use std::{
    io::{self, Write as _, stdout},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, EnableBracketedPaste},
    execute,
    terminal::{
        EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
    },
};

use tokio::sync::Notify;

use super::Tty;

/// The terminal is ours: raw, on its alternate screen.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Told by the panic hook, which is as process-wide as this is.
static PANICKED: Notify = Notify::const_new();

/// Resolves when something panicked on any thread: the screen is not ours any more and the program must end.
pub async fn panicked() {
    PANICKED.notified().await;
}

/// Holds the terminal; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// The terminal refuses raw mode or cannot be written.
    pub fn take() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
                PANICKED.notify_one();
            }));
        });
        enter()?;
        Ok(Self(()))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste).inspect_err(|_| give_back())
}

/// Errors are ignored: the terminal may be gone, and there is nobody left to tell.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = stdout();
        let _ = execute!(
            out,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

impl Tty for Guard {
    fn leave(&mut self) {
        give_back();
    }

    fn enter(&mut self) -> io::Result<()> {
        enter()
    }

    fn title(&mut self, title: &str) -> io::Result<()> {
        execute!(stdout(), SetTitle(title))
    }

    #[cfg(unix)]
    fn stop(&mut self) -> io::Result<()> {
        // The whole process stops here until the shell continues it.
        Ok(rustix::process::kill_process(
            rustix::process::getpid(),
            rustix::process::Signal::TSTP,
        )?)
    }

    #[cfg(not(unix))]
    fn stop(&mut self) -> io::Result<()> {
        Ok(())
    }
}
