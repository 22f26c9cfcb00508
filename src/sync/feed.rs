//! From two states of a deal to what a person would say happened. Pure: comparing is all it does.

use crate::domain::{
    ActivityItem, ActivityKind, Deal, Operation, Owner, OwnerId, Payload, Pipeline, Record, StageId, UserId, Who,
    stage_of,
};

use super::view::same_value;

/// The property that names the user behind a record's last change.
pub const UPDATED_BY: &str = "hs_updated_by_user_id";

/// What happened between two states of a deal, each with who did it. `before` = `None` for a deal that is new.
///
/// `ours` are operations of ours on this deal: a value one of them set is our own doing, whoever reports it.
pub fn items(
    before: Option<&Record>,
    after: &Record,
    ours: &[Operation],
    owners: &[Owner],
    pipelines: &[Pipeline],
) -> Vec<ActivityItem> {
    let colleague = who(after, owners);
    let deal = Deal::from_record(after);
    let item = |who: Who, kind: ActivityKind| ActivityItem {
        at: after.updated_at,
        who,
        deal: Some(deal.id.clone()),
        name: deal.name.clone(),
        kind,
    };
    let Some(before) = before else {
        return vec![item(colleague, ActivityKind::Created)];
    };
    let old = Deal::from_record(before);
    WATCHED
        .into_iter()
        .filter(|name| !same_value(before.get(name), after.get(name)))
        .filter_map(|name| {
            let who = if set_by_us(ours, name, after.get(name)) {
                Who::You
            } else {
                colleague.clone()
            };
            kind(name, &old, &deal, pipelines).map(|kind| item(who, kind))
        })
        .collect()
}

/// The properties whose changes people want to hear of.
const WATCHED: [&str; 6] = [
    "dealstage",
    "amount",
    "closedate",
    "hs_next_step",
    "hubspot_owner_id",
    "dealname",
];

fn kind(name: &str, old: &Deal, new: &Deal, pipelines: &[Pipeline]) -> Option<ActivityKind> {
    let number = |value: Option<rust_decimal::Decimal>| value.map(|value| value.to_string());
    match name {
        "dealstage" => Some(ActivityKind::Moved(stage_label(pipelines, &new.stage))),
        "amount" => Some(ActivityKind::Amount {
            from: number(old.amount),
            to: number(new.amount),
            currency: new.currency.clone(),
        }),
        "closedate" => Some(ActivityKind::CloseDate(new.close)),
        "hs_next_step" => Some(ActivityKind::NextStep(new.next_step.clone())),
        "hubspot_owner_id" => Some(ActivityKind::Owner(new.owner.clone())),
        "dealname" => Some(ActivityKind::Renamed(old.name.clone())),
        _ => None,
    }
}

/// A stage's label, its id when no pipeline knows it.
pub fn stage_label(pipelines: &[Pipeline], stage: &StageId) -> String {
    stage_of(pipelines, stage).map_or_else(|| stage.to_string(), |(_, stage)| stage.label.clone())
}

/// Whether one of our operations set this property to this value.
fn set_by_us(ours: &[Operation], name: &str, value: Option<&str>) -> bool {
    ours.iter().any(|op| match &op.payload {
        Payload::SetProperties { values, .. } => {
            values.get(name).is_some_and(|ours| same_value(ours.as_deref(), value))
        }
        _ => false,
    })
}

/// The colleague behind a record's last change, as far as HubSpot names one.
pub fn who(record: &Record, owners: &[Owner]) -> Who {
    record
        .get(UPDATED_BY)
        .and_then(|user| owner_of(owners, &user.into()))
        .map_or(Who::Someone, Who::Owner)
}

/// The owner behind a user; a live owner before an archived one.
pub fn owner_of(owners: &[Owner], user: &UserId) -> Option<OwnerId> {
    owners
        .iter()
        .filter(|owner| owner.user.as_ref() == Some(user))
        .min_by_key(|owner| owner.archived)
        .map(|owner| owner.id.clone())
}
