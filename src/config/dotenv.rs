//! A `.env` file as other programs write it: `NAME=value`, `export NAME="value"`, comments. Lines that are none of these
//! belong to somebody else and are left alone.

/// A variable in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    /// From 1.
    pub(super) line: usize,
}

/// The variables, in the order of the file.
pub(super) fn parse(text: &str) -> Vec<Variable> {
    let text = text.trim_start_matches('\u{feff}');
    text.lines()
        .enumerate()
        .filter_map(|(nth, line)| variable(line, nth + 1))
        .collect()
}

fn variable(line: &str, number: usize) -> Option<Variable> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then(|| Variable {
        name: name.to_owned(),
        value: unquoted(value.trim()),
        line: number,
    })
}

/// The text between quotes, or up to a comment.
fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside.to_owned();
        }
    }
    let end = value
        .find(" #")
        .unwrap_or(if value.starts_with('#') { 0 } else { value.len() });
    value.get(..end).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_programs_write_is_read() {
        let text = "\u{feff}# ours\nA=1\nexport B=\"two words\" # c\r\nC='#3'\nD=four # c\nE=\nF=a=b\n=x\nnot a line\nG H=1\nI=#\n";
        let all: Vec<(String, String, usize)> = parse(text)
            .into_iter()
            .map(|variable| (variable.name, variable.value, variable.line))
            .collect();
        let expected = [
            ("A", "1", 2),
            ("B", "two words", 3),
            ("C", "#3", 4),
            ("D", "four", 5),
            ("E", "", 6),
            ("F", "a=b", 7),
            ("I", "", 11),
        ];
        assert_eq!(
            all,
            expected.map(|(name, value, line)| (name.to_owned(), value.to_owned(), line))
        );
    }
}
