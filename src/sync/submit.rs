//! From what a person wants to an operation on disk. Everything is checked against what is shown (mirror and pending
//! operations together) and kept in one go; the answer comes after the commit. Nothing is sent here.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Settings,
    connection::later,
    core::{deal_of, stage_labels, unknown_record},
    feed::stage_label,
    keys, links, titles, view, words,
};
use crate::{
    domain::{
        Change, Deal, DealId, Fault, FaultKind, Field, ObjectType, OpId, OpState, Operation, Origin, Owner, OwnerId,
        Payload, Pipeline, PipelineId, Properties, PropertyDefinition, Receipt, Record, RecordRef, StageId, Submission,
        body_to_html, check_email,
    },
    store::{Keeper, Kept, NewOperation},
};

/// HubSpot keeps this much of a note's body.
const LONGEST_NOTE: usize = 65_536;
/// What HubSpot sets by itself when a deal is closed.
const CLOSE_DATE: &str = "closedate";

/// What was kept.
pub struct Saved {
    /// What the face shows.
    pub receipt: Receipt,
    /// Operations that are in a new state because of it, with that state.
    pub moved: Vec<(Kept, OpState)>,
    /// The deal it is about.
    pub deal: Option<DealId>,
}

/// Refuses in a session that only looks.
pub fn may_change(settings: &Settings) -> Result<(), Fault> {
    if settings.read_only {
        return Err(Fault::new(
            FaultKind::Usage,
            "this is a read-only session",
            "start without --read-only to change things",
        ));
    }
    Ok(())
}

/// Keeps a change.
pub fn keep(store: &mut Keeper, settings: &Settings, submission: Submission, now: Timestamp) -> Result<Saved, Fault> {
    may_change(settings)?;
    let desk = Counter::open(store, settings)?;
    let wanted = desk.wanted(submission.change, now)?;
    let grace = match (&wanted.payload, submission.origin) {
        (Payload::SetProperties { .. }, Origin::Screen) => Some(settings.undo_grace),
        _ => None,
    };
    let account = desk.account;
    let new = NewOperation {
        account,
        entity: wanted.entity.clone(),
        payload: wanted.payload,
        title: wanted.title.clone(),
        not_before: grace.map(|grace| later(now, grace)),
        undo_of: None,
        op_key: None,
    };
    let (kept, replaced) = keep_or_coalesce(store, new, grace, now)?;
    let mut moved = vec![(kept.clone(), kept.state)];
    moved.extend(replaced.map(|old| {
        (
            old,
            if kept.state == OpState::Queued {
                OpState::Superseded
            } else {
                kept.state
            },
        )
    }));
    let said = if kept.state == OpState::Cancelled {
        format!("{}  (back where it was, nothing to send)", wanted.title)
    } else {
        wanted.title
    };
    Ok(Saved {
        deal: deal_of(&store.outbox, &kept),
        receipt: Receipt { op: kept.id, said },
        moved,
    })
}

/// Keeps changes that are one for the person: each for itself, and one undo takes back all that were kept.
pub fn keep_all(
    store: &mut Keeper,
    settings: &Settings,
    submissions: Vec<Submission>,
    now: Timestamp,
) -> Result<Vec<Result<Saved, Fault>>, Fault> {
    let all: Vec<_> = submissions
        .into_iter()
        .map(|submission| keep(store, settings, submission, now))
        .collect();
    let kept: Vec<OpId> = all.iter().flatten().map(|saved| saved.receipt.op).collect();
    if kept.len() > 1 {
        store.outbox.bundle(&kept)?;
    }
    Ok(all)
}

/// Rewrites a change that is still inside its grace; keeps a new operation otherwise.
fn keep_or_coalesce(
    store: &mut Keeper,
    new: NewOperation,
    grace: Option<Duration>,
    now: Timestamp,
) -> Result<(Kept, Option<Kept>), Fault> {
    if grace.is_some() {
        let waiting = store
            .outbox
            .pending_of(&new.entity)?
            .into_iter()
            .rfind(|op| is_rewritable(op, &new.payload, now));
        if let Some(old) = waiting
            && let Some(kept) = store.outbox.replace_queued(
                old.id,
                NewOperation {
                    title: titles::joined(&old.title, &new.title),
                    ..new.clone()
                },
                now,
            )?
        {
            return Ok((kept, Some(old)));
        }
    }
    Ok((store.outbox.keep(new, now)?, None))
}

/// Still inside its grace, and about the same properties.
fn is_rewritable(op: &Operation, payload: &Payload, now: Timestamp) -> bool {
    let same = match (&op.payload, payload) {
        (Payload::SetProperties { values: old, .. }, Payload::SetProperties { values: new, .. }) => {
            old.keys().eq(new.keys())
        }
        _ => false,
    };
    same && op.state == OpState::Queued && op.not_before.is_some_and(|at| at > now)
}

/// What a change comes to.
struct Wanted {
    entity: RecordRef,
    payload: Payload,
    title: String,
}

/// What the checks need to know.
pub(super) struct Counter<'a> {
    store: &'a Keeper,
    account: u64,
    pipelines: Vec<Pipeline>,
    me: Option<OwnerId>,
}

impl<'a> Counter<'a> {
    pub(super) fn open(store: &'a Keeper, settings: &Settings) -> Result<Self, Fault> {
        let account = store.mirror.account()?.ok_or_else(|| {
            Fault::new(
                FaultKind::Usage,
                "nothing was read from HubSpot yet",
                "run `dealdeck sync` first",
            )
        })?;
        let me = words::me(&store.mirror, settings, &store.mirror.owners()?)?;
        Ok(Self {
            account: account.portal_id,
            pipelines: store.mirror.pipelines()?,
            store,
            me,
        })
    }

    fn wanted(&self, change: Change, now: Timestamp) -> Result<Wanted, Fault> {
        match change {
            Change::MoveDeal { deal, stage, pipeline } => self.moved(&deal, &stage, pipeline.as_ref()),
            Change::SetProperties { record, values } => self.set(record, values),
            Change::AddNote { deal, text, at } => self.note(&deal, &text, at.unwrap_or(now)),
            Change::Archive(record) => {
                let name = self.name(&self.shown(&record)?);
                Ok(Wanted {
                    title: format!("archive {} {name}", record.object.singular()),
                    entity: record,
                    payload: Payload::Archive,
                })
            }
        }
    }

    /// The record as it is shown.
    fn shown(&self, reference: &RecordRef) -> Result<Record, Fault> {
        let reference = self.store.outbox.alias(reference)?.unwrap_or_else(|| reference.clone());
        let mut record = self
            .store
            .mirror
            .record(&reference)?
            .ok_or_else(|| unknown_record(reference.object, &reference.id))?;
        view::overlay(
            &mut record.properties,
            &operations(self.store.outbox.pending_of(&reference)?),
        );
        Ok(record)
    }

    /// What an operation sets after a person decided to send it: what was kept with it, and what is given now, which alone
    /// is new and checked. Each value goes with what is mirrored of it now.
    pub(super) fn decided(
        &self,
        reference: &RecordRef,
        kept: Properties,
        given: &Properties,
    ) -> Result<Payload, Fault> {
        let reference = self.store.outbox.alias(reference)?.unwrap_or_else(|| reference.clone());
        let record = self
            .store
            .mirror
            .record(&reference)?
            .ok_or_else(|| unknown_record(reference.object, &reference.id))?;
        let mut values = kept;
        values.extend(self.typed(reference.object, given.clone())?);
        if reference.object == ObjectType::Deals {
            self.check_stage(&Deal::from_record(&record), &values)?;
        }
        Ok(self.with_base(&record, values))
    }

    /// The stage a deal is in afterwards belongs to the pipeline it is in then: one never goes without the other.
    fn check_stage(&self, deal: &Deal, values: &Properties) -> Result<(), Fault> {
        let (stage, pipeline) = (values.get("dealstage"), values.get("pipeline"));
        for (name, value) in [("dealstage", stage), ("pipeline", pipeline)] {
            if value == Some(&None) {
                return Err(Fault::new(
                    FaultKind::Usage,
                    format!("'{name}' cannot be cleared: a deal is always in a stage of a pipeline"),
                    "give the one it goes to",
                ));
            }
        }
        if stage.is_none() && pipeline.is_none() {
            return Ok(());
        }
        let pipeline = pipeline.cloned().flatten().map(PipelineId::from);
        let stage = stage.cloned().flatten().map(StageId::from);
        let (pipeline, stage) = (
            pipeline.as_ref().unwrap_or(&deal.pipeline),
            stage.as_ref().unwrap_or(&deal.stage),
        );
        self.stage_of(pipeline, stage).map(drop)
    }

    /// The label of a stage of a pipeline.
    fn stage_of(&self, pipeline: &PipelineId, stage: &StageId) -> Result<&str, Fault> {
        let Some(known) = self.pipelines.iter().find(|known| known.id == *pipeline) else {
            return Err(Fault::new(
                FaultKind::Usage,
                format!("there is no pipeline '{pipeline}'"),
                format!(
                    "choose one of: {}",
                    self.pipelines
                        .iter()
                        .map(|known| known.label.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ));
        };
        known.stage(stage).map(|stage| stage.label.as_str()).ok_or_else(|| {
            Fault::new(
                FaultKind::Usage,
                format!("there is no stage '{stage}' in '{}'", known.label),
                format!("choose one of: {}", stage_labels(known)),
            )
        })
    }

    fn moved(&self, deal: &DealId, stage: &StageId, pipeline: Option<&PipelineId>) -> Result<Wanted, Fault> {
        let record = self.shown(&RecordRef::new(ObjectType::Deals, deal.as_str()))?;
        let shown = Deal::from_record(&record);
        let target = pipeline.unwrap_or(&shown.pipeline);
        let to = self.stage_of(target, stage)?;
        if shown.stage == *stage && shown.pipeline == *target {
            return Err(nothing_to_do(&format!("'{}' is in '{to}' already", self.name(&record))));
        }
        let mut values = Properties::from([("dealstage".to_owned(), Some(stage.to_string()))]);
        if *target != shown.pipeline {
            values.insert("pipeline".to_owned(), Some(target.to_string()));
        }
        let from = stage_label(&self.pipelines, &shown.stage);
        Ok(Wanted {
            title: format!("stage of {}  {from} → {to}", self.name(&record)),
            payload: self.with_base(&record, values),
            entity: record.reference(),
        })
    }

    fn set(&self, reference: RecordRef, values: Properties) -> Result<Wanted, Fault> {
        let record = self.shown(&reference)?;
        let mut values = self.typed(reference.object, values)?;
        values.retain(|name, value| !view::same_value(record.get(name), value.as_deref()));
        if values.is_empty() {
            return Err(nothing_to_do(&format!(
                "'{}' has these values already",
                self.name(&record)
            )));
        }
        if reference.object == ObjectType::Deals {
            self.check_stage(&Deal::from_record(&record), &values)?;
        }
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        let title = match names.as_slice() {
            [name] => format!(
                "{name} of {}  {} → {}",
                self.name(&record),
                record.get(name).unwrap_or("–"),
                values.get(*name).and_then(Option::as_deref).unwrap_or("–")
            ),
            several => format!("{} of {}", several.join(", "), self.name(&record)),
        };
        Ok(Wanted {
            title,
            payload: self.with_base(&record, values),
            entity: record.reference(),
        })
    }

    /// The change, and what the person saw; of a deal that is closed also its close date, which HubSpot moves to the day of
    /// closing by itself.
    fn with_base(&self, record: &Record, values: Properties) -> Payload {
        let is_closed = |stage: Option<&str>| {
            let stages = self.pipelines.iter().flat_map(|pipeline| &pipeline.stages);
            stage.is_some_and(|id| stages.into_iter().any(|stage| stage.id.as_str() == id && stage.closed))
        };
        let closes = record.object == ObjectType::Deals
            && is_closed(values.get("dealstage").and_then(Option::as_deref))
            && !is_closed(record.get("dealstage"));
        let base = values
            .keys()
            .map(String::as_str)
            .chain(closes.then_some(CLOSE_DATE))
            .map(|name| (name.to_owned(), record.get(name).map(str::to_owned)))
            .collect();
        Payload::SetProperties { values, base }
    }

    fn note(&self, deal: &DealId, text: &str, at: Timestamp) -> Result<Wanted, Fault> {
        let record = self.shown(&RecordRef::new(ObjectType::Deals, deal.as_str()))?;
        if text.trim().is_empty() {
            return Err(Fault::new(
                FaultKind::Usage,
                "the note is empty",
                "write something first",
            ));
        }
        let body = body_to_html(text);
        let length = body.chars().count();
        if length > LONGEST_NOTE {
            return Err(Fault::new(
                FaultKind::Usage,
                format!("the note has '{length}' characters as HTML, HubSpot keeps {LONGEST_NOTE}"),
                "split it into two notes",
            ));
        }
        Ok(Wanted {
            title: format!("note on {}", self.name(&record)),
            entity: record.reference(),
            payload: Payload::CreateNote {
                body,
                // HubSpot keeps milliseconds; the note is recognised by them.
                at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at),
                owner: self.me.clone(),
                links: links::of_note(&Deal::from_record(&record)),
                key: keys::property(&self.store.mirror.definitions(ObjectType::Notes)?),
            },
        })
    }

    /// These values as HubSpot takes them, by the definitions of their properties; `None` clears.
    fn typed(&self, object: ObjectType, values: Properties) -> Result<Properties, Fault> {
        let definitions: Vec<PropertyDefinition> = self.store.mirror.definitions(object)?;
        let owners = self.store.mirror.owners()?;
        let mut typed = Properties::new();
        for (name, value) in values {
            let definition = definitions.iter().find(|definition| definition.name == name);
            if definition.is_none() && !definitions.is_empty() {
                return Err(Fault::new(
                    FaultKind::Usage,
                    format!("{} have no property '{name}'", object.name()),
                    "check its internal name in HubSpot",
                ));
            }
            if definition.is_some_and(|definition| definition.read_only) {
                return Err(Fault::new(
                    FaultKind::Usage,
                    format!("'{name}' is computed by HubSpot and cannot be set"),
                    "change what it is computed from",
                ));
            }
            let value = value.filter(|value| !value.trim().is_empty());
            let value = value.map(|value| taken(object, &name, definition, &owners, &value));
            typed.insert(name, value.transpose()?);
        }
        Ok(typed)
    }

    fn name(&self, record: &Record) -> String {
        let names: &[&str] = match record.object {
            ObjectType::Deals => &["dealname"],
            ObjectType::Contacts => &["email", "lastname"],
            _ => &["name"],
        };
        names
            .iter()
            .find_map(|name| record.get(name))
            .unwrap_or(&record.id)
            .to_owned()
    }
}

/// One value as HubSpot takes it. A deal's stage and pipeline are checked against the pipelines themselves, which are read
/// more often than the options of their properties.
fn taken(
    object: ObjectType,
    name: &str,
    definition: Option<&PropertyDefinition>,
    owners: &[Owner],
    value: &str,
) -> Result<String, Fault> {
    let checked = match (object, name) {
        (ObjectType::Deals, "dealstage" | "pipeline") => return Ok(value.trim().to_owned()),
        (ObjectType::Contacts, "email") => check_email(value.trim()).map(|()| value.trim().to_lowercase()),
        _ => Field::new(name.to_owned(), definition, owners).value(value.trim()),
    };
    checked.map_err(|reason| {
        Fault::new(
            FaultKind::Usage,
            format!("'{name}' cannot be set: {reason}"),
            "mend the value and try again; nothing was kept",
        )
    })
}

fn nothing_to_do(what: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, "nothing was changed")
}

/// The operations inside.
pub fn operations(kept: Vec<Kept>) -> Vec<Operation> {
    kept.into_iter().map(|kept| kept.op).collect()
}
