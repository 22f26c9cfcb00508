//! The narrow rows of contacts and deals beside the raw record: what is scanned, sorted and counted.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use rust_decimal::Decimal;

use super::{codec, names::Tx};
use crate::{
    domain::{Contact, Deal, ObjectType, OwnerId, PipelineId, Record, StageId},
    store::Result,
};

/// Writes the narrow row of a record, or erases it when the record is archived. Types without one have nothing to do.
pub(super) fn write(tx: &Tx<'_>, key: i64, record: &Record) -> Result<()> {
    if record.archived {
        return erase(tx, key, record.object);
    }
    match record.object {
        ObjectType::Contacts => write_contact(tx, key, record),
        ObjectType::Deals => write_deal(tx, key, record),
        _ => Ok(()),
    }
}

/// Erases the narrow row of a record.
pub(super) fn erase(tx: &Tx<'_>, key: i64, object: ObjectType) -> Result<()> {
    let sql = match object {
        ObjectType::Contacts => "DELETE FROM contact WHERE key = ?1",
        ObjectType::Deals => "DELETE FROM deal WHERE key = ?1",
        _ => return Ok(()),
    };
    tx.prepare_cached(sql)?.execute([key])?;
    Ok(())
}

fn write_contact(tx: &Tx<'_>, key: i64, record: &Record) -> Result<()> {
    let contact = Contact::from_record(record);
    let blank = |part: &Option<String>| part.as_deref().is_none_or(|part| part.trim().is_empty());
    tx.prepare_cached(
        "INSERT INTO contact (key, name, named, email, company, phone, title, lifecycle, status, owner, created, \
         updated, activity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
         ON CONFLICT (key) DO UPDATE SET name = ?2, named = ?3, email = ?4, company = ?5, phone = ?6, title = ?7, \
         lifecycle = ?8, status = ?9, owner = ?10, created = ?11, updated = ?12, activity = ?13",
    )?
    .execute(params![
        key,
        contact.name(),
        !(blank(&contact.first_name) && blank(&contact.last_name)),
        contact.email,
        contact.company,
        contact.phone,
        contact.job_title,
        contact.lifecycle,
        record.get("hs_lead_status"),
        contact.owner.as_ref().map(|owner| owner.as_str()),
        contact.created.as_millisecond(),
        contact.updated.as_millisecond(),
        contact.last_activity.map(Timestamp::as_millisecond),
    ])?;
    Ok(())
}

fn write_deal(tx: &Tx<'_>, key: i64, record: &Record) -> Result<()> {
    let deal = Deal::from_record(record);
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    let decimal = |number: Option<Decimal>| number.map(|number| number.to_string());
    let joined = |ids: Vec<&str>| ids.join(" ");
    tx.prepare_cached(
        "INSERT OR REPLACE INTO deal (key, id, name, pipeline, stage, amount, currency, amount_home, probability, \
         close, owner, next_step, category, is_closed, is_won, created, updated, stage_entered, last_activity, \
         next_activity, contacts, companies) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
         ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        key,
        codec::id(&record.id),
        deal.name,
        deal.pipeline.as_str(),
        deal.stage.as_str(),
        decimal(deal.amount),
        deal.currency,
        decimal(deal.amount_home),
        decimal(deal.probability),
        millis(deal.close),
        deal.owner.as_ref().map(|owner| owner.as_str()),
        deal.next_step,
        deal.category,
        deal.is_closed,
        deal.is_won,
        deal.created.as_millisecond(),
        deal.updated.as_millisecond(),
        millis(deal.stage_entered),
        millis(deal.last_activity),
        millis(deal.next_activity),
        joined(deal.contacts.iter().map(|id| id.as_str()).collect()),
        joined(deal.companies.iter().map(|id| id.as_str()).collect()),
    ])?;
    Ok(())
}

/// All live deals, in the order in which the mirror met them.
pub(super) fn deals(conn: &Connection) -> Result<Vec<Deal>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, name, pipeline, stage, amount, currency, amount_home, probability, close, owner, next_step, \
         category, is_closed, is_won, created, updated, stage_entered, last_activity, next_activity, contacts, \
         companies FROM deal ORDER BY key",
    )?;
    let mut names = Names::default();
    let rows = statement.query_map([], |row| deal(row, &mut names))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn deal(row: &Row<'_>, names: &mut Names) -> rusqlite::Result<Deal> {
    let ids =
        |column| -> rusqlite::Result<Vec<&str>> { Ok(row.get_ref(column)?.as_str()?.split_whitespace().collect()) };
    Ok(Deal {
        id: codec::id_text(row, 0)?.into(),
        name: row.get(1)?,
        pipeline: once(&mut names.pipelines, row.get_ref(2)?.as_str()?),
        stage: once(&mut names.stages, row.get_ref(3)?.as_str()?),
        amount: decimal(row, 4)?,
        currency: row.get(5)?,
        amount_home: decimal(row, 6)?,
        probability: decimal(row, 7)?,
        close: codec::time_or_none(row, 8)?,
        owner: row.get_ref(9)?.as_str_or_null()?.map(|id| once(&mut names.owners, id)),
        next_step: row.get(10)?,
        category: row.get(11)?,
        is_closed: row.get(12)?,
        is_won: row.get(13)?,
        created: codec::time(row, 14)?,
        updated: codec::time(row, 15)?,
        stage_entered: codec::time_or_none(row, 16)?,
        last_activity: codec::time_or_none(row, 17)?,
        next_activity: codec::time_or_none(row, 18)?,
        contacts: ids(19)?.into_iter().map(Into::into).collect(),
        companies: ids(20)?.into_iter().map(Into::into).collect(),
        pending: Vec::new(),
    })
}

/// Ids that thousands of deals share, allocated once.
#[derive(Default)]
struct Names {
    pipelines: HashMap<Box<str>, PipelineId>,
    stages: HashMap<Box<str>, StageId>,
    owners: HashMap<Box<str>, OwnerId>,
}

fn once<T: Clone + for<'a> From<&'a str>>(known: &mut HashMap<Box<str>, T>, text: &str) -> T {
    if let Some(id) = known.get(text) {
        return id.clone();
    }
    let id = T::from(text);
    known.insert(text.into(), id.clone());
    id
}

fn decimal(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Decimal>> {
    let Some(text) = row.get_ref(column)?.as_str_or_null()? else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|error| codec::broken(column, error))
}
