//! Keys, pastes and sizes, from the terminal or from a test.

use std::{future::Future, io, time::Duration};

use crossterm::event::{Event, EventStream, KeyEvent, KeyEventKind, KeyModifiers};
use futures::StreamExt as _;

use crate::app::{Key, KeyCode, Msg};

/// One thing the person did.
pub type Input = Msg;

/// Where input comes from.
pub trait Inputs {
    /// The next input; `None` when the terminal is gone.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<Input>>>;

    /// Stops reading, so that an editor or the shell can.
    fn pause(&mut self);

    /// Reads again.
    fn resume(&mut self);
}

/// The real terminal's events.
pub struct Keyboard(Option<EventStream>);

impl Keyboard {
    /// Starts reading.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(EventStream::new()))
    }
}

impl Inputs for Keyboard {
    async fn next(&mut self) -> Option<io::Result<Input>> {
        let Some(events) = &mut self.0 else {
            return std::future::pending().await;
        };
        loop {
            match events.next().await? {
                Err(error) => return Some(Err(error)),
                Ok(event) => {
                    if let Some(input) = input(&event) {
                        return Some(Ok(input));
                    }
                }
            }
        }
    }

    fn pause(&mut self) {
        self.0 = None;
        // Dropping the stream leaves a wake-up behind. Found together with a key by the next reader, it would hide the key
        // until another one is pressed; so it is taken away here.
        let _ = crossterm::event::poll(Duration::ZERO);
    }

    fn resume(&mut self) {
        self.0 = Some(EventStream::new());
    }
}

/// An event as a message; releases, mouse and focus say nothing.
fn input(event: &Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => press(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Paste(text.clone())),
        Event::Resize(width, height) => Some(Msg::Resize(*width, *height)),
        _ => None,
    }
}

fn press(key: &KeyEvent) -> Option<Key> {
    use crossterm::event::KeyCode as Raw;
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let code = match key.code {
        Raw::Char(c) if shift && c.is_lowercase() => KeyCode::Char(c.to_uppercase().next().unwrap_or(c)),
        Raw::Char(c) => KeyCode::Char(c),
        Raw::Enter => KeyCode::Enter,
        Raw::Esc => KeyCode::Esc,
        Raw::Tab if shift => KeyCode::BackTab,
        Raw::Tab => KeyCode::Tab,
        Raw::BackTab => KeyCode::BackTab,
        Raw::Backspace => KeyCode::Backspace,
        Raw::Delete => KeyCode::Delete,
        Raw::Home => KeyCode::Home,
        Raw::End => KeyCode::End,
        Raw::PageUp => KeyCode::PageUp,
        Raw::PageDown => KeyCode::PageDown,
        Raw::Up => KeyCode::Up,
        Raw::Down => KeyCode::Down,
        Raw::Left => KeyCode::Left,
        Raw::Right => KeyCode::Right,
        Raw::F(n) => KeyCode::F(n),
        _ => return None,
    };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let code = match code {
        // With control held, terminals disagree about the case; the registry spells it small.
        KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
        other => other,
    };
    Some(Key {
        code,
        ctrl,
        alt: key.modifiers.contains(KeyModifiers::ALT),
    })
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyEventState;

    use super::*;

    #[test]
    fn presses_become_keys_and_releases_do_not() {
        let event = |code, modifiers, kind| {
            input(&Event::Key(KeyEvent {
                code,
                modifiers,
                kind,
                state: KeyEventState::NONE,
            }))
        };
        use crossterm::event::KeyCode as Raw;
        let press = KeyEventKind::Press;
        assert_eq!(
            event(Raw::Char('G'), KeyModifiers::SHIFT, press),
            Some(Msg::Key(Key::char('G')))
        );
        assert_eq!(
            event(Raw::Char('S'), KeyModifiers::CONTROL, press),
            Some(Msg::Key(Key::ctrl('s')))
        );
        assert_eq!(
            event(Raw::Tab, KeyModifiers::SHIFT, press),
            Some(Msg::Key(Key::plain(KeyCode::BackTab)))
        );
        assert_eq!(event(Raw::Char('j'), KeyModifiers::NONE, KeyEventKind::Release), None);
    }
}
