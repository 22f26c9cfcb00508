//! Which records a note is linked to: the deal first, then its contacts and companies, as far as the mirror knows them.

use crate::domain::{Deal, ObjectType, RecordRef};

/// How many records one note is linked to at most; HubSpot takes the associations of one create in one request.
const MOST: usize = 50;

/// The links of a note on this deal.
pub fn of_note(deal: &Deal) -> Vec<RecordRef> {
    let contacts = deal
        .contacts
        .iter()
        .map(|id| RecordRef::new(ObjectType::Contacts, id.as_str()));
    let companies = deal
        .companies
        .iter()
        .map(|id| RecordRef::new(ObjectType::Companies, id.as_str()));
    std::iter::once(deal.reference())
        .chain(contacts)
        .chain(companies)
        .take(MOST)
        .collect()
}
