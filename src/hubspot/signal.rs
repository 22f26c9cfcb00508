//! What one exchange showed, reduced to what matters for the next step. Made from transport errors in
//! `failure`, from statuses and error bodies in `refusal`; what to do about it stands in `classify`.

use std::time::Duration;

use crate::domain::Fault;

/// The outcome of one exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// 200, 201 or 204 with a readable body and the expected id.
    Confirmed,
    /// The same, but the answer carries another id: the record was merged.
    OtherId,
    /// A batch answered, and said nothing about this item.
    MissingItem,
    /// No byte left: DNS, refused, unreachable, handshake, proxy, connect timeout.
    NotSent,
    /// The client itself refused to send (the day is spent for this lane).
    Denied,
    /// The client itself refused to send: what counts requests cannot be written, mostly because the disk is full.
    Unkept(Box<Fault>),
    /// The client itself refused to send: HubSpot did not answer several times and is left alone for a while.
    Resting,
    /// The certificate is not trusted or names another host.
    Interception,
    /// The server said that it did not look at the request (HTTP/2 `REFUSED_STREAM`, `GOAWAY`).
    NotProcessed,
    /// No answer in time, after bytes had left. Also 408 and 499.
    TimedOut,
    /// The connection ended after bytes had left.
    Lost,
    /// A success that HubSpot did not write: HTML, or not JSON at all.
    NotHubSpot,
    /// A success whose body is cut off, unreadable or too large.
    Unreadable,
    /// Any 3xx; never followed.
    Redirect,
    /// A unique value is taken (400 with a unique clash).
    UniqueClash,
    /// 400: the account's rules want more properties.
    NeedsFields,
    /// Any other 400.
    Validation,
    /// 401.
    Unauthorized,
    /// 403: the token lacks a scope.
    MissingScope,
    /// 403: the user may not.
    Forbidden,
    /// 403 written by the edge, not by HubSpot.
    Blocked,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 413, 414, 415, 422: the request itself is wrong or too large.
    BadRequest(u16),
    /// 423: somebody else writes the record.
    Locked,
    /// 429 of the ten-second window, or one that does not say which.
    RateWindow {
        /// HubSpot's `Retry-After`, clamped to 1–30 s.
        retry_after: Option<Duration>,
    },
    /// 429 of the searches per second.
    RateSecond {
        /// HubSpot's `Retry-After`, clamped to 1–30 s.
        retry_after: Option<Duration>,
    },
    /// 429 of the day.
    RateDaily {
        /// Until the budget is full again, where known.
        retry_after: Option<Duration>,
    },
    /// 477: the account is being moved between data centres.
    Migrating {
        /// HubSpot's `Retry-After`, clamped to 1 s–24 h.
        retry_after: Duration,
    },
    /// 488: the account lives on another host.
    WrongHost,
    /// 500–504 and 52x: HubSpot or its edge failed, perhaps after the work was done.
    Server(u16),
    /// 530: the edge finds no origin for this token's region. Also a 488 that names no other host than the one it came from.
    Unreachable(u16),
    /// A status nobody documents.
    Unknown(u16),
}

impl Signal {
    /// It is HubSpot's silence: there was no answer, or none of a HubSpot that works. What was asked may be what failed, or
    /// the way there, or all of HubSpot.
    #[must_use]
    pub const fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::NotSent
                | Self::NotProcessed
                | Self::TimedOut
                | Self::Lost
                | Self::NotHubSpot
                | Self::Blocked
                | Self::Resting
                | Self::Unreachable(_)
                | Self::Server(_)
        )
    }

    /// Whatever else were asked now would end in the same way.
    #[must_use]
    pub const fn is_about_everything(&self) -> bool {
        matches!(
            self,
            Self::NotSent
                | Self::Denied
                | Self::Unkept(_)
                | Self::Resting
                | Self::Interception
                | Self::Redirect
                | Self::Unauthorized
                | Self::RateWindow { .. }
                | Self::RateSecond { .. }
                | Self::RateDaily { .. }
                | Self::Migrating { .. }
                | Self::WrongHost
                | Self::Unreachable(_)
        )
    }
}
