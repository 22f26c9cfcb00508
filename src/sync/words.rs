//! What a filter's words refer to in this account: labels, owners, "me", the zone. Read once per listing or count.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use super::{Settings, extent::obstacle};
use crate::{
    domain::{Account, Fault, Identity, List, ObjectType, Owner, OwnerId, Pipeline, PropertyDefinition, Segment},
    filter::{self, Context, Expr, Field, Plan, Schema, Segments, Test},
    store::MirrorView,
};

/// The name under which the mirror keeps whose token it is.
pub const IDENTITY: &str = "identity";

/// The words of one object type, at one moment.
pub struct Words {
    now: Timestamp,
    account: Option<Account>,
    me: Option<OwnerId>,
    owners: Vec<Owner>,
    pipelines: Vec<Pipeline>,
    fiscal_year_start: i8,
    /// The definitions of the type's properties.
    pub definitions: Vec<PropertyDefinition>,
    lists: Vec<List>,
    /// The segments by name with what they ask; none where the words are not about contacts.
    pub segments: Vec<(String, Plan)>,
    /// Why nobody knows who is in some of them, by name.
    pub obstacles: BTreeMap<String, Fault>,
}

impl Words {
    /// Reads them from the mirror.
    pub fn read(mirror: &MirrorView, settings: &Settings, object: ObjectType, now: Timestamp) -> Result<Self, Fault> {
        let owners = mirror.owners()?;
        let mut words = Self {
            now,
            account: mirror.account()?,
            me: me(mirror, settings, &owners)?,
            owners,
            pipelines: mirror.pipelines()?,
            fiscal_year_start: settings.fiscal_year_start,
            definitions: mirror.definitions(object)?,
            lists: Vec::new(),
            segments: Vec::new(),
            obstacles: BTreeMap::new(),
        };
        if object == ObjectType::Contacts {
            words.lists = mirror.lists()?;
            let segments = settings.segments.iter();
            words.segments = segments
                .map(|segment| (segment.name.clone(), words.plan(segment)))
                .collect();
            for segment in &settings.segments {
                let obstacle = obstacle(mirror, segment)?;
                words
                    .obstacles
                    .extend(obstacle.map(|fault| (segment.name.clone(), fault)));
            }
        }
        Ok(words)
    }

    /// The segments of which it is known who is in them.
    pub fn known_segments(&self) -> impl Iterator<Item = &(String, Plan)> {
        self.segments
            .iter()
            .filter(|(name, _)| !self.obstacles.contains_key(name))
    }

    /// Refuses a filter that asks for a segment of which nobody knows who is in it.
    pub fn check(&self, filter: &Expr) -> Result<(), Fault> {
        let names: Vec<&str> = self.segments.iter().map(|(name, _)| name.as_str()).collect();
        let asked = filter.segments(&names);
        match asked.into_iter().find_map(|name| self.obstacles.get(name)) {
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }

    /// What a segment asks. A filter that does not parse finds nothing; it is an obstacle.
    fn plan(&self, segment: &Segment) -> Plan {
        let schema = Schema::Contacts(&self.definitions, Segments::Barred);
        let filter =
            filter::parse(&segment.filter, schema).map_or(Plan::Any(Vec::new()), |expr| expr.plan(&self.context()));
        match &segment.list {
            None => filter,
            Some(list) => {
                let is_in = Plan::Test(Field::List, Test::OneOf(vec![list.to_string()]));
                Plan::All(vec![is_in, filter])
            }
        }
    }

    /// What they mean.
    pub fn context(&self) -> Context<'_> {
        Context {
            me: self.me.as_ref(),
            currency: self.account.as_ref().map_or("", |account| account.currency.as_str()),
            fiscal_year_start: self.fiscal_year_start,
            pipelines: &self.pipelines,
            owners: &self.owners,
            definitions: &self.definitions,
            lists: &self.lists,
            segments: &self.segments,
            ..Context::new(self.now, self.account.as_ref().map_or(TimeZone::UTC, Account::zone))
        }
    }
}

/// Whose deals are "mine": the configured owner, else the owner behind the token's user.
pub fn me(mirror: &MirrorView, settings: &Settings, owners: &[Owner]) -> Result<Option<OwnerId>, Fault> {
    if settings.owner.is_some() {
        return Ok(settings.owner.clone());
    }
    let identity: Option<Identity> = mirror
        .cursor(IDENTITY)?
        .and_then(|text| serde_json::from_str(&text).ok());
    let user = identity.and_then(|identity| identity.user);
    Ok(user.and_then(|user| super::feed::owner_of(owners, &user)))
}
