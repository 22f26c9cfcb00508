//! Which segment a name means: the one that is called so, else those whose names begin so. Case is ignored, and an
//! underscore reads as a blank, as the screen shows it.

use super::{Op, Segments, Value, fold};
use crate::domain::Segment;

/// The segments among these names that a comparison means; the parser lets none through that means none.
pub(super) fn meant<'a>(names: impl IntoIterator<Item = &'a str>, op: Op, text: &str) -> Vec<&'a str> {
    let plain = |text: &str| fold(text).replace('_', " ");
    let wanted = plain(text);
    let names: Vec<(&str, String)> = names.into_iter().map(|name| (name, plain(name))).collect();
    let all = |hit: &dyn Fn(&str) -> bool| -> Vec<&str> {
        let hits = names.iter().filter(|(_, name)| hit(name));
        hits.map(|(name, _)| *name).collect()
    };
    let same = all(&|name| name == wanted);
    match op {
        Op::Contains | Op::ContainsNot => all(&|name| name.contains(&wanted)),
        Op::Begins if same.is_empty() => all(&|name| name.starts_with(&wanted)),
        _ => same,
    }
}

/// The segments among these names that have to be looked at for a comparison: for `none` every one.
pub(super) fn asked<'a>(names: &[&'a str], op: Op, value: &Value) -> Vec<&'a str> {
    match value {
        Value::Text(text) => meant(names.iter().copied(), op, text),
        Value::AnyOf(values) => values.iter().flat_map(|value| asked(names, op, value)).collect(),
        _ => names.to_vec(),
    }
}

/// Why a text means no segment, and what may have been meant.
pub(super) fn check(segments: Segments<'_>, op: Op, text: &str) -> Result<(), (String, Option<String>)> {
    let Segments::Of(segments) = segments else {
        return Ok(());
    };
    let names = segments.iter().map(|segment| segment.name.as_str());
    if !meant(names, op, text).is_empty() {
        return Ok(());
    }
    let next = Segment::nearest(segments, text).map_or_else(
        || "the configuration defines none".to_owned(),
        |near| format!("the nearest one is '{near}'"),
    );
    Err((format!("no segment is called '{text}'"), Some(next)))
}
