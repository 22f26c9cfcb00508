//! JSON on one line that is safe to print: characters that could steer a terminal leave as `\u` escapes, so nothing is
//! lost and nothing acts.

use std::io;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::domain::Fault;

/// A value as one line, without the line break.
///
/// # Errors
/// When the value cannot be JSON, which no shape of this room is.
pub fn compact<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Escaping))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// One JSON object a line, each with its line break.
///
/// # Errors
/// As [`compact`].
pub fn lines<T: Serialize>(values: &[T]) -> serde_json::Result<String> {
    values.iter().map(|value| Ok(compact(value)? + "\n")).collect()
}

/// Escapes what serde_json leaves as it is: DEL, C1, bidi controls and line separators.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let steers = |c: char| {
            matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}')
        };
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| steers(*c)) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// A failure for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct FaultJson {
    /// [`crate::domain::FaultKind::word`]
    pub kind: &'static str,
    /// What happened and why.
    pub message: String,
    /// What to do next.
    pub next: String,
    /// In how many seconds it is tried again by itself.
    pub retry_after_seconds: Option<i64>,
}

/// The JSON of a failure, seen at `now`.
#[must_use]
pub fn fault_json(fault: &Fault, now: Timestamp) -> FaultJson {
    FaultJson {
        kind: fault.kind.word(),
        message: fault.what.clone(),
        next: fault.next.clone(),
        retry_after_seconds: fault.retry_at.map(|at| (at.as_second() - now.as_second()).max(0)),
    }
}

/// The last line of stderr of a command asked for JSON: `{"error":{…}}`, without the line break.
///
/// # Errors
/// As [`compact`].
pub fn error_line(fault: &Fault, now: Timestamp) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Line {
        error: FaultJson,
    }
    compact(&Line {
        error: fault_json(fault, now),
    })
}
