//! Generated activities: what lies on the timeline of a deal and of its first contact. All of them lie before the opening
//! but the tasks, which wait to be done; the newest one is what the deal calls its last activity.

use super::{Base, PER_DEAL};
use crate::portal::clock::{DAY, iso};
use crate::portal::kinds::ObjectType::{self, Calls, Deals, Emails, Meetings, Notes, Tasks};
use crate::portal::names;

/// HubSpot's default outcome of a call that reached somebody.
const CONNECTED: &str = "f240bbac-87c9-4f6e-bf70-924b57d47db7";

const MINUTE: i64 = 60_000;

impl Base {
    /// Something has happened on this deal since it was made.
    pub(super) fn is_active(&self, deal: u32) -> bool {
        self.share(Deals, deal, 30) > 0.1 || self.activity_count(Notes, deal) > 0
    }

    /// How many activities of a kind a deal has; at most `PER_DEAL`. A deal that is active has a note, call or e-mail.
    pub(super) fn activity_count(&self, object: ObjectType, deal: u32) -> u32 {
        let draw = |counts: [u32; 10]| counts[(self.hash(object, deal, 5) % 10) as usize];
        match object {
            Notes => [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][(self.hash(Deals, deal, 5) % 10) as usize],
            Tasks => u32::from(self.has_task(deal)),
            _ if !self.is_active(deal) => 0,
            Calls => {
                let silent = [Notes, Emails].iter().all(|kind| self.activity_count(*kind, deal) == 0);
                draw([0, 0, 0, 1, 1, 1, 2, 2, 3, 3]).max(u32::from(silent))
            }
            Emails => draw([0, 0, 1, 1, 1, 2, 2, 3, 3, 4]),
            Meetings => draw([0, 0, 0, 0, 0, 0, 1, 1, 1, 2]),
            _ => 0,
        }
    }

    /// All activities of a deal.
    pub(super) fn activities(&self, deal: u32) -> u32 {
        let kinds = [Notes, Tasks, Calls, Emails, Meetings];
        kinds.into_iter().map(|kind| self.activity_count(kind, deal)).sum()
    }

    /// When an activity took place; Unix milliseconds. The newest one of the first kind a deal has, notes before calls
    /// before e-mails, is its last activity; the others lie before it.
    pub(super) fn activity_at(&self, object: ObjectType, index: u32) -> i64 {
        let (deal, n) = (index / PER_DEAL, index % PER_DEAL);
        let facts = self.deal(deal);
        let newest = facts.last_activity.unwrap_or(facts.created);
        let before = newest - facts.created;
        if object == Notes {
            return newest - before * i64::from(n) / i64::from(PER_DEAL);
        }
        let kinds = [Notes, Calls, Emails];
        let first = kinds.into_iter().find(|kind| self.activity_count(*kind, deal) > 0);
        if n == 0 && first == Some(object) {
            return newest;
        }
        newest - (before as f64 * (0.02 + 0.97 * self.share(object, index, 13))) as i64
    }

    /// When somebody last spoke with the people of a deal.
    pub(super) fn last_contact(&self, deal: u32) -> Option<i64> {
        let kinds = [Calls, Emails, Meetings].into_iter();
        let all = kinds.flat_map(|kind| (0..self.activity_count(kind, deal)).map(move |n| (kind, deal * PER_DEAL + n)));
        all.map(|(kind, index)| self.activity_at(kind, index)).max()
    }

    /// The deal that an activity is about.
    pub(super) fn deal_of(&self, activity: ObjectType, index: u32) -> u32 {
        if activity == Tasks { index } else { index / PER_DEAL }
    }

    pub(super) fn has_task(&self, deal: u32) -> bool {
        self.hash(Deals, deal, 6).is_multiple_of(5) && !self.deal(deal).closed
    }

    /// Due between five days ago and ten days ahead.
    pub(super) fn task_due(&self, deal: u32) -> i64 {
        self.opened + ((self.share(Deals, deal, 7) * 15.0 - 5.0) * DAY as f64) as i64
    }

    pub(super) fn task_value(&self, deal: u32, name: &str) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        match name {
            "hs_timestamp" => Some(iso(self.task_due(deal))),
            "hs_task_subject" => text(self.pick(&names::TASKS, Tasks, deal, 20)),
            "hs_task_status" => text("NOT_STARTED"),
            "hs_task_priority" => text(["NONE", "MEDIUM", "HIGH"][(self.share(Tasks, deal, 21) * 3.0) as usize]),
            "hs_task_type" => text(["TODO", "CALL", "EMAIL"][(self.share(Tasks, deal, 22) * 3.0) as usize]),
            _ => None,
        }
    }

    /// Four calls in five reach somebody and last up to half an hour.
    pub(super) fn call_value(&self, call: u32, name: &str) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        let share = |salt| self.share(Calls, call, salt);
        let (title, body) = self.pick(&names::CALLS, Calls, call, 20);
        let status = self.pick(
            &["COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED", "NO_ANSWER", "BUSY"],
            Calls,
            call,
            21,
        );
        let reached = status == "COMPLETED";
        match name {
            "hs_call_title" => text(title),
            "hs_call_body" if reached => text(body),
            "hs_call_direction" => text(if share(22) < 0.3 { "INBOUND" } else { "OUTBOUND" }),
            "hs_call_duration" if reached => Some(((1 + (share(23) * 1_800.0) as u64) * 1_000).to_string()),
            "hs_call_duration" => text("0"),
            "hs_call_status" => text(status),
            "hs_call_disposition" if reached => text(CONNECTED),
            _ => None,
        }
    }

    /// Two e-mails in five come from the customer.
    pub(super) fn email_value(&self, email: u32, name: &str) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        let incoming = self.share(Emails, email, 22) < 0.4;
        let line = self.pick(&names::EMAILS, Emails, email, 20);
        match name {
            "hs_email_subject" => {
                let thing = self.pick(&names::THINGS, Deals, self.deal_of(Emails, email), 40);
                Some(format!("{}Your {thing}", if incoming { "Re: " } else { "" }))
            }
            "hs_email_text" => Some(format!("Hello,\n\n{line}\n\nKind regards")),
            "hs_email_html" => {
                let line = line.replace('&', "&amp;");
                Some(format!("<p>Hello,</p><p>{line}</p><p>Kind regards</p>"))
            }
            "hs_email_direction" => text(if incoming { "INCOMING_EMAIL" } else { "EMAIL" }),
            "hs_email_status" => text("SENT"),
            _ => None,
        }
    }

    /// Half an hour to an hour; most of them took place.
    pub(super) fn meeting_value(&self, meeting: u32, name: &str) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        let (title, body) = self.pick(&names::MEETINGS, Meetings, meeting, 20);
        let start = self.activity_at(Meetings, meeting);
        match name {
            "hs_meeting_title" => text(title),
            "hs_meeting_body" => Some(format!("<p>{body}</p>")),
            "hs_meeting_start_time" => Some(iso(start)),
            "hs_meeting_end_time" => Some(iso(start + self.pick(&[30, 45, 60], Meetings, meeting, 21) * MINUTE)),
            "hs_meeting_outcome" => text(self.pick(
                &[
                    "COMPLETED",
                    "COMPLETED",
                    "COMPLETED",
                    "NO_SHOW",
                    "RESCHEDULED",
                    "CANCELED",
                ],
                Meetings,
                meeting,
                22,
            )),
            "hs_meeting_location" if self.share(Meetings, meeting, 23) < 0.6 => {
                text(self.pick(&names::CITIES, Meetings, meeting, 24).0)
            }
            _ => None,
        }
    }
}
