//! The one registry of actions: id, words, group, default keys, when it is possible and why not, risk. Keymap, help,
//! footer hints and the README's key table come from it.

use std::collections::BTreeMap;

use super::Key;

/// What a key can do. One variant per action of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Leave help open.
    Help,
}

/// Where keys have their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The board.
    Board,
    /// A deal in detail.
    Deal,
    /// Help.
    Help,
    /// Pickers and the finder.
    Picker,
    /// The note editor.
    Note,
    /// The set-up screen.
    Setup,
}

/// How much an action can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Changes nothing in HubSpot.
    Read,
    /// Is kept and sent, and can be undone.
    Write,
    /// Asks first.
    Destructive,
}

/// Keys → actions per context.
#[derive(Clone, Debug, Default)]
pub struct Keymap {
    bindings: BTreeMap<(Context, Key), Action>,
}
