//! Parts used by every pane: section heads, thin bars, sparks, typed fields, overlays. They know cells and inks, never the
//! model.

pub mod bar;
pub mod field;
pub mod overlay;
pub mod section;
pub mod spark;
