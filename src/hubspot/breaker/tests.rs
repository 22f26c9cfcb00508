//! When the breaker opens, what it lets through meanwhile, and how it closes again.

use super::*;

/// A breaker and the clock it is asked at, in seconds.
struct Stage {
    breaker: Breaker,
    now: i64,
}

impl Stage {
    fn new() -> Self {
        Self {
            breaker: Breaker::new(),
            now: 1_000,
        }
    }

    fn at(&self) -> SlotTime {
        SlotTime(self.now * 1_000_000)
    }

    fn call(&self, errand: Errand, health: Health) -> Result<(), Denial> {
        self.breaker
            .enter(errand, self.at())
            .map(|pass| pass.leave(health, self.at()))
    }

    fn read(&self, health: Health) -> Result<(), Denial> {
        self.call(Errand::Read, health)
    }

    fn fail(&self, times: usize) {
        for _ in 0..times {
            self.read(Health::Bad).unwrap();
        }
    }

    /// How long it rests now, in seconds.
    fn rest(&self) -> Option<u64> {
        self.breaker.rests(self.at()).map(|rest| rest.as_secs())
    }
}

#[test]
fn five_bad_answers_in_a_row_open_it_and_a_good_one_between_them_does_not() {
    let stage = Stage::new();
    stage.fail(4);
    stage.read(Health::Good).unwrap();
    stage.fail(4);
    assert_eq!(stage.rest(), None);
    stage.fail(1);
    assert_eq!(stage.rest(), Some(5));
    let denial = stage.read(Health::Good).unwrap_err();
    assert_eq!((denial.wait, denial.moving), (Duration::from_secs(5), false));
}

#[test]
fn half_of_twenty_calls_within_half_a_minute_open_it() {
    let mut stage = Stage::new();
    for _ in 0..9 {
        stage.read(Health::Bad).unwrap();
        stage.read(Health::Good).unwrap();
    }
    stage.read(Health::Good).unwrap();
    stage.now += 31;
    stage.fail(1);
    assert_eq!(stage.rest(), None, "what is older than the window does not count");
    for _ in 0..9 {
        stage.read(Health::Good).unwrap();
        stage.read(Health::Bad).unwrap();
    }
    assert_eq!(stage.rest(), None, "nineteen calls are too few to judge by");
    stage.fail(1);
    assert_eq!(stage.rest(), Some(5));
}

#[test]
fn after_its_rest_one_read_goes_and_no_write() {
    let mut stage = Stage::new();
    stage.fail(5);
    stage.now += 5;
    assert!(stage.call(Errand::Write, Health::Good).is_err(), "never a write");
    let probe = stage.breaker.enter(Errand::Read, stage.at()).unwrap();
    assert!(stage.read(Health::Good).is_err(), "one read is enough");
    assert!(stage.call(Errand::Write, Health::Good).is_err());
    probe.leave(Health::Good, stage.at());
    stage.call(Errand::Write, Health::Good).unwrap();
}

#[test]
fn each_rest_is_twice_as_long_up_to_five_minutes_and_a_calm_time_starts_over() {
    let mut stage = Stage::new();
    stage.fail(5);
    let mut rests = Vec::new();
    for _ in 0..8 {
        let rest = stage.rest().unwrap();
        rests.push(rest);
        stage.now += rest.cast_signed();
        stage.fail(1);
    }
    assert_eq!(rests, [5, 10, 20, 40, 80, 160, 300, 300]);
    stage.now += 300;
    stage.read(Health::Good).unwrap();
    stage.fail(5);
    assert_eq!(stage.rest(), Some(300), "it was closed for no time");
    stage.now += 300;
    stage.read(Health::Good).unwrap();
    stage.now += 31;
    stage.fail(5);
    assert_eq!(stage.rest(), Some(5));
}

#[test]
fn what_was_sent_before_it_opened_says_nothing_afterwards() {
    let mut stage = Stage::new();
    let early: Vec<Pass<'_>> = (0..6)
        .map(|_| stage.breaker.enter(Errand::Read, stage.at()).unwrap())
        .collect();
    let mut early = early.into_iter();
    for pass in early.by_ref().take(5) {
        pass.leave(Health::Bad, SlotTime(1_000_000_000));
    }
    early.next().unwrap().leave(Health::Good, SlotTime(1_000_000_000));
    assert_eq!(stage.rest(), Some(5), "a straggler does not close it");
    drop(early);
    stage.now += 5;
    assert!(stage.breaker.enter(Errand::Read, stage.at()).is_ok());
}

#[test]
fn a_probe_that_was_given_up_lets_another_one_go() {
    let mut stage = Stage::new();
    stage.fail(5);
    stage.now += 5;
    drop(stage.breaker.enter(Errand::Read, stage.at()).unwrap());
    stage.read(Health::Unknown).unwrap();
    stage.read(Health::Good).unwrap();
    assert!(stage.breaker.is_closed());
}

#[test]
fn a_moving_account_is_left_alone_as_long_as_hubspot_says() {
    let mut stage = Stage::new();
    stage.read(Health::Moving(Duration::from_secs(7_200))).unwrap();
    let denial = stage.call(Errand::Write, Health::Good).unwrap_err();
    assert_eq!((denial.wait, denial.moving), (Duration::from_secs(7_200), true));
    stage.now += 7_200;
    stage.read(Health::Good).unwrap();
    assert!(stage.breaker.is_closed());
    stage.read(Health::Shut).unwrap();
    assert_eq!(stage.rest(), Some(5), "somebody in between opens it at once");
}
