//! The configuration as each room wants it. What only another room can judge (an address, a filter, a key binding) is
//! judged here, and the error points at the line it came from.

use std::{collections::BTreeMap, path::Path};

use crate::{
    app::{self, Key, registry::Keymap},
    config::{self, ConfigError, Loaded, load},
    domain::{Fault, FaultKind, ObjectType, RetryPolicy},
    filter,
    hubspot::{self, Credentials, OAuthApp, Redirect},
    sync,
    term::LookSettings,
    ui,
};

use super::credentials::{Kept, ask};

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
        Redirect::parse(&loaded.settings.oauth.redirect_uri)
            .map_err(|why| loaded.refuse("oauth.redirect_uri", why, "use http://localhost:PORT/path"))?;
        // Which properties there are is known to the account: what a filter names is held against them where it is used.
        for segment in &loaded.settings.segments {
            filter::parse(&segment.filter, filter::Schema::Unread).map_err(|error| {
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

    /// One JSON object a line instead of text.
    pub fn log_is_json(&self) -> bool {
        self.loaded.settings.log.format == config::LogFormat::Json
    }

    /// What to log.
    pub fn log_filter(&self) -> &str {
        &self.loaded.settings.log.level
    }

    /// The client's settings, still without a token.
    ///
    /// # Errors
    /// The address is not one a token may go to, or the file of authorities cannot be read.
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
            ca_pem: self.authorities()?,
            warn_daily_left: settings.budget.warn_daily_left,
            ..hubspot::Settings::default()
        })
    }

    /// The PEM of `http.ca_file`.
    fn authorities(&self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(path) = &self.loaded.settings.http.ca_file else {
            return Ok(None);
        };
        std::fs::read(path).map(Some).map_err(|error| {
            let what = format!("'{}' cannot be read: {error}", path.display());
            self.loaded
                .refuse("http.ca_file", what, "give the path of a PEM file")
                .fault()
        })
    }

    /// What requests are signed with: a token that is given (environment, `.env`, configuration file, token command), else
    /// access granted through OAuth, else the token typed in set-up. Set-up keeps one of the last two and forgets the other.
    ///
    /// `None` when there is nothing anywhere.
    ///
    /// # Errors
    /// The command fails, what is kept can be read by others, or the OAuth app's secret is not given.
    pub fn credentials(&self) -> Result<Option<Credentials>, Fault> {
        let account = &self.loaded.settings.account;
        if let Some(token) = &account.token {
            return Ok(Some(Credentials::Token(token.clone())));
        }
        if !account.token_command.is_empty() {
            return ask(&account.token_command).map(Credentials::Token).map(Some);
        }
        if let Some(grant) = self.kept().granted()? {
            let app = Box::new(self.oauth_app()?);
            return Ok(Some(Credentials::OAuth { app, grant }));
        }
        Ok(self.kept().token()?.map(Credentials::Token))
    }

    /// Whether a token is given that wins over everything kept.
    pub fn token_is_given(&self) -> bool {
        let account = &self.loaded.settings.account;
        account.token.is_some() || !account.token_command.is_empty()
    }

    /// What set-up keeps.
    pub fn kept(&self) -> Kept {
        Kept::new(self.dir())
    }

    /// The person's own OAuth app.
    ///
    /// # Errors
    /// Its id or secret is not in the variables that the configuration names.
    pub fn oauth_app(&self) -> Result<OAuthApp, Fault> {
        let oauth = &self.loaded.settings.oauth;
        let missing = |what: &str, name: &str| {
            Fault::new(
                FaultKind::Auth,
                format!("the OAuth app's {what} is not given"),
                format!("set {name}, or name another variable in [oauth]"),
            )
        };
        let redirect = Redirect::parse(&oauth.redirect_uri)
            .map_err(|why| Fault::new(FaultKind::Usage, why, "use http://localhost:PORT/path"))?;
        Ok(OAuthApp {
            client_id: oauth
                .client_id
                .clone()
                .ok_or_else(|| missing("client id", &oauth.client_id_env))?,
            client_secret: oauth
                .client_secret
                .clone()
                .ok_or_else(|| missing("client secret", &oauth.client_secret_env))?,
            redirect,
            scopes: oauth.scopes.clone(),
        })
    }

    /// The variable with the OAuth app's secret, which only this configuration knows by name: no child may inherit it.
    pub fn secret_variable(&self) -> &str {
        &self.loaded.settings.oauth.client_secret_env
    }

    /// The engine's settings.
    pub fn sync(&self) -> sync::Settings {
        let settings = &self.loaded.settings;
        sync::Settings {
            segments: settings.segments.clone(),
            properties: [
                (ObjectType::Contacts, settings.mirror.contact_properties.clone()),
                (ObjectType::Deals, settings.mirror.deal_properties.clone()),
            ]
            .into(),
            owner: settings.account.owner_id.clone(),
            portal_id: settings.account.portal_id,
            fiscal_year_start: settings.calendar.fiscal_year_start,
            read_only: self.read_only,
            push: self.push(),
            ..sync::Settings::default()
        }
    }

    /// How contacts of one's own are pushed. Without a token no engine runs, so that "auto" is on where one does.
    fn push(&self) -> sync::PushSettings {
        let push = &self.loaded.settings.push;
        sync::PushSettings {
            enabled: push.enabled.unwrap_or(true),
            interval: push.interval,
            batch: usize::try_from(push.batch).unwrap_or(usize::MAX),
            misfire_grace: push.misfire_grace,
            retry: RetryPolicy {
                most: push.max_retries,
                delay: push.retry_delay,
                exponential: push.exponential,
            },
            sync_date: push.sync_date.clone(),
            map: push.fields(),
            properties: push.wanted(),
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
        "set DEALDECK_TOKEN to a HubSpot service key, or keep one with 'dealdeck setup'; 'dealdeck --demo' needs none",
    )
}
