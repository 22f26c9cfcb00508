//! A file of contacts, read: which bytes are text, which sign separates, which column means what, and of every row either
//! the contact or why it is none. Nothing is kept here.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{
    layout::{Lines, layout},
    quotes,
};
use crate::domain::{Fault, FaultKind, Field, FieldMap, NewContact, NoColumn, safe};

/// Marks that a text file may begin with.
const BOM: &[u8] = b"\xef\xbb\xbf";
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Columns of `contacts list --format csv` that nobody can write.
const OURS: [&str; 7] = [
    "id",
    "segments",
    "lists",
    "created_at",
    "updated_at",
    "synced_at",
    "properties",
];

/// A row that is no contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its first line in the file, from 1.
    pub line: u64,
    /// Which property.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// The rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Contacts, in the order of the file.
    pub contacts: Vec<NewContact>,
    /// What is none.
    pub bad: Vec<BadRow>,
    /// Columns of our own listings that cannot be written.
    pub left_out: Vec<String>,
}

/// What a column is for.
enum Column {
    /// Its cells are values of a property.
    Of(Field),
    /// It is known, and nothing to import.
    LeftOut,
    /// The head line does not name it: its cells have to be empty.
    Unnamed,
}

/// Reads the bytes of a file.
///
/// # Errors
/// When it is no text, has no head line, a quote that does not close, or a column that nobody knows: then nothing of it
/// can be trusted.
pub fn read(bytes: &[u8], map: &FieldMap) -> Result<Rows, Fault> {
    let bytes = text(bytes)?;
    let (separator, begin) = layout(bytes);
    let rest = bytes.get(begin..).unwrap_or_default();
    let mut lines = Lines::of(bytes);
    if let Some(open) = quotes::unclosed(rest, separator) {
        let line = lines.at(begin + open);
        return Err(refused(
            &format!("the quote that opens on line {line} does not close at the end of its cell"),
            "close it; a quote that is part of a quoted text is written twice",
        ));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(rest);
    let head = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let mut rows = Rows::default();
    let columns = columns(&head, map, &mut rows.left_out)?;
    let mut seen = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = lines.of_row(begin, &record);
        match row(&record, &columns, &mut seen, line) {
            Ok(contact) => rows.contacts.push(contact),
            Err((field, reason)) => rows.bad.push(BadRow { line, field, reason }),
        }
    }
    Ok(rows)
}

/// The bytes without the mark of UTF-8, which they have to be.
fn text(bytes: &[u8]) -> Result<&[u8], Fault> {
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(refused("the file is UTF-16 text", "save it as 'CSV UTF-8'"));
    }
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = Lines::of(bytes).at(error.valid_up_to());
        refused(
            &format!("line {line} of the file is not UTF-8 text"),
            "save it as 'CSV UTF-8'",
        )
    })?;
    Ok(bytes)
}

/// One row: a contact, or the field and the reason why it is none. `seen` has the line of every address so far.
fn row(
    record: &StringRecord,
    columns: &[Column],
    seen: &mut BTreeMap<String, u64>,
    line: u64,
) -> Result<NewContact, (String, String)> {
    check_width(record, columns).map_err(|reason| ("row".to_owned(), reason))?;
    let cells = columns.iter().zip(record).filter_map(|(column, cell)| match column {
        Column::Of(field) => Some((field, plain(cell))),
        Column::LeftOut | Column::Unnamed => None,
    });
    let contact = NewContact::of_cells(cells).map_err(|unfit| (unfit.field, unfit.reason))?;
    match seen.insert(contact.email.clone(), line) {
        None => Ok(contact),
        Some(first) => {
            seen.insert(contact.email.clone(), first);
            let reason = format!("'{}' is on line {first} already", contact.email);
            Err(("email".to_owned(), reason))
        }
    }
}

/// Whether every named column has its cell, and no other cell says anything.
fn check_width(record: &StringRecord, columns: &[Column]) -> Result<(), String> {
    let is_named = |column: &Column| !matches!(column, Column::Unnamed);
    let named = columns.iter().rposition(is_named).map_or(0, |last| last + 1);
    if record.len() < named || record.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        return Err(format!(
            "it has '{}' fields, the head line has {}",
            record.len(),
            columns.len()
        ));
    }
    let mut cells = columns.iter().zip(record).enumerate();
    match cells.find(|(_, (column, cell))| !is_named(column) && !cell.is_empty()) {
        Some((nth, (_, cell))) => Err(format!("'{cell}' is in column {}, which has no name", nth + 1)),
        None => Ok(()),
    }
}

/// A value without the sign that keeps spreadsheets from running it, which our own exports put there.
fn plain(text: &str) -> &str {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start().starts_with(FORMULA) || rest.starts_with(['\t', '\r']) => rest,
        _ => text,
    }
}

/// What every column is for. Those of our own listings that cannot be written are named in `left_out`.
fn columns(head: &StringRecord, map: &FieldMap, left_out: &mut Vec<String>) -> Result<Vec<Column>, Fault> {
    let is_export = OURS.iter().all(|ours| head.iter().any(|name| name == *ours));
    let mut columns = Vec::with_capacity(head.len());
    let mut names: Vec<String> = Vec::with_capacity(head.len());
    for name in head.iter().map(plain) {
        if name.is_empty() {
            columns.push(Column::Unnamed);
            continue;
        }
        let field = map.field(name);
        if OURS.contains(&name) && (is_export || field.is_err()) {
            left_out.push(name.to_owned());
            columns.push(Column::LeftOut);
            continue;
        }
        let field = field.map_err(|trouble| no_column(&safe(name), trouble))?;
        if names.iter().any(|name| name == field.name()) {
            return Err(refused(
                &format!("two columns are about '{}'", field.name()),
                "take one of them out",
            ));
        }
        names.push(field.name().to_owned());
        columns.push(Column::Of(field));
    }
    if !names.iter().any(|name| name == "email") {
        return Err(refused(
            "the file has no column of e-mail addresses",
            "contacts go by them: name the column 'email' in the first line",
        ));
    }
    Ok(columns)
}

fn no_column(shown: &str, trouble: NoColumn) -> Fault {
    match trouble {
        NoColumn::Unknown(nearest) => refused(
            &format!("contacts have no property '{shown}'"),
            &nearest.map_or_else(
                || "name it as HubSpot does, or add it to [push.map]".to_owned(),
                |nearest| {
                    format!("the nearest one is '{nearest}'; [push.map] in the configuration gives fields a meaning")
                },
            ),
        ),
        NoColumn::Computed(name) => refused(
            &format!("'{name}' is computed by HubSpot and cannot be set"),
            "take the column out",
        ),
        NoColumn::Several(names) => refused(
            &format!("'{shown}' is the label of several properties"),
            &format!("use the internal name of one of: {}", names.join(", ")),
        ),
    }
}

fn unreadable(error: &csv::Error) -> Fault {
    refused(
        &format!("the file cannot be read: {error}"),
        "check that it is a CSV file",
    )
}

fn refused(what: &str, next: &str) -> Fault {
    Fault::new(FaultKind::Usage, what, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Rows, Fault> {
        read(text.as_bytes(), &FieldMap::default())
    }

    fn value(rows: &Rows, nth: usize, name: &str) -> Option<String> {
        rows.contacts[nth].values.get(name).cloned().flatten()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let texts = [
            "\u{feff}Email,Full name,Company\r\nada@example.com,Ada Lovelace,\"Engines, Ltd\"\r\n",
            "Email;Full name;Company\nADA@example.com;Ada Lovelace;\"Engines, Ltd\"\n;;\n",
            "email\tname\tcompany\nada@example.com\tAda Lovelace\tEngines, Ltd",
        ];
        for text in texts {
            let rows = rows(text).unwrap();
            assert_eq!((rows.contacts.len(), rows.bad.len()), (1, 0), "{text}");
            assert_eq!(rows.contacts[0].email, "ada@example.com");
            assert_eq!(value(&rows, 0, "firstname").as_deref(), Some("Ada"));
            assert_eq!(value(&rows, 0, "company").as_deref(), Some("Engines, Ltd"));
        }
    }

    #[test]
    fn lines_are_counted_through_quoted_breaks_and_what_an_export_quoted_is_plain_again() {
        let rows =
            rows("email,company,phone\na@b.example,\"two\nlines\",'+1 555\nnobody,x,\nA@B.example,y,\nc@d.example,z\n")
                .unwrap();
        assert_eq!(value(&rows, 0, "company").as_deref(), Some("two\nlines"));
        assert_eq!(value(&rows, 0, "phone").as_deref(), Some("+1 555"));
        let bad: Vec<(u64, &str)> = rows.bad.iter().map(|bad| (bad.line, bad.field.as_str())).collect();
        assert_eq!(bad, [(4, "email"), (5, "email"), (6, "row")]);
        assert!(rows.bad[1].reason.contains("on line 2 already"), "{:?}", rows.bad);
    }

    #[test]
    fn a_quote_that_does_not_close_is_refused_with_its_line() {
        let said = |text: &str| rows(text).unwrap_err().to_string();
        let open = said("email,company\n\na@b.example,\"two\nlines\"\nb@b.example,\"Acme\nc@b.example,Engines\n");
        assert!(open.contains("the quote that opens on line 5 "), "{open}");
        let torn = said("email,company\r\na@b.example,\"Acme\r\nb@b.example,\"Engines\"\r\n");
        assert!(torn.contains("the quote that opens on line 2 "), "{torn}");
        assert!(said("email,\"company\na@b.example,x\n").contains("on line 1 "));
    }

    #[test]
    fn empty_cells_at_the_end_say_nothing() {
        let read = rows("email,name,\na@b.example,Ada,\nb@b.example,Bob\nc@b.example,Cy,,,\n").unwrap();
        assert_eq!((read.contacts.len(), read.bad.len()), (3, 0), "{:?}", read.bad);
        let read = rows("email,name,\na@b.example,Ada,x\nb@b.example,Bob,,y\nc@b.example\n").unwrap();
        let bad: Vec<(u64, &str)> = read.bad.iter().map(|bad| (bad.line, bad.reason.as_str())).collect();
        assert_eq!(
            bad,
            [
                (2, "'x' is in column 3, which has no name"),
                (3, "it has '4' fields, the head line has 3"),
                (4, "it has '1' fields, the head line has 3"),
            ]
        );
    }

    #[test]
    fn the_head_line_is_found_behind_what_says_nothing() {
        for text in [
            "sep=;\r\nemail;company\r\na@b.example;Engines, Ltd\r\n",
            "\u{feff}\"SEP=;\"\nemail;company\na@b.example;Engines, Ltd\n",
            "\n\r\nemail;company\na@b.example;Engines, Ltd\n",
            " \n;;\nemail;company\na@b.example;Engines, Ltd\n",
            "sep=|\nemail|company\na@b.example|Engines, Ltd\n",
        ] {
            let rows = rows(text).unwrap();
            assert_eq!((rows.contacts.len(), rows.bad.len()), (1, 0), "{text:?}");
            assert_eq!(value(&rows, 0, "company").as_deref(), Some("Engines, Ltd"), "{text:?}");
        }
    }

    #[test]
    fn the_line_of_a_bad_row_is_right_behind_blank_lines() {
        for (text, line) in [
            ("email\n\n\nnobody\n", 4),
            ("email\r\n\r\nnobody\r\n", 3),
            ("\n\nemail\nnobody\n", 4),
            ("sep=,\nemail,company\na@b.example,\"x\r\n\r\ny\"\n\nnobody,\n", 7),
            ("email\ra@b.example\rnobody\r", 3),
        ] {
            let bad: Vec<u64> = rows(text).unwrap().bad.iter().map(|bad| bad.line).collect();
            assert_eq!(bad, [line], "{text:?}");
        }
    }

    #[test]
    fn what_our_own_listing_wrote_is_read_again() {
        let head = "id,email,first_name,phone,segments,lists,created_at,updated_at,synced_at,properties";
        let row = "7,a@b.example,\"'  =1+1\",'＋1 555,cold,12,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,,{}";
        let read = rows(&format!("{head}\r\n{row}\r\n")).unwrap();
        assert_eq!(read.left_out, OURS);
        assert_eq!(value(&read, 0, "phone").as_deref(), Some("＋1 555"));
        assert_eq!(value(&read, 0, "firstname").as_deref(), Some("=1+1"));
        assert_eq!(value(&read, 0, "lists"), None);
        let some = rows("id,email,company\n7,a@b.example,'Tis\n").unwrap();
        assert_eq!(some.left_out, ["id"]);
        assert_eq!(value(&some, 0, "company").as_deref(), Some("'Tis"));
    }

    #[test]
    fn files_that_nobody_can_trust_are_refused() {
        let said = |text: &str| rows(text).unwrap_err().to_string();
        assert!(said("email,colour\n").contains("no property 'colour'"));
        assert!(said("email,phone,Telephone\n").contains("two columns are about 'phone'"));
        assert!(said("name,phone\n").contains("no column of e-mail addresses"));
        assert!(said("").contains("no column of e-mail addresses"));
        let latin = read(
            b"email,name\na@b.example,Ada\nb@b.example,Ren\xe9\n",
            &FieldMap::default(),
        );
        assert!(
            latin
                .unwrap_err()
                .to_string()
                .contains("line 3 of the file is not UTF-8")
        );
        assert!(
            read(b"\xff\xfee\0", &FieldMap::default())
                .unwrap_err()
                .to_string()
                .contains("UTF-16")
        );
    }
}
