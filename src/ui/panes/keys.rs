//! The hints of what is open on top: the same registry as the footer's.

use ratatui::layout::Rect;

use crate::{
    app::{Model, registry::hints},
    ui::{canvas::Canvas, row::Row, widgets::overlay},
};

/// Draws the foot of an overlay with the hints of its context; gives the rows that are left above.
pub fn foot(canvas: &mut Canvas<'_>, model: &Model, inner: Rect, sentence: Row<'_>, fact: Row<'_>) -> Rect {
    let hints = hints(model);
    let keys: Vec<overlay::Hint<'_>> = hints
        .left
        .iter()
        .chain(&hints.right)
        .map(|hint| (hint.keys.as_str(), hint.word))
        .collect();
    let sentence = (!sentence.is_empty()).then_some(sentence);
    overlay::foot(canvas, inner, sentence, &keys, fact)
}
