//! Unique properties: which record a unique value belongs to. HubSpot finds a contact by any of its e-mail addresses,
//! however they are capitalised; every other unique value is compared as it is.

use crate::domain::Record;

/// A contact's further addresses, joined with `;`.
const MORE_EMAILS: &str = "hs_additional_emails";

/// The form in which two values of a unique property are compared.
pub(super) fn fold(property: &str, value: &str) -> String {
    match property {
        "email" => value.trim().to_lowercase(),
        _ => value.to_owned(),
    }
}

/// What must be read of a record to tell which value it was found by.
pub(super) fn properties(property: &str) -> Vec<&str> {
    match property {
        "email" => vec![property, MORE_EMAILS],
        _ => vec![property],
    }
}

/// The values, folded, by which the record can be found.
pub(super) fn values(property: &str, record: &Record) -> Vec<String> {
    let texts = properties(property).into_iter().filter_map(|name| record.get(name));
    match property {
        "email" => texts
            .flat_map(|text| text.split(';'))
            .map(|text| fold(property, text))
            .collect(),
        _ => texts.map(str::to_owned).collect(),
    }
}
