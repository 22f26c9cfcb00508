//! What a configuration is made of, and the one place that reads environment and files. Loading itself is pure.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use directories::ProjectDirs;

use super::ConfigError;

/// Flags that set a setting; none of them is a secret.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--data-dir DIR`
    pub data_dir: Option<PathBuf>,
    /// `--base-url URL`
    pub base_url: Option<String>,
    /// `--timeout 30s`
    pub timeout: Option<String>,
    /// `--max-retries N`
    pub max_retries: Option<String>,
}

/// A configuration file or a `.env`.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    /// Who may touch it.
    pub guard: Guard,
}

/// Who may read and write a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Permission bits; 0600 where the system has none.
    pub mode: u32,
    /// It belongs to the user we run as.
    pub ours: bool,
    /// The path is a symbolic link.
    pub link: bool,
}

impl Guard {
    /// Readable and writable by us alone.
    pub const PRIVATE: Self = Self {
        mode: 0o600,
        ours: true,
        link: false,
    };

    /// Reads a path's permissions.
    fn of(path: &Path) -> io::Result<Self> {
        let link = fs::symlink_metadata(path)?.is_symlink();
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let metadata = fs::metadata(path)?;
            Ok(Self {
                mode: metadata.mode() & 0o777,
                ours: metadata.uid() == rustix::process::geteuid().as_raw(),
                link,
            })
        }
        #[cfg(not(unix))]
        Ok(Self { link, ..Self::PRIVATE })
    }

    /// Why a secret must not stand in the file, if so, and what to do.
    pub(super) fn unfit_for_secrets(self) -> Option<(String, &'static str)> {
        match self {
            Self { link: true, .. } => Some((
                "the file is a symbolic link".to_owned(),
                "name the file itself with --config",
            )),
            Self { mode, .. } if self.ours && mode & 0o077 != 0 => {
                Some((format!("others can read the file (mode {mode:04o})"), CHMOD))
            }
            _ => self.unfit_for_commands(),
        }
    }

    /// Why a command must not be taken from the file, if so, and what to do.
    pub(super) fn unfit_for_commands(self) -> Option<(String, &'static str)> {
        match self {
            Self { ours: false, .. } => Some(("the file belongs to another user".to_owned(), "use a file of your own")),
            Self { mode, .. } if mode & 0o022 != 0 => {
                Some((format!("others can write the file (mode {mode:04o})"), CHMOD))
            }
            _ => None,
        }
    }
}

/// Makes a file private.
const CHMOD: &str = "make it private with chmod 600";

/// Where things live on this system.
#[derive(Clone, Debug)]
pub struct Homes {
    /// Holds `config.toml`.
    pub config: PathBuf,
    /// The data directory when none is given.
    pub data: PathBuf,
}

impl Homes {
    /// By the conventions of the system; `None` without a home directory.
    #[must_use]
    pub fn of_system() -> Option<Self> {
        let dirs = ProjectDirs::from("", "", "dealdeck")?;
        Some(Self {
            config: dirs.config_dir().to_owned(),
            data: dirs.data_local_dir().to_owned(),
        })
    }
}

/// Everything settings come from, already read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The command line.
    pub flags: Flags,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// `.env` in the working directory.
    pub dotenv: Option<ConfigFile>,
    /// The configuration file, when there is one.
    pub file: Option<ConfigFile>,
    /// Where the configuration file is, or would be.
    pub file_path: Option<PathBuf>,
    /// Where things live; `None` without a home directory.
    pub homes: Option<Homes>,
}

impl Sources {
    /// Reads this process's environment, working directory and files.
    ///
    /// # Errors
    /// A file that was asked for and cannot be read, or one that is there and is not text.
    pub fn from_process(flags: Flags) -> Result<Self, ConfigError> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let env = std::env::vars_os().filter_map(text).collect();
        Self::read(flags, env, Path::new("."), Homes::of_system())
    }

    /// Reads `.env` in the working directory and the configuration file: the flag's, else `DEALDECK_CONFIG`'s, else the one
    /// in its usual place, which may be missing. A `.env` has no say in which file that is.
    ///
    /// # Errors
    /// As [`Sources::from_process`].
    pub fn read(
        flags: Flags,
        env: BTreeMap<String, String>,
        work_dir: &Path,
        homes: Option<Homes>,
    ) -> Result<Self, ConfigError> {
        let asked = flags.config.clone().or_else(|| {
            env.get("DEALDECK_CONFIG")
                .filter(|path| !path.trim().is_empty())
                .map(PathBuf::from)
        });
        let usual = || homes.as_ref().map(|homes| homes.config.join("config.toml"));
        let file_path = asked.clone().or_else(usual);
        let file = match &file_path {
            Some(path) => file(path, asked.is_some())?,
            None => None,
        };
        Ok(Self {
            flags,
            env,
            dotenv: dotenv(work_dir),
            file,
            file_path,
            homes,
        })
    }
}

fn file(path: &Path, asked: bool) -> Result<Option<ConfigFile>, ConfigError> {
    let fail = |error: &io::Error| {
        let next = "check the path and its permissions, or start without --config and DEALDECK_CONFIG";
        ConfigError::named(crate::domain::safe(&path.display().to_string()), reason(error), next)
    };
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(ConfigFile {
            path: path.to_owned(),
            text,
            guard: Guard::of(path).map_err(|error| fail(&error))?,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !asked => Ok(None),
        Err(error) => Err(fail(&error)),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such configuration file".to_owned(),
        io::ErrorKind::PermissionDenied => "the configuration file may not be read".to_owned(),
        io::ErrorKind::InvalidData => "the configuration file is not UTF-8 text".to_owned(),
        io::ErrorKind::IsADirectory => "the configuration file is a directory".to_owned(),
        _ => format!("the configuration file cannot be read: {error}"),
    }
}

/// Another program's file: missing or unreadable it stops nothing, and what is not text in it is not ours.
fn dotenv(work_dir: &Path) -> Option<ConfigFile> {
    let path = work_dir.join(".env");
    let text = String::from_utf8_lossy(&fs::read(&path).ok()?).into_owned();
    let guard = Guard::of(&path).ok()?;
    Some(ConfigFile { path, text, guard })
}
