//! The titles of operations, turned around for an undo and joined for two changes that became one.

/// A title in its parts: `stage of Acme  Qualified → Contract sent`.
fn parts(title: &str) -> Option<(&str, &str, &str)> {
    let (subject, step) = title.rsplit_once("  ")?;
    let (from, to) = step.split_once(" → ")?;
    Some((subject, from, to))
}

/// The title of what takes a change back: from where it went to where it came from.
pub fn backwards(title: &str) -> String {
    parts(title).map_or_else(
        || title.to_owned(),
        |(subject, from, to)| format!("{subject}  {to} → {from}"),
    )
}

/// The title of two changes that became one: from where the first came to where the second goes.
pub fn joined(first: &str, second: &str) -> String {
    match (parts(first), parts(second)) {
        (Some((_, from, _)), Some((subject, _, to))) => format!("{subject}  {from} → {to}"),
        _ => second.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_turn_around_and_join() {
        let (first, second) = ("stage of A → B Ltd  New → Offer", "stage of A → B Ltd  Offer → Sent");
        assert_eq!(backwards(first), "stage of A → B Ltd  Offer → New");
        assert_eq!(joined(first, second), "stage of A → B Ltd  New → Sent");
        assert_eq!(backwards("note on Acme"), "note on Acme");
    }
}
