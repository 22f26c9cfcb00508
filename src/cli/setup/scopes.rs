//! Which scopes the features need, and what is missing of them.

/// What a person gets, and the scopes of which one is enough for it.
const NEEDS: [(&str, &[&str]); 12] = [
    ("deals and their pipelines", &["crm.objects.deals.read"]),
    ("moving and changing deals", &["crm.objects.deals.write"]),
    ("contacts, notes and tasks", &["crm.objects.contacts.read"]),
    ("writing notes, tasks and contacts", &["crm.objects.contacts.write"]),
    ("companies", &["crm.objects.companies.read"]),
    ("changing companies", &["crm.objects.companies.write"]),
    ("whose deal it is", &["crm.objects.owners.read"]),
    ("tickets", &["tickets", "crm.objects.tickets.read"]),
    ("changing tickets", &["tickets", "crm.objects.tickets.write"]),
    ("HubSpot's lists as segments", &["crm.lists.read"]),
    ("adding contacts to lists", &["crm.lists.write"]),
    ("making missing contact properties", &["crm.schemas.contacts.write"]),
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
    let has = |any: &[&str]| any.iter().any(|scope| given.iter().any(|given| given == scope));
    let missing: Vec<_> = NEEDS.iter().filter(|(_, any)| !has(any)).collect();
    if missing.is_empty() {
        out += "missing  nothing: every feature can be used\n";
    }
    for (nth, (feature, any)) in missing.iter().enumerate() {
        let head = if nth == 0 { "missing" } else { "" };
        out += &format!("{head:<8} {} — for {feature}\n", any.join(" or "));
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
        let all: Vec<String> = NEEDS.iter().map(|(_, any)| any[0].to_owned()).collect();
        assert!(told(&all).ends_with("missing  nothing: every feature can be used\n"));
        assert!(told(&[]).contains("HubSpot does not say"));
    }
}
