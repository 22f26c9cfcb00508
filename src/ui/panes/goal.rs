//! The numbers of the goal line: what is won, what is expected, what is missing.

use jiff::{ToSpan as _, civil::Date};
use rust_decimal::Decimal;

use crate::{
    app::{Column, Model},
    domain::{StageKind, format},
    ui::{
        look::Look,
        row::Row,
        theme::Token,
        widgets::bar::{bar, share},
    },
};

/// Sums over the deals in view, in company currency.
pub struct Goal {
    /// The quota of the period, when one is set.
    quota: Option<Decimal>,
    /// Amounts of open deals.
    open: Decimal,
    /// The same, weighted.
    weighted: Decimal,
    /// Amounts won: this period with a quota, else all.
    won: Decimal,
}

impl Goal {
    /// Adds up the columns. Only the deals won this period are looked at one by one: they are on top of their column.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let sum = |kind: StageKind, value: fn(&Column) -> Decimal| {
            model
                .board
                .columns
                .iter()
                .filter(|column| column.kind == kind)
                .map(value)
                .fold(Decimal::ZERO, Decimal::saturating_add)
        };
        Self {
            quota: model.settings.quota,
            open: sum(StageKind::Open, |column| column.total),
            weighted: sum(StageKind::Open, |column| column.weighted),
            won: match model.settings.quota {
                Some(_) => won_this_period(model),
                None => sum(StageKind::Won, |column| column.total),
            },
        }
    }

    /// The sentence in parts with their drop numbers: goal, won, the bar, weighted, gap; without a quota the three sums.
    #[must_use]
    pub fn parts<'l>(&self, look: &'l Look, model: &Model) -> Vec<(u8, Row<'l>)> {
        let money = |amount| format::money_short(amount, model.facts.currency());
        let fact = |label: &str, amount: Decimal, token: Token| {
            look.row()
                .add(label, Token::Muted)
                .blank(1)
                .add(money(amount), token.bold())
        };
        let Some(quota) = self.quota else {
            return vec![
                (
                    12,
                    look.row().add("open ", Token::Muted).add(money(self.open), Token::Text),
                ),
                (10, fact("weighted", self.weighted, Token::Strong)),
                (11, fact("won", self.won, Token::Good)),
            ];
        };
        let won = share(self.won, quota);
        let gap = quota
            .saturating_sub(self.won)
            .saturating_sub(self.weighted)
            .max(Decimal::ZERO);
        let parts = [(won, Token::Good), (share(self.weighted, quota), Token::Accent)];
        vec![
            (13, look.row().add("goal ", Token::Muted).add(money(quota), Token::Text)),
            (
                11,
                fact("won", self.won, Token::Good)
                    .blank(1)
                    .add(format::percent(ratio(self.won, quota)), Token::Text),
            ),
            (14, bar(look, 18, &parts)),
            (12, fact("weighted", self.weighted, Token::Strong)),
            (
                10,
                fact("gap", gap, if gap > Decimal::ZERO { Token::Warn } else { Token::Good }),
            ),
        ]
    }
}

fn ratio(part: Decimal, whole: Decimal) -> Decimal {
    part.checked_div(whole).unwrap_or_default()
}

/// Closed stages are sorted latest first, so the walk ends at the first deal before the period.
fn won_this_period(model: &Model) -> Decimal {
    let settings = &model.settings;
    let (start, end) = period(model.today(), settings.fiscal_year_start, settings.goal_months);
    let (zone, currency) = (model.facts.zone(), model.facts.currency());
    model
        .board
        .columns
        .iter()
        .filter(|column| column.kind == StageKind::Won)
        .flat_map(|column| {
            column
                .cards
                .iter()
                .filter_map(|id| model.deals.get(id))
                .map_while(|deal| Some((deal.close_date(&zone)?, deal)))
                .skip_while(move |(day, _)| *day >= end)
                .take_while(move |(day, _)| *day >= start)
                .filter_map(|(_, deal)| deal.amount_in(currency))
        })
        .fold(Decimal::ZERO, Decimal::saturating_add)
}

/// First day of the period of this many months (1, 3 or 12) a day is in, and of the next one.
fn period(day: Date, first_month: i8, months: i8) -> (Date, Date) {
    let since = (day.month() - first_month).rem_euclid(months.max(1));
    let start = day
        .first_of_month()
        .checked_sub(i32::from(since).months())
        .unwrap_or(day);
    (start, start.checked_add(i32::from(months).months()).unwrap_or(day))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn periods_follow_the_fiscal_year() {
        assert_eq!(period(date(2026, 11, 23), 1, 3), (date(2026, 10, 1), date(2027, 1, 1)));
        assert_eq!(period(date(2027, 1, 5), 2, 3), (date(2026, 11, 1), date(2027, 2, 1)));
        assert_eq!(period(date(2026, 4, 30), 4, 3), (date(2026, 4, 1), date(2026, 7, 1)));
        assert_eq!(period(date(2026, 4, 30), 4, 1), (date(2026, 4, 1), date(2026, 5, 1)));
        assert_eq!(period(date(2026, 3, 31), 4, 12), (date(2025, 4, 1), date(2026, 4, 1)));
    }
}
