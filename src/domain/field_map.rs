//! From the fields of a contact list to HubSpot's properties: which column is meant, and what its row comes to.

use std::collections::BTreeMap;

use super::{Contact, Field, NewContact, Owner, Properties, PropertyDefinition};

/// Less alike than this, a name says nothing about a slip of the pen.
const ALIKE: f64 = 0.8;

/// The target that stands for first and last name together.
pub const FULL_NAME: &str = "full_name";

/// The longest e-mail address there can be (RFC 5321, as corrected by its erratum 1690).
const LONGEST_EMAIL: usize = 254;

/// What fields are usually called, folded, and the property each means.
const ALIASES: [(&str, &str); 30] = [
    ("email", "email"),
    ("emailaddress", "email"),
    ("mail", "email"),
    ("name", FULL_NAME),
    ("fullname", FULL_NAME),
    ("contactname", FULL_NAME),
    ("firstname", "firstname"),
    ("first", "firstname"),
    ("givenname", "firstname"),
    ("forename", "firstname"),
    ("lastname", "lastname"),
    ("last", "lastname"),
    ("surname", "lastname"),
    ("familyname", "lastname"),
    ("phone", "phone"),
    ("phonenumber", "phone"),
    ("telephone", "phone"),
    ("tel", "phone"),
    ("mobile", "mobilephone"),
    ("mobilephone", "mobilephone"),
    ("cell", "mobilephone"),
    ("company", "company"),
    ("companyname", "company"),
    ("organization", "company"),
    ("organisation", "company"),
    ("jobtitle", "jobtitle"),
    ("title", "jobtitle"),
    ("position", "jobtitle"),
    ("lifecyclestage", "lifecyclestage"),
    ("owner", "hubspot_owner_id"),
];

/// Why a contact cannot be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which property.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// Why a column cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoColumn {
    /// HubSpot has no such property; the nearest one there is.
    Unknown(Option<String>),
    /// HubSpot computes it.
    Computed(String),
    /// Several properties have this label.
    Several(Vec<String>),
}

/// The fields of one account.
#[derive(Clone, Debug, Default)]
pub struct FieldMap {
    own: BTreeMap<String, String>,
    definitions: Vec<PropertyDefinition>,
    owners: Vec<Owner>,
}

impl FieldMap {
    /// By the account's property definitions (none before they were read) and the configuration's own fields.
    #[must_use]
    pub fn new(own: &BTreeMap<String, String>, definitions: Vec<PropertyDefinition>) -> Self {
        Self {
            own: own
                .iter()
                .map(|(field, property)| (folded(field), property.clone()))
                .collect(),
            definitions,
            owners: Vec::new(),
        }
    }

    /// With the account's owners, whom a column may call by e-mail address or name.
    #[must_use]
    pub fn with_owners(self, owners: Vec<Owner>) -> Self {
        Self { owners, ..self }
    }

    /// What a column means, looked up once for all of its cells.
    ///
    /// # Errors
    /// [`NoColumn`].
    pub fn field(&self, head: &str) -> Result<Field, NoColumn> {
        let name = self.target(head)?;
        let definition = self.definition(&name);
        Ok(Field::new(name, definition, &self.owners))
    }

    /// The property a column means: by the configuration, else by its internal name, else as it is usually called, else by
    /// its label.
    ///
    /// # Errors
    /// [`NoColumn`].
    fn target(&self, head: &str) -> Result<String, NoColumn> {
        let wanted = folded(head);
        if let Some(own) = self.own.get(&wanted) {
            return self.writable(own.clone());
        }
        if let Some(known) = self.definitions.iter().find(|known| folded(&known.name) == wanted) {
            return self.writable(known.name.clone());
        }
        if let Some((_, property)) = ALIASES.iter().find(|(alias, _)| *alias == wanted) {
            return self.writable((*property).to_owned());
        }
        let labelled: Vec<&PropertyDefinition> = self
            .definitions
            .iter()
            .filter(|known| !known.hidden && folded(&known.label) == wanted)
            .collect();
        match labelled.as_slice() {
            [known] => self.writable(known.name.clone()),
            [] if self.definitions.is_empty() && Contact::PROPERTIES.contains(&head) => Ok(head.to_owned()),
            [] => Err(NoColumn::Unknown(self.nearest(head))),
            several => Err(NoColumn::Several(
                several.iter().map(|known| known.name.clone()).collect(),
            )),
        }
    }

    fn writable(&self, name: String) -> Result<String, NoColumn> {
        match self.definition(&name) {
            Some(known) if known.read_only => Err(NoColumn::Computed(name)),
            None if !self.definitions.is_empty() && name != FULL_NAME => Err(NoColumn::Unknown(self.nearest(&name))),
            _ => Ok(name),
        }
    }

    fn definition(&self, name: &str) -> Option<&PropertyDefinition> {
        self.definitions.iter().find(|known| known.name == name)
    }

    /// The property most like this column, by name or label.
    fn nearest(&self, head: &str) -> Option<String> {
        let wanted = folded(head);
        let likeness = |known: &&PropertyDefinition| {
            let alike = |text: &str| strsim::jaro_winkler(&wanted, &folded(text));
            alike(&known.name).max(alike(&known.label))
        };
        let writable = self.definitions.iter().filter(|known| !known.read_only);
        let best = writable.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        best.filter(|known| likeness(known) >= ALIKE)
            .map(|known| known.name.clone())
    }
}

impl NewContact {
    /// A contact of its cells. Empty ones are left out: they never blank what HubSpot has.
    ///
    /// # Errors
    /// The first value that cannot be sent.
    pub fn of_cells<'a>(cells: impl Iterator<Item = (&'a Field, &'a str)>) -> Result<Self, Unfit> {
        let mut values = Properties::new();
        let mut full = None;
        for (field, text) in cells {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            if field.name() == FULL_NAME {
                full = Some(text);
                continue;
            }
            let value = field.value(text).map_err(|reason| Unfit {
                field: field.name().to_owned(),
                reason,
            })?;
            if !value.is_empty() {
                values.insert(field.name().to_owned(), Some(value));
            }
        }
        if let Some(full) = full {
            let (first, last) = split_name(full);
            let parts = [("firstname", Some(first)), ("lastname", last)];
            for (name, part) in parts.into_iter().filter_map(|(name, part)| Some((name, part?))) {
                values.entry(name.to_owned()).or_insert_with(|| Some(part.to_owned()));
            }
        }
        let email = values.remove("email").flatten().unwrap_or_default();
        check_email(&email).map_err(|reason| Unfit {
            field: "email".to_owned(),
            reason,
        })?;
        Ok(Self {
            email: email.to_lowercase(),
            values,
            hubspot_id: None,
        })
    }
}

/// A full name at its first space; a single word is a first name.
#[must_use]
pub fn split_name(full: &str) -> (&str, Option<&str>) {
    match full.trim().split_once(char::is_whitespace) {
        Some((first, last)) => (first, Some(last.trim())),
        None => (full.trim(), None),
    }
}

/// Whether this can be an e-mail address.
///
/// # Errors
/// Why not.
pub fn check_email(email: &str) -> Result<(), String> {
    if email.is_empty() {
        return Err("there is none, and contacts go by it".to_owned());
    }
    if email.len() > LONGEST_EMAIL {
        return Err(format!(
            "it has '{}' characters, {LONGEST_EMAIL} are possible",
            email.len()
        ));
    }
    let is_plain =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"');
    let parts = email.split_once('@');
    let fits = parts.is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.contains('@')
            && domain.contains('.')
            && domain.split('.').all(|label| !label.is_empty())
    });
    if fits && email.chars().all(is_plain) {
        Ok(())
    } else {
        Err(format!("'{email}' is no e-mail address"))
    }
}

/// Letters and digits alone, in lower case: `First Name`, `first_name` and `FIRSTNAME` are one.
fn folded(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, label: &str) -> PropertyDefinition {
        PropertyDefinition {
            name: name.to_owned(),
            label: label.to_owned(),
            kind: "string".to_owned(),
            options: Vec::new(),
            read_only: name == "createdate",
            hidden: false,
            unique: false,
            several: false,
        }
    }

    fn map() -> FieldMap {
        let mut stage = definition("lifecyclestage", "Lifecycle Stage");
        stage.options = vec![
            ("customer".to_owned(), "Customer".to_owned()),
            ("salesqualifiedlead".to_owned(), "Sales Qualified Lead".to_owned()),
        ];
        let names = [
            ("email", "Email"),
            ("firstname", "First Name"),
            ("lastname", "Last Name"),
            ("phone", "Phone Number"),
            ("jobtitle", "Job Title"),
            ("company", "Company Name"),
            ("createdate", "Create Date"),
            ("source_domain_id", "Domain of origin"),
            ("seat", "Place"),
            ("town", "Place"),
        ];
        let mut definitions: Vec<PropertyDefinition> =
            names.iter().map(|(name, label)| definition(name, label)).collect();
        definitions.push(stage);
        let own = [("Handy".to_owned(), "phone".to_owned())].into();
        FieldMap::new(&own, definitions)
    }

    fn contact(cells: &[(&str, &str)]) -> Result<NewContact, Unfit> {
        let map = map();
        let fields: Vec<Field> = cells.iter().map(|(head, _)| map.field(head).unwrap()).collect();
        NewContact::of_cells(fields.iter().zip(cells.iter().map(|(_, text)| *text)))
    }

    #[test]
    fn columns_are_known_by_name_label_alias_and_configuration() {
        let map = map();
        for (head, property) in [
            ("Email", "email"),
            ("E-mail address", "email"),
            ("FIRST NAME", "firstname"),
            ("Last name", "lastname"),
            ("Full name", FULL_NAME),
            ("Job title", "jobtitle"),
            ("job_title", "jobtitle"),
            ("handy", "phone"),
            ("Domain of Origin", "source_domain_id"),
            ("lifecycle_stage", "lifecyclestage"),
        ] {
            assert_eq!(map.target(head).as_deref(), Ok(property), "{head}");
        }
        assert_eq!(
            map.target("Frist name"),
            Err(NoColumn::Unknown(Some("firstname".to_owned())))
        );
        assert_eq!(
            map.target("Create date"),
            Err(NoColumn::Computed("createdate".to_owned()))
        );
        assert!(matches!(map.target("place"), Err(NoColumn::Several(names)) if names.len() == 2));
        assert!(
            matches!(map.target("mobile"), Err(NoColumn::Unknown(_))),
            "this account has none"
        );
        let bare = FieldMap::default();
        assert_eq!(bare.target("Phone").as_deref(), Ok("phone"), "before anything was read");
        assert_eq!(bare.target("colour"), Err(NoColumn::Unknown(None)));
    }

    #[test]
    fn names_are_split_and_empty_fields_left_out() {
        assert_eq!(split_name("Ada King of Lovelace"), ("Ada", Some("King of Lovelace")));
        assert_eq!(split_name("Cher"), ("Cher", None));
        let contact = contact(&[
            ("email", " Ada@Example.com "),
            ("Full name", "Ada Lovelace"),
            ("phone", " "),
            ("company", ""),
        ]);
        let contact = contact.unwrap();
        assert_eq!(contact.email, "ada@example.com");
        let expected: Properties = [("firstname", "Ada"), ("lastname", "Lovelace")]
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .into();
        assert_eq!(contact.values, expected);
    }

    #[test]
    fn options_go_by_value_or_label() {
        let stage = |text| {
            let cells = [("email", "a@b.example"), ("lifecyclestage", text)];
            contact(&cells).map(|contact| contact.values["lifecyclestage"].clone())
        };
        assert_eq!(stage("customer"), Ok(Some("customer".to_owned())));
        assert_eq!(stage("Sales qualified lead"), Ok(Some("salesqualifiedlead".to_owned())));
        assert!(
            stage("friend")
                .unwrap_err()
                .reason
                .contains("'friend' is none of its options")
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "ada",
            "@b.example",
            "ada@",
            "ada@b",
            "a b@c.example",
            "a@b@c.example",
            "a@b..c",
            "<a@b.c>",
        ] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
        assert!(check_email(&format!("{}@b.example", "a".repeat(250))).is_err());
        assert_eq!(check_email("o'brien+test@sub.example.com"), Ok(()));
    }
}
