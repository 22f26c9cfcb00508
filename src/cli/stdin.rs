//! Standard input, and files, read on a thread of its own: a signal ends the command although nobody closes the pipe. The
//! runtime would wait for a thread of its own that reads.

use std::{
    io::{self, BufRead as _, IsTerminal as _, StdinLock, Write as _},
    thread,
};

use tokio::sync::oneshot;

use crate::domain::{Fault, FaultKind};

/// Asks a person whether they want it; a program has to say `--yes`.
///
/// # Errors
/// When nobody can be asked: then `what` would happen, in words.
pub async fn agreed(what: &str, question: &str) -> Result<bool, Fault> {
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            FaultKind::Usage,
            format!("{what}, and nobody can be asked here"),
            "add --yes",
        ));
    }
    let _ = write!(io::stderr().lock(), "{question} [y/N] ").and_then(|()| io::stderr().flush());
    let answer = read(|mut input| {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line)
    });
    let answer = answer.await.unwrap_or_default();
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// What `read` makes of standard input. When nobody waits for it any more, the reading ends with the process.
pub async fn read<T: Send + 'static>(
    read: impl FnOnce(StdinLock<'_>) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    beside(move || read(io::stdin().lock())).await?
}

/// What comes of work that may take long, or for ever. It too ends with the process.
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("beside".to_owned()).spawn(move || {
        // Nobody may be left to tell.
        let _ = tell.send(work());
    })?;
    told.await.map_err(io::Error::other)
}
