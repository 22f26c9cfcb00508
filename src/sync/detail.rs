//! One deal with everything that belongs to it, as the mirror has it and as people see it: with what waits to be sent on top.

use super::{
    pull, submit,
    view::{self, PendingByRecord},
};
use crate::{
    domain::{Activity, Company, DealDetail, DealId, Fault, ObjectType, Operation, Record, RecordRef},
    store::Reader,
};

/// What waits to be sent, by record.
pub fn pending(reader: &Reader) -> Result<PendingByRecord, Fault> {
    Ok(view::by_record(submit::operations(reader.outbox.pending_of_deals()?)))
}

/// What waits to be sent of one record.
pub fn of<'a>(pending: &'a PendingByRecord, record: &Record) -> &'a [Operation] {
    pending.get(&record.reference()).map_or(&[], Vec::as_slice)
}

/// One deal with what belongs to it, as it is shown; `None` = the mirror does not have it.
pub fn detail(reader: &Reader, id: &DealId) -> Result<Option<DealDetail>, Fault> {
    let reference = RecordRef::new(ObjectType::Deals, id.as_str());
    let Some(record) = reader.mirror.record(&reference)? else {
        return Ok(None);
    };
    let all = submit::operations(reader.outbox.pending_of_deals()?);
    let archiving = view::archiving(&all);
    let pending = view::by_record(all);
    let deal = view::deal(&record, of(&pending, &record));
    let mut properties = record.properties.clone();
    view::overlay(&mut properties, of(&pending, &record));
    let (kept, notes_as_of) = reader.mirror.notes_of(id)?;
    let companies: Vec<&str> = deal.companies.iter().map(|id| id.as_str()).collect();
    let contacts: Vec<&str> = deal.contacts.iter().map(|id| id.as_str()).collect();
    Ok(Some(DealDetail {
        properties,
        definitions: reader.mirror.definitions(ObjectType::Deals)?,
        contacts: reader.mirror.contacts(&contacts)?,
        companies: reader
            .mirror
            .records(ObjectType::Companies, &companies)?
            .iter()
            .map(Company::from_record)
            .collect(),
        activities: activities(reader, &reference)?,
        notes: view::notes(&kept, of(&pending, &record), &archiving),
        notes_as_of,
        deal,
    }))
}

/// What stands in a deal's timeline besides its notes, newest first.
fn activities(reader: &Reader, deal: &RecordRef) -> Result<Vec<Activity>, Fault> {
    let mut all = Vec::new();
    for object in pull::activities::TIMELINE {
        let ids = reader.mirror.associated(deal, object)?;
        let records = reader.mirror.records(object, &ids)?;
        let live = records.iter().filter(|record| !record.archived);
        all.extend(live.map(Activity::from_record));
    }
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.record.cmp(&a.record)));
    Ok(all)
}
