//! `dealdeck setup`: takes a token, or access granted to an OAuth app in the browser; asks HubSpot whose it is and what it
//! may do; keeps it privately. Nothing is kept that HubSpot does not accept.

mod consent;
mod doorway;
mod scopes;

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, StdinLock};

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    domain::{Fault, FaultKind, Lane},
    hubspot::{Client, Credentials},
    sync::Clock,
    term,
};

use super::{
    args::SetupArgs,
    exit::{Outcome, print, remark_line},
    session::Parts,
    signals, stdin,
    wiring::Wiring,
};

/// A token is a line of text; more than this is something else.
const LONGEST_TOKEN: u64 = 4_096;

/// Runs the set-up.
pub async fn run(wiring: &Wiring, args: SetupArgs, clock: &Clock) -> Outcome {
    let credentials = tokio::select! {
        given = credentials(wiring, args, clock) => given?,
        code = signals::ended_by() => return Ok(code),
    };
    let Some(credentials) = credentials else {
        remark_line("nothing was changed");
        return Ok(130);
    };
    let (parts, trial) = Parts::on_trial(wiring, credentials, clock)?;
    let told = check(wiring, &parts.client()?).await?;
    let place = trial.accept()?;
    print(&format!("{told}kept     in {place}\n"))?;
    if wiring.token_is_given() {
        remark_line("a token is also given in the environment, a .env or the configuration; it wins over what is kept");
    }
    Ok(0)
}

async fn credentials(wiring: &Wiring, args: SetupArgs, clock: &Clock) -> Result<Option<Credentials>, Fault> {
    if args.oauth {
        return consent::ask(wiring, args.no_browser, clock).await.map(Some);
    }
    let token = if io::stdin().is_terminal() {
        term::hidden_line("HubSpot service key or private-app token (not shown): ").await
    } else {
        stdin::read(first_line).await
    };
    let token = token.map_err(|error| {
        let what = format!("no token can be read: {error}");
        Fault::new(FaultKind::Usage, what, "type it in a terminal, or pipe it in")
    })?;
    let Some(token) = token else { return Ok(None) };
    let text = token.expose_secret().trim();
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Fault::new(
            FaultKind::Usage,
            "that is no token: it is empty or holds blanks",
            "copy the whole token from HubSpot, under Development, Keys",
        ));
    }
    Ok(Some(Credentials::Token(SecretString::from(text))))
}

/// The first line of standard input.
fn first_line(input: StdinLock<'_>) -> io::Result<Option<SecretString>> {
    let mut line = String::new();
    input.take(LONGEST_TOKEN).read_line(&mut line)?;
    Ok(Some(SecretString::from(line)))
}

/// Whose token it is and what it may do, in words.
async fn check(wiring: &Wiring, client: &Client) -> Result<String, Fault> {
    let identity = client.identity().await.map_err(|failure| failure.fault())?;
    if let Some(wanted) = wiring.portal_id().filter(|wanted| *wanted != identity.portal_id) {
        return Err(Fault::new(
            FaultKind::Auth,
            format!(
                "the token belongs to portal {}, and the configuration wants {wanted}",
                identity.portal_id
            ),
            "use a token of that account, or change account.portal_id",
        ));
    }
    let account = client.account(Lane::Read).await;
    let about = account.map_or_else(
        |_| String::new(),
        |account| format!(" ({}, {}, {})", account.ui_domain, account.time_zone, account.currency),
    );
    Ok(format!(
        "portal   {}{about}\n{}",
        identity.portal_id,
        scopes::told(&identity.scopes)
    ))
}
