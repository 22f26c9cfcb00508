//! Text on its way in and out: what may reach a terminal, note text to HTML, HTML to plain text. Data is kept raw (it must
//! equal the truth); it leaves for a screen, a title, a log or the clipboard only through [`safe`] or [`safe_block`].

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

/// How many combining marks one character keeps.
const MAX_MARKS: usize = 8;

/// One line, safe for a terminal: escape sequences go whole, line breaks and tabs become blanks, other control characters
/// go, bidi overrides and zero-width characters become `·`.
#[must_use]
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(clean(text, false))
    }
}

/// The same for text of several lines: line feeds stay.
#[must_use]
pub fn safe_block(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| is_plain(c) || c == '\n') {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(clean(text, true))
    }
}

/// Certainly harmless and single: anything else takes the slow path.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a1}'..='\u{2ff}' if c != '\u{ad}')
        || matches!(c, '\u{3041}'..='\u{9fff}' | '…' | '–' | '—' | '’' | '€')
}

fn clean(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let stripped = strip_sequences(text);
    for cluster in stripped.graphemes(true) {
        for (nth, c) in cluster.chars().enumerate() {
            match c {
                '\n' if lines => out.push('\n'),
                '\r' if cluster == "\r\n" => {}
                '\n' | '\r' | '\t' => out.push(' '),
                _ if is_invisible(c) => out.push('·'),
                _ if c.is_control() => {}
                _ if nth > MAX_MARKS => {}
                _ => out.push(c),
            }
        }
    }
    out
}

/// Bidi controls, zero-width characters and tags: they change what a line says without being seen.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Drops escape sequences whole: CSI, OSC, DCS, SOS, PM, APC (7 and 8 bit) with their payload, and two-character escapes.
fn strip_sequences(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let kind = match c {
            '\u{1b}' => match chars.next() {
                Some(kind) => kind,
                None => break,
            },
            '\u{9b}' => '[',
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => ']',
            _ => {
                out.push(c);
                continue;
            }
        };
        match kind {
            '[' => {
                while let Some(next) = chars.next_if(|c| matches!(c, '\u{20}'..='\u{3f}' | '\u{40}'..='\u{7e}')) {
                    if matches!(next, '\u{40}'..='\u{7e}') {
                        break;
                    }
                }
            }
            ']' | 'P' | 'X' | '^' | '_' => {
                // Up to BEL, ST or the end of the line: an unfinished string must not swallow the rest of a note.
                while let Some(next) = chars.next_if(|c| *c != '\n') {
                    if matches!(next, '\u{7}' | '\u{9c}') {
                        break;
                    }
                    if next == '\u{1b}' {
                        let _ = chars.next_if_eq(&'\\');
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    out
}

/// A note's plain text as the HTML HubSpot keeps: markup characters escaped, line breaks as `<br>`.
#[must_use]
pub fn body_to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (nth, line) in text.trim_end().lines().enumerate() {
        if nth > 0 {
            out.push_str("<br>");
        }
        for c in line.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                // What a terminal left in a pipe is nobody's text.
                c if c.is_control() && c != '\t' => {}
                _ => out.push(c),
            }
        }
    }
    out
}

/// A note's HTML as plain text, wrapped at `width` cells. Nothing is fetched, links show their target. It is cleaned before
/// its markup is read too: the reader drops the beginning of an escape sequence and would leave the rest of it as text.
#[must_use]
pub fn html_to_text(html: &str, width: usize) -> String {
    let width = width.clamp(10, 10_000);
    let html = safe_block(html);
    let text = html2text::config::plain_no_decorate()
        .string_from_read(html.as_bytes(), width)
        .unwrap_or_else(|_| html.to_string());
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    safe_block(lines.join("\n").trim()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_a_terminal_that_could_steer_it() {
        for (dirty, clean) in [
            ("Acme\u{1b}]52;c;aGFsbG8=\u{7} Ltd", "Acme Ltd"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("a\u{1b}]0;title\u{1b}\\b", "ab"),
            ("a\rb\nc\td", "a b c d"),
            ("in\u{202e}voice", "in·voice"),
            ("zero\u{200b}width\u{feff}", "zero·width·"),
            ("bell\u{7}del\u{7f}", "belldel"),
            ("月光チーズ株式会社", "月光チーズ株式会社"),
            ("e\u{301}té", "e\u{301}té"),
        ] {
            assert_eq!(safe(dirty), clean, "{dirty:?}");
            assert_eq!(safe(&safe(dirty)), clean, "idempotent: {dirty:?}");
        }
        let zalgo = format!("a{}", "\u{301}".repeat(50));
        assert!(safe(&zalgo).chars().count() <= 1 + MAX_MARKS);
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(safe_block("one\r\ntwo\n\u{1b}]8;;x\nthree"), "one\ntwo\n\nthree");
    }

    #[test]
    fn note_text_survives_the_way_to_html_and_back() {
        let text = "Call with Pip & Wren\n<b>not bold</b> 1 < 2\n\nNext: send \"quote\"";
        assert_eq!(html_to_text(&body_to_html(text), 200), text);
        assert!(!body_to_html("<img src=x>").contains('<'));
    }

    #[test]
    fn an_escape_sequence_in_html_goes_whole() {
        assert_eq!(
            html_to_text("<p>a\u{1b}[31mred\u{1b}]52;c;aGk=\u{7} b</p>", 80),
            "ared b"
        );
    }

    #[test]
    fn hubspots_own_html_reads_as_text() {
        assert_eq!(
            html_to_text(
                "<div><p>Champion is <strong>Wren</strong>.</p><p>Budget&nbsp;ok</p></div>",
                80
            )
            .replace('\u{a0}', " "),
            "Champion is Wren.\n\nBudget ok"
        );
    }
}
