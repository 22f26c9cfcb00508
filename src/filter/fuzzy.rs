//! Fuzzy ranking for finders and pickers. It says how well a text fits what was typed and which of its characters were
//! hit; it refuses to know what the texts are.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

/// What a beginning of a word is worth: more than any inner match can score.
const BEGINNING: u32 = 1 << 20;

/// A query, ready to be held against many texts.
pub struct Finder {
    folded: String,
    pattern: Pattern,
    matcher: Matcher,
    chars: Vec<char>,
}

impl Finder {
    /// A query as it was typed; case is ignored, blanks separate parts that may match in any order.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self {
            folded: super::fold(query.trim()),
            pattern: Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy),
            matcher: Matcher::new(Config::DEFAULT),
            chars: Vec::new(),
        }
    }

    /// How well the text fits (more is better) and which characters were hit, ascending, as positions among the text's
    /// characters. `None` = it does not fit; an empty query fits everything with nothing hit.
    pub fn score(&mut self, text: &str) -> Option<(u32, Vec<u32>)> {
        let Self {
            folded,
            pattern,
            matcher,
            chars,
        } = self;
        chars.clear();
        chars.extend(text.chars());
        let haystack = if text.is_ascii() {
            Utf32Str::Ascii(text.as_bytes())
        } else {
            Utf32Str::Unicode(chars)
        };
        let mut hits = Vec::new();
        let score = pattern.indices(haystack, matcher, &mut hits)?;
        if let Some(start) = beginning(chars, folded) {
            let length = u32::try_from(folded.chars().count()).unwrap_or(u32::MAX);
            return Some((
                score.saturating_add(BEGINNING),
                (start..start.saturating_add(length)).collect(),
            ));
        }
        hits.sort_unstable();
        hits.dedup();
        Some((score, hits))
    }
}

/// Where a word of the text begins with the folded query.
fn beginning(text: &[char], query: &str) -> Option<u32> {
    if query.is_empty() {
        return None;
    }
    let begins_word = |nth: usize| nth == 0 || text.get(nth - 1).is_some_and(|before| !before.is_alphanumeric());
    let fits = |nth: usize| {
        let mut rest = text.get(nth..).unwrap_or_default().iter();
        query
            .chars()
            .all(|wanted| rest.next().is_some_and(|c| same(*c, wanted)))
    };
    let start = (0..text.len()).find(|nth| begins_word(*nth) && fits(*nth))?;
    u32::try_from(start).ok()
}

/// Characters whose lower case is one character; the others are left to the fuzzy match.
fn same(c: char, folded: char) -> bool {
    let mut lower = c.to_lowercase();
    lower.next() == Some(folded) && lower.next().is_none()
}

/// An item that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked<T> {
    /// The item.
    pub item: T,
    /// How well it fits, more is better.
    pub score: u32,
    /// Which characters of its text were hit, ascending.
    pub hits: Vec<u32>,
}

/// The items that fit, best first; equals keep their order, so a picker does not jump. A beginning of a word beats an inner
/// match: `lo` is Closed lost before Closed won.
pub fn rank<T>(query: &str, items: impl IntoIterator<Item = T>, text: impl Fn(&T) -> &str) -> Vec<Ranked<T>> {
    let mut finder = Finder::new(query);
    let mut hits: Vec<Ranked<T>> = items
        .into_iter()
        .filter_map(|item| {
            let (score, hits) = finder.score(text(&item))?;
            Some(Ranked { item, score, hits })
        })
        .collect();
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(query: &str, items: &[&'static str]) -> Vec<&'static str> {
        rank(query, items.iter().copied(), |item| item)
            .into_iter()
            .map(|hit| hit.item)
            .collect()
    }

    #[test]
    fn a_beginning_of_a_word_beats_an_inner_match() {
        assert_eq!(
            order("lo", &["Closed won", "Closed lost"]),
            ["Closed lost", "Closed won"]
        );
        assert_eq!(
            order("con", &["Second contact", "Beacon", "Contract sent"])[2],
            "Beacon"
        );
    }

    #[test]
    fn hits_are_positions_among_the_characters_of_the_text() {
        let mut finder = Finder::new("lo");
        assert_eq!(finder.score("Closed lost").unwrap().1, [7, 8]);
        assert_eq!(Finder::new("ße").score("Große Käse").unwrap().1, [3, 4]);
        assert_eq!(
            Finder::new("käse").score("e\u{301} Große Käse").unwrap().1,
            [9, 10, 11, 12]
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_nothing_typed_keeps_the_order() {
        assert_eq!(order("xyz", &["Closed won"]), Vec::<&str>::new());
        assert_eq!(order("", &["b", "a", "c"]), ["b", "a", "c"]);
        assert_eq!(order(" ", &["b", "a"]), ["b", "a"]);
    }

    #[test]
    fn parts_match_in_any_order_and_case_is_ignored() {
        assert_eq!(
            order("ROCKET acme", &["Acme Rocket Skates", "Acme Anvils"]),
            ["Acme Rocket Skates"]
        );
    }

    #[test]
    fn no_query_and_no_text_breaks_the_finder() {
        for query in ["", "$", "^a", "!x", "'", "\\", "İ", "e\u{301}", "月光"] {
            for text in [
                "",
                "İstanbul",
                "e\u{301}te",
                "月光チーズ",
                "\u{1f469}\u{200d}\u{1f680}",
                "$100 ^a !x",
            ] {
                if let Some((_, hits)) = Finder::new(query).score(text) {
                    let length = u32::try_from(text.chars().count()).unwrap();
                    assert!(hits.iter().all(|hit| *hit < length), "{query:?} in {text:?}: {hits:?}");
                    assert!(hits.is_sorted());
                }
            }
        }
    }
}
