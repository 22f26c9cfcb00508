//! Credentials that nobody has accepted yet. What is learnt about them (the region of their account, a renewed grant) stays
//! in memory, and what an earlier set-up kept stays as it is, until they are accepted.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    domain::Fault,
    hubspot::{Credentials, Grant, MemoryTokens, TokenStore},
};

use super::credentials::Kept;

/// New credentials beside the kept ones.
pub struct Trial {
    credentials: Credentials,
    learnt: MemoryTokens,
    kept: Kept,
    is_over: AtomicBool,
}

impl Trial {
    /// These credentials, which would take the place of what is kept.
    ///
    /// # Errors
    /// As [`TokenStore::keep_grant`] of a memory, which takes everything.
    pub fn new(credentials: Credentials, kept: Kept) -> Result<Self, Fault> {
        let learnt = MemoryTokens::new();
        if let Credentials::OAuth { grant, .. } = &credentials {
            learnt.keep_grant(grant)?;
        }
        Ok(Self {
            credentials,
            learnt,
            kept,
            is_over: AtomicBool::new(false),
        })
    }

    /// Keeps them, with what was learnt about them, in place of whatever was kept before, and says where.
    ///
    /// # Errors
    /// They cannot be kept.
    pub fn accept(&self) -> Result<String, Fault> {
        let place = match &self.credentials {
            Credentials::Token(token) => self.kept.keep_token(token)?,
            // It may have been renewed meanwhile.
            Credentials::OAuth { grant, .. } => self
                .kept
                .keep_first_grant(self.learnt.grant().as_ref().unwrap_or(grant))?,
        };
        self.kept.keep_region(self.learnt.region().as_deref());
        self.is_over.store(true, Ordering::Release);
        Ok(place)
    }

    fn store(&self) -> &dyn TokenStore {
        if self.is_over.load(Ordering::Acquire) {
            &self.kept
        } else {
            &self.learnt
        }
    }
}

impl TokenStore for Trial {
    fn grant(&self) -> Option<Grant> {
        self.store().grant()
    }

    fn keep_grant(&self, grant: &Grant) -> Result<(), Fault> {
        self.store().keep_grant(grant)
    }

    fn region(&self) -> Option<String> {
        self.store().region()
    }

    fn keep_region(&self, region: Option<&str>) {
        self.store().keep_region(region);
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_is_kept_stays_until_the_new_credentials_are_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::new(dir.path());
        kept.keep_token(&"pat-old".into()).unwrap();
        kept.keep_region(Some("eu1"));
        let trial = Trial::new(Credentials::Token("pat-new".into()), kept.clone()).unwrap();
        assert_eq!(trial.region(), None, "another account may live elsewhere");
        trial.keep_region(Some("na2"));
        let token = || kept.token().unwrap().unwrap().expose_secret().to_owned();
        assert_eq!((token(), kept.region().as_deref()), ("pat-old".to_owned(), Some("eu1")));

        trial.accept().unwrap();
        assert_eq!((token(), kept.region().as_deref()), ("pat-new".to_owned(), Some("na2")));
        trial.keep_region(Some("ap1"));
        assert_eq!(kept.region().as_deref(), Some("ap1"), "from now on it is kept");

        let next = Trial::new(Credentials::Token("pat-newer".into()), kept.clone()).unwrap();
        next.accept().unwrap();
        assert_eq!(
            kept.region(),
            None,
            "the region goes with the credentials it belonged to"
        );
    }
}
