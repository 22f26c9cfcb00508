//! Quotes that do not close. The reader of the cells takes the end of the file for their end, and a cell would swallow
//! every row behind it.

/// Where a sign stands in its row.
#[derive(Clone, Copy)]
enum At {
    /// At the beginning of a cell: a quote opens here.
    Begin,
    /// In a cell without quotes, where a quote is a sign like any other.
    Plain,
    /// In a cell that was opened here.
    Quoted(usize),
    /// Behind the quote that may have closed the cell opened here.
    Closed(usize),
}

/// Where a quote opens that does not close, or closes before the end of its cell.
pub fn unclosed(bytes: &[u8], separator: u8) -> Option<usize> {
    let mut at = At::Begin;
    for (here, byte) in bytes.iter().copied().enumerate() {
        let ends = byte == separator || matches!(byte, b'\n' | b'\r');
        at = match (at, byte) {
            (At::Quoted(open), b'"') => At::Closed(open),
            (At::Quoted(open), _) | (At::Closed(open), b'"') => At::Quoted(open),
            (_, _) if ends => At::Begin,
            (At::Closed(open), b' ' | b'\t') => At::Closed(open),
            (At::Closed(open), _) => return Some(open),
            (At::Begin, b'"') => At::Quoted(here),
            _ => At::Plain,
        };
    }
    match at {
        At::Quoted(open) => Some(open),
        At::Begin | At::Plain | At::Closed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_closes_at_the_end_of_its_cell() {
        for (text, open) in [
            ("", None),
            ("a,\"b\"", None),
            ("a,\"b \"\"c\"\"\"\n", None),
            ("a,\"b\" ,c\r\n", None),
            ("a 5\" nail,b\n", None),
            ("a,\"b\nc", Some(2)),
            ("a,\"b\"\"", Some(2)),
            ("a,\"b\n\"c\",d\n", Some(2)),
            ("a;\"b\";c", None),
        ] {
            let separator = if text.contains(';') { b';' } else { b',' };
            assert_eq!(unclosed(text.as_bytes(), separator), open, "{text:?}");
        }
    }
}
