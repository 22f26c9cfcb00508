//! Keys → actions per context: the defaults of the registry with the person's own bindings on top.

use std::{collections::BTreeMap, fmt};

use crate::app::{Key, KeyCode};

use super::{Action, Context, REGISTRY, Record};

/// Keys → actions per context. No key has two meanings in one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: BTreeMap<(Context, Key), Action>,
    /// Keys per action in the order in which they are shown.
    keys: BTreeMap<Action, Vec<Key>>,
}

/// Why bindings are no keymap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeymapError {
    /// No action has this id; the nearest that exists.
    Unknown {
        /// What was written.
        id: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// Two actions want one key in one context.
    Clash {
        /// The key.
        key: Key,
        /// Where.
        context: Context,
        /// The ids of both actions.
        actions: (&'static str, &'static str),
    },
    /// Letters are text there.
    Letter {
        /// The key.
        key: Key,
        /// The action's id.
        action: &'static str,
        /// Where.
        context: Context,
    },
}

impl fmt::Display for KeymapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { id, nearest } => {
                write!(f, "unknown action '{id}'")?;
                match nearest {
                    Some(nearest) => write!(f, ", did you mean '{nearest}'?"),
                    None => write!(f, ", `dealdeck keys` lists them all"),
                }
            }
            Self::Clash {
                key,
                context,
                actions: (one, other),
            } => {
                let place = context.title().to_lowercase();
                write!(
                    f,
                    "key '{key}' is bound to both '{one}' and '{other}' ({place}), give one of them another key"
                )
            }
            Self::Letter { key, action, context } => {
                let place = context.title().to_lowercase();
                write!(
                    f,
                    "key '{key}' cannot be bound to '{action}': it is text there ({place}), use a form like ^x or F5"
                )
            }
        }
    }
}

impl std::error::Error for KeymapError {}

impl Default for Keymap {
    fn default() -> Self {
        let mut map = Self {
            bindings: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        for record in REGISTRY {
            for key in record.keys {
                map.bind_default(record, *key);
            }
        }
        map
    }
}

impl Keymap {
    /// The defaults with the person's own bindings (action id → keys) on top. Own bindings replace the action's defaults and
    /// win over the defaults of other actions.
    ///
    /// # Errors
    /// An unknown action, two own bindings that clash, or a letter where letters are text.
    pub fn build(own: &BTreeMap<String, Vec<Key>>) -> Result<Self, KeymapError> {
        let mut map = Self {
            bindings: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        for (id, keys) in own {
            let record = find(id)?;
            for key in keys {
                map.bind_own(record, *key)?;
            }
        }
        for record in REGISTRY.iter().filter(|record| !own.contains_key(record.id)) {
            for key in record.keys {
                map.bind_default(record, *key);
            }
        }
        Ok(map)
    }

    fn bind_own(&mut self, record: &'static Record, key: Key) -> Result<(), KeymapError> {
        if let Some(&context) = record.contexts.first()
            && !record.contexts.iter().any(|context| can_be(key, *context))
        {
            return Err(KeymapError::Letter {
                key,
                action: record.id,
                context,
            });
        }
        for &context in record.contexts.iter().filter(|context| can_be(key, **context)) {
            match self.bindings.insert((context, key), record.action) {
                Some(other) if other != record.action => {
                    return Err(KeymapError::Clash {
                        key,
                        context,
                        actions: (other.record().id, record.id),
                    });
                }
                _ => {}
            }
        }
        let keys = self.keys.entry(record.action).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
        Ok(())
    }

    /// Binds a default where the key is still free.
    fn bind_default(&mut self, record: &'static Record, key: Key) {
        for &context in record.contexts.iter().filter(|context| can_be(key, **context)) {
            self.bindings.entry((context, key)).or_insert(record.action);
        }
        self.keys.entry(record.action).or_default().push(key);
    }

    /// What a key does in a context.
    #[must_use]
    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        self.bindings.get(&(context, key)).copied()
    }

    /// The keys of an action in a context, the one shown first.
    pub fn keys(&self, context: Context, action: Action) -> impl Iterator<Item = Key> + '_ {
        let keys = self.keys.get(&action).map_or(&[][..], Vec::as_slice);
        keys.iter()
            .copied()
            .filter(move |key| self.action(context, *key) == Some(action))
    }

    /// The key to show for an action.
    #[must_use]
    pub fn first_key(&self, context: Context, action: Action) -> Option<String> {
        self.keys(context, action).next().map(|key| key.to_string())
    }

    /// All keys of an action, as people read them: `j ↓`.
    #[must_use]
    pub fn keys_text(&self, context: Context, action: Action) -> String {
        let keys: Vec<String> = self.keys(context, action).map(|key| key.to_string()).collect();
        keys.join(" ")
    }
}

/// Letters are no keys where they are text.
const fn can_be(key: Key, context: Context) -> bool {
    let letter = matches!(key.code, KeyCode::Char(_)) && !key.ctrl && !key.alt;
    !(letter && context.types_text())
}

fn find(id: &str) -> Result<&'static Record, KeymapError> {
    REGISTRY.iter().find(|record| record.id == id).ok_or_else(|| {
        let nearest = REGISTRY
            .iter()
            .map(|record| (strsim::jaro_winkler(record.id, id), record.id))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|left, right| left.0.total_cmp(&right.0));
        KeymapError::Unknown {
            id: id.to_owned(),
            nearest: nearest.map(|(_, id)| id),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(bindings: &[(&str, &[&str])]) -> BTreeMap<String, Vec<Key>> {
        bindings
            .iter()
            .map(|(id, keys)| ((*id).to_owned(), keys.iter().map(|key| key.parse().unwrap()).collect()))
            .collect()
    }

    #[test]
    fn own_bindings_win_over_defaults() {
        let map = Keymap::build(&own(&[("move", &["x", "u"])])).unwrap();
        assert_eq!(map.action(Context::Board, Key::char('x')), Some(Action::Move));
        assert_eq!(map.action(Context::Board, Key::char('u')), Some(Action::Move));
        assert_eq!(map.action(Context::Board, Key::char('m')), None, "replaced, not added");
        assert_eq!(map.keys_text(Context::Board, Action::Undo), "", "its key was taken");
        assert_eq!(map.keys_text(Context::Board, Action::Move), "x u");
    }

    #[test]
    fn a_clash_names_both_actions() {
        let clash = Keymap::build(&own(&[("note", &["x"]), ("move", &["x"])])).unwrap_err();
        assert_eq!(
            clash.to_string(),
            "key 'x' is bound to both 'move' and 'note' (board), give one of them another key"
        );
    }

    #[test]
    fn what_cannot_be_bound_is_said() {
        let error = |bindings| Keymap::build(&own(bindings)).unwrap_err().to_string();
        assert_eq!(
            error(&[("advanse", &["x"])]),
            "unknown action 'advanse', did you mean 'advance'?"
        );
        assert_eq!(
            error(&[("zzz", &["x"])]),
            "unknown action 'zzz', `dealdeck keys` lists them all"
        );
        assert_eq!(
            error(&[("take", &["x"])]),
            "key 'x' cannot be bound to 'take': it is text there (pickers and finder), use a form like ^x or F5"
        );
    }
}
