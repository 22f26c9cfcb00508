//! A company: who the deal is with.

use super::{CompanyId, Record};

/// A company as the panes show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// `name`, may be empty.
    pub name: String,
    /// `domain`
    pub domain: Option<String>,
    /// `city`
    pub city: Option<String>,
    /// `country`
    pub country: Option<String>,
    /// `industry`
    pub industry: Option<String>,
    /// `numberofemployees`, as text.
    pub employees: Option<String>,
}

impl Company {
    /// The properties a company is made of: what every read asks for.
    pub const PROPERTIES: [&'static str; 7] = [
        "city",
        "country",
        "domain",
        "hs_lastmodifieddate",
        "industry",
        "name",
        "numberofemployees",
    ];

    /// Reads a company out of a record.
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        let text = |name: &str| record.get(name).map(str::to_owned);
        Self {
            id: record.id.as_str().into(),
            name: text("name").or_else(|| text("domain")).unwrap_or_default(),
            domain: text("domain"),
            city: text("city"),
            country: text("country"),
            industry: text("industry"),
            employees: text("numberofemployees"),
        }
    }
}
