//! `dealdeck contacts push/queue/skip/select`: what a person decides about contacts of one's own.

use std::collections::BTreeSet;

use crate::{
    domain::{
        DealId, Fault, FaultKind, LocalContact, NewContact, ObjectType, OpState, PushDecision, Segment, format, safe,
    },
    filter::{self, Schema, Segments},
    report::{self, Format},
    sync::{Handle, Pushed, Wanted},
};

use super::{
    args::{ContactsDecide, ContactsPush},
    contacts::unreadable,
    exit::{Outcome, print, print_report, remark_line},
    names, pushing, stdin, write,
};

/// So many operations are printed one by one; more of them as numbers.
const FEW: usize = 20;

const DRY: &str = "a dry run: nothing was kept";

/// Runs `contacts push`.
pub async fn push(handle: &Handle, args: &ContactsPush, has_token: bool) -> Outcome {
    if args.status {
        return status(handle, args).await;
    }
    if args.reset {
        return reset(handle, args).await;
    }
    if args.create_properties {
        create_properties(handle, args.write.dry_run, has_token).await?;
        if args.ids.is_empty() && !args.all {
            return Ok(0);
        }
    }
    if args.ids.is_empty() && !args.all {
        return Err(Fault::new(
            FaultKind::Usage,
            "no contact is named",
            "name some by id or e-mail address, or add --all; --status lists them",
        ));
    }
    pushing::check_sync_date(handle).await?;
    let deals: Vec<DealId> = args.deal.iter().map(|id| id.as_str().into()).collect();
    let behind = handle
        .behind(args.company.as_deref(), &deals, &args.list, &args.remove_from_list)
        .await?;
    let contacts = match args.all {
        true => everything(handle).await?,
        false => wanted(handle, &args.ids).await?,
    };
    if args.write.dry_run {
        return would_push(handle, contacts, args.write.drive.format.format).await;
    }
    let kept = handle.keep_contacts(contacts, true, behind, |_| ()).await?;
    if kept.numbers.len() > FEW || args.all {
        return pushing::drive(handle, &kept, args.write.drive, has_token).await;
    }
    one_by_one(handle, &kept, args, has_token).await
}

async fn create_properties(handle: &Handle, dry_run: bool, has_token: bool) -> Result<(), Fault> {
    let (made, did) = if dry_run {
        let known = handle.definitions(ObjectType::Contacts).await?;
        let wanted = handle.push_settings().properties.iter().map(|wanted| &wanted.name);
        let missing = wanted.filter(|name| known.iter().all(|known| known.name != **name));
        (missing.cloned().collect(), "would be made")
    } else if has_token {
        (handle.create_properties().await?, "made")
    } else {
        return Err(super::wiring::no_token());
    };
    remark_line(&match made.as_slice() {
        [] => "HubSpot has every property of [push] already".to_owned(),
        made => format!("{did} in HubSpot: {}", made.join(", ")),
    });
    Ok(())
}

/// What a push of these would come to. One that only HubSpot has would be kept here first.
async fn would_push(handle: &Handle, contacts: Vec<NewContact>, format: Format) -> Outcome {
    let named: Vec<String> = contacts
        .iter()
        .filter(|_| contacts.len() <= FEW)
        .map(|contact| safe(&contact.email).into_owned())
        .collect();
    let count = handle.plan_contacts(contacts, true).await?;
    for email in named
        .iter()
        .filter(|_| usize::try_from(count.queued) == Ok(named.len()))
    {
        remark_line(&format!("would push '{email}'"));
    }
    remark_line(DRY);
    pushing::print_count(count, None, format).map(|()| 0)
}

/// Drives the operations of a few contacts and prints each, with what follows it.
async fn one_by_one(handle: &Handle, kept: &Pushed, args: &ContactsPush, has_token: bool) -> Outcome {
    let all = handle.local_contacts().await?;
    let numbers: BTreeSet<u64> = kept.numbers.iter().copied().collect();
    let rows: Vec<&LocalContact> = all.iter().filter(|row| numbers.contains(&row.n)).collect();
    let emails: Vec<&str> = rows.iter().map(|row| row.email.as_str()).collect();
    let ops: Vec<_> = handle.operations_of_contacts(&emails).await?;
    if ops.is_empty() {
        return pushing::drive(handle, kept, args.write.drive, has_token).await;
    }
    let mut drive = args.write.drive;
    drive.no_wait |= !has_token;
    let code = write::follow(handle, &ops, drive).await?;
    if !has_token {
        remark_line(pushing::NO_TOKEN);
    }
    Ok(code)
}

/// Everything but what HubSpot has refused and nobody has changed since.
async fn everything(handle: &Handle) -> Result<Vec<NewContact>, Fault> {
    let rows = handle.local_contacts().await?;
    let wants = |row: &&LocalContact| row.decision != PushDecision::Skipped && !row.is_refused();
    let wanted: Vec<NewContact> = rows.iter().filter(wants).map(again).collect();
    remark_refused(&rows);
    Ok(wanted)
}

fn remark_refused(rows: &[LocalContact]) {
    let refused = rows.iter().filter(|row| row.is_refused()).count();
    if refused > 0 {
        let contacts = format::plural(u64::try_from(refused).unwrap_or(u64::MAX), "contact", "contacts");
        remark_line(&format!(
            "HubSpot refused {contacts}; they go out again once they are changed"
        ));
    }
}

/// All or nothing as far as names go: a slip in one of them pushes none.
async fn wanted(handle: &Handle, ids: &[String]) -> Result<Vec<NewContact>, Fault> {
    let mut wanted: Vec<NewContact> = Vec::with_capacity(ids.len());
    for id in ids {
        match handle.find_local_contact(id).await? {
            Wanted::Here(row) if row.is_refused() => {
                return Err(Fault::new(
                    FaultKind::Refused,
                    format!("HubSpot refused '{}': {}", row.email, row.error().unwrap_or_default()),
                    "import it again with what is wrong put right",
                ));
            }
            Wanted::Here(row) => wanted.push(again(&row)),
            Wanted::Mirrored(new) => wanted.push(new),
        }
    }
    Ok(wanted)
}

fn again(row: &LocalContact) -> NewContact {
    NewContact {
        email: row.email.clone(),
        ..NewContact::default()
    }
}

async fn status(handle: &Handle, args: &ContactsPush) -> Outcome {
    let mut rows = handle.local_contacts().await?;
    if !args.ids.is_empty() {
        let numbers: BTreeSet<u64> = named(handle, &args.ids).await?.into_iter().collect();
        rows.retain(|row| numbers.contains(&row.n));
    }
    let facts = handle.facts().await?;
    print_report(report::local_contacts(
        &rows,
        &names(&facts),
        args.write.drive.format.format,
    ))?;
    Ok(0)
}

async fn reset(handle: &Handle, args: &ContactsPush) -> Outcome {
    let numbers: Vec<u64> = match (args.all, args.ids.as_slice()) {
        (true, _) => unskipped(&handle.local_contacts().await?),
        (false, []) => {
            return Err(Fault::new(
                FaultKind::Usage,
                "no contact is named",
                "name some by id or e-mail address, or add --all",
            ));
        }
        (false, ids) => named(handle, ids).await?,
    };
    let count = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
    let contacts = format::plural(count, "contact", "contacts");
    if args.write.dry_run {
        print(&format!("would reset {contacts}\n"))?;
        return Ok(0);
    }
    let lost = format!(
        "what became of {contacts} would be forgotten, the scheduler would push them again with all their values"
    );
    let question =
        format!("Forget what became of {contacts}? The scheduler will push them again with all their values.");
    if !args.yes && !stdin::agreed(&lost, &question).await? {
        remark_line("nothing was reset");
        return Ok(0);
    }
    let reset = handle.reset_contacts(numbers).await?;
    print_report(report::reset(reset, args.write.drive.format.format))?;
    if reset < count {
        let left = format::plural(count - reset, "contact", "contacts");
        remark_line(&format!(
            "HubSpot may be hearing of {left} right now; reset them afterwards"
        ));
    }
    Ok(0)
}

/// What nobody named does not overrule what a person decided.
fn unskipped(rows: &[LocalContact]) -> Vec<u64> {
    let rows = rows.iter().filter(|row| row.decision != PushDecision::Skipped);
    rows.map(|row| row.n).collect()
}

/// Runs `contacts queue`, `skip` and `select`.
pub async fn decide(handle: &Handle, args: &ContactsDecide, decision: PushDecision, has_token: bool) -> Outcome {
    let mut rows = match &args.filter {
        Some(text) => matching(handle, text).await?,
        None => {
            let numbers: BTreeSet<u64> = named(handle, &args.ids).await?.into_iter().collect();
            let mut rows = handle.local_contacts().await?;
            rows.retain(|row| numbers.contains(&row.n));
            rows
        }
    };
    if decision != PushDecision::Skipped {
        warn(handle, decision, has_token);
        say_refused(&rows);
    }
    if decision == PushDecision::Queued {
        pushing::check_sync_date(handle).await?;
    }
    if args.dry_run {
        rows.iter_mut().for_each(|row| foresee(row, decision));
        remark_line(DRY);
    } else {
        rows = decided(handle, &rows, decision).await?;
    }
    let facts = handle.facts().await?;
    print_report(report::local_contacts(&rows, &names(&facts), args.format.format))?;
    Ok(0)
}

/// Keeps a decision; answers the contacts as they are then.
async fn decided(handle: &Handle, rows: &[LocalContact], decision: PushDecision) -> Result<Vec<LocalContact>, Fault> {
    let numbers: BTreeSet<u64> = rows.iter().map(|row| row.n).collect();
    let takes = |row: &&LocalContact| decision == PushDecision::Skipped || !row.is_refused();
    let taken = rows.iter().filter(takes);
    if decision == PushDecision::Queued {
        let contacts = taken.map(again).collect();
        handle.keep_contacts(contacts, true, Vec::new(), |_| ()).await?;
    } else {
        let taken = taken.map(|row| row.n).collect();
        handle.decide_contacts(taken, decision).await?;
    }
    let mut rows = handle.local_contacts().await?;
    rows.retain(|row| numbers.contains(&row.n));
    Ok(rows)
}

/// A contact as it would be after a decision.
fn foresee(row: &mut LocalContact, decision: PushDecision) {
    if decision != PushDecision::Skipped && row.is_refused() {
        return;
    }
    row.decision = decision;
    let state = row.operation.as_ref().map(|operation| operation.state);
    let is_sent = matches!(state, Some(OpState::InFlight | OpState::Uncertain));
    let is_replaced = decision == PushDecision::Queued || state == Some(OpState::Queued);
    if is_replaced && !is_sent {
        row.operation = None;
    }
}

/// Says what keeps the contacts here.
fn warn(handle: &Handle, decision: PushDecision, has_token: bool) {
    if !has_token {
        remark_line(pushing::NO_TOKEN);
    }
    if handle.push_settings().enabled {
        return;
    }
    remark_line(match decision {
        PushDecision::Queued => {
            "'push.enabled' is false: what is selected waits; what is queued goes out with the next sync all the same"
        }
        _ => "'push.enabled' is false: nothing pushes what is selected; 'dealdeck contacts push' does by hand",
    });
}

/// Says of contacts that HubSpot refused why they are left out.
fn say_refused(rows: &[LocalContact]) {
    let refused: Vec<&LocalContact> = rows.iter().filter(|row| row.is_refused()).collect();
    for row in refused.iter().take(FEW) {
        let why = row.error().unwrap_or_default();
        remark_line(&format!(
            "left out: HubSpot refused '{}': {}",
            safe(&row.email),
            safe(&why)
        ));
    }
    if refused.len() > FEW {
        remark_line(&format!("and {} more", refused.len() - FEW));
    }
    if !refused.is_empty() {
        remark_line("import them again with what is wrong put right");
    }
}

/// The numbers of contacts of one's own; one that only HubSpot has is none.
async fn named(handle: &Handle, ids: &[String]) -> Result<Vec<u64>, Fault> {
    let mut numbers = Vec::with_capacity(ids.len());
    for id in ids {
        match handle.find_local_contact(id).await? {
            Wanted::Here(row) => numbers.push(row.n),
            Wanted::Mirrored(_) => {
                return Err(Fault::new(
                    FaultKind::Usage,
                    format!("'{id}' is HubSpot's alone, nothing waits to be pushed"),
                    "'dealdeck contacts push' makes it one of your own",
                ));
            }
        }
    }
    Ok(numbers)
}

async fn matching(handle: &Handle, text: &str) -> Result<Vec<LocalContact>, Fault> {
    let segments: Vec<Segment> = handle
        .segments()
        .await?
        .into_iter()
        .map(|count| count.segment)
        .collect();
    let definitions = handle.definitions(ObjectType::Contacts).await?;
    let schema = Schema::Contacts(&definitions, Segments::Of(&segments));
    let filter = filter::parse(text, schema).map_err(|error| unreadable(text, &error))?;
    handle.matching_local_contacts(filter).await
}
