//! What happens to the model, one family of actions per file.

use jiff::Timestamp;

use super::{Effect, Model, Msg};

/// Everything that can happen, happens here. Total: any message at any time leaves a consistent model.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Vec<Effect> {
    model.now = now;
    let _ = msg;
    Vec::new()
}
