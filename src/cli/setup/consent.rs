//! `dealdeck setup --oauth`: a person grants access to their own app in the browser, and the browser brings the proof back
//! to a door on this machine.

use std::{sync::Arc, time::Duration};

use rand::Rng as _;
use secrecy::ExposeSecret as _;

use crate::{
    domain::{Fault, FaultKind},
    hubspot::{Consent, Credentials, HttpTransport, TokenDesk, consent_page},
    sync::Clock,
    term,
};

use super::{
    super::{exit::remark_line, wiring::Wiring},
    doorway::Doorway,
};

/// How long somebody may take to say yes.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Asks in the browser and waits for the answer.
pub async fn ask(wiring: &Wiring, no_browser: bool, clock: &Clock) -> Result<Credentials, Fault> {
    let app = wiring.oauth_app()?;
    let settings = wiring.hubspot()?;
    let transport = Arc::new(HttpTransport::new(&settings)?);
    let desk = TokenDesk::new(transport, clock.clone(), settings.timeout);

    let mut random = [0; 64];
    rand::rng().fill_bytes(&mut random);
    let consent = Consent::new(&app, &consent_page(&settings.base_url), &random);
    let door = Doorway::open(&app.redirect, consent.clone()).await?;
    remark_line(&format!(
        "open this page and grant access there:\n\n  {}\n",
        consent.url.expose_secret()
    ));
    if !no_browser && term::open_consent(consent.url.expose_secret()).is_err() {
        remark_line("no browser could be started; open the page by hand, in a browser on this machine");
    }
    remark_line("waiting for the answer, five minutes at most; ctrl-c gives up");
    let code = tokio::select! {
        code = door.answer() => code?,
        () = clock.sleep(PATIENCE) => return Err(Fault::new(
            FaultKind::Auth,
            "nobody granted access within five minutes",
            "run 'dealdeck setup --oauth' again",
        )),
    };
    let grant = desk
        .redeem(&app, &code, &consent.verifier)
        .await
        .map_err(|failure| failure.fault())?;
    Ok(Credentials::OAuth {
        app: Box::new(app),
        grant,
    })
}
