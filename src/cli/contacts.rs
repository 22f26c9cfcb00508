//! `dealdeck contacts …`: from the mirror, a page at a time, so that a million of them need no memory.

use crate::{
    domain::{ContactDetail, Fault, FaultKind, List, ObjectType, PropertyDefinition, PushDecision, Segment, format},
    filter::{self, Expr, Field, Op, Schema, Segments, Value},
    report::{self, Format, Names},
    sync::{ContactQuery, ContactSort, Handle, find_list},
};

use super::{
    args::{ContactsCommand, ContactsList},
    exit::{Outcome, print, print_report, remark_line},
    import, local, names, stdin,
};

/// Rows that are read and written together.
const PAGE: usize = 1_000;

/// Runs a contacts command.
pub async fn run(handle: &Handle, command: &ContactsCommand, has_token: bool) -> Outcome {
    match command {
        ContactsCommand::List(args) => list(handle, args).await,
        ContactsCommand::Get {
            contact,
            properties,
            format,
        } => get(handle, contact, properties, format.format).await,
        ContactsCommand::Import(args) => import::run(handle, args, has_token).await,
        ContactsCommand::Push(args) => local::push(handle, args, has_token).await,
        ContactsCommand::Queue(args) => local::decide(handle, args, PushDecision::Queued, has_token).await,
        ContactsCommand::Skip(args) => local::decide(handle, args, PushDecision::Skipped, has_token).await,
        ContactsCommand::Select(args) => local::decide(handle, args, PushDecision::Selected, has_token).await,
        ContactsCommand::Clear { yes, format } => clear(handle, *yes, format.format).await,
    }
}

async fn list(handle: &Handle, args: &ContactsList) -> Outcome {
    let facts = handle.facts().await?;
    let definitions = handle.definitions(ObjectType::Contacts).await?;
    known_properties(&args.properties, &definitions)?;
    handle.check_properties(ObjectType::Contacts, &args.properties).await?;
    let (descending, field) = match args.sort.strip_prefix('-') {
        Some(field) => (true, field),
        None => (false, args.sort.as_str()),
    };
    let query = ContactQuery {
        filter: Some(filter(handle, args, &definitions).await?),
        sort: sort(field)?,
        descending,
        offset: args.offset,
        after: args.after.clone(),
        uncounted: true,
        ..ContactQuery::default()
    };
    warn(handle, ObjectType::Contacts, facts.account.is_some()).await?;
    let next = write(handle, args, query, &names(&facts)).await?;
    if let Some(next) = next {
        remark_line(&format!("more contacts follow; go on with --after {next}"));
    }
    Ok(0)
}

/// Says what is not there yet.
pub async fn warn(handle: &Handle, object: ObjectType, has_account: bool) -> Result<(), Fault> {
    if !has_account {
        remark_line("nothing was read from HubSpot yet; run 'dealdeck sync'");
    } else if !handle.has_all(object).await? {
        remark_line(&format!(
            "not all {object} were read yet: some may be missing; 'dealdeck sync' reads them, or says why it may not"
        ));
    }
    Ok(())
}

/// Writes the rows as they are read; answers where the next ones begin.
async fn write(
    handle: &Handle,
    args: &ContactsList,
    mut query: ContactQuery,
    names: &Names<'_>,
) -> Result<Option<String>, Fault> {
    let mut left = if args.limit == 0 { usize::MAX } else { args.limit };
    let (mut written, mut kept) = (0, Vec::new());
    loop {
        query.limit = left.min(PAGE);
        let mut page = handle.list_contact_details(query.clone()).await?;
        left -= page.rows.len();
        for row in &mut page.rows {
            choose(row, &args.properties);
        }
        let is_last = left == 0 || page.next_after.is_none();
        match args.format.format {
            Format::Table | Format::Markdown => kept.append(&mut page.rows),
            format => part(&page.rows, names, format, written == 0, is_last)?,
        }
        written += 1;
        if is_last {
            if matches!(args.format.format, Format::Table | Format::Markdown) {
                print_report(report::contacts(&kept, &args.properties, names, args.format.format))?;
            }
            // A full page may be the last one: only who finds another row says that more follow.
            return match page.next_after {
                Some(next) if has_more(handle, query, &next).await? => Ok(Some(next)),
                _ => Ok(None),
            };
        }
        query.offset = 0;
        query.after = page.next_after;
    }
}

async fn has_more(handle: &Handle, query: ContactQuery, after: &str) -> Result<bool, Fault> {
    let query = ContactQuery {
        limit: 1,
        offset: 0,
        after: Some(after.to_owned()),
        ..query
    };
    Ok(!handle.list_contacts(query).await?.rows.is_empty())
}

/// One page of a listing that is written in pages: the parts together are what one report would be.
fn part(rows: &[ContactDetail], names: &Names<'_>, format: Format, is_first: bool, is_last: bool) -> Result<(), Fault> {
    let text = report::contacts(rows, &[], names, format);
    let text = match (format, text) {
        (Format::Json, Ok(text)) => {
            let inner = text.trim_end().trim_start_matches('[');
            let inner = inner.strip_suffix(']').unwrap_or(inner);
            let begin = if is_first { "[" } else { "," };
            let begin = if inner.is_empty() && !is_first { "" } else { begin };
            format!("{begin}{inner}{}", if is_last { "]\n" } else { "" })
        }
        (Format::Csv, Ok(text)) if !is_first => text
            .split_once("\r\n")
            .map_or_else(String::new, |(_, rest)| rest.into()),
        (_, text) => return text.map_or_else(|error| print_report(Err(error)), |text| print(&text)),
    };
    print(&text)
}

/// Everything that was asked for, all of which must hold.
async fn filter(handle: &Handle, args: &ContactsList, definitions: &[PropertyDefinition]) -> Result<Expr, Fault> {
    let segments: Vec<Segment> = handle
        .segments()
        .await?
        .into_iter()
        .map(|count| count.segment)
        .collect();
    let mut parts = Vec::new();
    if let Some(text) = &args.filter {
        let schema = Schema::Contacts(definitions, Segments::Of(&segments));
        parts.push(filter::parse(text, schema).map_err(|error| unreadable(text, &error))?);
    }
    if let Some(text) = &args.segment {
        parts.push(is(Field::Segment, &Segment::find(&segments, text)?.name));
    }
    if let Some(text) = &args.list {
        let lists: Vec<List> = handle.lists().await?.into_iter().map(|(list, _)| list).collect();
        parts.push(is(Field::List, find_list(&lists, text)?.id.as_str()));
    }
    Ok(Expr::And(parts))
}

/// The fault of a filter that does not parse.
pub fn unreadable(text: &str, error: &filter::FilterError) -> Fault {
    Fault::new(
        FaultKind::Usage,
        format!("the filter '{text}' cannot be read: {error}"),
        "mend it and try again",
    )
}

/// The filter `field="value"`.
pub fn is(field: Field, value: &str) -> Expr {
    Expr::Compare {
        field,
        op: Op::Equal,
        value: Value::Text(value.to_owned()),
    }
}

fn sort(field: &str) -> Result<ContactSort, Fault> {
    let known = [
        ("id", ContactSort::Id),
        ("name", ContactSort::Name),
        ("email", ContactSort::Email),
        ("company", ContactSort::Company),
        ("lifecycle", ContactSort::Lifecycle),
        ("owner", ContactSort::Owner),
        ("created", ContactSort::Created),
        ("updated", ContactSort::Updated),
        ("activity", ContactSort::Activity),
    ];
    let found = known.iter().find(|(name, _)| *name == field);
    found.map(|(_, sort)| *sort).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Fault::new(
            FaultKind::Usage,
            format!("contacts cannot be sorted by '{field}'"),
            format!("use one of: {}", names.join(", ")),
        )
    })
}

/// A property that HubSpot does not have is a slip; before the definitions were read, nobody can tell.
fn known_properties(wanted: &[String], definitions: &[PropertyDefinition]) -> Result<(), Fault> {
    let is_known = |name: &&String| definitions.iter().any(|definition| definition.name == **name);
    match wanted.iter().find(|name| !is_known(name)) {
        Some(name) if !definitions.is_empty() => {
            let likeness = |definition: &&PropertyDefinition| strsim::jaro_winkler(name, &definition.name);
            let best = definitions.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            Err(Fault::new(
                FaultKind::Usage,
                format!("contacts have no property '{name}'"),
                best.map_or_else(String::new, |best| format!("the nearest one is '{}'", best.name)),
            ))
        }
        _ => Ok(()),
    }
}

/// Leaves only the properties that were asked for; nothing asked = all of them.
fn choose(detail: &mut ContactDetail, wanted: &[String]) {
    if !wanted.is_empty() {
        let all = std::mem::take(&mut detail.properties);
        detail.properties = wanted
            .iter()
            .map(|name| (name.clone(), all.get(name).cloned().flatten()))
            .collect();
    }
}

async fn get(handle: &Handle, wanted: &str, properties: &[String], format: Format) -> Outcome {
    let definitions = handle.definitions(ObjectType::Contacts).await?;
    known_properties(properties, &definitions)?;
    handle.check_properties(ObjectType::Contacts, properties).await?;
    let mut found = handle.find_contacts(wanted).await?;
    for detail in &mut found {
        choose(detail, properties);
    }
    let facts = handle.facts().await?;
    let detail = match found.as_slice() {
        [detail] => detail,
        [] => {
            return Err(Fault::new(
                FaultKind::Refused,
                format!("there is no contact '{wanted}' in the mirror"),
                "check it, or run 'dealdeck sync' if it is new",
            ));
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|detail| detail.contact.id.as_str()).collect();
            return Err(Fault::new(
                FaultKind::Refused,
                format!("'{wanted}' is the address of several contacts"),
                format!("use the id of one of: {}", ids.join(", ")),
            ));
        }
    };
    print_report(report::contact(detail, &names(&facts), format))?;
    Ok(0)
}

async fn clear(handle: &Handle, yes: bool, format: Format) -> Outcome {
    let count = handle.contact_count().await?;
    let contacts = format::plural(count, "contact", "contacts");
    let lost = format!("{contacts} would be removed from the mirror");
    let question = format!("Remove {contacts} and the lists from the mirror? HubSpot keeps them.");
    if !yes && !stdin::agreed(&lost, &question).await? {
        remark_line("nothing was removed");
        return Ok(0);
    }
    let cleared = handle.clear_contacts().await?;
    print_report(report::cleared(cleared, format))?;
    Ok(0)
}
