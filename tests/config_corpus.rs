//! The configuration from outside: files that are good, files that are not and what is said about them, and the order in
//! which sources win.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test they stand in")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use dealdeck::{
    config::{ConfigError, ConfigFile, Flags, Guard, Homes, Loaded, Origin, Sources, load},
    domain::FaultKind,
};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;

fn sources(text: &str) -> Sources {
    Sources {
        file: Some(ConfigFile {
            path: "config.toml".into(),
            text: text.to_owned(),
            guard: Guard::PRIVATE,
        }),
        homes: Some(Homes {
            config: "/home/robin/.config/dealdeck".into(),
            data: "/home/robin/.local/share/dealdeck".into(),
        }),
        ..Sources::default()
    }
}

fn dotenv(text: &str) -> Option<ConfigFile> {
    Some(ConfigFile {
        path: ".env".into(),
        text: text.to_owned(),
        guard: Guard::PRIVATE,
    })
}

fn corpus(kind: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn shown(loaded: &Loaded) -> String {
    let line = |shown: &dealdeck::config::Shown| format!("{} = {}  ({})\n", shown.key, shown.value, shown.origin);
    loaded.show().iter().map(line).collect()
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn value(loaded: &Loaded, key: &str) -> (String, Origin) {
    let shown = loaded.show().into_iter().find(|shown| shown.key == key).unwrap();
    (shown.value, shown.origin)
}

#[test]
fn good_files_are_taken() {
    for (name, text) in corpus("valid") {
        let loaded = load(&sources(&text)).unwrap_or_else(|error| panic!("{name}: {error}"));
        insta::assert_snapshot!(format!("valid_{name}"), shown(&loaded));
    }
}

#[test]
fn bad_files_are_refused_at_the_line() {
    let mut said = String::new();
    for (name, text) in corpus("invalid") {
        let error = load(&sources(&text))
            .err()
            .unwrap_or_else(|| panic!("{name} should be refused"));
        assert_eq!(error.kind, FaultKind::Usage, "{name}");
        let plain = error.plain();
        assert!(
            !format!("{plain}{error}").contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{name}"
        );
        assert!(!format!("{plain}{error}").contains("na1-secret"), "{name}");
        assert!(!plain.contains("OutOfBounds"), "{name}: {plain}");
        said += &format!("-- {name}\n{error}\n{plain}\n");
    }
    insta::assert_snapshot!(said);
}

/// Takes the `#` from every line that is a key and not prose.
fn uncommented(example: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    example.lines().map(line).collect()
}

#[test]
fn the_example_documents_every_key_with_its_default() {
    let example = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")).unwrap();
    let bare = load(&sources("")).unwrap();
    for text in [example.clone(), uncommented(&example)] {
        let loaded = load(&sources(&text)).unwrap_or_else(|error| panic!("{}", error.plain()));
        for default in bare.show() {
            assert_eq!(value(&loaded, &default.key).0, default.value, "{}", default.key);
        }
    }
    let loaded = load(&sources(&uncommented(&example))).unwrap();
    let from_environment_only = ["now", "store.dir"];
    for shown in loaded.show() {
        let documented = matches!(shown.origin, Origin::File { .. });
        assert_eq!(
            documented,
            !from_environment_only.contains(&shown.key.as_str()),
            "{} in the example",
            shown.key
        );
    }
}

#[test]
fn flags_win_over_environment_over_dotenv_over_file_over_defaults() {
    let mut given = sources("");
    let url = |given: &Sources| value(&load(given).unwrap(), "account.base_url");
    assert_eq!(url(&given), ("https://api.hubapi.com".into(), Origin::Default));
    given.file = sources("[account]\nbase_url = \"http://localhost:1\"").file;
    assert_eq!(
        url(&given),
        ("http://localhost:1".into(), Origin::File { line: 2, span: 21..41 })
    );
    given.dotenv = dotenv("# ours\nHUBSPOT_API_BASE_URL=http://localhost:2\n");
    let origin = Origin::DotEnv {
        name: "HUBSPOT_API_BASE_URL".into(),
        line: 2,
    };
    assert_eq!(url(&given), ("http://localhost:2".into(), origin));
    given.env = env(&[("HUBSPOT_API_BASE_URL", "http://localhost:3")]);
    assert_eq!(url(&given).0, "http://localhost:3");
    given.env = env(&[
        ("HUBSPOT_API_BASE_URL", "http://localhost:3"),
        ("DEALDECK_BASE_URL", "http://localhost:4"),
    ]);
    assert_eq!(
        url(&given),
        (
            "http://localhost:4".into(),
            Origin::Environment("DEALDECK_BASE_URL".into())
        )
    );
    given.flags.base_url = Some("http://localhost:5".into());
    assert_eq!(url(&given), ("http://localhost:5".into(), Origin::Flag("--base-url")));
}

#[test]
fn a_token_is_taken_under_every_name_and_an_empty_one_is_none() {
    let token = |pairs: &[(&str, &str)]| {
        let given = Sources {
            env: env(pairs),
            ..sources("")
        };
        let token = load(&given).unwrap().settings.account.token;
        token.map(|token| token.expose_secret().to_owned())
    };
    for name in [
        "DEALDECK_TOKEN",
        "HUBSPOT_ACCESS_TOKEN",
        "HUBSPOT_PRIVATE_APP_TOKEN",
        "HUBSPOT_API_KEY",
    ] {
        assert_eq!(token(&[(name, "pat-1\n")]).as_deref(), Some("pat-1"), "{name}");
        assert_eq!(token(&[(name, "")]), None, "{name}");
    }
    assert_eq!(
        token(&[("DEALDECK_TOKEN", " "), ("HUBSPOT_API_KEY", "pat-2")]).as_deref(),
        Some("pat-2")
    );
    assert_eq!(
        token(&[("DEALDECK_TOKEN", "pat-1"), ("HUBSPOT_API_KEY", "pat-2")]).as_deref(),
        Some("pat-1")
    );
}

#[test]
fn the_oauth_app_comes_from_the_variables_that_the_file_names() {
    let app = |given: &Sources| {
        let oauth = load(given).unwrap().settings.oauth;
        let secret = oauth.client_secret.map(|secret| secret.expose_secret().to_owned());
        (oauth.client_id, secret)
    };
    let mut given = sources("");
    assert_eq!(app(&given), (None, None));
    given.env = env(&[("HUBSPOT_CLIENT_ID", " id "), ("HUBSPOT_CLIENT_SECRET", "")]);
    assert_eq!(app(&given), (Some("id".into()), None));
    given.file = sources("[oauth]\nclient_id_env = \"MY_ID\"\nclient_secret_env = \"MY_SECRET\"").file;
    given.dotenv = dotenv("MY_ID=from-dotenv\nMY_SECRET=canary\n");
    assert_eq!(app(&given), (Some("from-dotenv".into()), Some("canary".into())));
    assert!(!format!("{:?}", load(&given).unwrap()).contains("canary"));
    given.env = env(&[("MY_ID", "from-environment")]);
    assert_eq!(app(&given).0.as_deref(), Some("from-environment"));
    given.dotenv.as_mut().unwrap().guard.mode = 0o644;
    let error = load(&given).unwrap_err();
    assert_eq!(error.kind, FaultKind::Auth);
    assert!(
        error
            .to_string()
            .contains("it holds a secret and others can read the file"),
        "{error}"
    );
    given.env = env(&[("MY_SECRET", "given in the environment")]);
    load(&given).unwrap();
}

#[test]
fn the_list_of_chainge_comes_from_its_variable_too() {
    let shown = |file: &str, list: &str| {
        let mut given = sources(file);
        given.env = env(&[("CHAINGE_LIST_ID", list)]);
        let segments = load(&given).map(|loaded| loaded.settings.segments);
        segments.map(|all| all.iter().find(|one| one.name == "chainge").unwrap().definition())
    };
    assert_eq!(shown("", "77").unwrap(), "list 77 ");
    assert_eq!(shown("[segments.chainge]\nlist_id = \"5\"", "77").unwrap(), "list 77 ");
    assert_eq!(
        shown("[segments.chainge]\nfilter = \"phone:none\"", "77").unwrap(),
        "list 77 phone:none"
    );
    let error = shown("", "newsletter").unwrap_err();
    assert_eq!(
        error.to_string(),
        "CHAINGE_LIST_ID: expected the id of a HubSpot list, like 12345, not 'newsletter'; correct it or take it away"
    );
}

#[test]
fn an_empty_variable_counts_as_unset_under_every_name() {
    let names = [
        "DEALDECK_TOKEN",
        "HUBSPOT_ACCESS_TOKEN",
        "HUBSPOT_PRIVATE_APP_TOKEN",
        "HUBSPOT_API_KEY",
        "HUBSPOT_API_BASE_URL",
        "DEALDECK_BASE_URL",
        "HUBSPOT_PORTAL_ID",
        "HUBSPOT_OWNER_ID",
        "HUBSPOT_PIPELINE_ID",
        "DEALDECK_LOG",
        "CHAINGE_LIST_ID",
        "DEALDECK_NOW",
        "DEALDECK_DATA_DIR",
        "HUBSPOT_CLIENT_ID",
        "HUBSPOT_CLIENT_SECRET",
    ];
    let bare = shown(&load(&sources("")).unwrap());
    for empty in ["", "  "] {
        let mut given = sources("");
        given.env = names
            .iter()
            .map(|name| ((*name).to_owned(), empty.to_owned()))
            .collect();
        given.dotenv = dotenv(&names.map(|name| format!("{name}='{empty}'\n")).concat());
        assert_eq!(shown(&load(&given).unwrap()), bare);
    }
}

#[test]
fn the_example_of_a_dotenv_names_only_variables_that_are_read() {
    let example = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".env.example")).unwrap();
    let sample = |name: &str| match name {
        "DEALDECK_NOW" => "2026-11-22T12:00:00Z",
        "HUBSPOT_SYNC_RETRY_EXPONENTIAL" => "false",
        name if name.starts_with("HUBSPOT_SYNC_") => "7",
        _ => "4711",
    };
    let names: Vec<&str> = example
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert!(names.len() >= 14, "{names:?}");
    let bare = load(&sources("")).unwrap();
    for name in names {
        let mut given = sources("");
        given.dotenv = dotenv(&format!("{name}={}\n", sample(name)));
        let loaded = load(&given).unwrap();
        let app = |loaded: &Loaded| {
            (
                loaded.settings.oauth.client_id.clone(),
                loaded.settings.oauth.client_secret.is_some(),
            )
        };
        assert!(
            shown(&loaded) != shown(&bare) || app(&loaded) != app(&bare),
            "{name} in .env.example changes nothing"
        );
    }
    let mut given = sources("");
    given.dotenv = dotenv(&example);
    assert_eq!(
        shown(&load(&given).unwrap()),
        shown(&bare),
        "copied as it is it changes nothing"
    );
}

#[test]
fn a_secret_is_never_shown() {
    let loaded = load(&sources("[account]\ntoken = \"canary\"")).unwrap();
    assert_eq!(value(&loaded, "account.token").0, "(set)");
    assert!(!format!("{loaded:?}").contains("canary"));
}

fn refused(text: &str, guard: Guard) -> ConfigError {
    let mut given = sources(text);
    given.file.as_mut().unwrap().guard = guard;
    load(&given).unwrap_err()
}

#[test]
fn a_token_that_others_can_read_is_refused() {
    let text = "[account]\ntoken = \"canary\"";
    let said: Vec<String> = [
        Guard {
            mode: 0o644,
            ..Guard::PRIVATE
        },
        Guard {
            ours: false,
            ..Guard::PRIVATE
        },
        Guard {
            link: true,
            ..Guard::PRIVATE
        },
    ]
    .into_iter()
    .map(|guard| {
        let error = refused(text, guard);
        assert_eq!(error.fault().kind, FaultKind::Auth);
        assert!(!error.plain().contains("canary"));
        error.to_string()
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
    let mut open = sources("[account]\ntoken = \"\"\nowner_id = 1");
    open.file.as_mut().unwrap().guard.mode = 0o644;
    load(&open).unwrap();
}

#[test]
fn a_command_from_a_file_that_others_can_write_is_refused() {
    let text = "[account]\ntoken_command = \"pass show hubspot\"";
    let error = refused(
        text,
        Guard {
            mode: 0o666,
            ..Guard::PRIVATE
        },
    );
    assert!(
        error.message.contains("others can write the file (mode 0666)"),
        "{error}"
    );
    let mut readable = sources(text);
    readable.file.as_mut().unwrap().guard.mode = 0o644;
    assert_eq!(
        load(&readable).unwrap().settings.account.token_command,
        ["pass", "show", "hubspot"]
    );
}

#[test]
fn a_dotenv_chooses_neither_configuration_nor_command() {
    let given = Sources {
        dotenv: dotenv("DEALDECK_CONFIG=/tmp/evil.toml\ntoken_command=evil\nHUBSPOT_OWNER_ID=501\nPATH=/evil\n"),
        ..sources("")
    };
    let loaded = load(&given).unwrap();
    assert!(loaded.settings.account.token_command.is_empty());
    assert_eq!(
        loaded.settings.account.owner_id.as_ref().map(|id| id.as_str()),
        Some("501")
    );
    assert_eq!(loaded.notes.len(), 1);
    assert!(loaded.notes[0].contains("DEALDECK_CONFIG"), "{:?}", loaded.notes);
}

#[test]
fn a_token_in_a_dotenv_that_others_can_read_is_refused() {
    let mut given = sources("");
    given.dotenv = dotenv("HUBSPOT_API_KEY=canary\n");
    assert!(load(&given).unwrap().notes.is_empty());
    given.dotenv.as_mut().unwrap().guard.mode = 0o644;
    let error = load(&given).unwrap_err();
    assert_eq!(error.kind, FaultKind::Auth);
    assert_eq!(
        error.to_string(),
        ".env: it holds a token and others can read the file (mode 0644); make it private with chmod 600"
    );
}

#[test]
fn wrong_variables_and_flags_are_named() {
    let mut given = sources("");
    given.env = env(&[("DEALDECK_NOW", "tomorrow")]);
    let mut said = vec![load(&given).unwrap_err().to_string()];
    given.env = env(&[("HUBSPOT_PORTAL_ID", "acme")]);
    said.push(load(&given).unwrap_err().to_string());
    given.env.clear();
    given.dotenv = dotenv("\nHUBSPOT_PORTAL_ID=acme");
    said.push(load(&given).unwrap_err().to_string());
    given.dotenv = None;
    given.flags.timeout = Some("fast".into());
    said.push(load(&given).unwrap_err().to_string());
    given.flags.timeout = Some("90s".into());
    given.flags.max_retries = Some("lots".into());
    said.push(load(&given).unwrap_err().to_string());
    given.flags = Flags::default();
    given.homes = None;
    said.push(load(&given).unwrap_err().to_string());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn another_room_can_refuse_a_value_where_it_was_given() {
    let loaded = load(&sources("[account]\nbase_url = \"http://evil.example\"")).unwrap();
    let error = loaded.refuse("account.base_url", "'evil.example' is not HubSpot", "take it away");
    assert_eq!(
        error.to_string(),
        "config.toml:2:12: 'evil.example' is not HubSpot; take it away"
    );
    let mut given = sources("");
    given.env = env(&[("DEALDECK_BASE_URL", "http://evil.example")]);
    let error = load(&given)
        .unwrap()
        .refuse("account.base_url", "'evil.example' is not HubSpot", "");
    assert_eq!(error.to_string(), "DEALDECK_BASE_URL: 'evil.example' is not HubSpot");
}

#[test]
fn files_are_found_where_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let homes = || {
        Some(Homes {
            config: at("home"),
            data: at("data"),
        })
    };
    let read = |flags: Flags, env: BTreeMap<String, String>| Sources::read(flags, env, dir.path(), homes());

    let nothing = read(Flags::default(), env(&[])).unwrap();
    assert!(nothing.file.is_none() && nothing.dotenv.is_none());
    assert_eq!(nothing.file_path, Some(at("home/config.toml")));
    assert_eq!(load(&nothing).unwrap().settings.store.dir, at("data"));

    fs::write(at("mine.toml"), "[ui]\ntheme = \"mono\"").unwrap();
    fs::write(at("other.toml"), "[ui]\ntheme = \"light\"").unwrap();
    fs::write(at(".env"), "DEALDECK_CONFIG=mine.toml\nDEALDECK_DATA_DIR=from-dotenv\n").unwrap();
    assert!(
        read(Flags::default(), env(&[])).unwrap().file.is_none(),
        "a .env has no say in which file is read"
    );

    let other = at("other.toml").to_string_lossy().into_owned();
    let by_env = read(Flags::default(), env(&[("DEALDECK_CONFIG", &other)])).unwrap();
    let loaded = load(&by_env).unwrap();
    assert_eq!(value(&loaded, "ui.theme").0, "light");
    assert_eq!(loaded.settings.store.dir, PathBuf::from("from-dotenv"));

    let flags = Flags {
        config: Some(at("mine.toml")),
        data_dir: Some(at("here")),
        ..Flags::default()
    };
    let by_flag = load(&read(flags, env(&[("DEALDECK_CONFIG", &other)])).unwrap()).unwrap();
    assert_eq!(value(&by_flag, "ui.theme").0, "mono");
    assert_eq!(by_flag.settings.store.dir, at("here"));

    let missing = Flags {
        config: Some(at("none.toml")),
        ..Flags::default()
    };
    let error = read(missing, env(&[])).unwrap_err();
    assert!(error.message.contains("no such configuration file"), "{error}");
}

#[cfg(unix)]
#[test]
fn permissions_are_read_from_the_file() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(&path, "[account]\ntoken = \"canary\"").unwrap();
    let read = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let flags = Flags {
            config: Some(path.to_owned()),
            data_dir: Some(dir.path().to_owned()),
            ..Flags::default()
        };
        load(&Sources::read(flags, BTreeMap::new(), dir.path(), None).unwrap())
    };
    assert_eq!(read(&path, 0o640).unwrap_err().kind, FaultKind::Auth);
    assert!(read(&path, 0o600).unwrap().settings.account.token.is_some());
    let link = dir.path().join("link.toml");
    symlink(&path, &link).unwrap();
    assert_eq!(read(&link, 0o600).unwrap_err().kind, FaultKind::Auth);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256 * size()) })]

    #[test]
    fn no_file_breaks_loading_or_its_errors(
        text in "\\PC{0,60}|(\\[(ui|keys|segments|account|segments.x)\\]|\n|=|theme|token|filter|timeout|[0-9\"'.#{}, ]|list_id|月|\u{7f}){0,24}"
    ) {
        if let Err(error) = load(&sources(&text)) {
            let plain = error.plain();
            prop_assert!(!plain.contains("OutOfBounds"), "{}", plain);
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn no_dotenv_breaks_loading(text in "(HUBSPOT_OWNER_ID|DEALDECK_LOG|export |[=\"'#\n\r a月]){0,16}") {
        let given = Sources { dotenv: dotenv(&text), ..sources("") };
        prop_assert!(load(&given).is_ok());
    }
}

/// `DEALDECK_TEST_SIZE`, a factor.
fn size() -> u32 {
    std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(1)
        .max(1)
}

#[test]
fn the_old_names_of_the_contact_queue_are_taken() {
    let mut given = sources("");
    given.dotenv = dotenv("HUBSPOT_SYNC_SCHEDULER_INTERVAL_MINUTES=15\nHUBSPOT_SYNC_SCHEDULER_BATCH_SIZE=\n");
    given.env = env(&[
        ("HUBSPOT_SYNC_RETRY_DELAY_MINUTES", "10"),
        ("HUBSPOT_SYNC_RETRY_EXPONENTIAL", "False"),
        ("HUBSPOT_SYNC_MAX_RETRIES", "5"),
        ("HUBSPOT_SYNC_SCHEDULER_MAX_INSTANCES", "3"),
        ("HUBSPOT_CUSTOM_PROPERTY_DOMAIN_ID", "source_domain_id"),
        ("HUBSPOT_CUSTOM_PROPERTY_PAGE_ID", ""),
        ("HUBSPOT_CUSTOM_PROPERTY_SYNC_DATE", "synced_on"),
    ]);
    let loaded = load(&given).unwrap();
    for (key, expected) in [
        ("push.interval", "900s"),
        ("push.batch", "10"),
        ("push.retry_delay", "600s"),
        ("push.retry", "linear"),
        ("push.max_retries", "5"),
        ("push.max_instances", "3"),
        ("push.domain_id_property", "source_domain_id"),
        ("push.page_id_property", ""),
        ("push.sync_date_property", "synced_on"),
        ("push.enabled", "auto"),
    ] {
        assert_eq!(value(&loaded, key).0, expected, "{key}");
    }
    let push = &loaded.settings.push;
    assert_eq!(push.fields()["domain_id"], "source_domain_id");
    let wanted = push.wanted();
    let names: Vec<_> = wanted
        .iter()
        .map(|property| (property.name.as_str(), property.kind.names()))
        .collect();
    assert_eq!(
        names,
        [
            ("source_domain_id", ("string", "text")),
            ("synced_on", ("date", "date"))
        ]
    );
}
