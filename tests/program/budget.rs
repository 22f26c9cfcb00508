//! Several processes on one data directory and one small window, in real time: the portal's witness counts what arrives.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use super::portal::Simulated;

/// Windows so small that a few processes fill them at once; each further one takes ten seconds.
const PORTAL: [&str; 6] = ["--limit", "12/10s", "--search-limit", "3/1s", "--latency", "5ms..120ms"];
const BUDGET: &str = "[budget]\nburst = 12\nsearch_per_second = 3\n";

struct Team {
    dir: TempDir,
    portal: Simulated,
}

impl Team {
    fn new(account: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml"), BUDGET).unwrap();
        Self {
            dir,
            portal: Simulated::start(&[&PORTAL[..], account].concat()),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dealdeck"));
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.dir.path().join("data"))
            .arg("--config")
            .arg(self.dir.path().join("config.toml"))
            .args(["--base-url", self.portal.url()])
            .env_clear()
            .env("HOME", self.dir.path())
            .env("DEALDECK_TOKEN", self.portal.token())
            .current_dir(self.dir.path())
            .stderr(Stdio::null());
        command
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).args(["--format", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn four_processes_on_one_store_are_never_refused_and_are_counted_together() {
    let size: f64 = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(1.0);
    let contacts = ((100.0 + 200.0 * size) as u32).to_string();
    let team = Team::new(&["--deals", "60", "--companies", "60", "--contacts", &contacts]);
    let first = team.json(&["sync", "--only", "deals"]);
    assert_eq!(first["complete"], true);
    let (id, _) = team.portal.open_deal();
    let start = |arguments: &[&str]| team.command(arguments).stdout(Stdio::null()).spawn().unwrap();
    let mut running = vec![start(&["sync", "--full"])];
    for text in ["one", "two", "three"] {
        running.push(start(&["note", "add", "--deal", &id, text, "--wait", "20s"]));
    }
    for process in &mut running {
        process.wait().unwrap();
    }
    let stats = team.portal.stats();
    assert_eq!(stats["refused"], 0, "{stats}");
    assert!(stats["worst_window"]["count"].as_u64().unwrap() <= 12, "{stats}");
    assert!(stats["worst_search_second"].as_u64().unwrap() <= 3, "{stats}");
    // A process that ends takes back what it was sending: that counts, and HubSpot may never have seen it.
    let arrived = stats["requests"].as_u64().unwrap();
    let requests = team.json(&["limits", "--requests", "3000"]);
    let requests = requests.as_array().unwrap();
    let answered = requests.iter().filter(|request| request["status"].is_u64()).count() as u64;
    assert!(answered <= arrived, "{answered} {stats} {requests:?}");
    assert!(arrived <= requests.len() as u64, "{stats} {requests:?}");
    let limits = team.json(&["limits"]);
    assert_eq!(limits["total_requests"], requests.len(), "{limits}");
    assert_eq!(
        limits["shared_since"],
        Value::Null,
        "one's own processes are no strangers"
    );
    let is_plain = |request: &Value| !request["path"].as_str().unwrap().contains('?') && request["ms"].is_u64();
    assert!(requests.iter().all(is_plain), "{requests:?}");
}
