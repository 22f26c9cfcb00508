//! The engine: pull (HubSpot → mirror), push (outbox → HubSpot), and one [`Handle`] for every face.
//!
//! Every change is an operation on disk before anybody is told "saved"; it is sent once, looked up when its outcome is not
//! known, and never lost. What is shown is always the mirror with the unfinished operations on top. The engine refuses to
//! block a face: looks are answered from the mirror, changes after one commit, the network works behind both.

mod connection;
mod contact_queue;
mod contacts;
mod core;
mod course;
mod decide;
mod desk;
mod detail;
mod engine;
mod extent;
mod feed;
mod gate;
mod handle;
mod keys;
mod labels;
mod links;
mod listing;
mod local_contacts;
mod once;
mod partial;
mod pull;
mod push;
mod redo;
mod scopes;
mod search;
mod segments;
mod settings;
mod slots;
mod submit;
mod titles;
mod undo;
mod view;
mod words;

pub use contacts::{ContactQuery, ContactSort, find_list};
pub use engine::Engine;
pub use gate::{Call, StoreGate};
pub use handle::Handle;
pub use listing::{DealQuery, DealSort};
pub use local_contacts::{Pushed, Wanted};
pub use once::{Part, SyncOptions};
pub use scopes::Need;
pub use settings::{PushSettings, Settings};
pub use slots::StoredSlots;

/// The one clock, for faces that may not know the client.
pub use crate::hubspot::Clock;
