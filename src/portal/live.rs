//! The colleagues: other owners who work on open deals at HubSpot's own screens while a client looks on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Portal;
use super::clock::{DAY, iso};
use super::kinds::ObjectType::{Deals, Notes};
use super::kinds::default_type;
use super::names;
use super::record::Actor;
use super::world::World;

/// How often a colleague looks for an open deal before going for coffee.
const TRIES: usize = 200;

/// Starts the colleagues; they stop with the server, or when the last handle on the portal is gone.
pub(super) fn start(portal: &Portal) {
    let rate = portal.inner.settings.live_per_minute;
    if rate <= 0.0 {
        return;
    }
    let mut dice = ChaCha8Rng::seed_from_u64(portal.inner.settings.seed ^ 0x6c69_7665);
    let stop = portal.inner.stop.clone();
    let inner = Arc::downgrade(&portal.inner);
    tokio::spawn(async move {
        loop {
            // Between half and one and a half times the mean, so that the rate holds and nothing beats time.
            let seconds = 60.0 / rate * (0.5 + dice.random::<f64>());
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs_f64(seconds)) => {}
                () = stop.cancelled() => return,
            }
            let Some(inner) = inner.upgrade() else { return };
            edit(&mut Portal { inner }.world(), &mut dice);
        }
    });
}

/// One edit of one open deal by one colleague; nothing when there is no open deal or no colleague.
fn edit(world: &mut World, dice: &mut ChaCha8Rng) {
    let me = world.token_user();
    let colleagues: Vec<u64> = world
        .owners
        .iter()
        .filter(|owner| !owner.archived)
        .filter_map(|owner| owner.user_id)
        .filter(|id| *id != me)
        .collect();
    let (false, Some(id)) = (colleagues.is_empty(), open_deal(world, dice)) else {
        return;
    };
    let by = Actor::person(Some(colleagues[dice.random_range(0..colleagues.len())]));
    let now = world.clock.now();
    let Some(row) = world.truth.row(Deals, id) else { return };
    let number = |name: &str| row.get(name).and_then(|text| text.parse::<f64>().ok());
    let (name, value) = match dice.random_range(0..10) {
        0..=3 => {
            let Some(stage) = next_stage(world, row.get("dealstage").unwrap_or_default().as_ref(), dice) else {
                return;
            };
            ("dealstage", stage)
        }
        4 | 5 => {
            let amount = number("amount").filter(|amount| *amount > 0.0).unwrap_or(12_000.0);
            let factor = [0.8, 0.9, 1.1, 1.25][dice.random_range(0..4)];
            (
                "amount",
                format!("{:.0}", (amount * factor / 500.0).round().max(1.0) * 500.0),
            )
        }
        6 | 7 => {
            let days = [-7, 7, 14, 30][dice.random_range(0..4)];
            (
                "closedate",
                iso(row.instant("closedate").unwrap_or(now).max(now - 30 * DAY) + days * DAY),
            )
        }
        8 => (
            "hs_next_step",
            names::NEXT_STEPS[dice.random_range(0..names::NEXT_STEPS.len())].to_owned(),
        ),
        _ => {
            let body = names::NOTES[dice.random_range(0..names::NOTES.len())];
            let values = BTreeMap::from([
                ("hs_timestamp".to_owned(), iso(now)),
                ("hs_note_body".to_owned(), body.to_owned()),
            ]);
            let types: Vec<_> = default_type(Notes, Deals).into_iter().collect();
            world.create(Notes, &values, &[(Deals, id, types)], &by);
            return;
        }
    };
    world.update(Deals, id, &BTreeMap::from([(name.to_owned(), value)]), &by);
}

fn open_deal(world: &World, dice: &mut ChaCha8Rng) -> Option<u64> {
    (0..TRIES).find_map(|_| {
        let id = world.truth.nth(Deals, dice.random())?;
        let (id, row) = world.truth.live(Deals, id)?;
        (row.get("hs_is_closed").as_deref() == Some("false")).then_some(id)
    })
}

/// Mostly one stage on, sometimes one back, now and then straight to the end.
fn next_stage(world: &World, stage: &str, dice: &mut ChaCha8Rng) -> Option<String> {
    let pipeline = world
        .pipelines(Deals)
        .iter()
        .find(|pipeline| pipeline.stage(stage).is_some())?;
    let open: Vec<_> = pipeline.stages.iter().filter(|stage| !stage.closed).collect();
    let closed: Vec<_> = pipeline.stages.iter().filter(|stage| stage.closed).collect();
    let place = open.iter().position(|open| open.id == stage)?;
    let next = match dice.random_range(0..20) {
        0..=2 if place > 0 => open.get(place - 1),
        3 if !closed.is_empty() => closed.get(dice.random_range(0..closed.len())),
        _ => open.get(place + 1).or_else(|| open.get(place.checked_sub(1)?)),
    };
    next.map(|stage| stage.id.clone())
}
