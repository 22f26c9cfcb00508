//! The files of the store: who may read them, how SQLite opens them, and whether they can be trusted. Everything here is
//! readable by its owner alone, whatever the umask.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::{Error, Lock, Moment, Result, reached};

/// The first SQLite without the bug that lets two connections damage a WAL file when they checkpoint at once
/// (3.7.0 to 3.51.2, <https://sqlite.org/wal.html>).
const SAFE_SQLITE: i32 = 3_051_003;

/// How long a statement waits for another process before it gives up with [`Error::Locked`].
const PATIENCE: Duration = Duration::from_secs(5);

/// Up to this size a page by page check takes less than a tenth of a second.
const QUICK_TO_CHECK: u64 = 16 << 20;

/// The ending of a mark beside a file that is to be checked whole at the next start.
const SUSPECT: &str = "suspect";

/// Bytes to which a write-ahead log that grew is cut back.
const WAL_LIMIT: i64 = 32 << 20;

/// Pages after which a write-ahead log is copied into its file: seldom enough that a page of an index which many rows
/// change is copied once.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Page cache of a connection that only reads, in KiB: what a screen shows again and again is little.
const READER_CACHE_KIB: i64 = 2_048;

/// How one file is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Its name in the data directory.
    pub name: &'static str,
    /// `PRAGMA synchronous`: `FULL` when a commit must survive a power loss.
    pub synchronous: &'static str,
    /// Page cache in KiB.
    pub cache_kib: i64,
    /// Checked page by page at every start; a file that can be read again only while that is quick.
    pub precious: bool,
}

pub(super) const OUTBOX: Kind = Kind {
    name: "outbox.db",
    synchronous: "FULL",
    cache_kib: 2_048,
    precious: true,
};
pub(super) const MIRROR: Kind = Kind {
    name: "mirror.db",
    synchronous: "NORMAL",
    cache_kib: 8_192,
    precious: false,
};
pub(super) const BUDGET: Kind = Kind {
    name: "budget.db",
    synchronous: "OFF",
    cache_kib: 512,
    precious: false,
};

/// Makes the data directory, or tightens the one that is there; its canonical path, and what was tightened.
pub(super) fn directory(dir: &Path) -> Result<(PathBuf, Vec<String>)> {
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    let dir = fs::canonicalize(dir).map_err(Error::io(dir))?;
    let notice = owner_only(&dir, 0o700)?;
    Ok((dir, notice.into_iter().collect()))
}

/// Opens (and makes) a file that only its owner may read.
pub(super) fn private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        options.mode(0o600).custom_flags(no_follow);
    }
    let file = options.open(path).map_err(Error::io(path))?;
    owner_only(path, 0o600)?;
    Ok(file)
}

#[cfg(unix)]
fn owner_only(path: &Path, mode: u32) -> Result<Option<String>> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let meta = fs::metadata(path).map_err(Error::io(path))?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::Foreign(path.to_owned()));
    }
    let found = meta.permissions().mode() & 0o777;
    if found == mode {
        return Ok(None);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::io(path))?;
    let loose = found & 0o077 != 0 && meta.is_dir();
    Ok(loose.then(|| format!("'{}' was open to other users and is private now", path.display())))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix, where it can fail")]
fn owner_only(_path: &Path, _mode: u32) -> Result<Option<String>> {
    Ok(None)
}

/// Opens a file for writing, checks it and brings its tables to this version.
///
/// # Errors
/// [`Error::Damaged`] when SQLite's own check finds anything.
pub(super) fn open(dir: &Path, kind: Kind, steps: &[M<'_>]) -> Result<Connection> {
    let _turn = turn(dir)?;
    open_in_turn(dir, kind, steps)
}

fn open_in_turn(dir: &Path, kind: Kind, steps: &[M<'_>]) -> Result<Connection> {
    trusted_sqlite()?;
    let path = dir.join(kind.name);
    drop(private(&path)?);
    let named = |error| name_damage(kind, error);
    let mut conn = connect(&path, kind).map_err(named)?;
    journal(&conn, kind).map_err(named)?;
    check(&conn, &path, kind).map_err(named)?;
    reached(Moment::SchemaBegun);
    Migrations::from_slice(steps)
        .to_latest(&mut conn)
        .map_err(|error| named(migration(kind, error)))?;
    Ok(conn)
}

/// Processes that start at the same moment open files one after another, or two of them would make the same tables.
fn turn(dir: &Path) -> Result<File> {
    let path = dir.join("dealdeck.opening");
    let file = private(&path)?;
    file.lock().map_err(Error::io(path))?;
    Ok(file)
}

/// Opens a file whose loss is no loss: a damaged one is moved aside and made afresh, and the notice says so. Nobody else
/// starts meanwhile, or the fresh file would be moved over the damaged one, and nobody syncs, or it would go on filling
/// the mirror that was moved.
///
/// # Errors
/// [`Error::DamagedInUse`] for the mirror while another process syncs.
pub(super) fn open_or_rebuild(dir: &Path, kind: Kind, steps: &[M<'_>]) -> Result<(Connection, Option<String>)> {
    let _turn = turn(dir)?;
    match open_in_turn(dir, kind, steps) {
        Ok(conn) => {
            trust_again(dir, kind)?;
            Ok((conn, None))
        }
        Err(Error::Damaged { file, detail }) => {
            // What the budget remembers is worth nothing: nobody has to be asked to stop for it.
            let lock = Lock::try_take(dir)?;
            if lock.is_none() && kind.name != BUDGET.name {
                return Err(Error::DamagedInUse { file, detail });
            }
            let aside = move_aside(dir, kind)?;
            trust_again(dir, kind)?;
            let conn = open_in_turn(dir, kind, steps)?;
            let notice = format!(
                "'{}' was damaged ({detail}); it was moved to '{}' and starts afresh",
                kind.name,
                aside.display()
            );
            Ok((conn, Some(notice)))
        }
        Err(other) => Err(other),
    }
}

fn trust_again(dir: &Path, kind: Kind) -> Result<()> {
    let mark = dir.join(kind.name).with_extension(SUSPECT);
    match fs::remove_file(&mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(mark)(error)),
        _ => Ok(()),
    }
}

/// Opens a file that [`open`] has made.
pub(super) fn open_again(dir: &Path, kind: Kind) -> Result<Connection> {
    connect(&dir.join(kind.name), kind).map_err(|error| name_damage(kind, error))
}

/// Opens a file that [`open`] has made, for reading alone.
pub(super) fn open_to_read(dir: &Path, kind: Kind) -> Result<Connection> {
    let conn = open_again(dir, kind)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB.min(kind.cache_kib))?;
    Ok(conn)
}

fn connect(path: &Path, kind: Kind) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.pragma_update(None, "synchronous", kind.synchronous)?;
    conn.pragma_update(None, "cache_size", -kind.cache_kib)?;
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    Ok(conn)
}

/// Write-ahead logging lets everybody read while one writes; the answer says whether the file system can do it.
fn journal(conn: &Connection, kind: Kind) -> Result<()> {
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        Ok(())
    } else {
        Err(Error::FileSystem(kind.name.into()))
    }
}

/// SQLite's own check: of the whole file, or (a large mirror that nobody suspects) of its schema and a small table.
/// Whatever hides in the rest shows as [`Error::Damaged`] when it is read, or in [`check_whole`], and the next start looks
/// closer.
fn check(conn: &Connection, path: &Path, kind: Kind) -> Result<()> {
    let size = fs::metadata(path).map_err(Error::io(path))?.len();
    let schema: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_suspect = path.with_extension(SUSPECT).exists();
    let pragma = if kind.precious || is_suspect || size <= QUICK_TO_CHECK || schema == 0 {
        "PRAGMA quick_check(1)"
    } else {
        "PRAGMA quick_check('cursor')"
    };
    let verdict: String = conn.query_row(pragma, [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(Error::Damaged {
            file: kind.name.into(),
            detail: verdict,
        })
    }
}

/// The next start checks the whole file.
pub(super) fn suspect(dir: &Path, kind: Kind) -> Result<()> {
    private(&dir.join(kind.name).with_extension(SUSPECT)).map(drop)
}

/// Checks a whole file through a connection of its own; a large one takes seconds.
pub(super) fn check_whole(dir: &Path, kind: Kind) -> Result<()> {
    let conn = open_to_read(dir, kind)?;
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Error::Damaged {
        file: kind.name.into(),
        detail: verdict,
    })
}

fn migration(kind: Kind, error: rusqlite_migration::Error) -> Error {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
        rusqlite_migration::Error::MigrationDefinition(_) => Error::Newer(kind.name.into()),
        other => Error::Row(other.to_string()),
    }
}

fn name_damage(kind: Kind, error: Error) -> Error {
    match error {
        Error::Damaged { detail, .. } => Error::Damaged {
            file: kind.name.into(),
            detail,
        },
        other => other,
    }
}

fn trusted_sqlite() -> Result<()> {
    if rusqlite::version_number() >= SAFE_SQLITE {
        Ok(())
    } else {
        Err(Error::OldSqlite(rusqlite::version().into()))
    }
}

/// Moves a file and what belongs to it out of the way: `mirror.db` becomes `mirror.db.damaged`, an older one is replaced.
fn move_aside(dir: &Path, kind: Kind) -> Result<PathBuf> {
    let aside = dir.join(format!("{}.damaged", kind.name));
    for tail in ["", "-wal", "-shm"] {
        let from = dir.join(format!("{}{tail}", kind.name));
        let to = dir.join(format!("{}.damaged{tail}", kind.name));
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(from)(error)),
        }
    }
    Ok(aside)
}
