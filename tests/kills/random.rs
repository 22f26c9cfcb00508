//! Ended at random, again and again, on one disk.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _};

use super::{
    cases::{KINDS, Kind, Program, Scene, Truth, Wish, operations, places, suspects},
    proxy::Proxy,
    test_size,
};

/// One disk that outlives many deaths.
fn live(
    scene: &Scene,
    kinds: &[Kind],
    wanted: usize,
    seed: u64,
    deaths: &AtomicUsize,
    open: &Mutex<Vec<(String, String)>>,
) {
    let (portal, _) = scene.account(kinds[0]);
    let proxy = Proxy::before(portal.url());
    let data = scene.copy(kinds[0]);
    let program = Program {
        portal,
        proxy: &proxy,
        data: &data,
    };
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut acknowledged: Vec<Wish> = Vec::new();
    let mut attempted: Vec<Wish> = Vec::new();
    for round in 0.. {
        if deaths.load(Ordering::SeqCst) >= wanted {
            break;
        }
        let (deal, contact) = open.lock().unwrap().pop().unwrap();
        let kind = kinds[rng.random_range(0..kinds.len())];
        let mark = format!("random {seed} {round}");
        let wish = Wish {
            kind,
            deal,
            contact,
            mark,
        };
        // Half of the time the command that asks dies too.
        match wish.command() {
            Some(mut words) => {
                words.push("--no-wait".to_owned());
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let mut child = program.command(&words).spawn().unwrap();
                if rng.random_bool(0.5) {
                    std::thread::sleep(Duration::from_millis(rng.random_range(0..60)));
                    let _ = child.kill();
                }
                let status = child.wait().unwrap();
                if status.success() {
                    acknowledged.push(wish);
                } else {
                    deaths.fetch_add(1, Ordering::SeqCst);
                    attempted.push(wish);
                }
            }
            None => {
                wish.keep(&data, jiff::Timestamp::now());
                acknowledged.push(wish);
            }
        }
        let mut child = program.command(&["sync", "--only", "deals"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rng.random_range(0..250)));
        let _ = child.kill();
        if !child.wait().unwrap().success() {
            deaths.fetch_add(1, Ordering::SeqCst);
        }
    }
    // Ten minutes later, and undisturbed.
    let then = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10)).to_string();
    let undisturbed = |words: &[&str]| program.command(words).env("DEALDECK_NOW", &then).status().unwrap();
    let mut status = undisturbed(&["sync", "--only", "deals"]);
    // What has to be tried again a little later is; what three processes died of waits for a person, and this one has looked
    // and sends it again.
    for _ in 0..10 {
        for id in suspects(&data) {
            assert!(undisturbed(&["outbox", "retry", &id, "--no-wait"]).success());
        }
        if operations(&data).iter().all(|(_, state)| is_over(state)) {
            break;
        }
        status = undisturbed(&["sync", "--only", "deals"]);
    }
    let kept = operations(&data);
    let by_mark: BTreeMap<String, usize> = {
        let (mut counts, truth) = (BTreeMap::new(), Truth::about(portal, kinds));
        for wish in acknowledged.iter().chain(&attempted) {
            counts.insert(wish.mark.clone(), wish.effects(&truth));
        }
        counts
    };
    for wish in &acknowledged {
        let its: Vec<_> = kept.iter().filter(|(title, _)| *title == wish.mark).collect();
        let effects = by_mark[&wish.mark];
        assert_eq!(effects, 1, "{:?} '{}': {its:?}, {status:?}", wish.kind, wish.mark);
    }
    for wish in &attempted {
        assert!(by_mark[&wish.mark] <= 1, "{:?} '{}' is doubled", wish.kind, wish.mark);
    }
    let left: Vec<_> = kept.iter().filter(|(_, state)| !is_over(state)).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn is_over(state: &str) -> bool {
    matches!(state, "done" | "landed")
}

#[test]
fn killed_at_random_nothing_is_lost_and_nothing_is_doubled() {
    let wanted = if test_size() >= 10 { 600 } else { 20 };
    let scene = Scene::set(u32::try_from(wanted * 3 + 100).unwrap());
    let (keyed, _) = scene.account(Kind::KeyedNote);
    let open = Mutex::new(places(keyed));
    let deaths = AtomicUsize::new(0);
    let kinds: Vec<Kind> = KINDS.into_iter().filter(|kind| *kind != Kind::PlainNote).collect();
    std::thread::scope(|threads| {
        for seed in 0..2 {
            let (scene, kinds, open, deaths) = (&scene, &kinds, &open, &deaths);
            threads.spawn(move || live(scene, kinds, wanted, seed, deaths, open));
        }
    });
    let deaths = deaths.into_inner();
    println!("{deaths} deaths, nothing lost, nothing doubled");
    assert!(deaths >= wanted, "only {deaths} deaths");
}
