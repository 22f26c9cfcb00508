//! Owners: the people deals belong to.

use serde::{Deserialize, Serialize};

use super::{OwnerId, UserId};

/// An owner of records, live or archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The value of `hubspot_owner_id`.
    pub id: OwnerId,
    /// The user behind the owner, also when inactive: history names users.
    pub user: Option<UserId>,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// E-mail, may be empty.
    pub email: String,
    /// Left the account; old deals still name them.
    pub archived: bool,
}

impl Owner {
    /// First and last name, else the e-mail, else the id.
    #[must_use]
    pub fn name(&self) -> String {
        let full = format!("{} {}", self.first_name.trim(), self.last_name.trim());
        match (full.trim(), self.email.as_str()) {
            ("", "") => self.id.to_string(),
            ("", email) => email.to_owned(),
            (name, _) => name.to_owned(),
        }
    }

    /// Two letters for a card: first letters of first and last name, else the first two of the name.
    #[must_use]
    pub fn initials(&self) -> String {
        let first = |text: &str| text.trim().chars().next();
        let letters: String = match (first(&self.first_name), first(&self.last_name)) {
            (Some(a), Some(b)) => [a, b].iter().collect(),
            _ => self.name().chars().take(2).collect(),
        };
        letters.to_uppercase()
    }
}
