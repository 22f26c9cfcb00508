//! Columns and rows, written as a table, CSV or markdown.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::domain::safe;

/// A column of text is not cut below this.
const NARROW: usize = 6;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub head: Cow<'static, str>,
    /// Its cells are numbers of ours: right-aligned, and never mistaken for a formula.
    pub number: bool,
    /// Its cells say nothing when they are cut: a time, a number.
    pub whole: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(head: &'static str) -> Self {
        Self {
            head: Cow::Borrowed(head),
            number: false,
            whole: false,
        }
    }

    /// A column of text of one length, like times, which is never cut.
    #[must_use]
    pub const fn whole(head: &'static str) -> Self {
        Self {
            head: Cow::Borrowed(head),
            number: false,
            whole: true,
        }
    }

    /// A column of text that is called as somebody else called it.
    #[must_use]
    pub const fn named(head: String) -> Self {
        Self {
            head: Cow::Owned(head),
            number: false,
            whole: false,
        }
    }

    /// Our own heads are written as they are.
    fn markdown(&self) -> String {
        match &self.head {
            Cow::Borrowed(head) => (*head).to_owned(),
            Cow::Owned(head) => escaped(head),
        }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(head: &'static str) -> Self {
        Self {
            head: Cow::Borrowed(head),
            number: true,
            whole: true,
        }
    }
}

/// Rows under columns; every row has as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, raw text.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Aligned columns, two blanks apart, without trailing blanks; the text is safe for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        self.table_within(None)
    }

    /// The same in lines of at most so many cells, as far as that leaves something of every column: the widest columns of
    /// text are cut first, the first one, which names the row, and what says nothing when it is cut never.
    #[must_use]
    pub fn table_within(&self, width: Option<usize>) -> String {
        let heads = self.columns.iter().map(|column| safe(&column.head)).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(|cell| safe(cell)).collect());
        let lines: Vec<Vec<Cow<'_, str>>> = std::iter::once(heads).chain(rows).collect();
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|nth| {
                let cells = lines.iter().filter_map(|line| line.get(nth));
                cells.map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        self.shrink(&mut widths, width.unwrap_or(usize::MAX));
        let mut out = String::new();
        for line in &lines {
            let cells = line.iter().zip(&self.columns).zip(&widths);
            let padded: Vec<String> = cells
                .map(|((cell, column), width)| {
                    let cell = cut(cell, *width);
                    let gap = " ".repeat(width.saturating_sub(cell.width()));
                    if column.number {
                        format!("{gap}{cell}")
                    } else {
                        format!("{cell}{gap}")
                    }
                })
                .collect();
            out.push_str(padded.join("  ").trim_end());
            out.push('\n');
        }
        out
    }

    fn shrink(&self, widths: &mut [usize], room: usize) {
        let gaps = 2 * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > room {
            let texts = widths.iter_mut().zip(&self.columns).skip(1);
            let widest = texts.filter(|(_, column)| !column.whole).map(|(width, _)| width).max();
            match widest {
                Some(width) if *width > NARROW => *width -= 1,
                _ => return,
            }
        }
    }

    /// RFC 4180: a head line, CRLF, quotes where they are needed. Text that a spreadsheet would run as a formula gets a
    /// leading `'`.
    #[must_use]
    pub fn csv(&self) -> String {
        let heads = self
            .columns
            .iter()
            .map(|column| quoted(neutral(&column.head)))
            .collect();
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().zip(&self.columns);
            cells
                .map(|(cell, column)| quoted(if column.number { cell.into() } else { neutral(cell) }))
                .collect()
        });
        let lines = std::iter::once(heads).chain(rows);
        lines.map(|line: Vec<Cow<'_, str>>| line.join(",") + "\r\n").collect()
    }

    /// A markdown table; characters that mean something in markdown are escaped.
    #[must_use]
    pub fn markdown(&self) -> String {
        let heads = self.columns.iter().map(|column| column.markdown()).collect();
        let rules = self
            .columns
            .iter()
            .map(|column| if column.number { "---:" } else { "---" }.to_owned())
            .collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| escaped(cell)).collect());
        let lines = [heads, rules].into_iter().chain(rows);
        lines
            .map(|line: Vec<String>| format!("| {} |\n", line.join(" | ")))
            .collect()
    }
}

/// The beginning of a text that is too long, with a sign that it is one.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let (mut used, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        end = at + c.len_utf8();
    }
    format!("{}…", text.get(..end).unwrap_or_default()).into()
}

/// A leading `'` before what a spreadsheet takes for the start of a formula, after blanks and in full-width forms too.
fn neutral(cell: &str) -> Cow<'_, str> {
    let first = cell.trim_start().chars().next();
    let formula = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    if formula || cell.starts_with(['\t', '\r']) {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

fn quoted(cell: Cow<'_, str>) -> Cow<'_, str> {
    let edge_blank = cell.starts_with(char::is_whitespace) || cell.ends_with(char::is_whitespace);
    if edge_blank || cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell
    }
}

fn escaped(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    for c in safe(cell).chars() {
        if matches!(c, '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(cell: &str) -> Sheet {
        Sheet {
            columns: vec![Column::text("name"), Column::number("amount")],
            rows: vec![vec![cell.to_owned(), "-4000.00".to_owned()]],
        }
    }

    #[test]
    fn a_spreadsheet_runs_nothing() {
        for (cell, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1+1", "'  =1+1"),
            ("＝1+1", "'＝1+1"),
            ("\t=1", "'\t=1"),
            ("\rx", "\"'\rx\""),
            ("\n=1", "\"'\n=1\""),
            ("Acme = good", "Acme = good"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            (" edge", "\" edge\""),
            ("", ""),
        ] {
            assert_eq!(
                one(cell).csv(),
                format!("name,amount\r\n{written},-4000.00\r\n"),
                "{cell:?}"
            );
        }
    }

    #[test]
    fn columns_line_up_by_cells_and_steer_nothing() {
        let mut sheet = one("月光チーズ");
        sheet
            .rows
            .push(vec!["\u{1b}[31mred\u{1b}[0m\nline".into(), "7.00".into()]);
        assert_eq!(
            sheet.table(),
            "name          amount\n月光チーズ  -4000.00\nred line        7.00\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_the_beginnings_of_the_widest_texts() {
        let sheet = Sheet {
            columns: vec![
                Column::text("id"),
                Column::text("name"),
                Column::text("city"),
                Column::number("amount"),
            ],
            rows: vec![
                vec![
                    "20000000001".into(),
                    "月光チーズ月光チーズ".into(),
                    "Upper Marzipan".into(),
                    "1234567.00".into(),
                ],
                vec!["2".into(), "Ann".into(), "Föhr".into(), "1.00".into()],
            ],
        };
        assert_eq!(
            sheet.table_within(Some(50)),
            "id           name          city             amount\n\
             20000000001  月光チーズ…   Upper Marz…  1234567.00\n\
             2            Ann           Föhr               1.00\n"
        );
        let narrowest = sheet.table_within(Some(5));
        assert!(
            narrowest.contains("20000000001  月光…   Upper…  1234567.00\n"),
            "{narrowest}"
        );
        assert_eq!(sheet.table_within(None), sheet.table());
    }

    #[test]
    fn markdown_shows_what_is_written() {
        assert_eq!(
            one("a|b *c* <d>\ne").markdown(),
            "| name | amount |\n| --- | ---: |\n| a\\|b \\*c\\* \\<d\\> e | -4000.00 |\n"
        );
    }
}
