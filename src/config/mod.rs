//! Settings: flags over environment over `.env` over the configuration file over defaults, each value with where it came
//! from, each error with its place. It refuses unknown keys, secrets in files that others can read, and any command that
//! does not come from the user's own configuration file.
//!
//! [`load`] is pure over its [`Sources`]; only [`Sources::from_process`] reads the environment and files. Which hosts a base
//! URL may name, what a filter means and which keys clash are known to other rooms: they judge, and [`Loaded::refuse`]
//! points at the line.

mod dotenv;
mod error;
mod file;
mod given;
mod keys;
mod load;
mod push;
mod settings;
mod sources;

pub use error::ConfigError;
pub use load::{Loaded, Origin, Shown, load};
pub use push::Push;
pub use settings::{
    Account, Budget, Calendar, Glyphs, Goals, Http, Log, LogFormat, Mirror, OAuth, Period, Settings, Store, Theme, Ui,
};
pub use sources::{ConfigFile, Flags, Guard, Homes, Sources};
