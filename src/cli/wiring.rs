//! The configuration as each room wants it. What only another room can judge (an address, a filter, a key binding) is
//! judged here, and the error points at the line it came from.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    app::{self, Key, registry::Keymap},
    config::{self, ConfigError, Loaded, load},
    domain::{Fault, FaultKind},
    filter, hubspot, store, sync,
    term::LookSettings,
    ui,
};

/// The file in the data directory that holds a token typed in set-up.
const TOKEN_FILE: &str = "token";

/// The loaded configuration, checked as far as it can be without a token.
#[derive(Clone)]
pub struct Wiring {
    loaded: Loaded,
    read_only: bool,
    own_keys: BTreeMap<String, Vec<Key>>,
}

impl Wiring {
    /// Loads and checks the configuration of this process.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn load(flags: config::Flags, read_only: bool) -> Result<Self, ConfigError> {
        let loaded = load(&config::Sources::from_process(flags)?)?;
        hubspot::check_base_url(&loaded.settings.account.base_url)
            .map_err(|fault| loaded.refuse("account.base_url", fault.what, fault.next))?;
        for segment in &loaded.settings.segments {
            filter::parse(&segment.filter, filter::Schema::Contacts(&[])).map_err(|error| {
                loaded.refuse(
                    &format!("segments.{}.filter", segment.name),
                    error.to_string(),
                    "mend the filter",
                )
            })?;
        }
        let own_keys = own_keys(&loaded)?;
        Ok(Self {
            loaded,
            read_only,
            own_keys,
        })
    }

    /// What a person should know although it stops nothing.
    pub fn notes(&self) -> &[String] {
        &self.loaded.notes
    }

    /// What the wall clock says at the start, when it is not the time it is.
    pub const fn now(&self) -> Option<jiff::Timestamp> {
        self.loaded.settings.now
    }

    /// Where everything that lives is kept.
    pub fn dir(&self) -> &Path {
        &self.loaded.settings.store.dir
    }

    /// The data directory was chosen, it is not the usual one.
    pub fn dir_is_given(&self) -> bool {
        self.loaded.origin("store.dir") != config::Origin::Default
    }

    /// What to log.
    pub fn log_filter(&self) -> &str {
        &self.loaded.settings.log.level
    }

    /// The client's settings, still without a token.
    ///
    /// # Errors
    /// The address is not one a token may go to.
    pub fn hubspot(&self) -> Result<hubspot::Settings, Fault> {
        let settings = &self.loaded.settings;
        Ok(hubspot::Settings {
            base_url: hubspot::check_base_url(&settings.account.base_url)?,
            connect_timeout: settings.http.connect_timeout,
            timeout: settings.http.timeout,
            max_retries: settings.http.max_retries,
            burst: settings.budget.burst,
            search_per_second: settings.budget.search_per_second,
            daily: settings.budget.daily,
            reserve_percent: settings.budget.reserve_percent,
            daily_reserve_percent: settings.budget.daily_reserve_percent,
            warn_daily_left: settings.budget.warn_daily_left,
            ..hubspot::Settings::default()
        })
    }

    /// The token: from environment, `.env` or file; else what the token command prints; else the one typed in set-up.
    ///
    /// `None` when there is none anywhere.
    ///
    /// # Errors
    /// The command fails, or the kept file can be read by others.
    pub fn token(&self) -> Result<Option<SecretString>, Fault> {
        let account = &self.loaded.settings.account;
        if let Some(token) = &account.token {
            return Ok(Some(token.clone()));
        }
        if !account.token_command.is_empty() {
            return ask(&account.token_command).map(Some);
        }
        kept_token(&self.dir().join(TOKEN_FILE))
    }

    /// Keeps a token typed in set-up where only its owner can read it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_token(&self, token: &SecretString) -> Result<(), Fault> {
        let path = self.dir().join(TOKEN_FILE);
        store::write_private(&path, token.expose_secret().as_bytes()).map_err(|error| {
            let what = format!("'{}' cannot be written: {error}", path.display());
            Fault::new(FaultKind::Store, what, "check the data directory")
        })
    }

    /// The engine's settings.
    pub fn sync(&self) -> sync::Settings {
        let settings = &self.loaded.settings;
        sync::Settings {
            segments: settings.segments.clone(),
            owner: settings.account.owner_id.clone(),
            portal_id: settings.account.portal_id,
            fiscal_year_start: settings.calendar.fiscal_year_start,
            read_only: self.read_only,
            ..sync::Settings::default()
        }
    }

    /// The dashboard's settings.
    pub fn app(&self) -> app::Settings {
        let settings = &self.loaded.settings;
        app::Settings {
            quota: settings.goals.quota,
            goal_months: match settings.goals.period {
                config::Period::Month => 1,
                config::Period::Quarter => 3,
                config::Period::Year => 12,
            },
            fiscal_year_start: settings.calendar.fiscal_year_start,
            pipeline: settings.account.pipeline_id.as_ref().map(ToString::to_string),
            read_only: self.read_only,
            reduced_motion: settings.ui.reduced_motion,
            keys: self.own_keys.clone(),
            ..app::Settings::default()
        }
    }

    /// The dashboard's looks.
    pub const fn look(&self) -> LookSettings {
        let ui = &self.loaded.settings.ui;
        let theme = match ui.theme {
            config::Theme::Auto => ui::Theme::Auto,
            config::Theme::Dark => ui::Theme::Dark,
            config::Theme::Light => ui::Theme::Light,
            config::Theme::Contrast => ui::Theme::Contrast,
            config::Theme::Safe => ui::Theme::Safe,
            config::Theme::Mono => ui::Theme::Mono,
        };
        let glyphs = match ui.glyphs {
            config::Glyphs::Unicode => ui::Glyphs::Unicode,
            config::Glyphs::Ascii => ui::Glyphs::Ascii,
        };
        LookSettings { theme, glyphs }
    }
}

/// The user's bindings as keys, checked against each other and the built-in ones.
fn own_keys(loaded: &Loaded) -> Result<BTreeMap<String, Vec<Key>>, ConfigError> {
    let mut own = BTreeMap::new();
    for (action, texts) in &loaded.settings.keys {
        let refuse = |error: String| loaded.refuse(&format!("keys.{action}"), error, "");
        let keys = texts
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<Key>, String>>()
            .map_err(refuse)?;
        own.insert(action.clone(), keys);
    }
    Keymap::build(&own).map_err(|clash| loaded.refuse("keys", clash.to_string(), "change one of them"))?;
    Ok(own)
}

/// What a command says that cannot do without a token.
pub fn no_token() -> Fault {
    Fault::new(
        FaultKind::Auth,
        "there is no token",
        "set DEALDECK_TOKEN to a HubSpot service key, or start 'dealdeck' in a terminal and type it in; \
         'dealdeck --demo' needs none",
    )
}

/// Runs the token command: a program with its arguments, never a shell.
fn ask(command: &[String]) -> Result<SecretString, Fault> {
    let failed = |what: String| Fault::new(FaultKind::Auth, what, "run account.token_command by hand to see why");
    let Some((program, arguments)) = command.split_first() else {
        return Err(no_token());
    };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("the token command '{program}' does not start: {error}")))?;
    let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match (output.status.success(), token.is_empty()) {
        (true, false) => Ok(SecretString::from(token)),
        (true, true) => Err(failed(format!("the token command '{program}' printed nothing"))),
        (false, _) => Err(failed(format!(
            "the token command '{program}' ended with {}",
            output.status
        ))),
    }
}

/// The token typed in set-up; a file that others can read is not trusted.
fn kept_token(path: &PathBuf) -> Result<Option<SecretString>, Fault> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let what = format!("the token in '{}' cannot be read: {error}", path.display());
            return Err(Fault::new(FaultKind::Auth, what, "check its permissions"));
        }
    };
    store::check_private(path).map_err(|why| {
        Fault::new(
            FaultKind::Auth,
            format!("the token in '{}' is not safe: {why}", path.display()),
            "make the file yours alone (chmod 600), and rotate the token",
        )
    })?;
    let token = text.trim();
    Ok((!token.is_empty()).then(|| SecretString::from(token.to_owned())))
}
