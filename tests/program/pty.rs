//! A real terminal for the built binary: a pty that is always drained, a screen that is parsed, queries that are answered.

#![expect(clippy::expect_used, reason = "a test says what it expected by panicking")]

use std::{
    io::{Read, Write},
    num::NonZeroU16,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a test waits for a screen before it says what it saw instead.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the reader thread keeps.
struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
}

/// A program in a terminal.
pub struct Terminal {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Starts a program in a terminal of this many columns and rows.
    pub fn start(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a pty");
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("LANG", "C.UTF-8");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(cells(rows), cells(columns), 0),
                bytes: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let (kept, answers) = (Arc::clone(&seen), Arc::clone(&writer));
        thread::spawn(move || {
            let mut chunk = [0_u8; 65_536];
            loop {
                let count = reader.read(&mut chunk).unwrap_or(0);
                let (lock, changed) = &*kept;
                let mut seen = lock.lock().expect("not poisoned");
                if count == 0 {
                    seen.closed = true;
                    changed.notify_all();
                    return;
                }
                let new = &chunk[..count];
                seen.parser.process(new);
                seen.bytes.extend_from_slice(new);
                changed.notify_all();
                drop(seen);
                answer(new, &answers);
            }
        });
        Self {
            seen,
            writer,
            master: pair.master,
            child,
        }
    }

    /// Types bytes.
    pub fn keys(&self, keys: &str) {
        let mut writer = self.writer.lock().expect("not poisoned");
        writer.write_all(keys.as_bytes()).expect("the terminal takes keys");
        writer.flush().expect("the terminal takes keys");
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.seen.0.lock().expect("not poisoned").parser.screen().contents()
    }

    /// Waits until the screen satisfies `right`; fails with the screen it saw instead.
    pub fn wait_until(&self, what: &str, right: impl Fn(&str) -> bool) -> String {
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().expect("not poisoned");
        let (seen, _) = changed
            .wait_timeout_while(seen, PATIENCE, |seen| {
                !right(&seen.parser.screen().contents()) && !seen.closed
            })
            .expect("not poisoned");
        let screen = seen.parser.screen().contents();
        let last = seen.bytes.len().saturating_sub(600);
        assert!(
            right(&screen),
            "waited for {what}, saw:\n{screen}\nlast bytes: {:?}",
            String::from_utf8_lossy(&seen.bytes[last..])
        );
        screen
    }

    /// Waits until the screen shows this text.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("'{text}'"), |screen| screen.contains(text))
    }

    /// Waits this long for the program to write something; true when it did.
    pub fn wrote_within(&self, time: Duration) -> bool {
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().expect("not poisoned");
        let before = seen.bytes.len();
        let (seen, _) = changed
            .wait_timeout_while(seen, time, |seen| seen.bytes.len() == before)
            .expect("not poisoned");
        seen.bytes.len() > before
    }

    /// Whether the alternate screen is shown, and whether the cursor is.
    pub fn modes(&self) -> (bool, bool) {
        let seen = self.seen.0.lock().expect("not poisoned");
        (
            seen.parser.screen().alternate_screen(),
            !seen.parser.screen().hide_cursor(),
        )
    }

    /// How many frames (synchronized updates) were drawn so far.
    pub fn frames(&self) -> usize {
        let seen = self.seen.0.lock().expect("not poisoned");
        seen.bytes.windows(8).filter(|window| *window == b"\x1b[?2026h").count()
    }

    /// Makes the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.seen
            .0
            .lock()
            .expect("not poisoned")
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).expect("the terminal resizes");
    }

    /// The program's process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().expect("it runs")).expect("a pid")
    }

    /// Waits for the program to end and gives its exit code (128 + signal when a signal ended it).
    pub fn end(&mut self) -> u32 {
        let status = self.child.wait().expect("it ends");
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().expect("not poisoned");
        let _ = changed.wait_timeout_while(seen, Duration::from_secs(5), |seen| !seen.closed);
        status.exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has at least one cell")
}

/// A real terminal answers: cursor position, device attributes, background colour.
fn answer(bytes: &[u8], writer: &Mutex<Box<dyn Write + Send>>) {
    let text = String::from_utf8_lossy(bytes);
    let say = |reply: &str| {
        if let Ok(mut writer) = writer.lock() {
            let _ = writer.write_all(reply.as_bytes());
            let _ = writer.flush();
        }
    };
    if text.contains("\u{1b}]11;?") {
        say("\u{1b}]11;rgb:0e0e/1111/1717\u{1b}\\");
    }
    if text.contains("\u{1b}]10;?") {
        say("\u{1b}]10;rgb:d3d3/d9d9/e3e3\u{1b}\\");
    }
    if text.contains("\u{1b}[c") {
        say("\u{1b}[?62;22c");
    }
    if text.contains("\u{1b}[6n") {
        say("\u{1b}[1;1R");
    }
}
