//! The versions of HubSpot's API and the two ways to spell them in a path.

/// An API version this portal answers, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// `/crm/v3/…` and `/crm/v4/…`.
    Legacy,
    /// `2026-03`.
    March,
    /// `2026-09`, which enforces the portal's rules on writes.
    September,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "v3" | "v4" => Some(Self::Legacy),
            "2026-03" => Some(Self::March),
            "2026-09" => Some(Self::September),
            _ => None,
        }
    }
}

/// The API family, the version and the rest of a path: `/crm/objects/2026-09/deals` and `/crm/v3/objects/deals` are one.
pub(super) fn family<'a, 'p>(parts: &'p [&'a str]) -> Option<(&'a str, Version, &'p [&'a str])> {
    match parts {
        ["crm", family, version, rest @ ..] if !version.starts_with('v') && Version::parse(version).is_some() => {
            Some((family, Version::parse(version)?, rest))
        }
        ["crm", version @ ("v3" | "v4"), family, rest @ ..] => Some((family, Version::parse(version)?, rest)),
        // HubSpot's Node client spells the labels of v4 like this.
        ["crm", "associations", "v4", rest @ ..] => Some(("associations", Version::Legacy, rest)),
        ["crm-object-schemas", version, "schemas", rest @ ..] => Some(("schemas", Version::parse(version)?, rest)),
        ["account-info", version, rest @ ..] => Some(("account-info", Version::parse(version)?, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_family() {
        let dated = ["crm", "objects", "2026-09", "deals", "1"];
        let legacy = ["crm", "v3", "objects", "deals", "1"];
        assert_eq!(
            family(&dated),
            Some(("objects", Version::September, &["deals", "1"][..]))
        );
        assert_eq!(family(&legacy), Some(("objects", Version::Legacy, &["deals", "1"][..])));
        let labels = ["crm", "associations", "v4", "deals", "contacts", "labels"];
        assert_eq!(
            family(&labels),
            Some(("associations", Version::Legacy, &["deals", "contacts", "labels"][..]))
        );
        assert_eq!(family(&["crm", "objects", "2031-03", "deals"]), None);
        assert!(Version::March < Version::September);
    }
}
