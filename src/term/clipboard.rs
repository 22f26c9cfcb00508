//! Copying through the terminal (OSC 52): works over ssh and in multiplexers, reads nothing, and only when asked for.

use std::io::{self, Write};

use crossterm::{clipboard::CopyToClipboard, execute};

use crate::domain::safe_block;

/// More than this is not what a person means by a copy.
const MAX: usize = 100 * 1024;

/// Puts text on the clipboard, made safe, at most 100 KiB of it.
///
/// # Errors
/// The terminal cannot be written.
pub fn copy(out: &mut impl Write, text: &str) -> io::Result<()> {
    let safe = safe_block(text);
    let cut = (0..=MAX.min(safe.len()))
        .rev()
        .find(|at| safe.is_char_boundary(*at))
        .unwrap_or(0);
    execute!(out, CopyToClipboard::to_clipboard_from(&safe[..cut]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_carries_no_escape_and_is_bounded() {
        let mut out = Vec::new();
        copy(&mut out, "Acme\u{1b}]0;x\u{7}").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\u{1b}]52;c;QWNtZQ==\u{1b}\\");
        let mut out = Vec::new();
        copy(&mut out, &"é".repeat(MAX)).unwrap();
        assert!(out.len() < MAX * 4 / 3 + 64);
    }
}
