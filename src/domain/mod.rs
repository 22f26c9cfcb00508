//! What a sales pipeline *is*: ids, deals, pipelines, people, money, operations, limits, faults. Pure data and pure
//! functions; it refuses to read a clock, a file, an environment variable or a socket, and imports no other room.

mod account;
mod activity;
mod app_event;
mod association;
mod board;
mod change;
mod company;
mod contact;
mod deal;
mod drill;
mod event;
mod fault;
mod field;
mod field_map;
pub mod format;
mod id;
mod limits;
mod list;
mod local_contact;
mod operation;
mod owner;
mod pipeline;
mod property;
mod record;
mod report;
mod segment;
mod text;

pub use account::{Account, Identity};
pub use activity::{Activity, ActivityItem, ActivityKind, Note, Who};
pub use app_event::{AppEvent, EventTarget};
pub use association::{Association, AssociationCategory, AssociationLabel};
pub use board::{Board, DealDetail, Facts, Page};
pub use change::{Change, Origin, Receipt, RedoOutcome, Submission, UndoOutcome};
pub use company::Company;
pub use contact::{Contact, ContactDetail};
pub use deal::{Deal, DealState, Pending, parse_time};
pub use drill::{Bug, Drill};
pub use event::{Connection, Event, Freshness, Progress, Reading};
pub use fault::{Fault, FaultKind};
pub use field::Field;
pub use field_map::{FULL_NAME, FieldMap, NoColumn, Unfit, check_email, split_name};
pub use id::{CompanyId, ContactId, DealId, ListId, NoteId, OpId, OwnerId, PipelineId, StageId, UserId};
pub use limits::{Gauge, Lane, LaneLoad, LaneUsage, Limits, SentRequest, Usage};
pub use list::{FilterSummary, List, ListKind, ListMember, MemberChange, Membership, MembershipChange};
pub use local_contact::{
    Behind, ContactOperation, ImportCount, LocalContact, NewContact, ProcessingStatus, PushDecision, RetryPolicy,
    SyncStatus, statuses,
};
pub use operation::{Attempt, Decision, OpError, OpKind, OpState, Operation, OperationStory, Payload};
pub use owner::Owner;
pub use pipeline::{Pipeline, Stage, StageKind, StageLookup, find_stage, stage_of};
pub use property::{KeySupport, NewProperty, PropertyDefinition, PropertyKind};
pub use record::{ObjectType, Properties, PropertyVersion, Record, RecordRef};
pub use report::{LastSync, ObjectCount, PushCount, SyncReport};
pub use segment::{Segment, SegmentCount};
pub use text::{body_to_html, html_to_text, safe, safe_block};
