//! Layers on layers: defaults, file, `.env`, environment, flags. Each value remembers where it came from.

use std::{collections::BTreeMap, fmt, ops::Range, path::PathBuf};

use super::{
    ConfigError, Guard, Settings, Sources, dotenv,
    error::Text,
    file,
    given::Given,
    keys::{CHAINGE_LIST, Key, keys},
};
use crate::domain::safe;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The configuration file.
    File {
        /// Line, from 1.
        line: usize,
        /// Bytes of the value.
        span: Range<usize>,
    },
    /// A variable in `.env`.
    DotEnv {
        /// The variable.
        name: String,
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line, .. } => write!(f, "config file, line {line}"),
            Self::DotEnv { name, line } => write!(f, "{name} in .env, line {line}"),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A key as `config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Table and key.
    pub key: String,
    /// Its value; a secret only says that it is set.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Settings with where each came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Where the configuration file is, or would be.
    pub file_path: Option<PathBuf>,
    /// What a person should know although it stops nothing.
    pub notes: Vec<String>,
    pub(super) origins: BTreeMap<String, Origin>,
    pub(super) text: Option<Text>,
}

impl Loaded {
    /// Where a key's value came from.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Every key with its value and where it came from, in the order of the example file.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        let shown = |key: &str, value: String| Shown {
            key: key.to_owned(),
            value,
            origin: self.origin(key),
        };
        let mut all: Vec<Shown> = keys().map(|key| shown(key.path, (key.show)(&self.settings))).collect();
        all.push(shown("store.dir", self.settings.store.dir.display().to_string()));
        for segment in &self.settings.segments {
            if !segment.filter.is_empty() {
                all.push(shown(
                    &format!("segments.{}.filter", segment.name),
                    segment.filter.clone(),
                ));
            }
            let key = format!("segments.{}.list_id", segment.name);
            if let Some(list) = segment.list.as_ref().filter(|_| key != CHAINGE_LIST) {
                all.push(shown(&key, list.to_string()));
            }
        }
        let push = &self.settings.push;
        all.extend(
            push.map
                .iter()
                .map(|(field, name)| shown(&format!("push.map.{field}"), name.clone())),
        );
        for (name, property) in &push.properties {
            let (kind, field_type) = property.kind.names();
            let parts = [
                ("label", property.label.as_str()),
                ("type", kind),
                ("field_type", field_type),
                ("group", property.group.as_str()),
            ];
            all.extend(parts.map(|(part, value)| shown(&format!("push.properties.{name}.{part}"), value.to_owned())));
        }
        all.extend(
            self.settings
                .keys
                .iter()
                .map(|(action, keys)| shown(&format!("keys.{action}"), keys.join(" "))),
        );
        all
    }

    /// An error about a value that only its user can judge (a base URL, a segment's filter, a key binding), at the place
    /// where the value was given.
    #[must_use]
    pub fn refuse(&self, key: &str, message: impl Into<String>, next: impl Into<String>) -> ConfigError {
        match (self.origin(key), &self.text) {
            (Origin::File { span, .. }, Some(text)) => ConfigError::at(text, span, message, next),
            (Origin::Default | Origin::File { .. }, _) => ConfigError::named(key, message, next),
            (origin, _) => ConfigError::named(origin.to_string(), message, next),
        }
    }
}

/// Makes settings of their sources. Reads nothing and asks nobody.
///
/// # Errors
/// The first thing that is wrong, in the order of the file, then the environment, then the flags.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded {
        settings: Settings::new(PathBuf::new()),
        file_path: sources.file_path.clone(),
        notes: Vec::new(),
        origins: BTreeMap::new(),
        text: None,
    };
    if let Some(config) = &sources.file {
        file::apply(config, &mut loaded)?;
    }
    variables(sources, &mut loaded)?;
    let flags = &sources.flags;
    let given = [
        ("--base-url", &flags.base_url),
        ("--timeout", &flags.timeout),
        ("--max-retries", &flags.max_retries),
    ];
    for key in keys() {
        let value = given
            .iter()
            .find(|(name, _)| key.flag == Some(name))
            .and_then(|(_, value)| value.as_ref());
        if let (Some(flag), Some(value)) = (key.flag, value) {
            set(key, value, Origin::Flag(flag), &mut loaded)?;
        }
    }
    oauth_app(sources, &mut loaded)?;
    data_dir(sources, &mut loaded)?;
    Ok(loaded)
}

/// Environment over `.env`; an empty value counts as unset.
fn variables(sources: &Sources, loaded: &mut Loaded) -> Result<(), ConfigError> {
    let dotenv = in_dotenv(sources);
    if dotenv.iter().any(|variable| variable.name == "DEALDECK_CONFIG") {
        loaded.notes.push(
            ".env sets DEALDECK_CONFIG, which is ignored: a working directory must not choose the configuration; use --config"
                .to_owned(),
        );
    }
    for key in keys() {
        let in_dotenv = |name: &&str| {
            dotenv
                .iter()
                .rev()
                .find(|variable| variable.name == **name && !variable.value.trim().is_empty())
        };
        if let Some(variable) = key.env.iter().find_map(in_dotenv) {
            if key.secret {
                fit_for_secrets(sources, "a token")?;
            }
            let origin = Origin::DotEnv {
                name: variable.name.clone(),
                line: variable.line,
            };
            set(key, &variable.value, origin, loaded)?;
        }
        let in_env = |name: &&str| {
            let value = sources.env.get(*name).filter(|value| !value.trim().is_empty())?;
            Some((name.to_string(), value))
        };
        if let Some((name, value)) = key.env.iter().find_map(in_env) {
            set(key, value, Origin::Environment(name), loaded)?;
        }
    }
    Ok(())
}

/// Id and secret of the OAuth app, from the variables that the file names; the environment wins over `.env`.
fn oauth_app(sources: &Sources, loaded: &mut Loaded) -> Result<(), ConfigError> {
    let dotenv = in_dotenv(sources);
    let value = |name: &str| {
        let given = |value: &&String| !value.trim().is_empty();
        let in_file = dotenv.iter().rev().find(|variable| variable.name == *name);
        let in_file = in_file.map(|variable| &variable.value).filter(given);
        let in_env = sources.env.get(name).filter(given);
        (
            in_env.or(in_file).map(|value| value.trim().to_owned()),
            in_env.is_some(),
        )
    };
    let oauth = &mut loaded.settings.oauth;
    oauth.client_id = value(&oauth.client_id_env).0;
    let (secret, in_env) = value(&oauth.client_secret_env);
    if secret.is_some() && !in_env {
        fit_for_secrets(sources, "a secret")?;
    }
    oauth.client_secret = secret.map(Into::into);
    Ok(())
}

/// Refuses a `.env` that holds a secret and that others can read. A link to it is no danger: nobody chose it for us.
fn fit_for_secrets(sources: &Sources, what: &str) -> Result<(), ConfigError> {
    let guard = sources.dotenv.as_ref().map(|file| Guard {
        link: false,
        ..file.guard
    });
    match guard.and_then(Guard::unfit_for_secrets) {
        None => Ok(()),
        Some((why, next)) => {
            let error = ConfigError::named(".env", format!("it holds {what} and {why}"), next);
            Err(error.kind(crate::domain::FaultKind::Auth))
        }
    }
}

/// The variables of `.env`.
fn in_dotenv(sources: &Sources) -> Vec<dotenv::Variable> {
    sources
        .dotenv
        .as_ref()
        .map(|file| dotenv::parse(&file.text))
        .unwrap_or_default()
}

/// A value from outside the file.
fn set(key: &Key, value: &str, origin: Origin, loaded: &mut Loaded) -> Result<(), ConfigError> {
    (key.set)(&mut loaded.settings, &Given::Loose(value.to_owned())).map_err(|wanted| {
        let message = if key.secret {
            format!("expected {wanted}")
        } else {
            format!("expected {wanted}, not '{}'", safe(value))
        };
        ConfigError::named(origin.to_string(), message, "correct it or take it away")
    })?;
    loaded.origins.insert(key.path.to_owned(), origin);
    Ok(())
}

/// Flag, environment, `.env`, else the system's place.
fn data_dir(sources: &Sources, loaded: &mut Loaded) -> Result<(), ConfigError> {
    const VARIABLE: &str = "DEALDECK_DATA_DIR";
    let dotenv = in_dotenv(sources);
    let in_dotenv = dotenv
        .into_iter()
        .rev()
        .find(|variable| variable.name == VARIABLE && !variable.value.trim().is_empty());
    let in_env = sources.env.get(VARIABLE).filter(|value| !value.trim().is_empty());
    let (dir, origin) = if let Some(dir) = &sources.flags.data_dir {
        (dir.clone(), Origin::Flag("--data-dir"))
    } else if let Some(dir) = in_env {
        (PathBuf::from(dir), Origin::Environment(VARIABLE.to_owned()))
    } else if let Some(variable) = in_dotenv {
        let origin = Origin::DotEnv {
            name: variable.name,
            line: variable.line,
        };
        (PathBuf::from(variable.value), origin)
    } else if let Some(homes) = &sources.homes {
        (homes.data.clone(), Origin::Default)
    } else {
        return Err(ConfigError::named(
            "data directory",
            "there is no home directory to keep data in",
            "say where with --data-dir DIR",
        ));
    };
    loaded.settings.store.dir = dir;
    loaded.origins.insert("store.dir".to_owned(), origin);
    Ok(())
}
