//! What happens to the files: modes, damage, a full disk, several processes.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use super::{Home, at, deal, note, stage_move};
use crate::{
    domain::{Fault, FaultKind, ObjectType},
    store::{Error, Lock, OutboxFilter, Put, Reader, Slots, Store, Via},
};

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_anything() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let settings = home.settings();
    fs::create_dir_all(&settings.dir).unwrap();
    fs::set_permissions(&settings.dir, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(settings.dir.join("mirror.db"), "").unwrap();
    fs::set_permissions(settings.dir.join("mirror.db"), fs::Permissions::from_mode(0o666)).unwrap();
    let opened = Store::open(&settings).unwrap();
    assert!(
        opened
            .notices
            .iter()
            .any(|notice| notice.contains("was open to other users"))
    );
    let _lock = Lock::try_take(&settings.dir).unwrap().unwrap();
    let _slots = Slots::open(&settings).unwrap();
    let mut store = opened.store;
    store.outbox.keep(note("1", "private"), at(0)).unwrap();
    store.mirror.set_cursor("deals", "7").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&settings.dir), 0o700);
    let files: Vec<_> = fs::read_dir(&settings.dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let names: Vec<_> = files
        .iter()
        .map(|file| file.file_name().unwrap().to_string_lossy())
        .collect();
    for name in [
        "outbox.db",
        "outbox.db-wal",
        "outbox.db-shm",
        "mirror.db-wal",
        "budget.db",
        "dealdeck.lock",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
    }
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[cfg(unix)]
#[test]
fn a_symlink_in_place_of_a_file_is_refused() {
    let home = Home::new();
    let settings = home.settings();
    fs::create_dir_all(&settings.dir).unwrap();
    let elsewhere = home.dir.path().join("elsewhere.db");
    fs::write(&elsewhere, "").unwrap();
    std::os::unix::fs::symlink(&elsewhere, settings.dir.join("outbox.db")).unwrap();
    assert!(matches!(Store::open(&settings), Err(Error::Io { .. })));
    assert_eq!(fs::read(&elsewhere).unwrap(), b"");
}

/// Overwrites the middle of every page but the first few bytes of the file.
fn damage(path: &Path) {
    let size = fs::metadata(path).unwrap().len();
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    for page in 1..size / 4096 {
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0xA5; 2048]).unwrap();
    }
}

#[test]
fn a_damaged_mirror_is_moved_aside_and_starts_afresh() {
    let home = Home::new();
    let settings = home.settings();
    let mut store = home.open();
    store
        .mirror
        .put(ObjectType::Deals, &[deal("1", 1, "a")], Put::via(Via::List))
        .unwrap();
    let kept = store.outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    drop(store);
    damage(&settings.dir.join("mirror.db"));
    let opened = Store::open(&settings).unwrap();
    assert!(
        opened.notices[0].contains("'mirror.db' was damaged"),
        "{:?}",
        opened.notices
    );
    let mut store = opened.store;
    assert_eq!(store.mirror.count(ObjectType::Deals).unwrap(), 0);
    assert!(settings.dir.join("mirror.db.damaged").exists());
    store
        .mirror
        .put(ObjectType::Deals, &[deal("1", 1, "a")], Put::via(Via::List))
        .unwrap();
    assert_eq!(store.mirror.deals().unwrap().len(), 1);
    assert!(store.outbox.get(kept.id).unwrap().is_some());
}

#[test]
fn a_damaged_mirror_stays_where_it_is_while_another_process_syncs() {
    let home = Home::new();
    let settings = home.settings();
    drop(home.open());
    damage(&settings.dir.join("mirror.db"));
    let lock = Lock::try_take(&settings.dir).unwrap().unwrap();
    let refused = Store::open(&settings).unwrap_err();
    assert!(
        matches!(&refused, Error::DamagedInUse { file, .. } if file == "mirror.db"),
        "{refused:?}"
    );
    let fault = Fault::from(refused);
    assert_eq!(fault.kind, FaultKind::Store);
    assert!(fault.to_string().contains("close the other dealdeck"), "{fault}");
    assert!(settings.dir.join("mirror.db").exists());
    assert!(!settings.dir.join("mirror.db.damaged").exists());
    drop(lock);
    let opened = Store::open(&settings).unwrap();
    assert!(opened.notices[0].contains("'mirror.db' was damaged"));
    assert!(Lock::try_take(&settings.dir).unwrap().is_some(), "free again");
}

#[test]
fn of_many_starts_at_once_one_rebuilds_a_damaged_mirror() {
    let home = Home::new();
    let settings = home.settings();
    drop(home.open());
    damage(&settings.dir.join("mirror.db"));
    let stores: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Store::open(&settings).unwrap()))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let notices: Vec<_> = stores.iter().flat_map(|opened| &opened.notices).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    let evidence = fs::read(settings.dir.join("mirror.db.damaged")).unwrap();
    assert!(evidence.windows(64).any(|bytes| bytes == [0xA5; 64]));
}

#[test]
fn damage_deep_in_a_large_mirror_is_found_and_mended_at_the_next_start() {
    let home = Home::new();
    let settings = home.settings();
    let mut store = home.open();
    let huge = |id: usize| {
        let mut deal = deal(&id.to_string(), 1, "a");
        deal.properties
            .insert("description".to_owned(), Some("x".repeat(1_000_000)));
        deal
    };
    let deals: Vec<_> = (1..=24).map(huge).collect();
    store
        .mirror
        .put(ObjectType::Deals, &deals, Put::via(Via::List))
        .unwrap();
    drop(store);
    let path = settings.dir.join("mirror.db");
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(12 << 20)).unwrap();
    file.write_all(&[0xA5; 64 * 1024]).unwrap();
    drop(file);
    // A look at the start does not find it, one at the whole file does, and says so to the next start.
    assert!(Store::open(&settings).unwrap().notices.is_empty());
    assert!(matches!(
        crate::store::check_mirror(&settings),
        Err(Error::Damaged { .. })
    ));
    let opened = Store::open(&settings).unwrap();
    assert!(
        opened.notices[0].contains("'mirror.db' was damaged"),
        "{:?}",
        opened.notices
    );
    assert_eq!(opened.store.mirror.count(ObjectType::Deals).unwrap(), 0);
    drop(opened);
    assert!(Store::open(&settings).unwrap().notices.is_empty(), "once is enough");
}

#[test]
fn a_damaged_outbox_is_refused_and_left_alone() {
    let home = Home::new();
    let settings = home.settings();
    home.open().outbox.keep(note("1", "precious"), at(0)).unwrap();
    let path = settings.dir.join("outbox.db");
    damage(&path);
    let bytes = fs::read(&path).unwrap();
    let fault = Fault::from(Store::open(&settings).unwrap_err());
    assert_eq!(fault.kind, FaultKind::Store);
    assert!(fault.what.starts_with("'outbox.db' is damaged"), "{fault}");
    assert_eq!(fs::read(&path).unwrap(), bytes);

    fs::write(&path, "this was never a database, however long it may be".repeat(200)).unwrap();
    assert!(matches!(Store::open(&settings), Err(Error::Damaged { file, .. }) if file == "outbox.db"));
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let home = Home::new();
    let store = home.open();
    store
        .outbox
        .connection()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(store);
    let refused = Store::open(&home.settings()).unwrap_err();
    assert!(
        matches!(&refused, Error::Newer(file) if file == "outbox.db"),
        "{refused:?}"
    );
}

#[test]
fn a_full_disk_refuses_the_action_and_keeps_the_earlier_ones() {
    let home = Home::new();
    let mut store = home.open();
    let long = "a long note ".repeat(500);
    let mut kept = vec![store.outbox.keep(note("1", &long), at(0)).unwrap()];
    let pages: i64 = store
        .outbox
        .connection()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    store
        .outbox
        .connection()
        .query_row(&format!("PRAGMA max_page_count = {}", pages + 4), [], |_| Ok(()))
        .unwrap();
    let refused = loop {
        match store.outbox.keep(note("1", &long), at(1)) {
            Ok(op) => kept.push(op),
            Err(error) => break error,
        }
        assert!(kept.len() < 50, "the limit does not bite");
    };
    assert_eq!(Fault::from(refused).kind, FaultKind::Store);
    assert_eq!(
        store.outbox.pending().unwrap(),
        kept,
        "all of the earlier ones and no part of the refused one"
    );
    store
        .outbox
        .connection()
        .query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))
        .unwrap();
    kept.push(store.outbox.keep(note("1", &long), at(2)).unwrap());
    drop(store);
    assert_eq!(home.open().outbox.pending().unwrap(), kept);
}

#[test]
fn two_processes_keep_operations_in_one_store() {
    let home = Home::new();
    let (mut dashboard, mut command) = (home.open(), home.open());
    for round in 0..5 {
        dashboard.outbox.keep(note("1", "screen"), at(round)).unwrap();
        command.outbox.keep(note("1", "script"), at(round)).unwrap();
    }
    let all = dashboard.outbox.list(&OutboxFilter::default()).unwrap();
    let mut places: Vec<u64> = all.iter().map(|op| op.seq).collect();
    places.reverse();
    assert_eq!(places, (1..=10).collect::<Vec<_>>());
}

#[test]
fn many_processes_that_start_at_once_all_get_a_store() {
    let home = Home::new();
    let settings = home.settings();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|n| {
                let settings = &settings;
                scope.spawn(move || {
                    let mut store = Store::open(settings)?.store;
                    let _slots = Slots::open(settings)?;
                    store.outbox.keep(note("1", "first"), at(n)).map(|op| op.id)
                })
            })
            .collect();
        for start in starts {
            start.join().unwrap().unwrap();
        }
    });
    assert_eq!(home.open().outbox.pending().unwrap().len(), 8);
}

#[test]
fn a_reader_never_waits_for_a_writer_and_sees_only_what_is_committed() {
    let home = Home::new();
    let mut store = home.open();
    let op = store.outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let reader = Reader::open(&home.settings()).unwrap();
    for conn in [store.outbox.connection(), store.mirror.connection()] {
        conn.execute_batch("BEGIN EXCLUSIVE").unwrap();
    }
    store.outbox.connection().execute("DELETE FROM undo", []).unwrap();
    assert_eq!(reader.outbox.newest_undo().unwrap().map(|op| op.id), Some(op.id));
    assert!(reader.mirror.deals().unwrap().is_empty());
    for conn in [store.outbox.connection(), store.mirror.connection()] {
        conn.execute_batch("ROLLBACK").unwrap();
    }
    let put = store
        .mirror
        .put(ObjectType::Deals, &[deal("1", 1, "a")], Put::via(Via::Direct));
    assert_eq!(put.unwrap().len(), reader.mirror.deals().unwrap().len());
}

#[test]
fn one_holder_at_a_time_and_the_lock_goes_with_it() {
    let home = Home::new();
    let dir = home.settings().dir;
    let held = Lock::try_take(&dir).unwrap();
    assert!(held.is_some());
    assert!(Lock::try_take(&dir).unwrap().is_none());
    drop(held);
    assert!(Lock::try_take(&dir).unwrap().is_some());
}

#[test]
fn a_held_file_is_busy_and_not_a_bug() {
    let busy = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None);
    let fault = Fault::from(Error::from(busy));
    assert_eq!(fault.kind, FaultKind::Busy);
    let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
    assert_eq!(Fault::from(Error::from(full)).kind, FaultKind::Store);
}
