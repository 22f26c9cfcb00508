//! A file of contacts, read: which bytes are text, which sign separates, which column means what, and of every row either
//! the contact or why it is none. Nothing is kept here.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::domain::{Fault, FaultKind, FieldMap, NewContact, NoColumn, safe};

/// Marks that a text file may begin with.
const BOM: &[u8] = b"\xef\xbb\xbf";
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

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
}

/// Reads the bytes of a file.
///
/// # Errors
/// When it is no text, has no head line, or a column that nobody knows: then nothing of it can be trusted.
pub fn read(bytes: &[u8], map: &FieldMap) -> Result<Rows, Fault> {
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(refused("the file is UTF-16 text", "save it as 'CSV UTF-8'"));
    }
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        return Err(refused(
            &format!("line {line} of the file is not UTF-8 text"),
            "save it as 'CSV UTF-8'",
        ));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(bytes))
        .flexible(true)
        .trim(Trim::All)
        .from_reader(bytes);
    let head = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let targets = targets(&head, map)?;
    let (mut rows, mut seen) = (Rows::default(), BTreeMap::new());
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        match row(&record, &targets, map, &mut seen, line) {
            Ok(contact) => rows.contacts.push(contact),
            Err((field, reason)) => rows.bad.push(BadRow { line, field, reason }),
        }
    }
    Ok(rows)
}

/// One row: a contact, or the field and the reason why it is none. `seen` has the line of every address so far.
fn row(
    record: &StringRecord,
    targets: &[String],
    map: &FieldMap,
    seen: &mut BTreeMap<String, u64>,
    line: u64,
) -> Result<NewContact, (String, String)> {
    if record.len() != targets.len() {
        let reason = format!("it has '{}' fields, the head line has {}", record.len(), targets.len());
        return Err(("row".to_owned(), reason));
    }
    let cells = targets.iter().map(String::as_str).zip(record.iter().map(plain));
    let contact = map.contact(cells).map_err(|unfit| (unfit.field, unfit.reason))?;
    match seen.insert(contact.email.clone(), line) {
        None => Ok(contact),
        Some(first) => {
            seen.insert(contact.email.clone(), first);
            let reason = format!("'{}' is on line {first} already", contact.email);
            Err(("email".to_owned(), reason))
        }
    }
}

/// A value without the sign that keeps spreadsheets from running it, which our own exports put there.
fn plain(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => text,
    }
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

/// The property of every column.
fn targets(head: &StringRecord, map: &FieldMap) -> Result<Vec<String>, Fault> {
    let mut targets: Vec<String> = Vec::with_capacity(head.len());
    for name in head {
        let shown = safe(name);
        let target = map.target(name).map_err(|trouble| match trouble {
            NoColumn::Unknown(nearest) => refused(
                &format!("contacts have no property '{shown}'"),
                &nearest.map_or_else(
                    || "name it as HubSpot does, or add it to [push.map]".to_owned(),
                    |nearest| {
                        format!(
                            "the nearest one is '{nearest}'; [push.map] in the configuration gives fields a meaning"
                        )
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
        })?;
        if targets.contains(&target) {
            return Err(refused(
                &format!("two columns are about '{target}'"),
                "take one of them out",
            ));
        }
        targets.push(target);
    }
    if !targets.iter().any(|target| target == "email") {
        return Err(refused(
            "the file has no column of e-mail addresses",
            "contacts go by them: name the column 'email' in the first line",
        ));
    }
    Ok(targets)
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
