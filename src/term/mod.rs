//! All that is impure about a terminal: taking and giving it back, keys and signals in, frames out, effects carried out.
//! It decides nothing about deals; [`crate::app`] does. Whatever happens — a quit, an error, a panic, a signal — the
//! terminal is left as it was found.

mod browser;
mod clipboard;
mod editor;
mod effects;
mod guard;
mod hidden;
mod input;
mod look;
mod quiet;
mod run;
mod signals;

pub use browser::open_consent;
pub use editor::{keep_from_children, without_secrets};
pub use effects::Connector;
pub use hidden::hidden_line;
pub use input::{Input, Inputs};
pub use look::{LookSettings, Surroundings};
pub use quiet::QuietBackend;
pub use run::{Dashboard, End, Tty};

use std::io::IsTerminal as _;

use ratatui::Terminal;

use crate::{
    app::Model,
    domain::{Fault, FaultKind},
    sync::{Clock, Handle},
};

/// Everything the dashboard needs to start on the real terminal.
pub struct Start {
    /// The dashboard's state; its size is set here.
    pub model: Model,
    /// How it should look.
    pub look: LookSettings,
    /// The engine, when there is a token to run it with.
    pub engine: Option<Handle>,
    /// Makes an engine out of a token typed in set-up.
    pub connect: Connector,
    /// The time.
    pub clock: Clock,
}

/// How many cells a line of standard output has; `None` where it is no terminal.
#[must_use]
pub fn columns() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    let (columns, _) = is_terminal.then(crossterm::terminal::size)?.ok()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

/// Refuses anything that is not a terminal a dashboard can live in.
///
/// # Errors
/// A usage fault that names the commands to use instead.
pub fn check(surroundings: &Surroundings) -> Result<(), Fault> {
    let refuse = |what: &str| {
        Err(Fault::new(
            FaultKind::Usage,
            what,
            "use a command instead: 'dealdeck deals list', 'dealdeck sync', 'dealdeck --help' lists them all",
        ))
    };
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return refuse("the dashboard needs a terminal and this is not one");
    }
    if surroundings.term == "dumb" {
        return refuse("the dashboard cannot be drawn on TERM=dumb");
    }
    Ok(())
}

/// Runs the dashboard on the real terminal until it is left.
///
/// # Errors
/// The terminal could not be taken, read or written.
pub async fn dashboard(start: Start, surroundings: &Surroundings) -> Result<End, Fault> {
    let failed = |error: std::io::Error| {
        Fault::new(
            FaultKind::Usage,
            format!("the terminal does not work: {error}"),
            "try another terminal",
        )
    };
    // Asked before the event reader exists, which would swallow the answers.
    let look = look::detect(&start.look, surroundings);
    let tty = guard::Guard::take().map_err(failed)?;
    let terminal = Terminal::new(QuietBackend::stdout()).map_err(failed)?;
    let dashboard = Dashboard::new(terminal, input::Keyboard::new(), tty, look, start);
    dashboard.run().await.map_err(failed)
}
