//! How much of the window is used under a backlog, and that it is never overdrawn, in virtual time: figures that only a
//! change of the code can change.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Method;

use super::{Budget, MemoryBook, Quota, Report, SlotTime};
use crate::{
    domain::Lane,
    hubspot::{clock::Clock, settings::Settings},
};

/// What the windows of two hundred seconds let through, after the first.
const WINDOWS: u32 = 20;

/// The times of sending, half the latency before they arrive, of a backlog that never ends.
async fn backlog(limit: u32, latency: Duration, interactive: bool) -> Vec<SlotTime> {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(limit),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    budget.set_interactive(interactive);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let lanes: Vec<_> = (0..2 * limit)
        .map(|_| {
            let (budget, clock, sent) = (budget.clone(), clock.clone(), sent.clone());
            tokio::spawn(async move {
                loop {
                    let mut permit = budget.permit(Lane::Sync, Quota::Burst).await;
                    permit.begin(&Method::GET, "/crm/objects/2026-09/contacts");
                    sent.lock().unwrap().push(clock.slot_time());
                    clock.sleep(latency).await;
                    permit.answered(&Report::default());
                }
            })
        })
        .collect();
    clock.sleep(Duration::from_secs(10) * (WINDOWS + 1)).await;
    lanes.iter().for_each(tokio::task::JoinHandle::abort);
    std::mem::take(&mut *sent.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_backlog_uses_the_window_whole_and_never_more() {
    let window = Duration::from_secs(10);
    let mut table = String::from("limit  latency  who        used of the window  worst ten seconds\n");
    for (interactive, least) in [(false, 0.97), (true, 0.92)] {
        for limit in [100, 190] {
            for latency in [0, 20, 120] {
                let sent = backlog(limit, Duration::from_millis(latency), interactive).await;
                let after_first = sent.iter().filter(|at| **at >= sent[0].after(window)).count();
                let used = after_first as f64 / f64::from(limit * WINDOWS);
                let inside = |from: &SlotTime| {
                    sent.iter()
                        .filter(|at| (*from..from.after(window)).contains(at))
                        .count()
                };
                let worst = sent.iter().map(inside).max().unwrap();
                let who = if interactive { "dashboard" } else { "headless" };
                let _ = writeln!(
                    table,
                    "{limit:5}  {latency:4} ms  {who:9}  {:17.1}%  {worst:17}",
                    used * 100.0
                );
                assert!(used >= least, "{table}");
                assert!(worst <= limit as usize, "{table}");
            }
        }
    }
    insta::assert_snapshot!(table);
}
