//! Set-up as its users meet it: a token typed or piped in, access granted in a browser that a test plays.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use portable_pty::CommandBuilder;
use serde_json::json;

use super::{portal::Simulated, pty::Terminal};

fn dealdeck(home: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dealdeck"));
    command.args(arguments).args(["--base-url", url, "--data-dir"]);
    command
        .arg(home.join("data"))
        .env_clear()
        .env("HOME", home)
        .current_dir(home);
    command
}

fn piped(command: &mut Command, text: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn all(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_token_piped_in_is_checked_kept_privately_and_used_from_then_on() {
    let portal = Simulated::start(&["--deals", "20", "--contacts", "20"]);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let wrong = piped(&mut dealdeck(home, portal.url(), &["setup"]), "pat-na1-wrong\n");
    assert_eq!(wrong.status.code(), Some(5), "{}", all(&wrong));
    assert!(
        !home.join("data/token").exists(),
        "nothing is kept that HubSpot refuses"
    );
    let empty = piped(&mut dealdeck(home, portal.url(), &["setup"]), "\n");
    assert_eq!(empty.status.code(), Some(2), "{}", all(&empty));

    let token = format!("{}\n", portal.token());
    let kept = piped(&mut dealdeck(home, portal.url(), &["setup"]), &token);
    assert_eq!(kept.status.code(), Some(0), "{}", all(&kept));
    let told = String::from_utf8_lossy(&kept.stdout).into_owned();
    assert!(
        told.starts_with("portal   ") && told.contains("crm.objects.deals.write"),
        "{told}"
    );
    assert!(told.contains("missing  nothing"), "{told}");
    assert_eq!(mode(&home.join("data/token")), 0o600);
    assert_eq!(mode(&home.join("data")), 0o700);

    let sync = dealdeck(home, portal.url(), &["sync"]).output().unwrap();
    assert_eq!(sync.status.code(), Some(0), "{}", all(&sync));
    fs::set_permissions(home.join("data/token"), fs::Permissions::from_mode(0o644)).unwrap();
    let open = dealdeck(home, portal.url(), &["sync"]).output().unwrap();
    assert_eq!(open.status.code(), Some(5), "{}", all(&open));
    assert!(all(&open).contains("mode 0644"), "{}", all(&open));
}

#[test]
fn a_token_of_another_portal_than_the_configured_one_is_refused() {
    let portal = Simulated::start(&["--deals", "5", "--contacts", "5"]);
    let home = tempfile::tempdir().unwrap();
    let mut command = dealdeck(home.path(), portal.url(), &["setup"]);
    command.env("HUBSPOT_PORTAL_ID", "1");
    let refused = piped(&mut command, portal.token());
    assert_eq!(refused.status.code(), Some(5), "{}", all(&refused));
    let told = all(&refused);
    assert!(told.contains("the configuration names '1'"), "{told}");
    assert!(!home.path().join("data/token").exists());
}

#[test]
fn a_token_of_another_account_than_the_data_is_refused_and_the_kept_one_stays() {
    let portal = Simulated::start(&["--deals", "5", "--contacts", "5"]);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let first = piped(&mut dealdeck(home, portal.url(), &["setup"]), portal.token());
    assert_eq!(first.status.code(), Some(0), "{}", all(&first));
    let sync = dealdeck(home, portal.url(), &["sync"]).output().unwrap();
    assert_eq!(sync.status.code(), Some(0), "{}", all(&sync));
    let (token, region) = (home.join("data/token"), home.join("data/region"));
    fs::write(&region, "eu1").unwrap();
    fs::set_permissions(&region, fs::Permissions::from_mode(0o600)).unwrap();

    let other = Granting::start();
    let refused = piped(&mut dealdeck(home, &other.url, &["setup"]), "pat-na1-other");
    let told = all(&refused);
    assert_eq!(refused.status.code(), Some(5), "{told}");
    assert!(told.contains("account '4711', the data here to '"), "{told}");
    assert_eq!(fs::read_to_string(token).unwrap(), portal.token());
    assert_eq!(fs::read_to_string(region).unwrap(), "eu1", "it belongs to what is kept");
}

#[test]
fn a_token_that_cannot_be_asked_about_itself_is_kept() {
    // This HubSpot answers no question of a static token about itself.
    let hubspot = Granting::start();
    let home = tempfile::tempdir().unwrap();
    let kept = piped(&mut dealdeck(home.path(), &hubspot.url, &["setup"]), "pat-na1-quiet");
    let told = all(&kept);
    assert_eq!(kept.status.code(), Some(0), "{told}");
    assert!(
        told.contains("portal   4711 (app.hubspot.com, ") && told.contains("HubSpot does not say"),
        "{told}"
    );
    assert!(home.path().join("data/token").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_what_waits_for_a_pipe_that_stays_open() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    for arguments in [&["setup"][..], &["note", "add", "--deal", "1", "-"]] {
        let mut command = dealdeck(home.path(), &nowhere, arguments);
        command
            .env("DEALDECK_TOKEN", "pat-na1-any")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let catches = || {
            let text = fs::read_to_string(&status).unwrap();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
            u64::from_str_radix(caught, 16).unwrap() & (1 << 14) != 0
        };
        assert!((0..1_000_000).any(|_| catches()), "{arguments:?} does not heed SIGTERM");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut ended = || {
            Command::new("true")
                .status()
                .is_ok()
                .then(|| child.try_wait().unwrap())
                .flatten()
        };
        let ended = (0..20_000).find_map(|_| ended());
        child.kill().unwrap();
        assert_eq!(ended.and_then(|status| status.code()), Some(143), "{arguments:?}");
    }
}

#[test]
fn a_token_command_does_not_inherit_the_secret_that_only_the_configuration_names() {
    let hubspot = Granting::start();
    let home = tempfile::tempdir().unwrap();
    let (config, dump) = (home.path().join("config.toml"), home.path().join("dump"));
    let asks = r#"token_command = ["sh", "-c", "env > $DUMP; echo pat-na1-any"]"#;
    fs::write(
        &config,
        format!("[account]\n{asks}\n[oauth]\nclient_secret_env = \"MY_SECRET\"\n"),
    )
    .unwrap();
    let mut sync = dealdeck(home.path(), &hubspot.url, &["sync", "--max-retries", "0"]);
    sync.arg("--config").arg(config).env("DUMP", &dump);
    sync.env("PATH", "/usr/bin:/bin").env("MY_SECRET", "secret-canary");
    let output = sync.output().unwrap();
    let dumped = fs::read_to_string(dump).unwrap_or_else(|_| all(&output));
    assert!(
        dumped.contains("DUMP=") && !dumped.contains("MY_SECRET") && !dumped.contains("canary"),
        "{dumped}"
    );
}

#[test]
fn a_typed_token_is_not_shown() {
    let portal = Simulated::start(&["--deals", "5", "--contacts", "5"]);
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dealdeck"));
    command.env_clear();
    command.args(["setup", "--base-url", portal.url(), "--data-dir"]);
    command.arg(home.path().join("data"));
    command.env("HOME", home.path());
    command.cwd(home.path());
    let mut terminal = Terminal::start(command, 140, 60);
    terminal.wait_for("(not shown):");
    terminal.keys("mistyped\u{15}");
    terminal.keys(portal.token());
    terminal.keys("\r");
    let screen = terminal.wait_for("readable by you alone");
    assert!(
        !screen.contains(portal.token()) && !screen.contains("mistyped"),
        "{screen}"
    );
    assert_eq!(terminal.end(), 0);
}

/// A HubSpot that knows the OAuth endpoints and the account, and remembers what it was asked.
struct Granting {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Granting {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let heard = heard.clone();
                thread::spawn(move || answer(stream.unwrap(), &heard));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> String {
        self.asked.lock().unwrap().join("\n")
    }
}

fn answer(stream: TcpStream, heard: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        let ends = line == "\r\n";
        head += &line;
        if ends {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heard
        .lock()
        .unwrap()
        .push(format!("{head}{}", String::from_utf8_lossy(&body)));
    let (status, body) = match target.as_str() {
        "/oauth/2026-09/token" => (
            200,
            json!({"access_token": "access-canary", "refresh_token": "refresh-canary", "expires_in": 1800, "hub_id": 4711}),
        ),
        "/oauth/2026-09/token/introspect" => (
            200,
            json!({"active": true, "hub_id": 4711, "user_id": 7, "scopes": ["oauth", "crm.objects.deals.read"]}),
        ),
        path if path.starts_with("/account-info/") && path.ends_with("/details") => (
            200,
            json!({"portalId": 4711, "uiDomain": "app.hubspot.com", "timeZone": "US/Eastern", "companyCurrency": "USD"}),
        ),
        "/oauth/v2/private-apps/get/access-token-info" => (
            403,
            json!({"status": "error", "category": "FORBIDDEN", "message": "not for this kind of token"}),
        ),
        _ => (404, json!({"status": "error", "message": "nothing here"})),
    };
    let body = body.to_string();
    let _ = write!(
        &stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// A port nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `dealdeck setup --oauth`, up to the address it prints.
fn asking(
    home: &Path,
    hubspot: &Granting,
    port: u16,
    arguments: &[&str],
) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let config = home.join("config.toml");
    fs::write(
        &config,
        format!("[oauth]\nredirect_uri = \"http://localhost:{port}/back\"\n"),
    )
    .unwrap();
    let mut command = dealdeck(home, &hubspot.url, arguments);
    command.arg("--config").arg(config);
    command
        .env("HUBSPOT_CLIENT_ID", "my-app")
        .env("HUBSPOT_CLIENT_SECRET", "secret-canary");
    command.env("PATH", format!("{}:/usr/bin:/bin", home.join("bin").display()));
    command.env("DUMP", home.join("dump")).env("DEALDECK_LOG", "trace");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let mut said = String::new();
    while !line.contains("/oauth/authorize?") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "no address: {said}");
        said += &line;
    }
    (child, stderr, line.trim().to_owned())
}

/// The browser comes back.
fn back(port: u16, query: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET /back?{query} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

fn state(url: &str) -> &str {
    let (_, state) = url.split_once("state=").unwrap();
    state.split('&').next().unwrap()
}

#[test]
fn access_granted_in_the_browser_is_kept_and_used_unless_a_token_is_given() {
    let hubspot = Granting::start();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let port = free_port();
    let (child, mut stderr, url) = asking(home, &hubspot, port, &["setup", "--oauth", "--no-browser"]);
    assert!(
        url.starts_with(&format!("{}/oauth/authorize?client_id=my-app&", hubspot.url)),
        "{url}"
    );
    assert!(url.contains("code_challenge_method=S256"), "{url}");
    assert!(back(port, "code=stolen&state=guess").starts_with("HTTP/1.1 400"));
    let page = back(port, &format!("code=the-code&state={}", state(&url)));
    assert!(page.starts_with("HTTP/1.1 200") && !page.contains("the-code"), "{page}");
    let output = child.wait_with_output().unwrap();
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("portal   4711") && said.contains("crm.objects.deals.write — for moving"),
        "{said}"
    );
    assert!(!said.contains("canary") && !said.contains("the-code"), "{said}");
    assert_eq!(mode(&home.join("data/oauth.json")), 0o600);
    let asked = hubspot.asked();
    assert!(
        asked.contains("code=the-code") && asked.contains("client_secret=secret-canary"),
        "{asked}"
    );
    assert!(asked.contains("code_verifier="), "{asked}");

    // Every other command signs with it now; a token that is given wins.
    let mut sync = dealdeck(home, &hubspot.url, &["sync", "--max-retries", "0"]);
    sync.env("HUBSPOT_CLIENT_ID", "my-app").env("DEALDECK_LOG", "trace");
    let output = sync.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(5),
        "the app's secret is not given: {}",
        all(&output)
    );
    sync.env("HUBSPOT_CLIENT_SECRET", "secret-canary").output().unwrap();
    assert!(hubspot.asked().contains("Bearer access-canary"), "{}", hubspot.asked());
    hubspot.asked.lock().unwrap().clear();
    sync.env("DEALDECK_TOKEN", "pat-given").output().unwrap();
    let asked = hubspot.asked();
    assert!(
        asked.contains("Bearer pat-given") && !asked.contains("access-canary"),
        "{asked}"
    );

    // Neither token, nor the secret, nor the code is anywhere but in the one file.
    let data = home.join("data");
    let mut loud = false;
    for dir in [data.clone(), data.join("logs")] {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_file() && path != data.join("oauth.json") {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                assert!(
                    !text.contains("canary") && !text.contains("the-code"),
                    "{}",
                    path.display()
                );
                loud |= text.contains("TRACE");
            }
        }
    }
    assert!(loud, "the log says everything it can");
}

#[test]
fn a_no_in_the_browser_ends_with_the_reason_and_keeps_nothing() {
    let hubspot = Granting::start();
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let (child, mut stderr, url) = asking(home.path(), &hubspot, port, &["setup", "--oauth", "--no-browser"]);
    back(
        port,
        &format!(
            "error=access_denied&error_description=The+user+said+no&state={}",
            state(&url)
        ),
    );
    let output = child.wait_with_output().unwrap();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("The user said no (access_denied)"), "{said}");
    assert!(!home.path().join("data/oauth.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn the_browser_gets_the_address_as_one_argument_and_no_secret() {
    let hubspot = Granting::start();
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let opener = bin.join("xdg-open");
    let script =
        "#!/bin/sh\n{ env; for a in \"$@\"; do echo \"argument=$a\"; done; } > $DUMP.new; mv $DUMP.new $DUMP\n";
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let (mut child, _stderr, url) = asking(home.path(), &hubspot, free_port(), &["setup", "--oauth"]);
    let dump = home.path().join("dump");
    let opened = || Command::new("true").status().is_ok() && dump.exists();
    assert!((0..20_000).any(|_| opened()), "the browser was not started");
    let dumped = fs::read_to_string(&dump).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(dumped.contains(&format!("argument={url}\n")), "{dumped}");
    assert_eq!(dumped.matches("argument=").count(), 1);
    assert!(
        !dumped.contains("canary") && !dumped.contains("HUBSPOT_CLIENT_SECRET"),
        "{dumped}"
    );
}

#[test]
fn notes_are_made_safe_to_send_again_after_somebody_agreed() {
    let portal = Simulated::start(&["--deals", "20", "--contacts", "20"]);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let kept = piped(
        &mut dealdeck(home, portal.url(), &["setup"]),
        &format!("{}\n", portal.token()),
    );
    assert!(all(&kept).contains("duplicate-safe: no"), "{}", all(&kept));
    let asked = piped(&mut dealdeck(home, portal.url(), &["setup", "--keys"]), "y\n");
    assert_eq!(
        asked.status.code(),
        Some(2),
        "nobody can be asked in a pipe: {}",
        all(&asked)
    );
    assert!(
        all(&asked).contains("'dealdeck_key'"),
        "it explains first: {}",
        all(&asked)
    );
    let made = piped(&mut dealdeck(home, portal.url(), &["setup", "--keys", "--yes"]), "");
    assert_eq!(made.status.code(), Some(0), "{}", all(&made));
    assert_eq!(all(&made).matches("duplicate-safe: yes, by 'dealdeck_key'").count(), 3);
    let again = piped(&mut dealdeck(home, portal.url(), &["setup", "--keys"]), "");
    assert_eq!(
        again.status.code(),
        Some(0),
        "there is nothing left to ask: {}",
        all(&again)
    );
    piped(&mut dealdeck(home, portal.url(), &["sync"]), "");
    let (deal, _) = portal.open_deal();
    let note = piped(
        &mut dealdeck(home, portal.url(), &["note", "add", "--deal", &deal, "hello"]),
        "",
    );
    assert_eq!(note.status.code(), Some(0), "{}", all(&note));
    let notes = portal.notes_of(&deal);
    assert!(notes[0]["properties"]["dealdeck_key"].is_string(), "{notes:?}");
}
