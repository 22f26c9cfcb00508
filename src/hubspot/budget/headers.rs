//! What the headers of an answer say about the budgets. All of them are optional; searches carry none.

use http::HeaderMap;

/// `X-HubSpot-RateLimit-*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::hubspot) struct RateHeaders {
    /// `(Max, Remaining)` of the ten-second window.
    pub(super) window: Option<(u32, u32)>,
    /// `(Daily, Daily-Remaining)`.
    pub(super) daily: Option<(u64, u64)>,
}

impl RateHeaders {
    /// Reads them; anything that is not a plain number counts as absent, and so does another window than ten seconds.
    pub(in crate::hubspot) fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let small = |name: &str| number(name).and_then(|value| u32::try_from(value).ok());
        let ten_seconds = number("x-hubspot-ratelimit-interval-milliseconds").is_none_or(|millis| millis == 10_000);
        let pair = small("x-hubspot-ratelimit-max").zip(small("x-hubspot-ratelimit-remaining"));
        Self {
            window: pair.filter(|(max, _)| ten_seconds && *max > 0),
            daily: number("x-hubspot-ratelimit-daily").zip(number("x-hubspot-ratelimit-daily-remaining")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn both_spellings_are_read_and_nonsense_is_absent() {
        let seen = RateHeaders::read(&headers(&[
            ("X-HubSpot-RateLimit-Max", "190"),
            ("X-Hubspot-Ratelimit-Remaining", "188"),
            ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000"),
            ("X-HubSpot-RateLimit-Daily", "625000"),
            ("X-HubSpot-RateLimit-Daily-Remaining", "624998"),
        ]));
        assert_eq!(seen.window, Some((190, 188)));
        assert_eq!(seen.daily, Some((625_000, 624_998)));
        let odd = RateHeaders::read(&headers(&[
            ("X-HubSpot-RateLimit-Max", "many"),
            ("X-HubSpot-RateLimit-Remaining", "188"),
            ("X-HubSpot-RateLimit-Daily", "-1"),
        ]));
        assert_eq!(odd, RateHeaders::default());
    }

    #[test]
    fn another_interval_than_ten_seconds_teaches_nothing_about_the_window() {
        let seen = RateHeaders::read(&headers(&[
            ("X-HubSpot-RateLimit-Max", "19"),
            ("X-HubSpot-RateLimit-Remaining", "18"),
            ("X-HubSpot-RateLimit-Interval-Milliseconds", "1000"),
        ]));
        assert_eq!(seen.window, None);
    }
}
