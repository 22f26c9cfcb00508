//! HubSpot's own association types, by their numbers.

use serde_json::{Value, json};

use super::{failure::Failure, signal::Signal};
use crate::domain::{ObjectType, RecordRef};

/// The link of a record that is being created.
pub(super) fn inline_association(from: ObjectType, to: &RecordRef) -> Result<Value, Failure> {
    let type_id = type_id(from, to.object).ok_or_else(|| {
        let message = format!("a {} cannot be linked to a {}", from.singular(), to.object.singular());
        Failure::new(Signal::Validation, message)
    })?;
    Ok(json!({
        "to": { "id": to.id },
        "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id }],
    }))
}

/// HubSpot's unlabelled association types. Direction matters.
pub(super) const fn type_id(from: ObjectType, to: ObjectType) -> Option<u32> {
    use ObjectType::{Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};
    let id = match (from, to) {
        (Contacts, Contacts) => 449,
        (Contacts, Companies) => 279,
        (Contacts, Deals) => 4,
        (Contacts, Tickets) => 15,
        (Companies, Contacts) => 280,
        (Companies, Companies) => 450,
        (Companies, Deals) => 342,
        (Companies, Tickets) => 340,
        (Deals, Contacts) => 3,
        (Deals, Companies) => 341,
        (Deals, Deals) => 451,
        (Deals, Tickets) => 27,
        (Tickets, Contacts) => 16,
        (Tickets, Companies) => 339,
        (Tickets, Deals) => 28,
        (Tickets, Tickets) => 452,
        (Notes, Contacts) => 202,
        (Notes, Companies) => 190,
        (Notes, Deals) => 214,
        (Notes, Tickets) => 228,
        (Tasks, Contacts) => 204,
        (Tasks, Companies) => 192,
        (Tasks, Deals) => 216,
        (Tasks, Tickets) => 230,
        (Calls, Contacts) => 194,
        (Calls, Companies) => 182,
        (Calls, Deals) => 206,
        (Calls, Tickets) => 220,
        (Emails, Contacts) => 198,
        (Emails, Companies) => 186,
        (Emails, Deals) => 210,
        (Emails, Tickets) => 224,
        (Meetings, Contacts) => 200,
        (Meetings, Companies) => 188,
        (Meetings, Deals) => 212,
        (Meetings, Tickets) => 226,
        // Towards an activity, the id is one less than from it.
        (Contacts | Companies | Deals | Tickets, Notes | Tasks | Calls | Emails | Meetings) => {
            return match type_id(to, from) {
                Some(id) => Some(id - 1),
                None => None,
            };
        }
        _ => return None,
    };
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_ids_are_the_documented_ones() {
        use ObjectType::{Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};
        let activities = [Notes, Tasks, Calls, Emails, Meetings];
        for (from, ids) in [
            (Contacts, [201, 203, 193, 197, 199]),
            (Companies, [189, 191, 181, 185, 187]),
            (Deals, [213, 215, 205, 209, 211]),
            (Tickets, [227, 229, 219, 223, 225]),
        ] {
            for (to, id) in activities.into_iter().zip(ids) {
                assert_eq!(type_id(from, to), Some(id), "{from} to {to}");
            }
        }
        assert_eq!(type_id(Deals, Contacts), Some(3));
        assert_eq!(type_id(Notes, Deals), Some(214));
        assert_eq!(type_id(Notes, Calls), None);
    }
}
