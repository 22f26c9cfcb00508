//! `dealdeck segments …`: named groups of contacts with their counts, and HubSpot's lists beside them.

use crate::{
    domain::{Fault, FaultKind, Segment, SegmentCount},
    filter::Field,
    report::{self, Format},
    sync::{ContactQuery, Handle},
};

use super::{
    args::SegmentsCommand,
    contacts::is,
    exit::{Outcome, print_report, remark_line},
    names,
};

/// Runs a segments command.
pub async fn run(handle: &Handle, command: &SegmentsCommand) -> Outcome {
    match command {
        SegmentsCommand::List { format } => list(handle, format.format).await,
        SegmentsCommand::Show { name, limit, format } => show(handle, name, *limit, format.format).await,
    }
}

async fn list(handle: &Handle, format: Format) -> Outcome {
    let counts = handle.count_segments().await?;
    let (lists, facts) = (handle.lists().await?, handle.facts().await?);
    print_report(report::segments(&counts, &lists, &names(&facts), format))?;
    for fault in counts.iter().filter_map(|count| count.obstacle.as_ref()) {
        remark_line(&fault.to_string());
    }
    Ok(0)
}

async fn show(handle: &Handle, name: &str, limit: usize, format: Format) -> Outcome {
    let counts = handle.segments().await?;
    let segments: Vec<Segment> = counts.into_iter().map(|count| count.segment).collect();
    let name = Segment::find(&segments, name)?.name.clone();
    let counts: Vec<SegmentCount> = handle.count_segments().await?;
    let count = counts.iter().find(|count| count.segment.name == name).ok_or_else(|| {
        Fault::new(
            FaultKind::Bug,
            format!("the segment '{name}' is not counted"),
            "please report this",
        )
    })?;
    let contacts = if limit == 0 || count.obstacle.is_some() {
        Vec::new()
    } else {
        let query = ContactQuery {
            filter: Some(is(Field::Segment, &name)),
            limit,
            uncounted: true,
            ..ContactQuery::default()
        };
        handle.list_contact_details(query).await?.rows
    };
    let (lists, facts) = (handle.lists().await?, handle.facts().await?);
    print_report(report::segment(count, &lists, &contacts, &names(&facts), format))?;
    Ok(0)
}
