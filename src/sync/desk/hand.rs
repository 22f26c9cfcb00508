//! A thread that does what it is given, one thing after the other. A connection that always works on the same thread
//! keeps its memory in one place: handed from thread to thread of a pool, every one of them keeps some of it.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Ends when it is dropped, and has done everything by then.
pub(super) struct Hand {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Hand {
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn hire(name: &str) -> io::Result<Self> {
        let (jobs, given) = mpsc::channel::<Job>();
        let work = move || {
            for job in given {
                // Whoever waits for a job that panics is told so by the channel that it drops.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread::Builder::new().name(name.to_owned()).spawn(work)?),
        })
    }

    /// Waits for what `work` returns; `None` when it panicked. It is done whether or not somebody still waits.
    pub(super) async fn run<T, W>(&self, work: W) -> Option<T>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move || {
            // Nobody may wait any more.
            let _ = answer.send(work());
        };
        self.jobs.as_ref()?.send(Box::new(job)).ok()?;
        answered.await.ok()
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.jobs = None;
        // A job may be what drops it: that one cannot wait for itself.
        let thread = self
            .thread
            .take()
            .filter(|it| it.thread().id() != thread::current().id());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_next_job_is_done() {
        let hand = Hand::hire("test").unwrap();
        assert_eq!(hand.run(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(hand.run(|| 2).await, Some(2));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_done_before_it_ends() {
        let (done, seen) = mpsc::channel();
        let hand = Hand::hire("test").unwrap();
        let work = hand.run(move || done.send(1).unwrap());
        let _ = futures::poll!(Box::pin(work));
        drop(hand);
        assert_eq!(seen.try_recv(), Ok(1));
    }

    #[tokio::test]
    async fn a_job_may_be_what_ends_it() {
        let hand = std::sync::Arc::new(Hand::hire("test").unwrap());
        let (gate, open) = mpsc::channel();
        let last = hand.clone();
        let work = hand.run(move || {
            open.recv().unwrap();
            drop(last);
        });
        let mut work = Box::pin(work);
        assert!(futures::poll!(work.as_mut()).is_pending());
        drop(work);
        drop(hand);
        gate.send(()).unwrap();
    }
}
