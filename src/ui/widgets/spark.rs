//! A spark: the last days of one number, today last.

use crate::ui::{look::Look, row::Row, theme::Token};

/// Cells of a spark.
pub const WIDTH: u16 = 7;

/// Steps of a spark, 0 to 6, for the values; the oldest are left out when there are more than seven. It spans the middle
/// of the cell, so that a quiet week is a line and sparks under each other do not touch.
fn steps(values: &[u64]) -> Vec<usize> {
    let values = &values[values.len().saturating_sub(usize::from(WIDTH))..];
    let (low, high) = (values.iter().min().copied(), values.iter().max().copied());
    let (low, span) = (low.unwrap_or(0), high.unwrap_or(0) - low.unwrap_or(0));
    values
        .iter()
        .map(|value| match span {
            0 => 3,
            _ => {
                2 + usize::try_from((u128::from(value - low) * 4 + u128::from(span) / 2) / u128::from(span))
                    .unwrap_or(4)
            }
        })
        .collect()
}

/// The past days in a quiet ink and today in its token, right-aligned in seven cells.
#[must_use]
pub fn spark<'l>(look: &'l Look, values: &[u64], today: Token) -> Row<'l> {
    // One day is no course of a number.
    if values.len() < 2 {
        return look.row().blank(WIDTH);
    }
    let steps = steps(values);
    let signs = |steps: &[usize]| steps.iter().map(|step| look.glyphs.spark(*step)).collect::<String>();
    let Some((last, past)) = steps.split_last() else {
        return look.row().blank(WIDTH);
    };
    let missing = usize::from(WIDTH).saturating_sub(steps.len());
    look.row()
        .add(" ".repeat(missing), Token::Text)
        .add(signs(past), Token::Muted.soft())
        .add(signs(&[*last]), today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_rises_with_the_numbers_and_a_flat_week_is_flat() {
        assert_eq!(steps(&[546, 548, 552, 556, 557, 560, 567]), [2, 2, 3, 4, 4, 5, 6]);
        assert_eq!(steps(&[12; 7]), [3; 7]);
        assert_eq!(steps(&[0, u64::MAX]), [2, 6]);
        assert_eq!(steps(&[]), Vec::<usize>::new());
        assert_eq!(steps(&[1; 20]).len(), 7);
    }
}
