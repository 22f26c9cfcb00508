//! Segments with their counts, and HubSpot's lists.

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, ContactJson, Format, Names, Sheet, contact_json, json};
use crate::domain::{ContactDetail, List, ListId, ListKind, SegmentCount, format};

/// A segment for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentJson {
    /// Its name in the configuration.
    pub name: String,
    /// What it asks; null where the list says it all.
    pub filter: Option<String>,
    /// The HubSpot list it is bound to.
    pub list_id: Option<String>,
    /// How many contacts it has; null while nobody counted.
    pub count: Option<u64>,
    /// When they were counted.
    pub as_of: Option<Timestamp>,
    /// Counts at the end of the last days, oldest first, today last.
    pub history: Vec<u64>,
    /// Why it cannot be counted; null where it can.
    pub obstacle: Option<String>,
}

/// A list for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct ListJson {
    /// HubSpot's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `manual`, `dynamic` or `snapshot`.
    pub kind: Option<ListKind>,
    /// How many members HubSpot counted last.
    pub size: Option<u64>,
    /// How many of them are known here.
    pub members: u64,
}

/// The JSON of a segment.
#[must_use]
pub fn segment_json(count: &SegmentCount) -> SegmentJson {
    let segment = &count.segment;
    SegmentJson {
        name: segment.name.clone(),
        filter: Some(segment.filter.clone()).filter(|filter| !filter.is_empty()),
        list_id: segment.list.as_ref().map(ListId::to_string),
        count: count.as_of.map(|_| count.count),
        as_of: count.as_of,
        history: count.history.clone(),
        obstacle: count.obstacle.as_ref().map(ToString::to_string),
    }
}

/// The JSON of a list, of which so many members are known.
#[must_use]
pub fn list_json(list: &List, members: u64) -> ListJson {
    ListJson {
        id: list.id.to_string(),
        name: list.name.clone(),
        kind: list.kind,
        size: list.size,
        members,
    }
}

#[derive(Serialize)]
struct AllJson {
    segments: Vec<SegmentJson>,
    lists: Vec<ListJson>,
}

#[derive(Serialize)]
struct ShownJson {
    #[serde(flatten)]
    segment: SegmentJson,
    list: Option<ListJson>,
    contacts: Vec<ContactJson>,
}

/// Segments and, beside them, lists with how many of their members are known, in any format. JSON lines and CSV have the
/// segments only: one shape a row.
///
/// # Errors
/// As [`super::compact`].
pub fn segments(
    counts: &[SegmentCount],
    lists: &[(List, u64)],
    names: &Names<'_>,
    format: Format,
) -> serde_json::Result<String> {
    let rows = || counts.iter().map(segment_json).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => {
            let lists = lists.iter().map(|(list, members)| list_json(list, *members));
            let all = AllJson {
                segments: rows(),
                lists: lists.collect(),
            };
            json::compact(&all)? + "\n"
        }
        Format::Jsonl => json::lines(&rows())?,
        Format::Csv => keys(&rows()).csv(),
        Format::Table => {
            let segments = groups(counts, lists, names).table_within(names.width);
            if lists.is_empty() {
                segments
            } else {
                format!("{segments}\n{}", in_hubspot(lists).table_within(names.width))
            }
        }
        Format::Markdown => {
            let segments = groups(counts, lists, names).markdown();
            if lists.is_empty() {
                segments
            } else {
                format!("{segments}\n{}", in_hubspot(lists).markdown())
            }
        }
    })
}

/// One segment with its first contacts, in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn segment(
    count: &SegmentCount,
    lists: &[(List, u64)],
    contacts: &[ContactDetail],
    names: &Names<'_>,
    format: Format,
) -> serde_json::Result<String> {
    let bound = count.segment.list.as_ref();
    let list = lists.iter().find(|(list, _)| Some(&list.id) == bound);
    let people = |format| super::contacts(contacts, &[], names, format);
    let sentences = facts(count, lists, names);
    Ok(match format {
        Format::Json | Format::Jsonl => {
            let shown = ShownJson {
                segment: segment_json(count),
                list: list.map(|(list, members)| list_json(list, *members)),
                contacts: contacts.iter().map(contact_json).collect(),
            };
            json::compact(&shown)? + "\n"
        }
        Format::Csv => keys(&[segment_json(count)]).csv(),
        Format::Table | Format::Markdown if contacts.is_empty() => sentences,
        Format::Table | Format::Markdown => format!("{sentences}\n{}", people(format)?),
    })
}

fn keys(rows: &[SegmentJson]) -> Sheet {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let cells = |row: &SegmentJson| {
        let history: Vec<String> = row.history.iter().map(ToString::to_string).collect();
        vec![
            row.name.clone(),
            number(row.count),
            row.filter.clone().unwrap_or_default(),
            row.list_id.clone().unwrap_or_default(),
            row.as_of.map(|at| at.to_string()).unwrap_or_default(),
            history.join(" "),
            row.obstacle.clone().unwrap_or_default(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("name"),
            Column::number("count"),
            Column::text("filter"),
            Column::text("list_id"),
            Column::text("as_of"),
            Column::text("history"),
            Column::text("obstacle"),
        ],
        rows: rows.iter().map(cells).collect(),
    }
}

/// A list by its name, which people know, else by its id.
fn called(id: &ListId, lists: &[(List, u64)]) -> String {
    let known = lists.iter().find(|(list, _)| list.id == *id);
    known.map_or_else(|| format!("list {id}"), |(list, _)| format!("list '{}'", list.name))
}

/// What a segment asks, in one line.
fn asks(count: &SegmentCount, lists: &[(List, u64)]) -> String {
    let segment = &count.segment;
    match &segment.list {
        None => segment.filter.clone(),
        Some(id) if segment.filter.is_empty() => called(id, lists),
        Some(id) => format!("{} and {}", called(id, lists), segment.filter),
    }
}

fn number(count: &SegmentCount) -> String {
    let counted = count.as_of.map(|_| format::count(count.count));
    counted.unwrap_or_else(|| format::UNKNOWN.to_owned())
}

fn groups(counts: &[SegmentCount], lists: &[(List, u64)], names: &Names<'_>) -> Sheet {
    let cells = |count: &SegmentCount| {
        vec![
            count.segment.name.clone(),
            number(count),
            asks(count, lists),
            count.as_of.map(|at| names.minute(at)).unwrap_or_default(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("segment"),
            Column::number("contacts"),
            Column::text("asks"),
            Column::whole("as of"),
        ],
        rows: counts.iter().map(cells).collect(),
    }
}

fn in_hubspot(lists: &[(List, u64)]) -> Sheet {
    let cells = |(list, members): &(List, u64)| {
        let kind = match list.kind {
            Some(ListKind::Manual) => "static",
            Some(ListKind::Dynamic) => "active",
            Some(ListKind::Snapshot) => "snapshot",
            None => format::UNKNOWN,
        };
        vec![
            list.id.to_string(),
            list.size.map_or_else(|| format::UNKNOWN.to_owned(), format::count),
            format::count(*members),
            kind.to_owned(),
            list.name.clone(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("list"),
            Column::number("size"),
            Column::number("known here"),
            Column::text("kind"),
            Column::text("name"),
        ],
        rows: lists.iter().map(cells).collect(),
    }
}

fn facts(count: &SegmentCount, lists: &[(List, u64)], names: &Names<'_>) -> String {
    let mut lines = vec![
        format!("segment   {}", count.segment.name),
        format!("asks      {}", asks(count, lists)),
        format!("contacts  {}", number(count)),
    ];
    if !count.history.is_empty() {
        let days: Vec<String> = count.history.iter().map(|number| format::count(*number)).collect();
        lines.push(format!("days      {} (oldest first, today last)", days.join(" ")));
    }
    lines.extend(count.as_of.map(|at| format!("as of     {}", names.minute(at))));
    lines.extend(count.obstacle.as_ref().map(|fault| format!("unknown   {fault}")));
    let safe = lines.iter().map(|line| crate::domain::safe(line).into_owned());
    safe.collect::<Vec<_>>().join("\n") + "\n"
}
