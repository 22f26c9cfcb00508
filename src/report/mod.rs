//! Numbers as text: the same rows as a table for people, JSON and JSON lines for scripts, CSV for spreadsheets, markdown
//! for messages. One record, one shape, whoever asks. It refuses to fetch, to sort and to colour; what it is given is what
//! it writes, made safe for where it goes.

mod contact;
mod deal;
mod format;
mod json;
mod limits;
mod local_contact;
mod names;
mod operation;
mod requests;
mod segment;
mod sheet;
mod sync;

pub use contact::{ContactJson, cleared, contact, contact_json, contacts};
pub use deal::{DealJson, deal_json, deals};
pub use format::Format;
pub use json::{FaultJson, compact, error_line, fault_json, lines};
pub use limits::{LimitsJson, limits, limits_json};
pub use local_contact::{LocalContactJson, PushedNow, import, local_contact_json, local_contacts, reset};
pub use names::{Named, Names};
pub use operation::{
    AttemptJson, OperationJson, OperationStoryJson, operation, operation_json, operation_story_json, operations,
};
pub use requests::{RequestJson, request_json, requests};
pub use segment::{ListJson, SegmentJson, list_json, segment, segment_json, segments};
pub use sheet::{Column, Sheet};
pub use sync::{StatsJson, SyncJson, stats, stats_json, sync, sync_json};

#[cfg(test)]
mod tests;
