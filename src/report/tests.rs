//! Every shape in every format, as scripts and people get it.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::domain::{
    Account, Contact, ContactDetail, Deal, Fault, FaultKind, Gauge, Lane, LaneLoad, LaneUsage, LastSync, Limits, List,
    ListKind, ObjectCount, ObjectType, OpError, OpId, OpKind, OpState, Operation, Owner, Payload, Pending, Pipeline,
    PushCount, Record, RecordRef, Segment, SegmentCount, SentRequest, Stage, SyncReport, Usage,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn op(nth: u128) -> OpId {
    OpId(uuid::Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + nth))
}

fn account() -> Account {
    Account {
        portal_id: 4242,
        time_zone: "US/Eastern".into(),
        currency: "USD".into(),
        ui_domain: "app.hubspot.com".into(),
    }
}

fn pipelines() -> Vec<Pipeline> {
    let stage = |id: &str, label: &str, probability: &str, closed| Stage {
        id: id.into(),
        label: label.into(),
        order: 0,
        probability: probability.parse().unwrap(),
        closed,
    };
    vec![Pipeline {
        id: "default".into(),
        label: "Sales Pipeline".into(),
        order: 0,
        stages: vec![
            stage("q", "Qualified", "0.40", false),
            stage("closedwon", "Closed won", "1.0", true),
        ],
        updated_at: None,
    }]
}

fn owners() -> Vec<Owner> {
    vec![Owner {
        id: "501".into(),
        user: None,
        first_name: "Robin".into(),
        last_name: "Quill".into(),
        email: "robin@example.com".into(),
        archived: false,
    }]
}

fn record(object: ObjectType, id: &str, properties: &[(&str, &str)]) -> Record {
    Record {
        object,
        id: id.into(),
        properties: properties
            .iter()
            .map(|(name, value)| ((*name).into(), Some((*value).into())))
            .collect(),
        created_at: at("2026-10-01T08:00:00Z"),
        updated_at: at("2026-11-20T12:00:00.5Z"),
        archived: false,
        associations: Default::default(),
        history: Default::default(),
    }
}

fn some_deals() -> Vec<Deal> {
    let full = record(
        ObjectType::Deals,
        "11",
        &[
            ("dealname", "Acme Rocket Skates"),
            ("pipeline", "default"),
            ("dealstage", "q"),
            ("amount", "48000"),
            // Still the 15th in New York.
            ("closedate", "2026-12-16T03:00:00Z"),
            ("hubspot_owner_id", "501"),
            ("hs_next_step", "=HYPERLINK(\"x\"), call"),
            ("hs_v2_date_entered_current_stage", "2026-11-02T12:00:00Z"),
            ("notes_last_updated", "2026-11-08T12:00:00Z"),
        ],
    );
    let odd = record(
        ObjectType::Deals,
        "12",
        &[
            ("dealname", "月光\u{1b}[31mチーズ\u{202e}|x"),
            ("pipeline", "gone"),
            ("dealstage", "9"),
            ("amount", "-12.345"),
            ("deal_currency_code", "EUR"),
            ("hubspot_owner_id", "777"),
            ("hs_deal_stage_probability", "0.10"),
        ],
    );
    let bare = record(
        ObjectType::Deals,
        "13",
        &[("dealstage", "closedwon"), ("pipeline", "default")],
    );
    let mut deals: Vec<Deal> = [full, odd, bare].iter().map(Deal::from_record).collect();
    deals[0].pending.push(Pending {
        op: op(1),
        kind: OpKind::SetProperties,
        state: OpState::Queued,
    });
    deals
}

/// The text of every format under its name.
fn in_all_formats(write: impl Fn(Format) -> serde_json::Result<String>) -> String {
    Format::ALL
        .map(|format| format!("-- {format}\n{}", write(format).unwrap()))
        .join("\n")
}

#[test]
fn deals_in_every_format() {
    let (account, pipelines, owners) = (account(), pipelines(), owners());
    let names = Names {
        account: Some(&account),
        pipelines: &pipelines,
        owners: &owners,
        width: None,
    };
    insta::assert_snapshot!(in_all_formats(|format| deals(&some_deals(), &names, format)));
}

#[test]
fn deals_before_the_account_is_known() {
    insta::assert_snapshot!(in_all_formats(|format| deals(
        &some_deals()[..1],
        &Names::default(),
        format
    )));
}

#[test]
fn nothing_to_list_still_has_a_head() {
    let names = Names::default();
    assert_eq!(deals(&[], &names, Format::Json).unwrap(), "[]\n");
    assert_eq!(deals(&[], &names, Format::Jsonl).unwrap(), "");
    assert!(
        deals(&[], &names, Format::Csv)
            .unwrap()
            .starts_with("id,name,pipeline,stage,amount,")
    );
}

#[test]
fn contacts_in_every_format() {
    let record = record(
        ObjectType::Contacts,
        "7",
        &[
            ("firstname", "Dulcie"),
            ("lastname", "Jute"),
            ("email", "dulcie@jute.example"),
            ("company", "The Chainge Company"),
            ("phone", "+1 555 0100"),
            ("lifecyclestage", "customer"),
        ],
    );
    let contact = Contact::from_record(&record);
    let sources = [ContactDetail {
        contact: contact.clone(),
        segments: vec!["engaged".into(), "high_value".into()],
        lists: vec!["9".into()],
        properties: record.properties.clone(),
        synced_at: at("2026-11-22T12:00:00Z"),
    }];
    let account = account();
    let names = Names {
        account: Some(&account),
        ..Names::default()
    };
    insta::assert_snapshot!(in_all_formats(|format| contacts(&sources, &[], &names, format)));
    let asked = ["hs_lead_status".to_owned(), "phone".to_owned()];
    insta::assert_snapshot!(
        "the_properties_that_were_asked_for_are_columns",
        contacts(&sources, &asked, &names, Format::Table).unwrap()
            + &contacts(&sources, &asked, &names, Format::Csv).unwrap()
    );
    insta::assert_snapshot!(
        "one_contact_in_every_format",
        in_all_formats(|format| contact_of(&sources[0], &names, format))
    );
}

fn contact_of(detail: &ContactDetail, names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    super::contact(detail, names, format)
}

#[test]
fn segments_and_lists_in_every_format() {
    let list = |id: &str, name: &str, size| List {
        id: id.into(),
        name: name.into(),
        object: Some(ObjectType::Contacts),
        kind: Some(ListKind::Dynamic),
        status: "COMPLETE".into(),
        size,
        updated_at: None,
        joined_at: None,
        left_at: None,
        filters: None,
    };
    let count = |name: &str, filter: &str, list: Option<&str>, count, as_of: Option<&str>| SegmentCount {
        segment: Segment {
            name: name.into(),
            filter: filter.into(),
            list: list.map(Into::into),
        },
        count,
        as_of: as_of.map(at),
        history: vec![900, count],
        obstacle: None,
    };
    let then = Some("2026-11-22T12:00:00Z");
    let counts = [
        count("engaged", "updated < 30d", None, 1_234, then),
        count("readers", "", Some("9"), 17, then),
        count("new", "lifecycle:lead", Some("10"), 0, None),
    ];
    let lists = [
        (list("9", "Newsletter", Some(18)), 17),
        (list("8", "Old\u{1b}[31m", None), 0),
    ];
    let account = account();
    let names = Names {
        account: Some(&account),
        ..Names::default()
    };
    insta::assert_snapshot!(in_all_formats(|format| segments(&counts, &lists, &names, format)));
    insta::assert_snapshot!(
        "one_segment_in_every_format",
        in_all_formats(|format| { segment(&counts[1], &lists, &[], &names, format) })
    );
}

#[test]
fn operations_in_every_format() {
    let queued = Operation {
        id: op(1),
        entity: RecordRef::new(ObjectType::Deals, "11"),
        payload: Payload::SetProperties {
            values: Default::default(),
            base: Default::default(),
        },
        state: OpState::InFlight,
        attempts: 0,
        created_at: at("2026-11-22T12:00:00Z"),
        not_before: Some(at("2026-11-22T12:00:05Z")),
        error: None,
        remote_id: None,
        undo_of: Some(op(9)),
        title: "stage of Acme Rocket Skates  Qualified → Contract sent".into(),
    };
    let dead = Operation {
        id: op(2),
        payload: Payload::Archive,
        state: OpState::Dead,
        attempts: 3,
        not_before: None,
        error: Some(OpError {
            class: "validation".into(),
            message: "stage 'x' is not valid".into(),
            correlation_id: Some("c-1".into()),
        }),
        remote_id: Some("11".into()),
        undo_of: None,
        title: "archive Acme Rocket Skates".into(),
        ..queued.clone()
    };
    let list = [queued, dead];
    insta::assert_snapshot!(in_all_formats(|format| operations(&list, &Names::default(), format)));
}

#[test]
fn limits_in_every_format() {
    let lane = |requests, waited| LaneUsage {
        requests,
        waited: Duration::from_millis(waited),
    };
    let mut budgets = Limits {
        burst: Gauge {
            capacity: 190,
            left: 117,
            window: Duration::from_secs(10),
            resets_at: None,
        },
        search: Gauge {
            capacity: 5,
            left: 5,
            window: Duration::from_secs(1),
            resets_at: None,
        },
        daily: Some(Gauge {
            capacity: 625_000,
            left: 553_760,
            window: Duration::ZERO,
            resets_at: Some(at("2026-11-23T05:00:00Z")),
        }),
        daily_low: true,
        shared_since: Some(at("2026-11-22T15:41:00Z")),
        today: Usage {
            since: Some(at("2026-11-22T05:00:00Z")),
            lanes: [
                lane(10_000, 34),
                lane(4_000, 0),
                LaneUsage::default(),
                lane(57_240, 1_200),
            ],
            per_minute: 42,
            rate_limited: 2,
            retries: 3,
        },
        ..Limits::default()
    };
    budgets.lanes[0] = LaneLoad {
        active: 1,
        waiting: 2,
        total: 3,
    };
    let account = account();
    let names = Names {
        account: Some(&account),
        ..Names::default()
    };
    insta::assert_snapshot!(in_all_formats(|format| limits(&budgets, &names, format)));
    budgets.daily = None;
    assert!(
        limits(&budgets, &names, Format::Json)
            .unwrap()
            .contains("\"daily\":null")
    );
}

#[test]
fn requests_in_every_format() {
    let request = |time: &str, path: &str, status, took: Option<u64>| SentRequest {
        at: at(time),
        lane: Lane::Sync,
        method: "GET".to_owned(),
        path: path.to_owned(),
        status,
        took: took.map(Duration::from_millis),
    };
    let deals = "/crm/objects/2026-09/deals";
    let last = [
        request("2026-11-22T15:42:06Z", "/crm/objects/2026-09/contacts/…", None, None),
        request("2026-11-22T15:42:05Z", deals, Some(200), Some(131)),
        request("2026-11-22T15:41:58Z", deals, None, Some(10_000)),
    ];
    let account = account();
    let names = Names {
        account: Some(&account),
        ..Names::default()
    };
    insta::assert_snapshot!(in_all_formats(|format| requests(&last, &names, format)));
}

#[test]
fn a_sync_in_every_format() {
    let mut fault = Fault::new(FaultKind::Rate, "the daily limit is spent", "wait for the reset");
    fault.retry_at = Some(at("2026-11-22T12:01:00Z"));
    let count = |fetched, pages, deleted| ObjectCount {
        fetched,
        pages,
        deleted,
    };
    let report = SyncReport {
        complete: false,
        objects: [
            (ObjectType::Contacts, count(20_000, 200, 0)),
            (ObjectType::Deals, count(5_000, 50, 2)),
        ]
        .into(),
        histories: 0,
        lists: ObjectCount::default(),
        requests: 257,
        rate_limited: 1,
        retries: 4,
        waited: Duration::from_millis(1_200),
        duration: Duration::from_millis(10_900),
        by_segment: [("engaged".to_owned(), Some(567))].into(),
        pushed: PushCount {
            done: 3,
            conflict: 1,
            ..PushCount::default()
        },
        left_out: Vec::new(),
        errors: vec![fault],
    };
    insta::assert_snapshot!(in_all_formats(|format| sync(
        &report,
        at("2026-11-22T12:00:00Z"),
        format
    )));
    let last = LastSync {
        at: at("2026-11-22T11:00:00Z"),
        report,
    };
    let kept: LastSync = serde_json::from_str(&serde_json::to_string(&last).unwrap()).unwrap();
    assert_eq!(kept, last, "it is the same after it was kept");
    let said = in_all_formats(|format| stats(&kept, &Names::default(), at("2026-11-22T12:00:00Z"), format));
    insta::assert_snapshot!("the_last_sync_in_every_format", said);
}

#[test]
fn an_error_for_scripts_is_one_line() {
    let fault = Fault::new(
        FaultKind::Auth,
        "HubSpot refuses the token\n\u{9b}31m",
        "store a new one",
    );
    assert_eq!(
        error_line(&fault, at("2026-11-22T12:00:00Z")).unwrap(),
        r#"{"error":{"kind":"auth","message":"HubSpot refuses the token\n\u009b31m","next":"store a new one","retry_after_seconds":null}}"#
    );
}

#[test]
fn json_escapes_what_steers_a_terminal_and_loses_nothing() {
    let dirty = "a\u{1b}b\u{7f}c\u{85}d\u{202e}e\u{2066}f月\"\\";
    let text = compact(dirty).unwrap();
    assert!(
        text.chars()
            .all(|c| !c.is_control() && c != '\u{202e}' && c != '\u{2066}'),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<String>(&text).unwrap(), dirty);
}

#[test]
fn formats_are_named_and_a_wrong_name_lists_them() {
    for format in Format::ALL {
        assert_eq!(format.word().parse::<Format>().unwrap(), format);
    }
    assert_eq!(
        "xml".parse::<Format>().unwrap_err(),
        "unknown format 'xml', expected one of: table, json, jsonl, csv, markdown"
    );
}
