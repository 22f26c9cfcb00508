//! How an account comes to be: generated from the seed, or loaded from a fixture over HubSpot's standard parts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::base::{Base, Sizes, mix};
use super::clock::{Clock, DAY, iso};
use super::gate::Gate;
use super::index::SearchIndex;
use super::keys::{Caller, Keys};
use super::kinds::ObjectType;
use super::lists::{List, Rule};
use super::oauth::OAuthApp;
use super::pipelines::{self, Pipeline};
use super::schema::Schema;
use super::search::Cache;
use super::settings::Settings;
use super::switches::Switch;
use super::truth::Truth;
use super::world::World;
use super::{Error, fixture};

/// Opens the account that the settings describe.
pub(super) fn world(settings: &Settings, clock: &Clock) -> Result<World, Error> {
    let opened = clock.now();
    let seed = settings.seed;
    let portal_id = 4_240_000 + mix(seed ^ 0x706f) % 9_999;
    let generated = settings.fixture.is_none();
    let owners = if generated {
        pipelines::owners(settings.owners, opened)
    } else {
        Vec::new()
    };
    let deal_pipelines: Vec<Value> = if generated {
        vec![pipelines::sales(), pipelines::renewals()]
    } else {
        vec![pipelines::sales()]
    };
    let deal_pipelines: Vec<Pipeline> = deal_pipelines.into_iter().filter_map(Pipeline::from_wire).collect();
    let tickets = Pipeline::from_wire(pipelines::support()).into_iter().collect();
    let pipelines = BTreeMap::from([(ObjectType::Deals, deal_pipelines), (ObjectType::Tickets, tickets)]);
    let base = generated.then(|| {
        let sizes = Sizes {
            contacts: settings.contacts,
            companies: settings.companies,
            deals: settings.deals,
            tickets: settings.tickets,
        };
        Base::new(seed, &sizes, opened, &owners, &pipelines[&ObjectType::Deals])
    });
    let app_id = app_id(seed);
    let app = settings
        .oauth
        .then(|| OAuthApp::new(seed, app_id + 500, millis(settings.token_ttl)));
    let keys = Keys::new(token(seed), &settings.tokens, app_id, app);
    let caller = keys
        .first()
        .map_or_else(|| Caller::nobody(app_id), |(_, caller)| caller.clone());
    let zone = TimeZone::get(&settings.time_zone).map_err(|_| Error::TimeZone(settings.time_zone.clone()))?;
    let mut world = World {
        clock: clock.clone(),
        seed,
        portal_id,
        app_id,
        keys,
        caller,
        switches: settings.switches.clone(),
        account: account(settings, portal_id, &zone, opened),
        strict: settings.strict_rules,
        cursor: settings.cursor,
        owners,
        schema: Schema::standard(&pipelines),
        pipelines,
        lists: Vec::new(),
        events: Vec::new(),
        list_lag: millis(settings.index_lag.max),
        truth: Truth::new(base),
        index: SearchIndex::new(settings.index_lag, mix(seed ^ 0x696e)),
        cache: Cache::default(),
        gate: Gate::new(settings, zone, opened),
    };
    match &settings.fixture {
        Some(text) => fixture::load(&mut world, settings, text)?,
        None => world.lists = lists(&world, opened),
    }
    if world.switches.on(Switch::CreationKey) {
        world.schema.release("hs_unique_creation_key");
    }
    Ok(world)
}

/// The number of the app that the first token belongs to.
pub(super) fn app_id(seed: u64) -> u64 {
    9_000_000 + mix(seed ^ 0x6170) % 900_000
}

fn millis(span: std::time::Duration) -> i64 {
    span.as_millis().try_into().unwrap_or(i64::MAX / 2)
}

/// `pat-na1-` and a made-up uuid.
pub(super) fn token(seed: u64) -> String {
    let (a, b) = (mix(seed ^ 0x746f), mix(seed ^ 0x6b65));
    format!(
        "pat-na1-{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 48 & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

/// Account details in HubSpot's shape.
pub(super) fn account(settings: &Settings, portal_id: u64, zone: &TimeZone, opened: i64) -> Value {
    let at = Timestamp::from_millisecond(opened).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = zone.to_offset(at).seconds();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    json!({
        "portalId": portal_id, "portalName": "Teapot Orbital (simulated)", "accountType": "DEVELOPER_TEST",
        "timeZone": settings.time_zone, "companyCurrency": "USD", "additionalCurrencies": ["EUR"],
        "utcOffset": format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60), "utcOffsetMilliseconds": i64::from(offset) * 1_000,
        "uiDomain": settings.hublet.as_deref().map_or_else(|| "app.hubspot.com".to_owned(), |hublet| format!("app-{hublet}.hubspot.com")),
        "dataHostingLocation": settings.hublet.as_deref().unwrap_or("na1"), "createdAt": iso(opened - 800 * DAY),
    })
}

/// The lists of a generated account: two that people keep, and one that follows a filter.
fn lists(world: &World, opened: i64) -> Vec<List> {
    let every = |nth: usize| {
        world
            .truth
            .ids(ObjectType::Contacts, 0)
            .take(20_000)
            .step_by(nth)
            .collect::<Vec<_>>()
    };
    let list = |id: &str, name: &str, processing: &str, members: Vec<u64>| {
        let mut wire = json!({
            "listId": id, "listVersion": 1, "name": name, "objectTypeId": "0-1", "processingType": processing,
            "processingStatus": "COMPLETE", "createdAt": iso(opened - 90 * DAY), "updatedAt": iso(opened - 9 * DAY),
        });
        if processing == "DYNAMIC" {
            wire["filterBranch"] = Rule::branch("lifecyclestage", "customer");
            wire["filtersUpdatedAt"] = json!(iso(opened - 90 * DAY));
        }
        List::from_wire(wire, members, opened - 9 * DAY)
    };
    let customers = list("103", "Customers", "DYNAMIC", Vec::new());
    let rule = customers.as_ref().and_then(List::spelt_rule);
    let fitting = rule.map_or_else(Vec::new, |rule| world.fitting(ObjectType::Contacts, &rule));
    let customers = list("103", "Customers", "DYNAMIC", fitting).map(List::evaluated);
    let kept = [
        list("101", "Newsletter", "MANUAL", every(7)),
        list("102", "Tea tasting guests", "MANUAL", every(41)),
    ];
    kept.into_iter().chain([customers]).flatten().collect()
}
