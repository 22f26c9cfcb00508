//! The operations of the invented outbox, and what is known of them.

use jiff::ToSpan as _;

use crate::{
    app::Story,
    domain::{
        Attempt, ObjectType, OpError, OpId, OpState, Operation, OperationStory, Payload, Properties,
        PropertyDefinition, RecordRef, body_to_html,
    },
};

use super::{now, op, rows::ROWS};

fn values(of: &[(&str, &str)]) -> Properties {
    let value = |(name, value): &(&str, &str)| ((*name).to_owned(), (!value.is_empty()).then(|| (*value).to_owned()));
    of.iter().map(value).collect()
}

/// What is kept for a deal of the table, by its state.
fn of_row((nth, row): (usize, &super::Row)) -> Option<Operation> {
    let state = row.8?;
    let name = row.1;
    let set = |to: &[(&str, &str)], from: &[(&str, &str)]| Payload::SetProperties {
        values: values(to),
        base: values(from),
    };
    let error = |class: &str, message: &str| {
        Some(OpError {
            class: class.to_owned(),
            message: message.to_owned(),
            correlation_id: (class == OpError::NEEDS_FIELDS).then(|| "0198a3f2-77aa".to_owned()),
        })
    };
    let note = Payload::CreateNote {
        body: body_to_html("Pilot in two depots, Ivo joins the next call.\nSend the plan by Thursday."),
        at: now(),
        owner: Some("1".into()),
        links: vec![RecordRef::new(ObjectType::Deals, format!("{}", 1001 + nth))],
        key: None,
    };
    let (minutes, attempts, payload, title, error) = match state {
        OpState::Queued => {
            let payload = set(&[("amount", "48000")], &[("amount", "40000")]);
            (4, 2, payload, format!("amount of {name}  $40,000 → $48,000"), None)
        }
        OpState::InFlight => (0, 1, note, format!("note on {name}"), None),
        OpState::Uncertain => {
            let lost = "HubSpot's answer did not come within 30 s; its outcome is being looked up";
            (2, 1, note, format!("note on {name}"), error("unknown_outcome", lost))
        }
        OpState::Held => {
            let wanted = OpError::wants(&["closed_lost_reason".to_owned(), "competitor_of_record".to_owned()]);
            let payload = set(&[("dealstage", "lost")], &[("dealstage", "contract")]);
            let title = format!("stage of {name}  Contract sent → Closed lost");
            (64, 1, payload, title, error(OpError::NEEDS_FIELDS, &wanted))
        }
        _ => {
            let to = [("amount", "66000"), ("closedate", "2026-12-11T12:00:00Z")];
            let from = [("amount", "60000"), ("closedate", "2026-11-30T12:00:00Z")];
            let by = "Bea Tansy changed amount to '64000' at 10:05, after you looked; nothing is sent, choose";
            let title = format!("amount and close date of {name}");
            (37, 0, set(&to, &from), title, error("conflict", by))
        }
    };
    let created_at = now().saturating_sub((minutes * 60 + 5).seconds()).unwrap_or_default();
    let not_before = (state == OpState::Queued).then(|| now().saturating_add(12.seconds()).unwrap_or_default());
    Some(Operation {
        id: op(nth),
        entity: RecordRef::new(ObjectType::Deals, format!("{}", 1001 + nth)),
        payload,
        state,
        attempts,
        created_at,
        not_before,
        error,
        remote_id: None,
        undo_of: None,
        title,
    })
}

/// Those of the deals, one that was refused, and two that are over.
pub(super) fn operations() -> Vec<Operation> {
    let mut all: Vec<Operation> = ROWS.iter().enumerate().filter_map(of_row).collect();
    let over = |nth: usize, row: usize, state, title: &str, error| Operation {
        id: op(nth),
        entity: RecordRef::new(ObjectType::Deals, format!("{}", 1001 + row)),
        payload: Payload::SetProperties {
            values: values(&[("amount", "72500")]),
            base: values(&[("amount", "70000")]),
        },
        state,
        attempts: 1,
        created_at: now().saturating_sub(3.hours()).unwrap_or_default(),
        not_before: None,
        error,
        remote_id: None,
        undo_of: None,
        title: title.to_owned(),
    };
    let refused = OpError {
        class: "validation".to_owned(),
        message: "Property values were not valid: 'amount' was 72500 and must not be above 72000".to_owned(),
        correlation_id: Some("0198a3f2-12cc".to_owned()),
    };
    all.push(over(
        900,
        12,
        OpState::Dead,
        "amount of Quokka Freight fleet  $70,000 → $72,500",
        Some(refused),
    ));
    all.push(over(
        901,
        20,
        OpState::Done,
        "amount of Globex Umbrellas rollout  $70,000 → $72,500",
        None,
    ));
    all.push(over(
        902,
        16,
        OpState::Cancelled,
        "stage of Marmalade Systems  Qualified to buy → Contract sent",
        None,
    ));
    all
}

/// What is known of one of them: in the conflict somebody else was faster.
pub(super) fn story(id: OpId) -> Option<Story> {
    let operation = operations().into_iter().find(|operation| operation.id == id)?;
    let mirrored = match (&operation.payload, operation.state) {
        (Payload::SetProperties { base, .. }, OpState::Conflict) => {
            let mut there = base.clone();
            there.insert("amount".to_owned(), Some("64000".to_owned()));
            there
        }
        (Payload::SetProperties { base, .. }, _) => base.clone(),
        _ => Properties::new(),
    };
    let attempts = (1..=operation.attempts).map(|n| Attempt {
        n,
        epoch: 1,
        intent_at: operation.created_at,
        ended_at: Some(operation.created_at),
        outcome: Some(operation.state),
        ambiguous: operation.state == OpState::Uncertain,
        http_status: (operation.state == OpState::Held).then_some(400),
        correlation_id: None,
    });
    let definition = |name: &str, label: &str, kind: &str, options: &[(&str, &str)]| PropertyDefinition {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        options: (options.iter())
            .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
            .collect(),
        read_only: false,
        hidden: false,
        unique: false,
        several: false,
    };
    let reasons = [
        ("price", "Too expensive"),
        ("timing", "Bad timing"),
        ("competitor", "Chose a competitor"),
        ("no_decision", "No decision"),
    ];
    Some(Story {
        story: OperationStory {
            account: 424_242,
            attempts: attempts.collect(),
            mirrored,
            superseded_by: None,
            changed_at: operation.created_at,
            operation,
        },
        definitions: vec![
            definition("amount", "Amount", "number", &[]),
            definition("closedate", "Close date", "datetime", &[]),
            definition("closed_lost_reason", "Closed lost reason", "enumeration", &reasons),
            definition("competitor_of_record", "Competitor of record", "string", &[]),
        ],
    })
}
