//! The thin bar: every share, gauge and coverage.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use crate::ui::{glyphs::Glyph, look::Look, row::Row, theme::Token};

/// A part of a whole, 0 to 1; nothing of nothing is 0.
#[must_use]
pub fn share(part: Decimal, whole: Decimal) -> Decimal {
    if whole <= Decimal::ZERO {
        return Decimal::ZERO;
    }
    // An overflow can only come from a part beyond every whole.
    part.checked_div(whole)
        .unwrap_or(Decimal::ONE)
        .clamp(Decimal::ZERO, Decimal::ONE)
}

/// A bar of `width` cells, its parts from the left, in half cells; the rest is a rule. Anything above nothing shows.
#[must_use]
pub fn bar<'l>(look: &'l Look, width: u16, parts: &[(Decimal, Token)]) -> Row<'l> {
    let halves = usize::from(width) * 2;
    let mut row = look.row();
    let (mut sum, mut full_cells) = (Decimal::ZERO, 0);
    for (nth, (part, token)) in parts.iter().enumerate() {
        sum = (sum + part).min(Decimal::ONE);
        let mut end = (sum * Decimal::from(halves)).to_usize().unwrap_or(0).min(halves);
        if end == 0 && halves > 0 && *part > Decimal::ZERO {
            end = 1;
        }
        let last = nth + 1 == parts.len();
        let full = if last { end / 2 } else { end.div_ceil(2) };
        let sign = look.glyphs.sign(Glyph::BarFull);
        row.push(sign.repeat(full.saturating_sub(full_cells)), *token);
        full_cells = full_cells.max(full);
        if last && end > full_cells * 2 {
            row.push(look.glyphs.sign(Glyph::BarHalf), *token);
            full_cells += 1;
        }
    }
    let rest = usize::from(width).saturating_sub(full_cells);
    row.add(look.glyphs.sign(Glyph::BarRest).repeat(rest), Token::Line)
}

/// The token of a budget that is used up to this share: quiet, close to the cap, at the cap.
#[must_use]
pub fn load(used: Decimal) -> Token {
    if used >= Decimal::ONE {
        Token::Bad
    } else if used >= Decimal::new(85, 2) {
        Token::Warn
    } else {
        Token::Accent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{
        glyphs::Glyphs,
        theme::{Depth, Theme},
    };

    #[test]
    fn a_bar_has_its_width_whatever_its_parts() {
        let look = Look::new(Theme::Dark, Depth::True, Glyphs::Unicode);
        for (parts, drawn) in [
            (&[(0, Token::Good)][..], "──────────"),
            (&[(1, Token::Good)], "╸─────────"),
            (&[(25, Token::Good)], "━━╸───────"),
            (&[(100, Token::Good)], "━━━━━━━━━━"),
            (&[(40, Token::Good), (35, Token::Accent)], "━━━━━━━╸──"),
            (&[(90, Token::Good), (90, Token::Accent)], "━━━━━━━━━━"),
        ] {
            let parts: Vec<_> = parts.iter().map(|(n, token)| (Decimal::new(*n, 2), *token)).collect();
            let text: String = bar(&look, 10, &parts)
                .fitted(99)
                .iter()
                .map(|(text, _)| text.as_str().to_owned())
                .collect();
            assert_eq!(text, drawn, "{parts:?}");
        }
        assert_eq!(bar(&look, 0, &[(Decimal::ONE, Token::Good)]).width(), 0);
    }

    #[test]
    fn a_share_is_never_outside_the_whole() {
        let number = |n: i64| Decimal::from(n);
        assert_eq!(share(number(5), number(0)), Decimal::ZERO);
        assert_eq!(share(number(-5), number(10)), Decimal::ZERO);
        assert_eq!(share(number(50), number(10)), Decimal::ONE);
        assert_eq!(share(Decimal::MAX, Decimal::new(1, 20)), Decimal::ONE);
    }
}
