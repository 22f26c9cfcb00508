//! What a filter asks, in the words of HubSpot's search: never less, sometimes more, since whoever is found only goes into
//! the mirror, where the filter itself decides.

use std::ops::Bound;

use rust_decimal::Decimal;

use crate::{
    filter::{Cell, Context, Field, Kind, Plan, Test},
    hubspot::{Comparison, SearchFilter},
};

/// Alternatives of conditions that find everybody the plan picks; `None` where the search cannot be asked that.
pub fn groups(plan: &Plan, context: &Context<'_>) -> Option<Vec<Vec<SearchFilter>>> {
    // A search without conditions would find everybody.
    alternatives(plan, context).filter(|groups| !groups.is_empty())
}

/// The same; none at all where nobody can be meant.
fn alternatives(plan: &Plan, context: &Context<'_>) -> Option<Vec<Vec<SearchFilter>>> {
    match plan {
        // What cannot be asked is left out: the rest finds everybody, and some more.
        Plan::All(parts) => parts.iter().filter_map(|part| alternatives(part, context)).reduce(both),
        Plan::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| alternatives(part, context)).collect();
            Some(parts?.into_iter().flatten().fold(Vec::new(), either))
        }
        Plan::Not(inner) => match &**inner {
            Plan::Test(field, Test::Set) => {
                let property = property(field)?;
                Some(vec![vec![SearchFilter::new(property, Comparison::HasNot)]])
            }
            _ => None,
        },
        Plan::Test(field, test) => condition(field, test, context),
    }
}

/// Everything of the one with everything of the other.
fn both(left: Vec<Vec<SearchFilter>>, right: Vec<Vec<SearchFilter>>) -> Vec<Vec<SearchFilter>> {
    let with = |a: &Vec<SearchFilter>| {
        right
            .iter()
            .map(|b| [a.clone(), b.clone()].concat())
            .collect::<Vec<_>>()
    };
    left.iter().flat_map(with).collect()
}

/// One alternative more; values of one property are asked for together, because a search takes few alternatives.
fn either(mut all: Vec<Vec<SearchFilter>>, group: Vec<SearchFilter>) -> Vec<Vec<SearchFilter>> {
    if let [
        SearchFilter {
            property,
            is: Comparison::In(values),
        },
    ] = group.as_slice()
    {
        for known in &mut all {
            if let [
                SearchFilter {
                    property: same,
                    is: Comparison::In(known),
                },
            ] = known.as_mut_slice()
                && same == property
            {
                let new: Vec<String> = values.iter().filter(|value| !known.contains(value)).cloned().collect();
                known.extend(new);
                return all;
            }
        }
    }
    all.push(group);
    all
}

/// HubSpot's name of what a field holds; a name is in two properties, and lists and segments are no properties.
fn property(field: &Field) -> Option<&str> {
    Some(match field {
        Field::Email => "email",
        Field::Company => "company",
        Field::Phone => "phone",
        Field::Title => "jobtitle",
        Field::Lifecycle => "lifecyclestage",
        Field::Status => "hs_lead_status",
        Field::Owner => "hubspot_owner_id",
        Field::Created => "createdate",
        Field::Updated => "lastmodifieddate",
        Field::Activity => "notes_last_updated",
        Field::Property(property) => &property.name,
        _ => return None,
    })
}

fn condition(field: &Field, test: &Test, context: &Context<'_>) -> Option<Vec<Vec<SearchFilter>>> {
    let name = property(field)?;
    let all = |comparisons: Vec<Comparison>| {
        let filters: Vec<SearchFilter> = comparisons.into_iter().map(|is| SearchFilter::new(name, is)).collect();
        (!filters.is_empty()).then(|| vec![filters])
    };
    match test {
        Test::Set => all(vec![Comparison::Has]),
        Test::OneOf(values) if !values.is_empty() => all(vec![Comparison::In(values.clone())]),
        Test::Equals(_) | Test::Begins(_) | Test::Contains(_) if field.kind() == Kind::Choice => {
            // With the known values all are known that a contact can have.
            let hits = values(field, name, context).filter(|value| test.holds(&Cell::Text((*value).into())));
            let hits: Vec<String> = hits.map(str::to_owned).collect();
            match hits.is_empty() {
                _ if context.definitions.is_empty() => None,
                true => Some(Vec::new()),
                false => all(vec![Comparison::In(hits)]),
            }
        }
        // HubSpot finds words and their parts, ours is found in the middle of a text: the same only for one plain word.
        Test::Contains(text) if is_plain(text) => all(vec![Comparison::ContainsToken(format!("*{text}*"))]),
        Test::Millis { from, to } => {
            let from = from.map(|from| Comparison::Gte(from.to_string()));
            let to = to.map(|to| Comparison::Lt(to.to_string()));
            all(from.into_iter().chain(to).collect())
        }
        Test::Number(from, to) => all(at_least(from).into_iter().chain(at_most(to)).collect()),
        Test::Flag(flag) => all(vec![Comparison::Eq(flag.to_string())]),
        _ => None,
    }
}

/// The values a choice can have.
fn values<'a>(field: &Field, name: &'a str, context: &Context<'a>) -> impl Iterator<Item = &'a str> {
    let owners = context.owners.iter().filter(|_| *field == Field::Owner);
    let definition = context.definitions.iter().find(move |known| known.name == name);
    let options = definition.into_iter().flat_map(|definition| &definition.options);
    let owners: Vec<&str> = owners.map(|owner| owner.id.as_str()).collect();
    owners.into_iter().chain(options.map(|(value, _)| value.as_str()))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn at_least(bound: &Bound<Decimal>) -> Option<Comparison> {
    match bound {
        Bound::Included(number) => Some(Comparison::Gte(number.to_string())),
        Bound::Excluded(number) => Some(Comparison::Gt(number.to_string())),
        Bound::Unbounded => None,
    }
}

fn at_most(bound: &Bound<Decimal>) -> Option<Comparison> {
    match bound {
        Bound::Included(number) => Some(Comparison::Lte(number.to_string())),
        Bound::Excluded(number) => Some(Comparison::Lt(number.to_string())),
        Bound::Unbounded => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;
    use crate::{
        domain::PropertyDefinition,
        filter::{Schema, Segments, parse},
    };

    fn asked(text: &str) -> Option<String> {
        let definitions = vec![PropertyDefinition {
            name: "lifecyclestage".into(),
            label: "Lifecycle stage".into(),
            kind: "enumeration".into(),
            options: ["lead", "customer", "opportunity"]
                .map(|value| (value.into(), value.to_uppercase()))
                .into(),
            read_only: false,
            hidden: false,
            unique: false,
            several: false,
        }];
        let context = Context {
            definitions: &definitions,
            ..Context::new(Timestamp::from_second(8_640_000).unwrap(), TimeZone::UTC)
        };
        let plan = parse(text, Schema::Contacts(&definitions, Segments::Barred))
            .unwrap()
            .plan(&context);
        let groups = groups(&plan, &context)?;
        let group = |group: &Vec<SearchFilter>| {
            let filters: Vec<String> = group
                .iter()
                .map(|one| format!("{} {:?}", one.property, one.is))
                .collect();
            filters.join(" & ")
        };
        Some(groups.iter().map(group).collect::<Vec<_>>().join(" | "))
    }

    #[test]
    fn what_a_search_understands_is_asked_and_never_less_than_the_filter_picks() {
        let said: Vec<String> = [
            "updated < 30d",
            "updated >= 90d",
            "lifecycle:(customer, evangelist, opportunity)",
            "company ~ \"chainge\"",
            "lifecycle:lead updated<1d company~x",
            "lifecycle:lead list:77",
            "owner:none or created:1970-02-01",
            "email~b2b or phone:none",
            // Nobody may be left out.
            "company ~ \"two words\"",
            "company:chainge",
            "lifecycle:lead or list:77",
            "-updated<1d",
            "name~x",
            "",
        ]
        .into_iter()
        .map(|text| {
            format!(
                "{text}\n    {}",
                asked(text).unwrap_or_else(|| "cannot be asked".into())
            )
        })
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
