//! The object types this portal keeps, their names and ids, and the association types between them. Tables only.

/// A type of CRM record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ObjectType {
    Contacts,
    Companies,
    Deals,
    Tickets,
    Notes,
    Tasks,
    Calls,
    Emails,
    Meetings,
}

use ObjectType::{Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};

/// Plural, singular, object type id; in the order of the enum.
const NAMES: [(&str, &str, &str); 9] = [
    ("contacts", "contact", "0-1"),
    ("companies", "company", "0-2"),
    ("deals", "deal", "0-3"),
    ("tickets", "ticket", "0-5"),
    ("notes", "note", "0-46"),
    ("tasks", "task", "0-27"),
    ("calls", "call", "0-48"),
    ("emails", "email", "0-49"),
    ("meetings", "meeting", "0-47"),
];

/// Association type ids from (row) to (column), 0 where HubSpot has none; rows and columns in the order of the enum.
const DEFAULT_TYPES: [[u32; 9]; 9] = [
    [449, 279, 4, 15, 201, 203, 193, 197, 199],
    [280, 450, 342, 340, 189, 191, 181, 185, 187],
    [3, 341, 451, 27, 213, 215, 205, 209, 211],
    [16, 339, 28, 452, 227, 229, 219, 223, 225],
    [202, 190, 214, 228, 0, 0, 0, 0, 0],
    [204, 192, 216, 230, 0, 0, 0, 0, 0],
    [194, 182, 206, 220, 0, 0, 0, 0, 0],
    [198, 186, 210, 224, 0, 0, 0, 0, 0],
    [200, 188, 212, 226, 0, 0, 0, 0, 0],
];

/// Association types of a primary company: from, to, id.
const PRIMARY_TYPES: [(ObjectType, ObjectType, u32); 6] = [
    (Contacts, Companies, 1),
    (Companies, Contacts, 2),
    (Deals, Companies, 5),
    (Companies, Deals, 6),
    (Tickets, Companies, 26),
    (Companies, Tickets, 25),
];

/// The account's own labels: from, to, id, label. Ids 1/2 and 3/4 are the two directions of one label.
pub(super) const LABELS: [(ObjectType, ObjectType, u32, &str); 4] = [
    (Deals, Contacts, 1, "Champion"),
    (Contacts, Deals, 2, "Champion"),
    (Deals, Contacts, 3, "Decision maker"),
    (Contacts, Deals, 4, "Decision maker"),
];

/// One type of a link, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LinkType {
    /// `USER_DEFINED` rather than `HUBSPOT_DEFINED`.
    pub user_defined: bool,
    pub id: u32,
}

impl LinkType {
    pub(super) fn hubspot(id: u32) -> Self {
        Self {
            user_defined: false,
            id,
        }
    }

    pub(super) fn category(self) -> &'static str {
        if self.user_defined {
            "USER_DEFINED"
        } else {
            "HUBSPOT_DEFINED"
        }
    }

    /// The label people see, for labelled types only.
    pub(super) fn label(self, from: ObjectType, to: ObjectType) -> Option<&'static str> {
        if self.user_defined {
            LABELS
                .iter()
                .find(|(f, t, id, _)| (*f, *t, *id) == (from, to, self.id))
                .map(|(.., label)| *label)
        } else {
            (primary_type(from, to) == Some(self)).then_some("Primary")
        }
    }

    /// The same link seen from the other side; `None` when the type does not run from `from` to `to`.
    pub(super) fn inverse(self, from: ObjectType, to: ObjectType) -> Option<Self> {
        if self.user_defined {
            let known = LABELS.iter().any(|(f, t, id, _)| (*f, *t, *id) == (from, to, self.id));
            let id = if self.id % 2 == 1 { self.id + 1 } else { self.id - 1 };
            return known.then_some(Self { user_defined: true, id });
        }
        if default_type(from, to) == Some(self) {
            return default_type(to, from);
        }
        if primary_type(from, to) == Some(self) {
            primary_type(to, from)
        } else {
            None
        }
    }
}

/// The unlabelled type between two object types.
pub(super) fn default_type(from: ObjectType, to: ObjectType) -> Option<LinkType> {
    let id = DEFAULT_TYPES[from as usize][to as usize];
    (id != 0).then_some(LinkType::hubspot(id))
}

/// The type of a primary company, where there is one.
pub(super) fn primary_type(from: ObjectType, to: ObjectType) -> Option<LinkType> {
    PRIMARY_TYPES
        .iter()
        .find(|(f, t, _)| (*f, *t) == (from, to))
        .map(|(.., id)| LinkType::hubspot(*id))
}

impl ObjectType {
    pub(super) const ALL: [Self; 9] = [
        Contacts, Companies, Deals, Tickets, Notes, Tasks, Calls, Emails, Meetings,
    ];

    /// By plural, singular or id, in any case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| {
            let (plural, singular, id) = NAMES[*kind as usize];
            text == plural || text == singular || text == id
        })
    }

    pub(super) fn plural(self) -> &'static str {
        NAMES[self as usize].0
    }

    pub(super) fn singular(self) -> &'static str {
        NAMES[self as usize].1
    }

    pub(super) fn type_id(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// Notes, tasks, calls, emails and meetings.
    pub(super) fn is_activity(self) -> bool {
        self as usize >= Notes as usize
    }

    pub(super) fn created_property(self) -> &'static str {
        if self.is_activity() {
            "hs_createdate"
        } else {
            "createdate"
        }
    }

    pub(super) fn modified_property(self) -> &'static str {
        if self == Contacts {
            "lastmodifieddate"
        } else {
            "hs_lastmodifieddate"
        }
    }

    /// The property that holds the pipeline and the one that holds the stage.
    pub(super) fn pipeline_properties(self) -> Option<(&'static str, &'static str)> {
        match self {
            Deals => Some(("pipeline", "dealstage")),
            Tickets => Some(("hs_pipeline", "hs_pipeline_stage")),
            _ => None,
        }
    }

    /// What a read returns when it asks for no property.
    pub(super) fn default_properties(self) -> &'static [&'static str] {
        match self {
            Contacts => &[
                "createdate",
                "email",
                "firstname",
                "hs_object_id",
                "lastmodifieddate",
                "lastname",
            ],
            Companies => &["createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"],
            Deals => &[
                "amount",
                "closedate",
                "createdate",
                "dealname",
                "dealstage",
                "hs_lastmodifieddate",
                "hs_object_id",
                "pipeline",
            ],
            Tickets => &[
                "content",
                "createdate",
                "hs_lastmodifieddate",
                "hs_object_id",
                "hs_pipeline",
                "hs_pipeline_stage",
                "hs_ticket_category",
                "hs_ticket_priority",
                "subject",
            ],
            _ => &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        }
    }

    /// The properties a search `query` looks in.
    pub(super) fn searchable(self) -> &'static [&'static str] {
        match self {
            Contacts => &[
                "firstname",
                "lastname",
                "email",
                "phone",
                "hs_additional_emails",
                "mobilephone",
                "company",
            ],
            Companies => &["website", "phone", "name", "domain"],
            Deals => &["dealname", "pipeline", "dealstage", "description", "dealtype"],
            Tickets => &["subject", "content", "hs_pipeline_stage", "hs_ticket_category"],
            Notes => &["hs_note_body"],
            Tasks => &["hs_task_subject", "hs_task_body"],
            Calls => &["hs_call_title", "hs_call_body"],
            Emails => &["hs_email_subject", "hs_email_text"],
            Meetings => &["hs_meeting_title", "hs_meeting_body"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_type_has_its_way_back() {
        for from in ObjectType::ALL {
            for to in ObjectType::ALL {
                for link in [default_type(from, to), primary_type(from, to)].into_iter().flatten() {
                    let back = link.inverse(from, to).unwrap();
                    assert_eq!(back.inverse(to, from), Some(link), "{from:?} to {to:?}");
                }
            }
        }
        assert_eq!(default_type(Notes, Deals), Some(LinkType::hubspot(214)));
        assert_eq!(primary_type(Deals, Companies), Some(LinkType::hubspot(5)));
        assert_eq!(default_type(Notes, Tasks), None);
    }
}
