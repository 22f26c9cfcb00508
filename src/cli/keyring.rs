//! The system's key store, where the program was built with the feature `keyring`. A machine without one (a server, a
//! container) is no error: the private file then does.

use std::path::Path;

use keyring::Entry;
use secrecy::{ExposeSecret as _, SecretString};

/// Under which name the tokens stand in the key store.
const SERVICE: &str = "dealdeck";

/// The token of the account whose data is in this directory; `None` also where there is no key store.
pub fn read(dir: &Path) -> Option<SecretString> {
    entry(dir)?
        .get_password()
        .ok()
        .filter(|token| !token.trim().is_empty())
        .map(SecretString::from)
}

/// Whether the key store has taken the token. It is read back: some stores only seem to be there.
pub fn write(dir: &Path, token: &SecretString) -> bool {
    let taken = entry(dir).is_some_and(|entry| entry.set_password(token.expose_secret()).is_ok());
    taken && read(dir).is_some_and(|kept| kept.expose_secret() == token.expose_secret())
}

/// Forgets the token.
pub fn forget(dir: &Path) {
    if let Some(entry) = entry(dir) {
        // Nothing there, or no key store: forgotten either way.
        let _ = entry.delete_credential();
    }
}

fn entry(dir: &Path) -> Option<Entry> {
    let dir = std::path::absolute(dir).ok()?;
    Entry::new(SERVICE, &dir.display().to_string()).ok()
}
