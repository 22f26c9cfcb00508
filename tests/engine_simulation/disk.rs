//! The disk under the store: calls that fail, a disk that is full, a power loss, a damaged mirror.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use dealdeck::{
    domain::{Fault, FaultKind},
    sync::{Call, StoreGate},
};

/// What the next store calls meet.
#[derive(Default)]
pub struct Disk {
    /// The call after so many fails.
    pub fails_after: Option<u32>,
    /// Nothing can be written.
    pub is_full: bool,
    /// Calls so far.
    pub calls: u32,
    /// Changes of a person that failed.
    pub refused: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Calls at one moment of virtual time, and that moment.
    at_once: (u32, Option<tokio::time::Instant>),
}

/// A process that asks this often without waiting waits for nothing any more; a deliberate bug may make it do so.
const RESTLESS: u32 = 1_000;

/// A gate over a disk. Of a process with a deliberate bug it is made to wait, or virtual time would stand still.
pub fn gate(disk: &Arc<Mutex<Disk>>, is_bugged: bool) -> StoreGate {
    let disk = Arc::clone(disk);
    StoreGate::new(move |call| {
        let mut disk = disk.lock().unwrap();
        disk.calls += 1;
        let now = Some(tokio::time::Instant::now());
        let (count, at) = disk.at_once;
        disk.at_once = (if at == now { count + 1 } else { 0 }, now);
        if is_bugged && disk.at_once.0 > RESTLESS {
            return Some(Fault::new(FaultKind::Store, "the disk is busy", "wait"));
        }
        let writes = matches!(call, Call::Write | Call::Keep);
        let broken = match disk.fails_after {
            Some(0) => {
                disk.fails_after = None;
                true
            }
            Some(left) => {
                disk.fails_after = Some(left - 1);
                false
            }
            None => false,
        };
        let what = match (broken, disk.is_full && writes) {
            (true, _) => "the disk failed",
            (_, true) => "the disk is full",
            _ => return None,
        };
        disk.failed += 1;
        disk.refused += u32::from(call == Call::Keep);
        Some(Fault::new(FaultKind::Store, what, "look after the disk"))
    })
}

/// The files as they are on the disk now, which is all that a power loss leaves. Of the mirror, whose commits are not
/// flushed one by one, the end of the log is lost besides.
pub fn after_power_loss(from: &Path, to: &Path, lost: u64) {
    fs::create_dir_all(to).unwrap();
    for name in ["outbox.db", "outbox.db-wal", "mirror.db", "mirror.db-wal"] {
        let Ok(bytes) = fs::read(from.join(name)) else { continue };
        let kept = match name {
            "mirror.db-wal" => bytes.len().saturating_sub(usize::try_from(lost).unwrap()),
            _ => bytes.len(),
        };
        fs::write(to.join(name), &bytes[..kept]).unwrap();
    }
}

/// A page of the mirror is overwritten with nonsense. `false`: there is nothing to damage.
pub fn damage(dir: &Path) -> bool {
    let path = dir.join("mirror.db");
    let Ok(mut bytes) = fs::read(&path) else { return false };
    if bytes.len() < 3 * 4_096 {
        return false;
    }
    bytes[100..4_096].fill(0xaa);
    fs::write(&path, bytes).unwrap();
    true
}

/// Somebody takes the mirror away while nobody uses it.
pub fn take_away_mirror(dir: &Path) {
    for name in ["mirror.db", "mirror.db-wal", "mirror.db-shm"] {
        let _ = fs::remove_file(dir.join(name));
    }
}
