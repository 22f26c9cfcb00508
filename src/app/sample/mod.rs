//! An invented board for tests and benches, with every mark and write state in use, and a generator for any number of
//! deals. All names are fictitious. It is built through the same messages as in life.

mod outbox;
mod rows;

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _, civil::date, tz::TimeZone};
use rust_decimal::Decimal;

use crate::domain::{
    Account, ActivityItem, ActivityKind, Board, Company, Connection, Contact, Deal, DealDetail, DealId, Event,
    Freshness, Gauge, LaneLoad, Limits, Note, OpId, OpKind, Operation, Owner, Pending, Pipeline, PropertyDefinition,
    Segment, SegmentCount, Stage, Usage, Who, body_to_html,
};

use rows::{ROWS, Row};

use super::{Answer, Model, Msg, Settings, Story, Ticket, registry::Keymap, start, update};

/// The moment of the sample: Monday 23 November 2026, 10:42:03 UTC.
#[must_use]
pub fn now() -> Timestamp {
    at(2026, 11, 23, 10, 42, 3)
}

fn at(year: i16, month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Timestamp {
    date(year, month, day)
        .at(hour, minute, second, 0)
        .to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .unwrap_or_default()
}

fn ago(days: i64) -> Timestamp {
    now().saturating_sub((24 * days).hours()).unwrap_or_default()
}

/// The pipeline of the sample: five open stages, won and lost.
#[must_use]
pub fn pipeline() -> Pipeline {
    let stage = |(order, (id, label, percent, closed)): (usize, (&str, &str, i64, bool))| Stage {
        id: id.into(),
        label: label.to_owned(),
        order: i64::try_from(order).unwrap_or_default(),
        probability: Decimal::new(percent, 2),
        closed,
    };
    Pipeline {
        id: "default".into(),
        label: "Sales pipeline".to_owned(),
        order: 0,
        stages: [
            ("appointment", "Appointment scheduled", 20, false),
            ("qualified", "Qualified to buy", 40, false),
            ("presentation", "Presentation scheduled", 60, false),
            ("decision", "Decision maker bought-in", 80, false),
            ("contract", "Contract sent", 90, false),
            ("won", "Closed won", 100, true),
            ("lost", "Closed lost", 0, true),
        ]
        .into_iter()
        .enumerate()
        .map(stage)
        .collect(),
        updated_at: None,
    }
}

fn renewals() -> Pipeline {
    let mut pipeline = pipeline();
    pipeline.id = "renewals".into();
    pipeline.label = "Renewals".to_owned();
    pipeline.order = 1;
    pipeline
        .stages
        .retain(|stage| ["appointment", "contract", "won", "lost"].contains(&stage.id.as_str()));
    for stage in &mut pipeline.stages {
        stage.id = format!("renewal-{}", stage.id).into();
    }
    pipeline
}

fn owners() -> Vec<Owner> {
    [("1", "Robin", "Quill"), ("2", "Bea", "Tansy"), ("3", "Cato", "Moss")]
        .into_iter()
        .map(|(id, first, last)| Owner {
            id: id.into(),
            user: None,
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: format!("{}@quill.example", first.to_lowercase()),
            archived: false,
        })
        .collect()
}

fn deal((nth, row): (usize, &Row)) -> Deal {
    let (stage, name, hundreds, close, days, idle, step, owner, write) = *row;
    let amount = hundreds.map(|hundreds| Decimal::from(hundreds * 100));
    let next_activity = match step {
        "" => None,
        "today" => Some(at(2026, 11, 23, 16, 0, 0)),
        "late" => Some(ago(2)),
        _ => Some(at(2026, 11, 26, 10, 0, 0)),
    };
    Deal {
        id: format!("{}", 1001 + nth).into(),
        name: name.to_owned(),
        pipeline: "default".into(),
        stage: stage.into(),
        amount,
        currency: None,
        amount_home: amount,
        probability: None,
        close: close.map(|(day, month)| at(if month < 4 { 2027 } else { 2026 }, month, day, 12, 0, 0)),
        owner: Some(owner.into()),
        next_step: (!["", "plan", "today", "late"].contains(&step)).then(|| step.to_owned()),
        category: None,
        is_closed: Some(stage == "won" || stage == "lost"),
        is_won: Some(stage == "won"),
        created: ago(80),
        updated: ago(idle),
        stage_entered: Some(ago(days)),
        last_activity: Some(ago(idle)),
        next_activity,
        contacts: vec!["501".into()],
        companies: vec!["701".into()],
        pending: write
            .map(|state| Pending {
                op: op(nth),
                kind: OpKind::SetProperties,
                state,
            })
            .into_iter()
            .collect(),
    }
}

fn op(nth: usize) -> OpId {
    OpId(uuid::Uuid::from_u128(nth as u128 + 1))
}

/// The board of the sample.
#[must_use]
pub fn board() -> Board {
    Board {
        account: Some(Account {
            portal_id: 424_242,
            time_zone: "UTC".to_owned(),
            currency: "USD".to_owned(),
            ui_domain: "app.hubspot.com".to_owned(),
        }),
        me: Some("1".into()),
        pipelines: vec![pipeline(), renewals()],
        owners: owners(),
        deals: ROWS.iter().enumerate().map(deal).collect(),
        segments: segments(),
        activity: activity(),
        freshness: Freshness {
            connection: Connection::Live,
            as_of: Some(now()),
            trouble: None,
        },
    }
}

fn segments() -> Vec<SegmentCount> {
    let counts = [567, 212, 88, 12];
    let before = [546, 221, 85, 12];
    Segment::defaults()
        .into_iter()
        .zip(counts.into_iter().zip(before))
        .map(|(segment, (count, before))| SegmentCount {
            segment,
            count,
            as_of: Some(now()),
            history: (0..6).map(|day: u64| before - (5 - day)).chain([count]).collect(),
            obstacle: None,
        })
        .collect()
}

fn activity() -> Vec<ActivityItem> {
    let entry = |(hour, minute), who, name: &str, kind| ActivityItem {
        at: at(2026, 11, 23, hour, minute, 0),
        who,
        deal: id(name),
        name: ROWS
            .iter()
            .find(|row| row.1.starts_with(name))
            .map_or_else(String::new, |row| row.1.to_owned()),
        kind,
    };
    let amount = |from: &str, to: &str| ActivityKind::Amount {
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        currency: None,
    };
    let owner = |id: &str| Who::Owner(id.into());
    vec![
        entry(
            (10, 41),
            owner("2"),
            "Bluebird",
            ActivityKind::Moved("Contract sent".to_owned()),
        ),
        entry((10, 38), Who::You, "Acme", amount("40000", "48000")),
        entry(
            (10, 31),
            owner("3"),
            "Hedgehog",
            ActivityKind::CloseDate(Some(at(2026, 12, 22, 12, 0, 0))),
        ),
        entry((10, 22), Who::You, "Vorpal", ActivityKind::Note(3)),
        entry((10, 5), owner("2"), "Moonbeam", amount("60000", "64000")),
        entry(
            (9, 58),
            Who::You,
            "Tulgey",
            ActivityKind::NextStep(Some("call Thu 10:00".to_owned())),
        ),
        entry((9, 41), Who::Someone, "Ostrich", ActivityKind::Created),
    ]
}

/// The id of the first deal whose name begins like this.
#[must_use]
pub fn id(name: &str) -> Option<DealId> {
    let nth = ROWS.iter().position(|row| row.1.starts_with(name))?;
    Some(format!("{}", 1001 + nth).into())
}

/// The gauges of the sample.
#[must_use]
pub fn limits() -> Limits {
    let gauge = |capacity, left, seconds| Gauge {
        capacity,
        left,
        window: Duration::from_secs(seconds),
        resets_at: None,
    };
    let lane = |active, waiting| LaneLoad {
        active,
        waiting,
        total: 100,
    };
    Limits {
        burst: gauge(190, 104, 10),
        search: gauge(5, 4, 1),
        daily: Some(gauge(625_000, 553_800, 0)),
        daily_low: false,
        shared_since: None,
        today: Usage::default(),
        lanes: [lane(1, 0), lane(0, 0), lane(0, 0), lane(2, 4)],
        total_requests: 71_200,
        total_wait: Duration::from_secs(12),
        requests_per_minute: 86,
        rate_limited: 0,
        retries: 0,
    }
}

/// The operations of the sample: one in every state a person meets.
#[must_use]
pub fn outbox() -> Vec<Operation> {
    outbox::operations()
}

/// The operation of a deal with everything known of it.
#[must_use]
pub fn story(id: OpId) -> Option<Story> {
    outbox::story(id)
}

/// A dashboard with this board, live, everybody's deals in view, the focus on Acme, one card flashing.
#[must_use]
pub fn model_with(board: Board, size: (u16, u16)) -> Model {
    let mut model = Model::new(Settings::default(), Keymap::default(), now(), size);
    let _ = start(&mut model);
    let mut say = |msg| {
        let _ = update(&mut model, msg, now());
    };
    say(Msg::Answer(Ticket(1), Answer::Board(Ok(Box::new(board)))));
    say(Msg::Answer(Ticket(2), Answer::Outbox(Ok(outbox()))));
    say(Msg::Engine(Event::Limits(Box::new(limits()))));
    model
}

/// The dashboard of the sample at this size.
#[must_use]
pub fn model(size: (u16, u16)) -> Model {
    let mut model = model_with(board(), size);
    model.settings.quota = Some(Decimal::from(1_900_000));
    model.board.scope = super::Scope::Everyone;
    model.board.scope_settled = true;
    super::focus_on(&mut model, id("Acme"));
    if let Some(deal) = id("Bluebird") {
        let by = Some("2".into());
        let changed = Event::DealsChanged {
            ids: vec![deal],
            by,
            remote: true,
        };
        let _ = update(&mut model, Msg::Engine(changed), now());
    }
    model
}

/// A board with this many deals, spread over stages, owners, amounts and close dates; always the same.
#[must_use]
pub fn many(count: usize) -> Board {
    let mut board = board();
    let samples = std::mem::take(&mut board.deals);
    board.deals = (0..count)
        .filter_map(|nth| {
            let mut deal = samples.get(nth % samples.len().max(1))?.clone();
            deal.id = format!("{}", 10_000 + nth).into();
            deal.name = format!("{} {}", deal.name, nth / samples.len().max(1));
            deal.pending.clear();
            deal.close = deal.close.and_then(|at| {
                at.checked_add((i64::try_from(nth % 211).unwrap_or(0) * 24).hours())
                    .ok()
            });
            Some(deal)
        })
        .collect();
    board
}

/// One deal of the sample in detail: notes, people, company.
#[must_use]
pub fn detail(id: &DealId) -> Option<DealDetail> {
    let deal = board().deals.into_iter().find(|deal| deal.id == *id)?;
    let note = |nth: &str, days, text: &str| Note {
        id: Some(nth.into()),
        op: None,
        at: ago(days),
        body: body_to_html(text),
        owner: Some("1".into()),
    };
    let contact = |id: &str, first: &str, last: &str, title: &str| Contact {
        id: id.into(),
        email: Some(format!("{}@globex.example", first.to_lowercase())),
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        company: Some("Globex Umbrellas Ltd".to_owned()),
        phone: None,
        job_title: Some(title.to_owned()),
        lifecycle: Some("opportunity".to_owned()),
        owner: Some("1".into()),
        created: ago(80),
        updated: ago(1),
        last_activity: Some(ago(1)),
    };
    let property = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let definition = |name: &str, label: &str, read_only| PropertyDefinition {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: "string".to_owned(),
        options: vec![("newbusiness".to_owned(), "New business".to_owned())],
        read_only,
        hidden: false,
        unique: false,
        several: false,
    };
    Some(DealDetail {
        activities: Vec::new(),
        properties: [
            property("dealname", &deal.name),
            property("dealtype", "newbusiness"),
            property("amount_in_home_currency", "96000"),
            property("deal_score_computed", "71"),
            property("competitor_of_record", "Soggy Parasols"),
        ]
        .into(),
        deal,
        definitions: vec![
            definition("dealtype", "Deal Type", false),
            definition("deal_score_computed", "Deal score", true),
            definition("competitor_of_record", "Competitor of record", false),
        ],
        contacts: vec![
            contact("501", "Wren", "Tallow", "Head of operations"),
            contact("502", "Ivo", "Brack", "CFO"),
        ],
        companies: vec![Company {
            id: "701".into(),
            name: "Globex Umbrellas Ltd".to_owned(),
            domain: Some("globex.example".to_owned()),
            city: Some("Utopia Harbour".to_owned()),
            country: None,
            industry: None,
            employees: Some("420".to_owned()),
        }],
        notes: vec![
            note(
                "901",
                3,
                "Call notes: depot pilot\nChampion is Wren (ops). Budget sits with Ivo. Wants a pilot in two depots before \
                 the board meets on 9 Dec.\n\nAgreed\n- pilot plan by Thu 26 Nov\n- Ivo joins the next call",
            ),
            note("902", 7, "Discovery with operations"),
            note("903", 11, "Pricing for 240 canopies"),
        ],
        notes_as_of: Some(now()),
    })
}
