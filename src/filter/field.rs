//! The fields the language knows, per record type, and what kind of value each holds.
//!
//! The language will gain more: for deals `pushes team priority type segment list nag` and for contacts `deals push`. They
//! are not accepted before the product can compute them: a filter that silently finds nothing lies.

use crate::domain::{PropertyDefinition, Segment};

/// What a field holds, which decides the operators and values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// One of a list; has an id and a label.
    Choice,
    /// A number: an amount, a probability, a count.
    Number,
    /// Whole days: `age`, `days_in_stage`, `idle`.
    Days,
    /// A point in time; which day it is depends on the account's zone.
    Instant,
    /// A calendar day without a time, kept as midnight UTC.
    Day,
    /// Yes or no.
    Flag,
}

/// A HubSpot property by its internal name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Property {
    /// As the wire spells it.
    pub name: String,
    /// What it holds, read from its definition.
    pub kind: PropertyKind,
}

/// The kinds a property definition can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropertyKind {
    /// `string`, `phone_number` and whatever HubSpot adds.
    Text,
    /// `enumeration`
    Choice,
    /// `number`
    Number,
    /// `datetime`
    Instant,
    /// `date`
    Day,
    /// `bool`
    Flag,
}

impl PropertyKind {
    /// All of them; what takes most operators and values is last.
    pub(super) const ALL: [Self; 6] = [
        Self::Number,
        Self::Instant,
        Self::Day,
        Self::Flag,
        Self::Choice,
        Self::Text,
    ];

    /// The kind of a definition's `type`.
    #[must_use]
    pub fn of(definition: &PropertyDefinition) -> Self {
        match definition.kind.as_str() {
            "enumeration" => Self::Choice,
            "number" => Self::Number,
            "datetime" => Self::Instant,
            "date" => Self::Day,
            "bool" => Self::Flag,
            _ => Self::Text,
        }
    }
}

/// A field of a deal or a contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Deal name, or a contact's first and last name.
    Name,
    /// Deal stage, by id or label.
    Stage,
    /// Deal pipeline, by id or label.
    Pipeline,
    /// `open`, `won` or `lost`.
    State,
    /// Amount in the company currency.
    Amount,
    /// Amount in the company currency times probability.
    Weighted,
    /// 0 to 1.
    Probability,
    /// Close date.
    Close,
    /// When HubSpot made the record.
    Created,
    /// When it last changed.
    Updated,
    /// Last note, call, e-mail, meeting or task.
    Activity,
    /// Whole days since creation.
    Age,
    /// Whole days in the current stage.
    DaysInStage,
    /// Whole days since anything happened.
    Idle,
    /// Owner, by id, name, e-mail or `me`.
    Owner,
    /// The next step, free text.
    NextStep,
    /// Forecast category.
    Category,
    /// ISO code; the company currency where a deal names none.
    Currency,
    /// Names of a deal's companies, or the company text of a contact.
    Company,
    /// How many contacts a deal has.
    Contacts,
    /// Has operations of ours that are not finished.
    Pending,
    /// A contact's e-mail.
    Email,
    /// A contact's phone.
    Phone,
    /// A contact's job title.
    Title,
    /// A contact's lifecycle stage.
    Lifecycle,
    /// A contact's lead status, `hs_lead_status`.
    Status,
    /// The HubSpot lists a contact is in, by id or name; several values.
    List,
    /// The segments of the configuration a contact is in, by name; several values. A plan never names it: it stands for
    /// what the segment's own filter and list ask.
    Segment,
    /// Any HubSpot property the schema's definitions name.
    Property(Property),
}

impl Field {
    /// The fields of a deal, as `filter` orders them for help and completion.
    pub const DEALS: [Self; 21] = [
        Self::Name,
        Self::Stage,
        Self::Pipeline,
        Self::State,
        Self::Amount,
        Self::Weighted,
        Self::Probability,
        Self::Close,
        Self::Created,
        Self::Updated,
        Self::Activity,
        Self::Age,
        Self::DaysInStage,
        Self::Idle,
        Self::Owner,
        Self::NextStep,
        Self::Category,
        Self::Currency,
        Self::Company,
        Self::Contacts,
        Self::Pending,
    ];

    /// The fields of a contact.
    pub const CONTACTS: [Self; 13] = [
        Self::Name,
        Self::Email,
        Self::Company,
        Self::Phone,
        Self::Title,
        Self::Lifecycle,
        Self::Status,
        Self::Owner,
        Self::Created,
        Self::Updated,
        Self::Activity,
        Self::List,
        Self::Segment,
    ];

    /// The identifier in the language.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Stage => "stage",
            Self::Pipeline => "pipeline",
            Self::State => "state",
            Self::Amount => "amount",
            Self::Weighted => "weighted",
            Self::Probability => "probability",
            Self::Close => "close",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Activity => "activity",
            Self::Age => "age",
            Self::DaysInStage => "days_in_stage",
            Self::Idle => "idle",
            Self::Owner => "owner",
            Self::NextStep => "next_step",
            Self::Category => "category",
            Self::Currency => "currency",
            Self::Company => "company",
            Self::Contacts => "contacts",
            Self::Pending => "pending",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Title => "title",
            Self::Lifecycle => "lifecycle",
            Self::Status => "status",
            Self::List => "list",
            Self::Segment => "segment",
            Self::Property(property) => &property.name,
        }
    }

    /// The HubSpot property it reads, where that is not one of those that make up every record.
    #[must_use]
    pub fn property(&self) -> Option<&str> {
        match self {
            Self::Status => Some("hs_lead_status"),
            Self::Property(property) => Some(&property.name),
            _ => None,
        }
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Name | Self::NextStep | Self::Company | Self::Email | Self::Phone | Self::Title => Kind::Text,
            Self::Stage
            | Self::Pipeline
            | Self::State
            | Self::Owner
            | Self::Category
            | Self::Currency
            | Self::Lifecycle
            | Self::Status
            | Self::List
            | Self::Segment => Kind::Choice,
            Self::Amount | Self::Weighted | Self::Probability | Self::Contacts => Kind::Number,
            Self::Age | Self::DaysInStage | Self::Idle => Kind::Days,
            Self::Close | Self::Created | Self::Updated | Self::Activity => Kind::Instant,
            Self::Pending => Kind::Flag,
            Self::Property(property) => match property.kind {
                PropertyKind::Text => Kind::Text,
                PropertyKind::Choice => Kind::Choice,
                PropertyKind::Number => Kind::Number,
                PropertyKind::Instant => Kind::Instant,
                PropertyKind::Day => Kind::Day,
                PropertyKind::Flag => Kind::Flag,
            },
        }
    }
}

/// Which segments a filter may name.
#[derive(Clone, Copy, Debug)]
pub enum Segments<'a> {
    /// These.
    Of(&'a [Segment]),
    /// None: the filter is itself a segment's, and a segment that refers to segments could refer to itself.
    Barred,
}

/// What a filter is about: the record type, and what may be named besides its fields.
#[derive(Clone, Copy, Debug)]
pub enum Schema<'a> {
    /// Deals, with the definitions of the deal properties the rows can answer (empty = none).
    Deals(&'a [PropertyDefinition]),
    /// Contacts, with the definitions of the contact properties the rows can answer, and the segments there are.
    Contacts(&'a [PropertyDefinition], Segments<'a>),
    /// Contacts, for a segment's filter before anybody knows the account: every identifier that is no field may be one of
    /// its properties, whatever that holds.
    Unread,
}

impl<'a> Schema<'a> {
    /// The fields of the record type.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Deals(_) => &Field::DEALS,
            Self::Contacts(..) | Self::Unread => &Field::CONTACTS,
        }
    }

    /// The property definitions.
    #[must_use]
    pub const fn properties(self) -> &'a [PropertyDefinition] {
        match self {
            Self::Deals(properties) | Self::Contacts(properties, _) => properties,
            Self::Unread => &[],
        }
    }

    /// The segments that may be named.
    #[must_use]
    pub const fn segments(self) -> Segments<'a> {
        match self {
            Self::Deals(_) | Self::Unread => Segments::Barred,
            Self::Contacts(_, segments) => segments,
        }
    }

    /// The fields a bare word is looked for in.
    #[must_use]
    pub const fn word_fields(self) -> &'static [Field] {
        match self {
            Self::Deals(_) => &[Field::Name, Field::Company],
            Self::Contacts(..) | Self::Unread => &[Field::Name, Field::Email, Field::Company],
        }
    }

    /// The field or property with this identifier; field names ignore case, property names do not.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Field> {
        let known = self
            .fields()
            .iter()
            .find(|field| field.name().eq_ignore_ascii_case(name));
        known.cloned().or_else(|| {
            let definition = self.properties().iter().find(|definition| definition.name == name)?;
            Some(Field::Property(Property {
                name: definition.name.clone(),
                kind: PropertyKind::of(definition),
            }))
        })
    }

    /// The three identifiers nearest to a text that is none.
    #[must_use]
    pub fn nearest(self, name: &str) -> Vec<&'a str> {
        let name = name.to_lowercase();
        let known = self.fields().iter().map(Field::name);
        let mut all: Vec<(f64, &str)> = known
            .chain(self.properties().iter().map(|definition| definition.name.as_str()))
            .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
            .collect();
        all.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        all.into_iter().take(3).map(|(_, candidate)| candidate).collect()
    }
}
