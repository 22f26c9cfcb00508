//! Standard input, and files, read on a thread of its own: a signal ends the command although nobody closes the pipe. The
//! runtime would wait for a thread of its own that reads.

use std::{
    io::{self, StdinLock},
    thread,
};

use tokio::sync::oneshot;

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
