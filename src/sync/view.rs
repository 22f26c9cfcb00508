//! What is shown: the mirror's records with our unfinished operations applied on top, in their order. Always recomputed;
//! nothing here is ever stored.

use std::collections::BTreeMap;

use crate::domain::{
    Deal, Note, ObjectType, OpState, Operation, Payload, Pending, Properties, Record, RecordRef, parse_time,
};

/// Unfinished operations by the record they are shown on.
pub type PendingByRecord = BTreeMap<RecordRef, Vec<Operation>>;

/// Groups unfinished operations by the record they are shown on, oldest first in each group.
pub fn by_record(operations: Vec<Operation>) -> PendingByRecord {
    let mut groups = PendingByRecord::new();
    for operation in operations.into_iter().filter(|op| !op.state.is_final()) {
        groups.entry(operation.entity.clone()).or_default().push(operation);
    }
    groups
}

/// Applies the values of unfinished operations to a record's properties.
pub fn overlay(properties: &mut Properties, operations: &[Operation]) {
    for operation in operations.iter().filter(|op| !op.state.is_final()) {
        let Payload::SetProperties { values, .. } = &operation.payload else {
            continue;
        };
        for (name, value) in values {
            let changed = properties.get(name).and_then(Option::as_deref).unwrap_or_default()
                != value.as_deref().unwrap_or_default();
            if name == "dealstage" && changed {
                forget_stage_facts(properties, operation);
            }
            properties.insert(name.clone(), value.clone());
        }
    }
}

/// What HubSpot computed for the old stage says nothing about the new one: the stage's own metadata decides until
/// HubSpot has answered.
fn forget_stage_facts(properties: &mut Properties, operation: &Operation) {
    for stale in ["hs_deal_stage_probability", "hs_is_closed", "hs_is_closed_won"] {
        properties.remove(stale);
    }
    properties.insert(
        "hs_v2_date_entered_current_stage".to_owned(),
        Some(operation.created_at.to_string()),
    );
}

/// A deal as it is shown.
pub fn deal(record: &Record, operations: &[Operation]) -> Deal {
    let mut shown = record.clone();
    overlay(&mut shown.properties, operations);
    let mut deal = Deal::from_record(&shown);
    deal.pending = pending(operations);
    if let Some(newest) = operations.iter().filter_map(note_time).max() {
        deal.last_activity = deal.last_activity.max(Some(newest));
    }
    deal
}

/// The operations a card marks as being on their way.
pub fn pending(operations: &[Operation]) -> Vec<Pending> {
    operations
        .iter()
        .filter(|op| !op.state.is_final())
        .map(|op| Pending {
            op: op.id,
            kind: op.kind(),
            state: op.state,
        })
        .collect()
}

fn note_time(operation: &Operation) -> Option<jiff::Timestamp> {
    match &operation.payload {
        Payload::CreateNote { at, .. } if !operation.state.is_final() => Some(*at),
        _ => None,
    }
}

/// A deal's notes as they are shown, newest first: HubSpot's, ours on their way, without those being taken back.
pub fn notes(kept: &[Record], operations: &[Operation], archiving: &[Operation]) -> Vec<Note> {
    let taken_back = |id: &str| archiving.iter().any(|op| op.entity.id == id);
    let mut notes: Vec<Note> = kept
        .iter()
        .filter(|record| !record.archived && !taken_back(&record.id))
        .map(Note::from_record)
        .collect();
    for operation in operations.iter().filter(|op| !op.state.is_final()) {
        let Payload::CreateNote { body, at, owner, .. } = &operation.payload else {
            continue;
        };
        let already = operation
            .remote_id
            .as_deref()
            .is_some_and(|id| kept.iter().any(|record| record.id == id));
        let undone = archiving.iter().any(|op| op.undo_of == Some(operation.id));
        if !already && !undone {
            notes.push(Note {
                id: operation.remote_id.as_deref().map(Into::into),
                op: Some((operation.id, operation.state)),
                at: *at,
                body: body.clone(),
                owner: owner.clone(),
            });
        }
    }
    notes.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.id.cmp(&a.id)));
    notes
}

/// Unfinished operations that archive a note.
pub fn archiving(operations: &[Operation]) -> Vec<Operation> {
    operations
        .iter()
        .filter(|op| !matches!(op.state, OpState::Held | OpState::Conflict) && !op.state.is_final())
        .filter(|op| matches!(op.payload, Payload::Archive) && op.entity.object == ObjectType::Notes)
        .cloned()
        .collect()
}

/// Whether two texts are the same value on the wire: unset and empty are one, `48000` and `48000.00` are one, and so are
/// two spellings of an instant.
pub fn same_value(a: Option<&str>, b: Option<&str>) -> bool {
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    a == b
        || matches!((plain_number(a), plain_number(b)), (Some(a), Some(b)) if a == b)
        || matches!((instant(a), instant(b)), (Some(a), Some(b)) if a == b)
}

/// A decimal without the zeros that say nothing; `None` for anything that is not plainly a number (`+1`, `007`).
fn plain_number(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if text.contains('.') {
        Some(text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        Some(text)
    }
}

/// An instant spelled as ISO-8601, as a plain date, or as thirteen digits of epoch milliseconds.
fn instant(text: &str) -> Option<jiff::Timestamp> {
    let dashed = text.len() >= 10 && text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    let millis = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit());
    if dashed || millis { parse_time(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OpId;

    fn record(properties: &[(&str, &str)]) -> Record {
        Record {
            object: ObjectType::Deals,
            id: "1".into(),
            properties: properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
                .collect(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            archived: false,
            associations: BTreeMap::new(),
            history: BTreeMap::new(),
        }
    }

    fn operation(nth: u128, state: OpState, payload: Payload) -> Operation {
        Operation {
            id: OpId(uuid::Uuid::from_u128(nth)),
            entity: RecordRef::new(ObjectType::Deals, "1"),
            payload,
            state,
            attempts: 0,
            created_at: jiff::Timestamp::from_second(i64::try_from(nth).unwrap()).unwrap(),
            not_before: None,
            error: None,
            remote_id: None,
            undo_of: None,
            title: String::new(),
        }
    }

    fn stage(nth: u128, state: OpState, to: &str) -> Operation {
        let values = Properties::from([("dealstage".to_owned(), Some(to.to_owned()))]);
        operation(
            nth,
            state,
            Payload::SetProperties {
                values,
                base: Properties::new(),
            },
        )
    }

    fn note(nth: u128, state: OpState, text: &str) -> Operation {
        operation(
            nth,
            state,
            Payload::CreateNote {
                body: text.to_owned(),
                at: jiff::Timestamp::from_second(100 + i64::try_from(nth).unwrap()).unwrap(),
                owner: None,
                links: Vec::new(),
                key: None,
            },
        )
    }

    #[test]
    fn the_newest_unfinished_intent_is_what_is_shown() {
        let record = record(&[("dealstage", "a"), ("hs_deal_stage_probability", "0.1")]);
        let operations = [
            stage(1, OpState::Landed, "b"),
            stage(2, OpState::Queued, "c"),
            stage(3, OpState::Cancelled, "x"),
        ];
        let shown = deal(&record, &operations);
        assert_eq!(shown.stage.as_str(), "c");
        assert_eq!(
            shown.probability, None,
            "the old stage's probability says nothing about the new stage"
        );
        assert_eq!(shown.stage_entered, jiff::Timestamp::from_second(2).ok());
        assert_eq!(shown.pending.len(), 2);
        assert_eq!(deal(&record, &[]).stage.as_str(), "a");
    }

    #[test]
    fn a_note_is_shown_from_the_keystroke_on_and_never_twice() {
        let mut landed = note(1, OpState::Landed, "kept");
        landed.remote_id = Some("77".into());
        let operations = [landed.clone(), note(2, OpState::Queued, "new")];
        assert_eq!(notes(&[], &operations, &[]).len(), 2);
        let mut kept = record(&[("hs_note_body", "kept")]);
        kept.id = "77".into();
        let shown = notes(&[kept.clone()], &operations, &[]);
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0].body, "new", "newest first");
        let mut undo = operation(3, OpState::Queued, Payload::Archive);
        undo.entity = RecordRef::new(ObjectType::Notes, "77");
        undo.undo_of = Some(landed.id);
        assert_eq!(notes(&[kept], &operations, &archiving(&[undo])).len(), 1);
    }

    #[test]
    fn two_spellings_of_one_value_are_one_value() {
        for (a, b, same) in [
            ("48000", "48000.00", true),
            ("48000", "480", false),
            ("10", "1", false),
            ("0", "0.0", true),
            ("", "", true),
            ("+1", "1", false),
            ("007", "7", false),
            ("2026-11-22", "2026-11-22T00:00:00Z", true),
            ("1795305600000", "2026-11-22T00:00:00.000Z", true),
            ("qualified", "Qualified", false),
        ] {
            assert_eq!(same_value(Some(a), Some(b)), same, "{a} {b}");
        }
        assert!(same_value(None, Some("")));
        assert!(!same_value(None, Some("x")));
    }
}
