//! Which scopes the features need, and what is missing of them. Which scope is enough for what, only the engine knows.

use crate::{domain::ObjectType, sync::Need};

/// What a person gets, and what the engine needs for it.
const FEATURES: [(&str, Need); 10] = [
    ("deals", Need::Read(ObjectType::Deals)),
    ("pipelines and their stages", Need::Pipelines),
    ("moving and changing deals", Need::Write(ObjectType::Deals)),
    ("contacts and notes", Need::Read(ObjectType::Contacts)),
    ("writing notes", Need::Write(ObjectType::Notes)),
    ("companies", Need::Read(ObjectType::Companies)),
    ("tickets", Need::Read(ObjectType::Tickets)),
    ("lists", Need::Lists),
    ("whose deal it is", Need::Owners),
    ("the properties deals can have", Need::Definitions(ObjectType::Deals)),
];

/// The scopes in words, a line each; HubSpot may not say what a token may do.
pub fn told(given: &[String]) -> String {
    if given.is_empty() {
        return "scopes   HubSpot does not say; what is missing shows when it is needed\n".to_owned();
    }
    let mut out = format!("scopes   {} given\n", given.len());
    for scope in given {
        out += &format!("         {scope}\n");
    }
    let has = |need: Need| {
        need.any_of()
            .iter()
            .any(|scope| given.iter().any(|given| given == scope))
    };
    let missing: Vec<_> = FEATURES.iter().filter(|(_, need)| !has(*need)).collect();
    if missing.is_empty() {
        out += "missing  nothing: every feature can be used\n";
    }
    for (nth, (feature, need)) in missing.iter().enumerate() {
        let head = if nth == 0 { "missing" } else { "" };
        let usual = need.any_of().first().copied().unwrap_or_default();
        out += &format!("{head:<8} {usual} — for {feature}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_it_is_for() {
        let given = ["crm.objects.deals.read", "crm.objects.contacts.read", "tickets"].map(str::to_owned);
        insta::assert_snapshot!(told(&given));
    }

    #[test]
    fn everything_and_nothing_are_said() {
        let all: Vec<String> = FEATURES.iter().map(|(_, need)| need.any_of()[0].to_owned()).collect();
        assert!(told(&all).ends_with("missing  nothing: every feature can be used\n"));
        assert!(told(&[]).contains("HubSpot does not say"));
    }

    #[test]
    fn what_the_engine_takes_for_enough_is_not_called_missing() {
        let told = |given: &[&str]| told(&given.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>());
        let old_app = told(&["contacts", "tickets", "crm.lists.read", "crm.objects.owners.read"]);
        assert!(
            old_app.ends_with("missing  nothing: every feature can be used\n"),
            "{old_app}"
        );
        let writer = told(&["crm.objects.deals.write"]);
        assert!(writer.contains("crm.objects.deals.read — for deals\n"), "{writer}");
        assert!(!writer.contains("pipelines"), "{writer}");
    }
}
