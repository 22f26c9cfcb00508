//! What was sent, in memory: counts per quarter of an hour and lane, and the last requests. The store keeps the same for
//! processes that share it. Of a path it is given what people may see, and keeps that.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{Timestamp, ToSpan};

use super::EntryId;
use crate::domain::{SentRequest, Usage};

/// The journal of one process.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Oldest first, at most [`SentRequest::REMEMBERED`].
    requests: VecDeque<SentRequest>,
    /// The number of the first of them.
    first: i64,
    /// Per quarter of an hour.
    counts: BTreeMap<i64, Usage>,
}

impl Journal {
    pub(super) fn sent(&mut self, request: &SentRequest, waited: Duration) -> EntryId {
        if self.requests.len() == SentRequest::REMEMBERED {
            self.requests.pop_front();
            self.first += 1;
        }
        let lane = &mut self.of(request.at).lanes[request.lane as usize];
        lane.requests += 1;
        lane.waited += waited;
        self.requests.push_back(request.clone());
        EntryId(self.first + self.requests.len() as i64 - 1)
    }

    pub(super) fn ended(&mut self, entry: EntryId, status: Option<u16>, took: Duration) {
        let place = usize::try_from(entry.0 - self.first).ok();
        let Some(request) = place.and_then(|place| self.requests.get_mut(place)) else {
            return;
        };
        request.status = status;
        request.took = Some(took);
        let at = request.at;
        if status == Some(429) {
            self.of(at).rate_limited += 1;
        }
    }

    pub(super) fn repeated(&mut self, at: Timestamp) {
        self.of(at).retries += 1;
    }

    pub(super) fn usage(&self, since: Timestamp, now: Timestamp) -> Usage {
        let mut all = Usage {
            since: Some(since),
            per_minute: self.per_minute(now),
            ..Usage::default()
        };
        for part in self.counts.range(Usage::quarter(since)..).map(|(_, part)| part) {
            for (sum, lane) in all.lanes.iter_mut().zip(part.lanes) {
                sum.requests += lane.requests;
                sum.waited += lane.waited;
            }
            all.rate_limited += part.rate_limited;
            all.retries += part.retries;
        }
        all
    }

    pub(super) fn requests(&self, count: usize) -> Vec<SentRequest> {
        self.requests.iter().rev().take(count).cloned().collect()
    }

    fn per_minute(&self, now: Timestamp) -> u64 {
        let from = now.saturating_sub(1.minute()).unwrap_or(now);
        let recent = self.requests.iter().rev().take_while(|request| request.at > from);
        recent.count() as u64
    }

    fn of(&mut self, at: Timestamp) -> &mut Usage {
        let quarter = Usage::quarter(at);
        while self
            .counts
            .first_key_value()
            .is_some_and(|(first, _)| *first < quarter - Usage::QUARTERS_KEPT)
        {
            self.counts.pop_first();
        }
        self.counts.entry(quarter).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Lane, LaneUsage};

    fn request(at: &str, lane: Lane) -> SentRequest {
        SentRequest {
            at: at.parse().unwrap(),
            lane,
            method: "GET".to_owned(),
            path: "/crm/objects/2026-09/deals".to_owned(),
            status: None,
            took: None,
        }
    }

    #[test]
    fn a_day_is_added_up_from_its_midnight_and_the_last_requests_are_told_newest_first() {
        let mut journal = Journal::default();
        let wait = Duration::from_millis(250);
        journal.sent(&request("2026-11-22T04:59:59Z", Lane::Sync), wait);
        journal.sent(&request("2026-11-22T05:00:00Z", Lane::Sync), wait);
        let entry = journal.sent(&request("2026-11-22T05:00:30Z", Lane::Write), wait);
        journal.ended(entry, Some(429), Duration::from_millis(40));
        journal.repeated("2026-11-22T05:00:31Z".parse().unwrap());
        let now = "2026-11-22T05:01:00Z".parse().unwrap();
        let today = journal.usage("2026-11-22T05:00:00Z".parse().unwrap(), now);
        let one = LaneUsage {
            requests: 1,
            waited: wait,
        };
        assert_eq!(today.lanes, [one, LaneUsage::default(), LaneUsage::default(), one]);
        assert_eq!((today.per_minute, today.rate_limited, today.retries), (1, 1, 1));
        let last = journal.requests(2);
        assert_eq!(
            (last[0].status, last[0].took),
            (Some(429), Some(Duration::from_millis(40)))
        );
        assert_eq!(last[1].at, "2026-11-22T05:00:00Z".parse().unwrap());
        assert_eq!(journal.requests(9).len(), 3);
    }

    #[test]
    fn what_is_forgotten_is_left_alone() {
        let mut journal = Journal::default();
        let first = journal.sent(&request("2026-11-22T05:00:00Z", Lane::Sync), Duration::ZERO);
        for _ in 0..SentRequest::REMEMBERED {
            journal.sent(&request("2026-11-22T05:00:00Z", Lane::Sync), Duration::ZERO);
        }
        journal.ended(first, Some(200), Duration::ZERO);
        assert!(
            journal
                .requests(SentRequest::REMEMBERED + 9)
                .iter()
                .all(|request| request.status.is_none())
        );
        assert_eq!(
            journal.requests(SentRequest::REMEMBERED + 9).len(),
            SentRequest::REMEMBERED
        );
    }
}
