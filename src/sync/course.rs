//! A pass under way, kept so that one that is started again right after it was killed neither reads twice what it had read
//! already nor asks again whose token it is.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SyncOptions, connection::later, core::Core};
use crate::domain::{Fault, ObjectType};

/// A pass that began longer ago than this is not taken up: what it read first would be too old. Walks go on all the same.
const TAKEN_UP: Duration = Duration::from_mins(2);
/// The name under which the mirror keeps it.
const COURSE: &str = "pass";

/// As it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    began: Timestamp,
    /// Whose token, by its fingerprint.
    by: Option<String>,
    /// What was read whole.
    done: Vec<ObjectType>,
}

impl Kept {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A pass under way.
pub struct Course {
    /// When it began: so old is what it reads.
    pub began: Timestamp,
    /// It goes on with one that was killed a moment ago.
    pub is_taken_up: bool,
    /// What was read whole before it was taken up.
    before: Vec<ObjectType>,
    /// Passes that were told what to read leave no trace.
    is_kept: bool,
}

impl Course {
    /// Begins a pass, or takes up the one that was killed.
    pub async fn take_up(core: &Core, options: &SyncOptions) -> Result<Self, Fault> {
        let now = core.now();
        let is_kept = options.is_whole() && !options.full && options.max.is_none();
        let left = core.desk.read(|reader| Ok(reader.mirror.cursor(COURSE)?)).await?;
        let left: Option<Kept> = left.and_then(|text| serde_json::from_str(&text).ok());
        let by = core.client.fingerprint();
        let is_fresh = |left: &Kept| left.began <= now && later(left.began, TAKEN_UP) > now;
        let left = left.filter(|left| is_kept && by.is_some() && left.by == by && is_fresh(left));
        Ok(match left {
            Some(left) => Self {
                began: left.began,
                is_taken_up: true,
                before: left.done,
                is_kept,
            },
            None => Self {
                began: now,
                is_taken_up: false,
                before: Vec::new(),
                is_kept,
            },
        })
    }

    /// Whose token it is is sure from now on.
    pub async fn is_sure(&self, core: &Core) -> Result<(), Fault> {
        if !self.is_kept || self.is_taken_up {
            return Ok(());
        }
        let kept = Kept {
            began: self.began,
            by: core.client.fingerprint(),
            done: Vec::new(),
        };
        core.desk
            .write(move |store| Ok(store.mirror.set_cursor(COURSE, &kept.text())?))
            .await
    }

    /// Whether a type was read whole before this pass was taken up.
    pub fn has_done(&self, object: ObjectType) -> bool {
        self.before.contains(&object)
    }

    /// A type was read whole.
    pub async fn done(&self, core: &Core, object: ObjectType) -> Result<(), Fault> {
        if !self.is_kept {
            return Ok(());
        }
        core.desk
            .write(move |store| {
                let kept = store.mirror.cursor(COURSE)?;
                let kept: Option<Kept> = kept.and_then(|text| serde_json::from_str(&text).ok());
                if let Some(mut kept) = kept {
                    kept.done.push(object);
                    store.mirror.set_cursor(COURSE, &kept.text())?;
                }
                Ok(())
            })
            .await
    }

    /// The pass came to its end, whatever it was.
    pub async fn end(&self, core: &Core) -> Result<(), Fault> {
        core.desk.write(|store| Ok(store.mirror.drop_cursor(COURSE)?)).await
    }
}
