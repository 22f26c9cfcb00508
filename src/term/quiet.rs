//! A backend that says nothing when there is nothing to say: a frame without a changed cell writes zero bytes, a frame
//! with some is one synchronized update. The cursor's state is remembered so that it is not repeated every frame.

use std::io::{self, BufWriter, Stdout, Write};

use crossterm::{
    queue,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use ratatui::{
    backend::{Backend, ClearType, CrosstermBackend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};

/// The kernel's buffer of a terminal is 4 KiB; a whole screen in true colour is about 66 KiB.
const BUFFER: usize = 128 * 1024;

/// The quiet backend over any writer.
pub struct QuietBackend<W: Write> {
    inner: CrosstermBackend<W>,
    /// Something was written since the last flush: a synchronized update is open.
    open: bool,
    /// The cursor as the terminal shows it; `None` = not known.
    cursor: Option<Option<Position>>,
}

impl QuietBackend<BufWriter<Stdout>> {
    /// On standard output, buffered so that a frame leaves in one piece.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(BufWriter::with_capacity(BUFFER, io::stdout()))
    }
}

impl<W: Write> QuietBackend<W> {
    /// Over this writer.
    pub fn new(writer: W) -> Self {
        Self {
            inner: CrosstermBackend::new(writer),
            open: false,
            cursor: None,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !self.open {
            self.open = true;
            queue!(self.inner, BeginSynchronizedUpdate)?;
        }
        Ok(())
    }
}

impl<W: Write> Backend for QuietBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.begin()?;
        // Drawing moves the cursor; where it ends is nobody's business but it is not where it was.
        if matches!(self.cursor, Some(Some(_))) {
            self.inner.hide_cursor()?;
            self.cursor = Some(None);
        }
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor != Some(None) {
            self.begin()?;
            self.inner.hide_cursor()?;
            self.cursor = Some(None);
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        // Shown together with its position, so that it never flashes at the wrong place.
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor != Some(Some(position)) {
            self.begin()?;
            self.inner.set_cursor_position(position)?;
            self.inner.show_cursor()?;
            self.cursor = Some(Some(position));
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.begin()?;
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.begin()?;
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.open {
            self.open = false;
            queue!(self.inner, EndSynchronizedUpdate)?;
            Backend::flush(&mut self.inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, TerminalOptions, Viewport, layout::Rect, widgets::Paragraph};

    use super::*;

    #[derive(Clone, Default)]
    struct Tape(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Tape {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Tape {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    #[test]
    fn an_unchanged_frame_writes_nothing_and_a_changed_one_is_one_update() {
        let tape = Tape::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 2));
        let mut terminal =
            Terminal::with_options(QuietBackend::new(tape.clone()), TerminalOptions { viewport }).unwrap();
        let mut show = |text: &'static str, cursor: Option<Position>| {
            terminal
                .draw(|frame| {
                    frame.render_widget(Paragraph::new(text), frame.area());
                    if let Some(at) = cursor {
                        frame.set_cursor_position(at);
                    }
                })
                .unwrap();
            tape.take()
        };
        let first = show("deals", None);
        assert!(
            first.starts_with("\u{1b}[?2026h") && first.ends_with("\u{1b}[?2026l"),
            "{first:?}"
        );
        assert_eq!(show("deals", None), "");
        let caret = Some(Position::new(3, 0));
        assert!(!show("deals", caret).is_empty());
        assert_eq!(show("deals", caret), "");
        assert!(
            show("dealt", caret).contains("[?25h"),
            "a drawn frame puts the cursor back"
        );
    }
}
