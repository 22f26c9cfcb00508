//! Holds the code to the import table of `src/lib.rs`: which room may name which, and which outside crate lives where.

#![expect(clippy::expect_used, reason = "a test says what it expected by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Room → rooms it may import. `*` = anything.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("filter", &["domain"]),
    ("hubspot", &["domain"]),
    ("store", &["domain", "filter"]),
    ("sync", &["domain", "filter", "hubspot", "store"]),
    ("app", &["domain", "filter"]),
    ("ui", &["domain", "filter", "app"]),
    ("report", &["domain", "filter"]),
    ("term", &["domain", "app", "ui", "report", "sync"]),
    (
        "config",
        &["domain", "filter", "hubspot", "store", "sync", "app", "ui", "report"],
    ),
    ("portal", &[]),
    ("cli", &["*"]),
];

/// Outside crate → the places (path prefixes under `src/`) that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("ratatui", &["ui/", "term/"]),
    ("crossterm", &["term/"]),
    ("reqwest", &["hubspot/transport/"]),
    ("rusqlite", &["store/"]),
    ("rusqlite_migration", &["store/"]),
    ("axum", &["portal/"]),
    ("clap", &["cli/", "portal/settings.rs"]),
];

/// What the pure rooms must not touch: no task, no clock, no environment, no file.
const PURE: &[&str] = &["domain", "filter", "app", "ui"];
const IMPURE: &[&str] = &[
    "tokio::",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "Timestamp::now",
    "Zoned::now",
];

struct Source {
    path: PathBuf,
    room: String,
    lines: Vec<(usize, String)>,
}

fn sources() -> Vec<Source> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("src is readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    let texts: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("a source file is UTF-8");
            (file.strip_prefix(&src).expect("under src").to_path_buf(), text)
        })
        .collect();
    let tests: Vec<PathBuf> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    texts
        .into_iter()
        .filter(|(path, _)| {
            !tests
                .iter()
                .any(|test| path.starts_with(test) || path.with_extension("") == *test)
        })
        .map(|(path, text)| {
            let room = path
                .components()
                .next()
                .map(|first| first.as_os_str().to_string_lossy().into_owned());
            Source {
                room: room.unwrap_or_default(),
                lines: code_lines(&text),
                path,
            }
        })
        .collect()
}

/// Modules in files of their own that exist only for tests: those may set up whatever they need.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let dir = match path.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs") | None => path.parent().unwrap_or(Path::new("")).to_path_buf(),
        Some(_) => path.with_extension(""),
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pairs = lines.iter().zip(lines.iter().skip(1));
    pairs
        .filter(|(line, _)| line.starts_with("#[cfg(test)]"))
        .filter_map(|(_, next)| next.strip_prefix("mod ")?.strip_suffix(';').map(|name| dir.join(name)))
        .collect()
}

/// Numbered lines without comments, and without the tests at a file's end.
fn code_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut all = text.lines().enumerate().peekable();
    while let Some((nth, line)) = all.next() {
        if line.trim_start().starts_with("#[cfg(test)]") || line.trim_start().starts_with("#[cfg(all(test") {
            match all.next() {
                Some((_, next)) if next.trim_start().starts_with("mod ") && next.ends_with('{') => break,
                _ => continue,
            }
        }
        let code = line.split("//").next().unwrap_or_default().trim_end();
        if !code.is_empty() {
            lines.push((nth + 1, code.to_owned()));
        }
    }
    lines
}

/// Rooms named by `crate::room` on a line, also inside `use crate::{a::…, b::…}`.
fn rooms_named(line: &str, known: &BTreeMap<&str, &[&str]>) -> Vec<String> {
    let mut named = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("crate::") {
        rest = &rest[at + "crate::".len()..];
        let word = |text: &str| {
            text.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        };
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut expect = true;
            let mut from = 0;
            for (at, c) in group.char_indices() {
                if expect && (c.is_alphabetic() || c == '_') {
                    from = at;
                    expect = false;
                    named.push(word(&group[from..]));
                }
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => expect = true,
                    _ => {}
                }
            }
            let _ = from;
        } else {
            named.push(word(rest));
        }
    }
    named.retain(|name| known.contains_key(name.as_str()));
    named
}

#[test]
fn rooms_import_only_what_the_map_allows() {
    let table: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut broken = Vec::new();
    for source in sources() {
        if ["lib.rs", "main.rs"].contains(&source.path.to_string_lossy().as_ref()) {
            continue;
        }
        let Some(allowed) = table.get(source.room.as_str()) else {
            broken.push(format!(
                "src/{}: room '{}' is not on the map",
                source.path.display(),
                source.room
            ));
            continue;
        };
        // A `use crate::{` group may run over several lines: join it before looking.
        let mut open: Option<(usize, String)> = None;
        for (number, line) in &source.lines {
            let (start, text) = match open.take() {
                Some((start, text)) => (start, format!("{text} {}", line.trim())),
                None => (*number, line.clone()),
            };
            if text.trim_start().starts_with("use crate::{") && !text.contains(';') {
                open = Some((start, text));
                continue;
            }
            for room in rooms_named(&text, &table) {
                if room != source.room && !allowed.contains(&room.as_str()) && !allowed.contains(&"*") {
                    broken.push(format!(
                        "src/{}:{start}: {} may not import {room}",
                        source.path.display(),
                        source.room
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "the import rule is broken:\n{}", broken.join("\n"));
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let mut broken = Vec::new();
    for source in sources() {
        let path = source.path.to_string_lossy().replace('\\', "/");
        for (number, line) in &source.lines {
            for (name, homes) in CRATES {
                let used = line.contains(&format!("{name}::")) || line.contains(&format!("use {name};"));
                // `ratatui::crossterm` and the like are the same crate through a side door.
                let word = line.find(name).is_some_and(|at| {
                    line[..at]
                        .chars()
                        .next_back()
                        .is_none_or(|c| !(c.is_alphanumeric() || c == '_'))
                });
                if used && word && !homes.iter().any(|home| path.starts_with(home)) {
                    broken.push(format!("src/{path}:{number}: {name} belongs to {}", homes.join(", ")));
                }
            }
        }
    }
    assert!(broken.is_empty(), "a crate left its room:\n{}", broken.join("\n"));
}

#[test]
fn pure_rooms_touch_nothing_outside() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room.as_str())) {
        for (number, line) in &source.lines {
            for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                broken.push(format!(
                    "src/{}:{number}: {} is pure, it may not use {word}",
                    source.path.display(),
                    source.room
                ));
            }
        }
    }
    assert!(broken.is_empty(), "a pure room is not pure:\n{}", broken.join("\n"));
}

#[test]
fn the_map_in_lib_names_every_room() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    for (room, _) in ROOMS {
        assert!(
            lib.contains(&format!("[`{room}`]")),
            "src/lib.rs does not describe the room '{room}'"
        );
    }
}

#[test]
fn the_reader_of_imports_sees_groups_and_paths() {
    let table: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    assert_eq!(
        rooms_named("use crate::{app::Model, domain::{Deal, Fault}, ui};", &table),
        ["app", "domain", "ui"]
    );
    assert_eq!(
        rooms_named("let x = crate::store::open(crate::sync::Y);", &table),
        ["store", "sync"]
    );
    assert!(rooms_named("use self::crate_like;", &table).is_empty());
}
