//! A token that must be found nowhere but where it is kept: not on the screen, not in logs at their loudest, not in any
//! database, in no spelling and in no part.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use super::portal::Simulated;

/// Everything that is said and kept while a token is used in every way there is.
struct Watched {
    home: tempfile::TempDir,
    token: String,
    said: Vec<(String, Vec<u8>)>,
}

impl Watched {
    fn new(token: &str) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            token: token.to_owned(),
            said: Vec::new(),
        }
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dealdeck"));
        let home = self.home.path();
        command
            .args(arguments)
            .args(["--base-url", url, "--data-dir"])
            .arg(home.join("data"));
        command.env_clear().env("HOME", home).current_dir(home);
        command.env("DEALDECK_LOG", "trace").env("RUST_BACKTRACE", "full");
        command
    }

    fn run(&mut self, mut command: Command, stdin: &str, code: i32) {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may have ended before.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let name = format!("{:?}", command.get_args().take(3).collect::<Vec<_>>());
        let text = String::from_utf8_lossy(&stderr).into_owned();
        assert_eq!(status.code(), Some(code), "{name}: {text}");
        self.said.push((format!("{name} stdout"), stdout));
        self.said.push((format!("{name} stderr"), stderr));
    }

    /// Every file of the data directory but the one that keeps the token.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, found)
                } else {
                    found.push(path)
                }
            }
        }
        let data = self.home.path().join("data");
        let mut found = Vec::new();
        walk(&data, &mut found);
        found.retain(|path| *path != data.join("token"));
        found
            .into_iter()
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect()
    }

    fn expect_nothing(&self) {
        let spellings = spellings(&self.token);
        let files = self.files();
        assert!(
            files
                .iter()
                .any(|(name, bytes)| name.contains("logs") && bytes.len() > 1_000),
            "a loud log"
        );
        assert!(files.iter().any(|(name, _)| name.ends_with("mirror.db")), "a mirror");
        for (name, bytes) in self.said.iter().chain(&files) {
            for spelling in &spellings {
                let hit = bytes
                    .windows(spelling.len())
                    .any(|window| window == spelling.as_bytes());
                assert!(!hit, "'{name}' holds the token, as '{spelling}'");
            }
        }
    }
}

/// The token as it is, in base64 at each of the three offsets, percent-encoded, in hexadecimal, and every eight letters of
/// its secret part.
fn spellings(token: &str) -> Vec<String> {
    let secret = token.trim_start_matches("pat-na1-");
    let mut all = vec![token.to_owned(), token.replace('-', "%2D"), token.replace('-', "%2d")];
    all.push(token.bytes().map(|byte| format!("{byte:02x}")).collect());
    for offset in 0..3 {
        let shifted = format!("{}{token}", "x".repeat(offset));
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            // The ends depend on what stands beside the token.
            all.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    let letters: Vec<char> = secret.chars().collect();
    all.extend(letters.windows(8).map(|part| part.iter().collect::<String>()));
    all
}

#[test]
fn a_token_is_found_nowhere_but_where_it_is_kept() {
    let portal = Simulated::start(&["--seed", "3", "--deals", "40", "--contacts", "40"]);
    let url = portal.url().to_owned();
    let mut watched = Watched::new(portal.token());
    let token = watched.token.clone();
    let home = watched.home.path().to_owned();
    let (deal, _) = portal.open_deal();

    // Kept by set-up, then used from there.
    watched.run(watched.command(&url, &["setup"]), &format!("{token}\n"), 0);
    watched.run(watched.command(&url, &["sync", "--format", "json"]), "", 0);
    watched.run(watched.command(&url, &["limits", "--format", "json"]), "", 0);
    watched.run(watched.command(&url, &["deals", "list", "--format", "jsonl"]), "", 0);
    watched.run(
        watched.command(&url, &["deals", "move", &deal, "contract", "--format", "json"]),
        "",
        0,
    );
    watched.run(watched.command(&url, &["note", "add", "--deal", &deal, "hello"]), "", 0);
    watched.run(
        watched.command(&url, &["outbox", "list", "--all", "--format", "json"]),
        "",
        0,
    );

    // Calls that fail: answers that are errors, nobody there, an address that is refused.
    portal.faults("500=100%");
    watched.run(watched.command(&url, &["sync", "--max-retries", "0"]), "", 4);
    portal.faults("");
    watched.run(
        watched.command(
            "http://127.0.0.1:1",
            &["sync", "--max-retries", "0", "--format", "json"],
        ),
        "",
        4,
    );
    watched.run(watched.command("https://hubapi.com.evil.example", &["sync"]), "", 2);

    // Given otherwise: the environment, a `.env`, a command, a file with a mistake beside the token.
    let mut by_env = watched.command(&url, &["sync"]);
    by_env.env("HUBSPOT_API_KEY", &token);
    watched.run(by_env, "", 0);
    fs::write(
        home.join(".env"),
        format!("HUBSPOT_ACCESS_TOKEN='{token}'\nHUBSPOT_PORTAL_ID=acme\n"),
    )
    .unwrap();
    watched.run(watched.command(&url, &["sync"]), "", 5);
    fs::set_permissions(home.join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    watched.run(watched.command(&url, &["sync"]), "", 2);
    fs::remove_file(home.join(".env")).unwrap();
    let config = home.join("config.toml");
    let mut with_file = |text: String, mode: u32, code: i32| {
        fs::write(&config, text).unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = watched.command(&url, &["sync", "--format", "json"]);
        command.arg("--config").arg(&config);
        watched.run(command, "", code);
    };
    with_file(format!("[account]\ntoken = \"{token}\"\n"), 0o600, 0);
    with_file(format!("[account]\ntoken = \"{token}\"\n"), 0o644, 5);
    with_file(
        format!("account = {{ token = \"{token}\", tokne = \"{token}\" }}\n"),
        0o600,
        2,
    );
    with_file(format!("[log]\nlevel = \"info\"\nformat = \"{token}\"\n"), 0o600, 2);
    with_file(
        format!("[account]\ntoken_command = [\"echo\", \"{token}\"]\n[log]\nformat = \"json\"\n"),
        0o600,
        0,
    );

    // A wrong token that begins like the right one.
    let wrong = format!("{token}-x");
    watched.run(watched.command(&url, &["setup"]), &wrong, 5);
    watched.expect_nothing();
}
