//! The language from outside: what is accepted, what is refused and how, what it finds.

use jiff::{Timestamp, tz::TimeZone};

use super::*;
use crate::domain::{
    Contact, Deal, List, ObjectType, Owner, OwnerId, Pipeline, PropertyDefinition, Record, Segment, Stage,
};

pub(super) const NOW: &str = "2026-11-22T12:00:00Z";

pub(super) fn definitions() -> Vec<PropertyDefinition> {
    let definition = |name: &str, kind: &str| PropertyDefinition {
        name: name.into(),
        label: name.into(),
        kind: kind.into(),
        options: Vec::new(),
        read_only: false,
        hidden: false,
        unique: false,
        several: false,
    };
    let mut all = vec![
        definition("region", "enumeration"),
        definition("seats", "number"),
        definition("renewal", "date"),
        definition("demo_at", "datetime"),
        definition("vip", "bool"),
        definition("campaign", "string"),
    ];
    all[0].options = vec![("emea_1".into(), "Europe".into()), ("am_1".into(), "Americas".into())];
    all
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
        updated_at: None,
        stages: vec![
            stage("qualified", "Qualified", "0.4", false),
            stage("77", "Contract sent", "0.9", false),
            stage("closedwon", "Closed won", "1", true),
            stage("closedlost", "Closed lost", "0", true),
        ],
    }]
}

fn owners() -> Vec<Owner> {
    let owner = |id: &str, first: &str, last: &str| Owner {
        id: id.into(),
        user: None,
        first_name: first.into(),
        last_name: last.into(),
        email: format!("{}@example.com", first.to_lowercase()),
        archived: false,
    };
    vec![owner("501", "Robin", "Quill"), owner("502", "Wren", "Abbot")]
}

fn record(object: ObjectType, properties: &[(&str, &str)]) -> Record {
    Record {
        object,
        id: "1".into(),
        properties: properties
            .iter()
            .map(|(name, value)| ((*name).into(), Some((*value).into())))
            .collect(),
        created_at: "2026-10-01T00:00:00Z".parse().unwrap(),
        updated_at: "2026-11-20T12:00:00Z".parse().unwrap(),
        archived: false,
        associations: [(ObjectType::Contacts, vec!["7".to_owned(), "8".to_owned()])].into(),
        history: Default::default(),
    }
}

pub(super) fn deal_record() -> Record {
    record(
        ObjectType::Deals,
        &[
            ("dealname", "Acme Rocket Skates"),
            ("pipeline", "default"),
            ("dealstage", "77"),
            ("amount", "100000"),
            ("closedate", "2026-12-31T23:30:00Z"),
            ("createdate", "2026-11-01T12:00:00Z"),
            ("hubspot_owner_id", "501"),
            ("notes_last_updated", "2026-11-08T12:00:00Z"),
            ("hs_v2_date_entered_current_stage", "2026-11-02T12:00:00Z"),
            ("hs_manual_forecast_category", "BEST_CASE"),
            ("region", "emea_1"),
            ("seats", "250"),
            ("renewal", "2027-01-01"),
            ("demo_at", "2026-11-22T03:00:00Z"),
            ("vip", "true"),
        ],
    )
}

fn contact_record() -> Record {
    record(
        ObjectType::Contacts,
        &[
            ("firstname", "Dulcie"),
            ("lastname", "Jute"),
            ("email", "dulcie@jute.example"),
            ("company", "The Chainge Company"),
            ("lifecyclestage", "evangelist"),
            ("hs_lead_status", "NEW"),
        ],
    )
}

fn finds_deal(text: &str) -> bool {
    let (definitions, pipelines, owners) = (definitions(), pipelines(), owners());
    let me: OwnerId = "502".into();
    let mut context = Context::new(NOW.parse().unwrap(), TimeZone::get("US/Eastern").unwrap());
    context.me = Some(&me);
    context.currency = "USD";
    context.pipelines = &pipelines;
    context.owners = &owners;
    context.definitions = &definitions;
    let record = deal_record();
    let deal = Deal::from_record(&record);
    let row = DealRow {
        deal: &deal,
        companies: &["Acme Inc", "月光チーズ"],
        properties: Some(&record.properties),
    };
    let expr = parse(text, Schema::Deals(&definitions)).unwrap_or_else(|error| panic!("{text}: {error}"));
    matches(&expr, &row, &context)
}

fn lists() -> Vec<List> {
    let list = |id: &str, name: &str| List {
        id: id.into(),
        name: name.into(),
        object: Some(ObjectType::Contacts),
        kind: None,
        status: String::new(),
        size: None,
        updated_at: None,
        joined_at: None,
        left_at: None,
        filters: None,
    };
    vec![
        list("77", "Newsletter"),
        list("78", "Newsletter, old"),
        list("9", "77 of the north"),
        list("1042", "Föhr"),
    ]
}

/// The shipped ones, and `high`, whose name begins another one's.
fn segments() -> Vec<Segment> {
    let high = Segment {
        name: "high".into(),
        filter: "phone:none".into(),
        list: None,
    };
    [vec![high], Segment::defaults()].concat()
}

fn plans() -> Vec<(String, Plan)> {
    let context = Context::new(NOW.parse::<Timestamp>().unwrap(), TimeZone::UTC);
    let plan = |segment: Segment| {
        let expr = parse(&segment.filter, Schema::Contacts(&[], Segments::Barred)).unwrap();
        (segment.name, expr.plan(&context))
    };
    segments().into_iter().map(plan).collect()
}

fn finds_contact(text: &str) -> bool {
    let (lists, plans) = (lists(), plans());
    let context = Context {
        lists: &lists,
        segments: &plans,
        ..Context::new(NOW.parse::<Timestamp>().unwrap(), TimeZone::UTC)
    };
    let record = contact_record();
    let contact = Contact::from_record(&record);
    let row = ContactRow {
        contact: &contact,
        properties: Some(&record.properties),
        lists: &["77", "1042"],
    };
    matches(
        &parse(text, Schema::Contacts(&[], Segments::Of(&segments()))).unwrap(),
        &row,
        &context,
    )
}

#[test]
fn deals_are_found_by_every_field() {
    for text in [
        "",
        "rocket",
        "\"rocket skates\"",
        "acme skates",
        "月光",
        "stage:contract amount>90k close<=eoq",
        "stage:77 pipeline:sales",
        "stage=\"contract sent\" stage!=contract",
        "stage:(qualified, contract)",
        "stage~sent",
        "state:open -state:won state:(open, won)",
        "amount=100000 amount:0.1m amount<=100k amount>=100k amount:90k..100k",
        "weighted=90k probability:0.9",
        "owner:quill owner:robin owner:501 owner=\"robin quill\" owner:robin@example.com",
        "-owner:me",
        "idle>=14d idle:14 idle<2.5k idle:1w..3w",
        "age:21 age>=3w age<1m",
        "days_in_stage>19 days_in_stage<=20d",
        "next_step:none not next_step:x next_step!=x",
        "category:\"best case\" category:best_case category=best_case",
        "currency:usd contacts:2 contacts>1",
        "company~acme company:月光 company!=globex",
        "pending:no",
        "updated < 30d updated >= 2d updated:2d updated:1d..3d",
        "activity >= 2w activity <= 2w",
        // 23:30 UTC is the evening of the 31st in New York.
        "close:2026-12-31 close:q4 close:fy2026 close>today close<=+2m close!=2027-01-01",
        "created >= -30d created:2026-11-01 created:2026-10-30..2026-11-02",
        "region:europe region:emea region=Europe",
        "seats>249.5 seats:200..300",
        "renewal:2027-01-01 renewal>=2027-01-01 renewal<2027-01-02",
        // 03:00 UTC is still yesterday in New York.
        "demo_at:yesterday demo_at<today",
        "vip:yes vip!=no",
        "campaign:none",
        "STAGE:Contract AND NOT (amount<1 OR owner:me)",
        "(stage:qualified or pending:yes) or (rocket)",
    ] {
        assert!(finds_deal(text), "should find: {text}");
    }
}

#[test]
fn deals_are_left_out() {
    for text in [
        "globex",
        "stage:sent",
        "stage:qualified or state:lost",
        "amount>100k",
        "amount<100k",
        "amount:none",
        "owner:me",
        "owner:abbot",
        "next_step~x",
        "not next_step:none",
        "updated < 2d",
        "updated > 2d",
        "activity<14d",
        "close<today",
        "close>eoq",
        "close:q3",
        "created < -30d",
        "renewal:2026-12-31",
        "demo_at:today",
        "category:commit",
        "campaign!=none",
        "vip:no",
        "idle<14",
        "company:none",
    ] {
        assert!(!finds_deal(text), "should not find: {text}");
    }
}

#[test]
fn contacts_are_found_by_every_field_and_the_shipped_segments() {
    for text in [
        "dulcie",
        "jute.example",
        "chainge",
        "name:\"dulcie j\" email~@jute company~\"chainge\" phone:none title:none",
        "lifecycle:(customer, evangelist, opportunity)",
        "status:new created<=today activity:none owner:none",
        "updated < 30d",
        "list:77 list:1042 list:news list=newsletter list~LETTER list:föh",
        "list:(78, 77) list!=78 list!~old -list:none",
        // An id is meant before a name that begins so, a whole name before a longer one.
        "-list:9 -list:old",
        "segment:engaged segment:eng segment=ENGAGED segment:high_value segment:\"high val\" -segment:cold",
        "segment:high segment~value segment:(cold, chainge) -segment:none segment!=cold",
        "segment:chainge list:77 or segment:cold",
    ] {
        assert!(finds_contact(text), "should find: {text}");
    }
    for text in [
        "updated >= 90d",
        "company:chainge",
        "owner:me",
        "lifecycle:lead",
        "wren",
        "list:78",
        "list=news",
        "list:none",
        "list:7",
        "list:elsewhere",
        "segment:cold",
        "segment:none",
        "-segment:engaged",
    ] {
        assert!(!finds_contact(text), "should not find: {text}");
    }
    for segment in crate::domain::Segment::defaults() {
        parse(&segment.filter, Schema::Contacts(&[], Segments::Barred)).unwrap();
    }
}

#[test]
fn errors_point_at_the_column_and_say_what_was_expected() {
    let definitions = definitions();
    let said: Vec<String> = [
        "amount>>90k",
        "amount>",
        "amount>lots",
        "amount>\"lots\"",
        "amount:9..1",
        "amount~5",
        "stage>contract",
        "stag:contract",
        "campain:x",
        "pushes>=3",
        "close<=someday",
        "close:2026-13-01",
        "close:today..30d",
        "close<none",
        "created>(today, eoq)",
        "idle>=3h",
        "state:opne",
        "pending:maybe",
        "pending>yes",
        "stage:(contract",
        "stage:(contract qualified)",
        "stage:()",
        "(acme",
        "acme)",
        "acme or",
        "or acme",
        "not",
        ":contract",
        "acme, globex",
        "name:\"acme",
        "name:\"\"",
        "月光 stage>>x",
    ]
    .into_iter()
    .map(|text| format!("{text}\n    {}", parse(text, Schema::Deals(&definitions)).unwrap_err()))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(
        parse("amount>>90k", Schema::Deals(&[])).unwrap_err().to_string(),
        "column 8: expected a value after '>'"
    );
}

#[test]
fn errors_about_segments_point_at_the_name_or_say_why_there_are_none() {
    let segments = segments();
    let known = Schema::Contacts(&[], Segments::Of(&segments));
    let said = [
        ("company~x segment:enganed", known),
        ("segment=eng", known),
        ("segment:(cold, \"hi valu\")", known),
        ("segment~zzz", known),
        ("segment>cold", known),
        ("segmnt:cold", known),
        ("segment:cold", Schema::Contacts(&[], Segments::Of(&[]))),
        ("phone:none segment:cold", Schema::Contacts(&[], Segments::Barred)),
        ("segment:cold", Schema::Deals(&[])),
    ]
    .map(|(text, schema)| format!("{text}\n    {}", parse(text, schema).unwrap_err()));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn nesting_has_a_limit_instead_of_an_end_of_the_stack() {
    for text in ["(".repeat(100_000), "not ".repeat(100_000), "-".repeat(100_000)] {
        let error = parse(&text, Schema::Deals(&[])).unwrap_err();
        assert!(error.message.contains("nest more than 64 deep"), "{error}");
    }
    parse(&format!("{}acme{}", "(".repeat(63), ")".repeat(63)), Schema::Deals(&[])).unwrap();
}

#[test]
fn a_filter_can_be_read_before_anybody_knows_the_properties() {
    for text in [
        "campaign:spring seats>=50",
        "renewal < 30d or -vip:yes",
        "demo_at >= 2026-01-01 demo_at:2026-01-01..2026-02-01",
        "region:(emea_1, am_1) lifecycle:lead",
        "campaign:none seats:1..5",
    ] {
        let unread = parse(text, Schema::Unread).unwrap_or_else(|error| panic!("{text}: {error}"));
        let read = parse(text, Schema::Contacts(&definitions(), Segments::Barred)).unwrap();
        assert_eq!(unread.properties(), read.properties(), "{text}");
    }
    let said = |text: &str| parse(text, Schema::Unread).unwrap_err().to_string();
    let errors = [
        "seats>>50",
        "seats >",
        "seats > some",
        "seats:(1, ",
        "Seats:5",
        "no-name:5",
        "updated < yes",
        "segment:cold",
    ];
    insta::assert_snapshot!(errors.map(|text| format!("{text}\n    {}", said(text))).join("\n"));
    let named = parse("status:new seats>5 (name:x or campaign:y)", Schema::Unread).unwrap();
    assert_eq!(named.properties(), ["hs_lead_status", "seats", "campaign"]);
}

#[test]
fn a_filter_says_which_segments_it_asks_for() {
    let segments = segments();
    let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
    let asked = |text: &str| {
        let expr = parse(text, Schema::Contacts(&[], Segments::Of(&segments))).unwrap();
        expr.segments(&names)
    };
    assert_eq!(asked("updated<3d"), Vec::<&str>::new());
    assert_eq!(asked("-segment:cold or segment:(high, cold)"), ["cold", "high", "cold"]);
    assert_eq!(asked("segment!=cold"), ["cold"]);
    assert_eq!(asked("segment:none"), names);
}
