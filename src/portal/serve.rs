//! The portal on a socket. Exists apart from plain axum for one reason: a fault must be able to close the connection under
//! an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::Portal;

/// The connection a request came on.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    cut: Arc<AtomicBool>,
}

impl Line {
    /// From now on nothing more is written: the connection ends with a reset.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Doorway>> for Line {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Serves until `shutdown` is done.
pub(super) async fn serve(
    portal: Portal,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    portal.start_live();
    let stop = portal.inner.stop.clone();
    let service = portal.router().into_make_service_with_connect_info::<Line>();
    let stopped = async move {
        shutdown.await;
        stop.cancel();
    };
    axum::serve(Doorway(listener), service)
        .with_graceful_shutdown(stopped)
        .await
}

/// A listener whose connections can be cut.
pub(super) struct Doorway(TcpListener);

impl Listener for Doorway {
    type Io = Connection;
    type Addr = Line;

    async fn accept(&mut self) -> (Connection, Line) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    // Small answers must not wait for more to come; without it they are only slower.
                    let _ = stream.set_nodelay(true);
                    let line = Line::default();
                    return (
                        Connection {
                            stream,
                            line: line.clone(),
                        },
                        line,
                    );
                }
                // Out of file descriptors, most likely: some will be free again soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Line> {
        Ok(Line::default())
    }
}

/// A TCP connection that refuses to write once it is cut.
pub(super) struct Connection {
    stream: TcpStream,
    line: Line,
}

impl Connection {
    fn broken(&self) -> Option<io::Error> {
        let cut = self.line.cut.load(Ordering::SeqCst);
        cut.then(|| {
            // Closing then sends a reset instead of a polite end; without it the client still sees no answer.
            let _ = self.stream.set_zero_linger();
            io::Error::from(io::ErrorKind::ConnectionReset)
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
