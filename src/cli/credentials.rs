//! Credentials between two runs: private files in the data directory, or (built with the feature `keyring`) the system's
//! key store for a token. It refuses to read a file that anybody else could read or could have put there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    domain::{Fault, FaultKind},
    hubspot::{Grant, TokenStore, is_region},
    store, term,
};

/// A token typed in set-up.
const TOKEN_FILE: &str = "token";
/// What somebody granted to their OAuth app.
const GRANT_FILE: &str = "oauth.json";
/// The region HubSpot found the account in.
const REGION_FILE: &str = "region";

/// What is kept in one data directory.
#[derive(Clone, Debug)]
pub struct Kept {
    dir: PathBuf,
}

impl Kept {
    /// In this data directory, which may be missing.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The token of an earlier set-up.
    ///
    /// # Errors
    /// The file can be read by others, or not at all.
    pub fn token(&self) -> Result<Option<SecretString>, Fault> {
        #[cfg(feature = "keyring")]
        if let Some(token) = super::keyring::read(&self.dir) {
            return Ok(Some(token));
        }
        let text = self.read(TOKEN_FILE)?;
        Ok(text.and_then(|text| {
            let token = text.expose_secret().trim();
            (!token.is_empty()).then(|| SecretString::from(token))
        }))
    }

    /// Keeps a token in place of whatever was kept before, and says where.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_token(&self, token: &SecretString) -> Result<String, Fault> {
        let place = self.put_token(token)?;
        self.forget(GRANT_FILE);
        Ok(place)
    }

    #[cfg(feature = "keyring")]
    fn put_token(&self, token: &SecretString) -> Result<String, Fault> {
        if super::keyring::write(&self.dir, token) {
            self.forget(TOKEN_FILE);
            return Ok("the system's key store".to_owned());
        }
        let place = self.write(TOKEN_FILE, token)?;
        // An older token there would win over the file.
        super::keyring::forget(&self.dir);
        if super::keyring::read(&self.dir).is_some() {
            return Err(Fault::new(
                FaultKind::Store,
                "the system's key store neither takes the token nor gives up the old one",
                "remove 'dealdeck' from the key store by hand, then run 'dealdeck setup' again",
            ));
        }
        Ok(place)
    }

    #[cfg(not(feature = "keyring"))]
    fn put_token(&self, token: &SecretString) -> Result<String, Fault> {
        self.write(TOKEN_FILE, token)
    }

    /// The access granted in an earlier set-up.
    ///
    /// # Errors
    /// The file can be read by others, or not at all, or is damaged.
    pub fn granted(&self) -> Result<Option<Grant>, Fault> {
        let Some(text) = self.read(GRANT_FILE)? else {
            return Ok(None);
        };
        Grant::decode(text.expose_secret()).map(Some).ok_or_else(|| {
            let what = format!("'{}' cannot be read", self.dir.join(GRANT_FILE).display());
            Fault::new(FaultKind::Auth, what, "run 'dealdeck setup --oauth' again")
        })
    }

    /// Keeps a first grant in place of whatever was kept before, and says where.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_first_grant(&self, grant: &Grant) -> Result<String, Fault> {
        let place = self.write(GRANT_FILE, &grant.encode())?;
        #[cfg(feature = "keyring")]
        super::keyring::forget(&self.dir);
        self.forget(TOKEN_FILE);
        Ok(place)
    }

    /// A private file's text; `None` when there is no such file.
    fn read(&self, name: &str) -> Result<Option<SecretString>, Fault> {
        let path = self.dir.join(name);
        let fail = |why: String, next: &str| {
            let what = format!("what is kept in '{}' is not safe: {why}", path.display());
            Fault::new(FaultKind::Auth, what, next)
        };
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error.to_string(), "check its permissions")),
        }
        let private = "make the file yours alone (chmod 600), and rotate the token";
        store::check_private(&path).map_err(|why| fail(why, private))?;
        let text = fs::read_to_string(&path).map_err(|error| fail(error.to_string(), "run 'dealdeck setup' again"))?;
        Ok(Some(SecretString::from(text)))
    }

    fn write(&self, name: &str, secret: &SecretString) -> Result<String, Fault> {
        let path = self.dir.join(name);
        store::write_private(&path, secret.expose_secret().as_bytes()).map_err(|error| {
            let what = format!("'{}' cannot be written: {error}", path.display());
            Fault::new(FaultKind::Store, what, "check the data directory")
        })?;
        Ok(format!("'{}', readable by you alone", path.display()))
    }

    fn forget(&self, name: &str) {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, name, "what is out of use could not be removed");
            }
            _ => {}
        }
    }
}

impl TokenStore for Kept {
    fn grant(&self) -> Option<Grant> {
        self.granted().ok().flatten()
    }

    fn keep_grant(&self, grant: &Grant) -> Result<(), Fault> {
        self.write(GRANT_FILE, &grant.encode()).map(drop)
    }

    fn region(&self) -> Option<String> {
        let text = self.read(REGION_FILE).ok().flatten()?;
        let region = text.expose_secret().trim();
        is_region(region).then(|| region.to_owned())
    }

    fn keep_region(&self, region: Option<&str>) {
        match region {
            None => self.forget(REGION_FILE),
            Some(region) => {
                if let Err(fault) = self.write(REGION_FILE, &SecretString::from(region)) {
                    tracing::warn!(%fault, "the account's region could not be kept");
                }
            }
        }
    }
}

/// What the token command prints: a program with its arguments, never a shell, none of our secrets in its environment.
///
/// # Errors
/// It does not start, fails, or prints nothing.
pub fn ask(command: &[String]) -> Result<SecretString, Fault> {
    let failed = |what: String| Fault::new(FaultKind::Auth, what, "run account.token_command by hand to see why");
    let Some((program, arguments)) = command.split_first() else {
        return Err(failed("the token command is empty".to_owned()));
    };
    let mut child = Command::new(program);
    child.args(arguments).stdin(Stdio::null());
    term::without_secrets(&mut child);
    let output = child
        .output()
        .map_err(|error| failed(format!("the token command '{program}' does not start: {error}")))?;
    let printed = SecretString::from(String::from_utf8_lossy(&output.stdout).into_owned());
    let token = printed.expose_secret().trim();
    match (output.status.success(), token.is_empty()) {
        (true, false) => Ok(SecretString::from(token)),
        (true, true) => Err(failed(format!("the token command '{program}' printed nothing"))),
        (false, _) => Err(failed(format!(
            "the token command '{program}' ended with {}",
            output.status
        ))),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::{PermissionsExt as _, symlink},
        time::Duration,
    };

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn grant() -> Grant {
        let issued_at = "2026-11-22T12:00:00Z".parse().unwrap();
        Grant {
            access_token: "access-canary".into(),
            refresh_token: "refresh-canary".into(),
            issued_at,
            expires_at: issued_at + Duration::from_secs(1_800),
            portal_id: Some(123),
            user: None,
            scopes: Vec::new(),
        }
    }

    #[test]
    fn what_is_kept_is_private_and_one_way_in_replaces_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("data");
        let kept = Kept::new(&dir);
        assert!(kept.token().unwrap().is_none() && kept.granted().unwrap().is_none());
        kept.write(TOKEN_FILE, &"pat-canary\n".into()).unwrap();
        assert_eq!(kept.token().unwrap().unwrap().expose_secret(), "pat-canary");
        assert_eq!((mode(&dir), mode(&dir.join(TOKEN_FILE))), (0o700, 0o600));
        kept.keep_region(Some("eu1"));
        assert_eq!(kept.region().as_deref(), Some("eu1"));
        kept.keep_first_grant(&grant()).unwrap();
        assert_eq!(mode(&dir.join(GRANT_FILE)), 0o600);
        assert!(!dir.join(TOKEN_FILE).exists(), "the token is out of use");
        kept.keep_region(None);
        assert_eq!(kept.region(), None);
        assert_eq!(kept.granted().unwrap().unwrap().portal_id, Some(123));
        kept.write(TOKEN_FILE, &"pat-again".into()).unwrap();
        kept.forget(GRANT_FILE);
        assert!(kept.granted().unwrap().is_none());
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("data");
        let kept = Kept::new(&dir);
        kept.write(TOKEN_FILE, &"pat-canary".into()).unwrap();
        kept.write(GRANT_FILE, &grant().encode()).unwrap();
        for name in [TOKEN_FILE, GRANT_FILE] {
            let refused = || match name {
                TOKEN_FILE => kept.token().map(drop).unwrap_err(),
                _ => kept.granted().map(drop).unwrap_err(),
            };
            for open in [0o644, 0o640, 0o604, 0o666, 0o620] {
                fs::set_permissions(dir.join(name), fs::Permissions::from_mode(open)).unwrap();
                let fault = refused();
                assert_eq!(fault.kind, FaultKind::Auth);
                assert!(fault.to_string().contains(&format!("mode {open:04o}")), "{fault}");
                assert!(!fault.to_string().contains("canary"), "{fault}");
            }
            let elsewhere = home.path().join(name);
            fs::rename(dir.join(name), &elsewhere).unwrap();
            fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
            symlink(&elsewhere, dir.join(name)).unwrap();
            assert!(refused().what.contains("symbolic link"), "{}", refused());
        }
        assert!(kept.grant().is_none(), "a running client does not trust it either");
    }

    #[test]
    fn a_region_that_is_no_plain_word_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::new(dir.path());
        for text in ["evil.example/", "a", "eu1\n@", ""] {
            kept.keep_region(Some(text));
            assert_eq!(kept.region(), None, "{text}");
        }
    }

    #[test]
    fn a_token_command_is_run_without_a_shell_and_without_our_secrets() {
        let said = |words: &[&str]| ask(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(said(&["echo", "pat-1;$(id)"]).unwrap().expose_secret(), "pat-1;$(id)");
        for bad in [&["false"][..], &["true"], &["no-such-program-here"], &[]] {
            assert_eq!(said(bad).unwrap_err().kind, FaultKind::Auth);
        }
    }
}
