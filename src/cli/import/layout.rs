//! Where the lines of a file are, and which sign separates its cells.

use csv::StringRecord;

/// The sign that separates cells, and where the head line begins: behind lines that say nothing, and behind Excel's
/// `sep=;`, which names the sign.
pub fn layout(bytes: &[u8]) -> (u8, usize) {
    let begin = first_line(bytes, 0);
    let line = bytes.get(begin..).unwrap_or_default();
    let end = line.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    let line = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\""));
    match bare.unwrap_or(line) {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign] => (*sign, first_line(bytes, begin + line.len())),
        _ => (separator(bytes.get(begin..).unwrap_or_default()), begin),
    }
}

/// Where the first line begins, from here on, that is more than blanks and separators.
fn first_line(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let is_blank = |byte: &u8| matches!(byte, b'\n' | b'\r' | b' ' | b'\t' | b',' | b';');
    let blank = rest.get(..rest.iter().take_while(|byte| is_blank(byte)).count());
    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
    from + blank
        .and_then(|blank| blank.iter().rposition(ends))
        .map_or(0, |end| end + 1)
}

/// The sign that separates most of the head line, outside quotes.
fn separator(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in bytes {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                for (sign, count) in &mut counts {
                    *count += u32::from(sign == byte);
                }
            }
        }
    }
    let [comma, semicolon, tab] = counts;
    let best = if semicolon.1 > comma.1 { semicolon } else { comma };
    if tab.1 > best.1 { tab.0 } else { best.0 }
}

/// Which line a byte is on, from 1; to be asked in the order of the file.
pub struct Lines<'b> {
    bytes: &'b [u8],
    /// Up to here they are counted.
    counted: usize,
    line: u64,
}

impl<'b> Lines<'b> {
    pub const fn of(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            counted: 0,
            line: 1,
        }
    }

    /// The line of this byte.
    pub fn at(&mut self, offset: usize) -> u64 {
        while self.counted < offset {
            let next = self.bytes.get(self.counted + 1);
            self.line += u64::from(match self.bytes.get(self.counted) {
                Some(b'\n') => true,
                Some(b'\r') => next != Some(&b'\n'),
                _ => false,
            });
            self.counted += 1;
        }
        self.line
    }

    /// The first line of a row. The reader of the cells takes the blank lines before it for a part of it.
    pub fn of_row(&mut self, begin: usize, record: &StringRecord) -> u64 {
        let read = record.position().map_or(0, csv::Position::byte);
        let from = begin + usize::try_from(read).unwrap_or_default();
        let blank = self.bytes.get(from..).unwrap_or_default();
        let blank = blank.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        self.at(from + blank)
    }
}
