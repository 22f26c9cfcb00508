//! A line typed without echo, outside the dashboard: for secrets. The terminal is raw only while somebody types, and cooked
//! again when the answer is dropped, whatever the reason.

use std::io::{self, Write as _, stderr};

use crossterm::{
    event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers},
    terminal::{disable_raw_mode, enable_raw_mode},
};
use futures::StreamExt as _;
use secrecy::SecretString;

/// Raw mode; dropping it ends it.
struct Raw;

impl Drop for Raw {
    fn drop(&mut self) {
        // The terminal may be gone, and there is nobody left to tell.
        let _ = disable_raw_mode();
        let _ = writeln!(stderr());
    }
}

/// Asks for a line on standard error; `None` when the person would rather not (ctrl-c, ctrl-d, esc).
///
/// # Errors
/// The terminal cannot be read.
pub async fn hidden_line(prompt: &str) -> io::Result<Option<SecretString>> {
    // First the mode: whoever is quick would see the first letters otherwise.
    enable_raw_mode()?;
    let _raw = Raw;
    write!(stderr(), "{prompt}")?;
    stderr().flush()?;
    let mut events = EventStream::new();
    let mut line = String::new();
    while let Some(event) = events.next().await {
        let key = match event? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            Event::Paste(text) => {
                line.push_str(&text);
                continue;
            }
            _ => continue,
        };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(SecretString::from(line))),
            KeyCode::Esc => return Ok(None),
            KeyCode::Char('c' | 'd') if control => return Ok(None),
            KeyCode::Char('j' | 'm') if control => return Ok(Some(SecretString::from(line))),
            KeyCode::Char('u') if control => line.clear(),
            KeyCode::Char(c) if !control => line.push(c),
            KeyCode::Backspace => drop(line.pop()),
            _ => {}
        }
    }
    Ok(None)
}
