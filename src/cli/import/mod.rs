//! `dealdeck contacts import`: a file of contacts becomes contacts of one's own and their pushes. Every row is checked
//! before any is kept.

mod file;
mod layout;
mod quotes;

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use crate::{
    domain::{Fault, FaultKind, ImportCount, safe},
    sync::Handle,
};

use self::file::{BadRow, Rows};
use super::{
    args::ContactsImport,
    exit::{Outcome, remark_line},
    pushing::{self, Bar},
    stdin,
};

/// So many bad rows are named one by one.
const NAMED: usize = 10;
/// A larger file than this is none of contacts: two million rows or something that never ends.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Runs the command.
pub async fn run(handle: &Handle, args: &ContactsImport, has_token: bool) -> Outcome {
    let bytes = bytes(&args.file).await?;
    let map = handle.field_map().await?.with_owners(handle.facts().await?.owners);
    let rows = stdin::beside(move || file::read(&bytes, &map))
        .await
        .map_err(|error| unread(&args.file, &error))??;
    if !rows.bad.is_empty() && !args.skip_invalid {
        return Err(refusal(&rows));
    }
    if rows.contacts.is_empty() && rows.bad.is_empty() {
        remark_line("the file has a first line and no contacts below it");
    }
    let skipped = ImportCount {
        skipped: u64::try_from(rows.bad.len()).unwrap_or(u64::MAX),
        ..ImportCount::default()
    };
    if !rows.left_out.is_empty() {
        remark_line(&format!(
            "HubSpot takes no such columns: {}; they are left out",
            rows.left_out.join(", ")
        ));
    }
    for line in named(&rows.bad) {
        remark_line(&format!("left out: {line}"));
    }
    if args.write.dry_run {
        let mut count = handle.plan_contacts(rows.contacts, false).await?;
        count.add(skipped);
        remark_line("a dry run: nothing was kept");
        return pushing::print_count(count, None, args.write.drive.format.format).map(|()| 0);
    }
    pushing::check_sync_date(handle).await?;
    let bar = Bar::new("kept", rows.contacts.len());
    let mut kept = handle
        .keep_contacts(rows.contacts, false, Vec::new(), |done| bar.at(done))
        .await?;
    bar.end();
    kept.count.add(skipped);
    pushing::drive(handle, &kept, args.write.drive, has_token).await
}

/// The bytes of a file, which may be a pipe that nobody writes to.
async fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = path.to_owned();
    let read = if path.as_os_str() == "-" {
        stdin::read(|mut input| {
            let mut bytes = Vec::new();
            input.by_ref().take(LARGEST + 1).read_to_end(&mut bytes).map(|_| bytes)
        })
        .await
    } else {
        let begin = move || {
            let mut bytes = Vec::new();
            fs::File::open(file)?
                .take(LARGEST + 1)
                .read_to_end(&mut bytes)
                .map(|_| bytes)
        };
        stdin::beside(begin).await.flatten()
    };
    let bytes = read.map_err(|error| unread(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::new(
            FaultKind::Usage,
            format!("'{}' is larger than 256 MB", safe(&path.display().to_string())),
            "split it into several files",
        ));
    }
    Ok(bytes)
}

fn unread(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        FaultKind::Usage,
        format!("'{}' cannot be read: {error}", safe(&path.display().to_string())),
        "check the path",
    )
}

/// The first bad rows, and how many more there are.
fn named(bad: &[BadRow]) -> Vec<String> {
    let mut lines: Vec<String> = bad
        .iter()
        .take(NAMED)
        .map(|bad| format!("line {}, {}: {}", bad.line, bad.field, safe(&bad.reason)))
        .collect();
    if bad.len() > NAMED {
        lines.push(format!("and {} more", bad.len() - NAMED));
    }
    lines
}

fn refusal(rows: &Rows) -> Fault {
    let all = rows.bad.len() + rows.contacts.len();
    Fault::new(
        FaultKind::Usage,
        format!(
            "{} of {all} rows cannot be imported, and nothing was kept:\n  {}",
            rows.bad.len(),
            named(&rows.bad).join("\n  ")
        ),
        "mend them, or import the others with --skip-invalid",
    )
}
