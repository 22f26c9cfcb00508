//! The marks of a deal: the same facts as signs for a card and as words for the context line. One judgement for both, so
//! that they can never say different things.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    app::{Flash, Model},
    domain::{Deal, DealState, OpKind, OpState, Pending, format},
    ui::{glyphs::Glyph, look::Ink, theme::Token},
};

/// When the next step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Later, or at no particular day.
    Planned,
    /// Today.
    Today,
    /// Its day has passed.
    Overdue,
    /// There is none.
    None,
}

/// What happens to a deal's values right now, the one state that matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// An operation of ours that is not finished.
    Pending(Pending),
    /// HubSpot has it since a moment.
    Landed,
    /// A colleague changed it just now.
    Flash,
}

/// Days without a touch from which a deal counts as ageing, stale, rotten.
const IDLE: [i64; 3] = [7, 14, 30];

/// A deal seen today.
pub struct Marks<'m> {
    model: &'m Model,
    /// The deal.
    pub deal: &'m Deal,
    /// Closed deals have no next step, do not age and are never late.
    pub open: bool,
    today: Date,
}

impl<'m> Marks<'m> {
    /// Looks at a deal.
    #[must_use]
    pub fn of(model: &'m Model, deal: &'m Deal) -> Self {
        Self {
            model,
            deal,
            open: deal.state(&model.facts.pipelines) == DealState::Open,
            today: model.today(),
        }
    }

    /// The amount on a card, short, in the deal's own currency, and whether something about it needs a look.
    #[must_use]
    pub fn amount(&self) -> (String, Ink) {
        let currency = self.deal.currency.as_deref().unwrap_or(self.model.facts.currency());
        match self.deal.amount {
            None => ("no amount".to_owned(), Token::Warn.into()),
            Some(amount) if amount == Decimal::ZERO => (format::money_short(amount, currency), Token::Warn.into()),
            Some(amount) => (format::money_short(amount, currency), Token::Text.bold()),
        }
    }

    /// The close date on a card; an open deal whose date has passed shouts.
    #[must_use]
    pub fn close(&self, focused: bool) -> (String, Ink) {
        let resting = if focused { Token::Text } else { Token::Muted };
        match self.deal.close_date(&self.model.facts.zone()) {
            None if self.open => ("no date".to_owned(), Token::Warn.into()),
            None => (String::new(), resting.into()),
            Some(date) if self.open && date < self.today => {
                (format!("!{}", format::day(date, self.today)), Token::Bad.bold())
            }
            Some(date) => (format::day(date, self.today), resting.into()),
        }
    }

    /// Days in the stage: `12d`, `119`, `3y`; at most three cells, so that a blank stays before the next slot.
    #[must_use]
    pub fn days(&self) -> String {
        match self.deal.days_in_stage(self.model.now) {
            days @ ..100 => format!("{days}d"),
            days @ 100..700 => format!("{}w", days / 7),
            days => format!("{}y", days / 365),
        }
    }

    /// When the next step is due.
    #[must_use]
    pub fn step(&self) -> Step {
        let planned = self
            .deal
            .next_activity
            .map(|at| at.to_zoned(self.model.facts.zone()).date());
        match planned {
            Some(date) if date < self.today => Step::Overdue,
            Some(date) if date == self.today => Step::Today,
            Some(_) => Step::Planned,
            None if self
                .deal
                .next_step
                .as_deref()
                .is_some_and(|text| !text.trim().is_empty()) =>
            {
                Step::Planned
            }
            None => Step::None,
        }
    }

    /// The mark of the days without a touch: `z9`, `z17`, `Z34`; `None` before it counts. A step planned before the deal is
    /// rotten keeps the mark and takes the colour.
    #[must_use]
    pub fn idle(&self) -> Option<(String, Ink)> {
        let days = self.deal.idle_days(self.model.now);
        let [ageing, stale, rotten] = IDLE;
        if !self.open || days < ageing {
            return None;
        }
        let soon = self.deal.next_activity.is_some_and(|at| {
            let ahead = (at.as_second() - self.model.now.as_second()) / 86_400;
            at > self.model.now && days + ahead < rotten
        });
        Some(match days {
            days if days >= rotten => (format!("Z{days}"), Token::Bad.bold()),
            days if days >= stale && !soon => (format!("z{days}"), Token::Warn.into()),
            _ => (format!("z{days}"), Token::Muted.into()),
        })
    }

    /// What happens to it now: conflict over dead, held, uncertain, sending, queued; then what just landed, then a
    /// colleague's change.
    #[must_use]
    pub fn write(&self) -> Option<Write> {
        let urgency = |pending: &Pending| match pending.state {
            OpState::Conflict => 6,
            OpState::Dead => 5,
            OpState::Held => 4,
            OpState::Uncertain => 3,
            OpState::InFlight => 2,
            OpState::Queued => 1,
            OpState::Landed | OpState::Done | OpState::Cancelled | OpState::Superseded => 0,
        };
        let pending = self
            .deal
            .pending
            .iter()
            .filter(|pending| urgency(pending) > 0)
            .max_by_key(|pending| urgency(pending))
            .copied()
            .map(Write::Pending);
        pending
            .or_else(|| self.model.landed.contains_key(&self.deal.id).then_some(Write::Landed))
            .or_else(|| self.flash().map(|_| Write::Flash))
    }

    /// A colleague's change that is still marked.
    #[must_use]
    pub fn flash(&self) -> Option<&'m Flash> {
        self.model.flashes.get(&self.deal.id)
    }

    /// Two letters of who has it (of who changed it just now, while that is marked), and their ink: quiet when it is me.
    #[must_use]
    pub fn initials(&self) -> (String, Ink) {
        let flash = self.flash().and_then(|flash| flash.by.as_ref());
        let owner = flash.or(self.deal.owner.as_ref());
        let mine = owner.is_none() || owner == self.model.facts.me.as_ref();
        let letters = owner
            .and_then(|id| self.model.facts.owners.get(id))
            .map_or_else(String::new, crate::domain::Owner::initials);
        let ink = if mine { Token::Muted } else { Token::Info };
        (letters, ink.into())
    }
}

impl Step {
    /// The sign and its token.
    #[must_use]
    pub const fn sign(self) -> (Glyph, Token) {
        match self {
            Self::Planned => (Glyph::StepPlanned, Token::Muted),
            Self::Today => (Glyph::StepToday, Token::Good),
            Self::Overdue => (Glyph::StepOverdue, Token::Bad),
            Self::None => (Glyph::StepNone, Token::Warn),
        }
    }
}

impl Write {
    /// The sign and its token.
    #[must_use]
    pub const fn sign(self) -> (Glyph, Token) {
        match self {
            Self::Pending(pending) => op_sign(pending.state),
            Self::Landed => (Glyph::Landed, Token::Good),
            Self::Flash => (Glyph::Flash, Token::Good),
        }
    }

    /// The same in words; where the engine gave a reason, with it.
    #[must_use]
    pub fn words(self, model: &Model) -> String {
        let Self::Pending(pending) = self else {
            return match self {
                Self::Landed => "HubSpot has it".to_owned(),
                _ => "a colleague changed it just now".to_owned(),
            };
        };
        let thing = match pending.kind {
            OpKind::SetProperties => "change",
            OpKind::CreateNote => "note",
            OpKind::Archive => "archiving",
            OpKind::Associate => "link",
            OpKind::ListMember => "list change",
            OpKind::UpsertContact => "contact",
        };
        let because = |words: &str| match model.reasons.get(&pending.op) {
            Some(reason) => format!("{thing} {words}: {reason}"),
            None => format!("{thing} {words}"),
        };
        match pending.state {
            OpState::InFlight => format!("{thing} being sent"),
            OpState::Uncertain => format!("{thing} sent, the reply was lost, asking HubSpot before any retry"),
            OpState::Conflict => because("in conflict, somebody else changed the same value"),
            OpState::Held => because("held, it needs you"),
            OpState::Dead => because("refused by HubSpot"),
            _ => format!("{thing} waiting to be sent"),
        }
    }

    /// The edge of the card tells it too.
    #[must_use]
    pub const fn edge(self) -> Option<Token> {
        match self {
            Self::Pending(Pending {
                state: OpState::Conflict | OpState::Dead,
                ..
            }) => Some(Token::Bad),
            Self::Flash => Some(Token::Good),
            _ => None,
        }
    }
}

/// The sign of an operation's state and its token.
#[must_use]
pub const fn op_sign(state: OpState) -> (Glyph, Token) {
    match state {
        OpState::Queued => (Glyph::Queued, Token::Info),
        OpState::InFlight => (Glyph::Sending, Token::Info),
        OpState::Uncertain => (Glyph::Uncertain, Token::Warn),
        OpState::Conflict => (Glyph::Conflict, Token::Bad),
        OpState::Held => (Glyph::Held, Token::Warn),
        OpState::Dead => (Glyph::Dead, Token::Bad),
        OpState::Landed | OpState::Done => (Glyph::Landed, Token::Good),
        OpState::Cancelled | OpState::Superseded => (Glyph::ReadOnly, Token::Muted),
    }
}

/// The word of an operation's state in the outbox.
#[must_use]
pub const fn op_word(state: OpState) -> &'static str {
    match state {
        OpState::InFlight => "sending",
        OpState::Uncertain => "unknown",
        other => other.word(),
    }
}
