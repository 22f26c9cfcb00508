//! The built binary pointed at a stranger, and what it says compared with what is so there.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use dealdeck::{
    domain::{ObjectType, Record},
    store,
};
use portable_pty::CommandBuilder;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    manner::Manner,
    pty::Terminal,
    server::Stranger,
    truth::{OWNERS, PIPELINES, Row, STAGES, TOKEN, World},
};

/// A stranger, and a data directory that knows nothing yet.
pub struct Shell {
    pub stranger: Stranger,
    dir: TempDir,
}

impl Shell {
    pub fn before(manner: Manner) -> Self {
        Self {
            stranger: Stranger::start(manner),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Runs a command, expects it to end well, and gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.ends_with(0, arguments)
    }

    /// Runs a command, expects this exit code, and gives what it printed.
    pub fn ends_with(&self, code: i32, arguments: &[&str]) -> String {
        // No command begins before the one before it ended.
        self.stranger.world().ticks += 60;
        let mut command = Command::new(env!("CARGO_BIN_EXE_dealdeck"));
        command
            .args(arguments)
            .args(["--base-url", self.stranger.url()])
            .arg("--data-dir")
            .arg(self.data());
        command
            .env_clear()
            .env("HOME", self.dir.path())
            .current_dir(self.dir.path());
        command
            .env("DEALDECK_TOKEN", TOKEN)
            .env("DEALDECK_NOW", self.stranger.world().clock());
        let output = command.output().unwrap();
        let arrived = self.stranger.world().arrived.clone();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}\n{arrived:#?}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments)).unwrap()
    }

    pub fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        self.run(arguments)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The dashboard in a terminal.
    pub fn dashboard(&self) -> Terminal {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dealdeck"));
        command.env_clear();
        command.env("HOME", self.dir.path());
        command.env("DEALDECK_TOKEN", TOKEN);
        command.env("DEALDECK_NOW", self.stranger.world().clock());
        command.cwd(self.dir.path());
        command.args([
            "--base-url",
            self.stranger.url(),
            "--data-dir",
            &self.data().to_string_lossy(),
        ]);
        Terminal::start(command, 160, 45)
    }

    /// Every record of the mirror is the stranger's, in every property that was asked for, and the other way round.
    pub fn mirror_is_true(&self) {
        let dir = self.data();
        let reader = store::Reader::open(&store::Settings { dir }).unwrap();
        let world = self.stranger.world();
        for (object, kind) in [
            (ObjectType::Deals, "deals"),
            (ObjectType::Contacts, "contacts"),
            (ObjectType::Companies, "companies"),
        ] {
            let kept: BTreeMap<String, Record> = reader
                .mirror
                .all(object)
                .unwrap()
                .into_iter()
                .map(|record| (record.id.clone(), record))
                .collect();
            let mut count = 0;
            for row in world.live(kind) {
                count += 1;
                let record = kept
                    .get(&row.id.to_string())
                    .unwrap_or_else(|| panic!("{kind} {} is missing", row.id));
                same_record(record, row);
            }
            assert_eq!(kept.len(), count, "{kind}");
        }
    }

    /// `deals list` says what is so, field by field.
    pub fn list_is_true(&self) {
        let listed = self.lines(&["deals", "list", "--format", "jsonl"]);
        let world = self.stranger.world();
        assert_eq!(listed.len(), world.live("deals").count());
        for deal in &listed {
            same_deal(deal, world.row("deals", deal["id"].as_str().unwrap()).unwrap());
        }
    }

    /// Nothing that was sent was against the rules.
    pub fn nobody_complains(&self) {
        assert_eq!(self.stranger.world().complaints, Vec::<String>::new());
    }
}

fn number(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.parse().unwrap())
}

fn same_record(record: &Record, row: &Row) {
    for (name, value) in &record.properties {
        let (here, there) = (value.as_deref().unwrap_or_default(), row.get(name));
        let is_same = here == there
            || here
                .parse::<f64>()
                .ok()
                .zip(there.parse::<f64>().ok())
                .is_some_and(|(a, b)| a == b);
        assert!(is_same, "{} {name}: '{here}' here, '{there}' there", row.id);
    }
    for (object, ids) in &record.associations {
        let there = row.links.get(object.name()).cloned().unwrap_or_default();
        let there: Vec<String> = there.iter().map(u64::to_string).collect();
        assert_eq!(*ids, there, "{} of {}", object.name(), row.id);
    }
}

/// Every field of the listing against the stranger's properties.
pub fn same_deal(deal: &Value, row: &Row) {
    let text = |name: &str| Some(row.get(name)).filter(|value| !value.is_empty());
    assert_eq!(deal["name"], row.get("dealname"));
    assert_eq!(deal["pipeline"]["id"], row.get("pipeline"));
    let pipeline = PIPELINES
        .iter()
        .find(|pipeline| pipeline.0 == row.get("pipeline"))
        .unwrap();
    assert_eq!(deal["pipeline"]["label"], pipeline.1);
    let stage = STAGES.iter().find(|stage| stage.1 == row.get("dealstage")).unwrap();
    assert_eq!(
        (deal["stage"]["id"].as_str(), deal["stage"]["label"].as_str()),
        (Some(stage.1), Some(stage.2))
    );
    let state = match (stage.4, number(stage.3)) {
        (false, _) => "open",
        (true, Some(1.0)) => "won",
        (true, _) => "lost",
    };
    assert_eq!(deal["state"], state, "{deal}");
    let amount = number(row.get("amount"));
    assert_eq!(deal["amount"].as_str().and_then(number), amount, "{deal}");
    assert_eq!(deal["currency"].as_str(), text("deal_currency_code").or(Some("EUR")));
    let share = number(row.get("hs_deal_stage_probability")).unwrap();
    assert_eq!(deal["probability"].as_str().and_then(number), Some(share));
    let weighted = deal["weighted"].as_str().and_then(number);
    assert_eq!(weighted.is_some(), amount.is_some());
    assert!(
        weighted
            .zip(amount)
            .is_none_or(|(shown, amount)| (shown - amount * share).abs() < 0.011),
        "{deal}"
    );
    let day = |text: &str| {
        text.parse::<jiff::Timestamp>()
            .unwrap()
            .in_tz("Australia/Lord_Howe")
            .unwrap()
            .date()
    };
    assert_eq!(
        deal["close_date"].as_str().map(str::to_owned),
        text("closedate").map(|at| day(at).to_string())
    );
    let owner = OWNERS
        .iter()
        .find(|owner| owner.0.to_string() == row.get("hubspot_owner_id"));
    assert_eq!(deal["owner"]["id"].as_str(), text("hubspot_owner_id"));
    let name = owner.map(|(_, _, first, last, email, _)| match *first {
        "" => (*email).to_owned(),
        first => format!("{first} {last}"),
    });
    assert_eq!(deal["owner"]["name"].as_str().map(str::to_owned), name);
    assert_eq!(deal["next_step"].as_str(), text("hs_next_step"));
    for (key, name) in [
        ("stage_entered_at", "hs_v2_date_entered_current_stage"),
        ("last_activity_at", "notes_last_updated"),
        ("created_at", "createdate"),
        ("updated_at", "hs_lastmodifieddate"),
    ] {
        let instant = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        assert_eq!(
            deal[key].as_str().map(instant),
            text(name).map(instant),
            "{key} of {deal}"
        );
    }
    assert_eq!(deal["pending"], serde_json::json!([]));
    let address = format!("/contacts/24681357/record/0-3/{}", row.id);
    assert!(deal["url"].as_str().unwrap().ends_with(&address), "{deal}");
}

/// An open deal of the first pipeline, with a name no other has: its id and name.
pub fn open_deal(world: &World) -> (u64, String) {
    let row = world
        .live("deals")
        .find(|row| row.get("dealstage") == "appointmentscheduled")
        .unwrap();
    (row.id, row.get("dealname").to_owned())
}
