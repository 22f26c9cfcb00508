//! `dealdeck setup`: takes a token, or access granted to an OAuth app in the browser; makes sure, as the engine does at
//! every start, that HubSpot accepts it and that it is of the account that the configuration and the data directory are
//! of; says what it may do, and keeps it privately. It refuses to keep, or to forget, anything before that.

mod consent;
mod doorway;
mod keys;
mod scopes;

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, StdinLock};

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    domain::{Account, Fault, FaultKind, Identity},
    hubspot::Credentials,
    sync::Clock,
    term,
};

use super::{
    args::SetupArgs,
    exit::{Outcome, print, remark_line},
    session::{Parts, Session},
    signals, stdin,
    wiring::Wiring,
};

/// A token is a line of text; more than this is something else.
const LONGEST_TOKEN: u64 = 4_096;

/// Runs the set-up.
pub async fn run(wiring: &Wiring, args: SetupArgs, clock: &Clock) -> Outcome {
    if args.keys {
        return keys::set_up(wiring, args.yes, clock).await;
    }
    let credentials = tokio::select! {
        given = credentials(wiring, args, clock) => given?,
        code = signals::ended_by() => return Ok(code),
    };
    let Some(credentials) = credentials else {
        remark_line("nothing was changed");
        return Ok(130);
    };
    let (parts, trial) = Parts::on_trial(wiring, credentials, clock)?;
    // The engine does not run; it only knows how to check a token.
    let (session, _engine) = Session::open(parts)?;
    for notice in session.handle.notices() {
        remark_line(notice);
    }
    let (account, identity) = session.handle.check().await?;
    let place = trial.accept()?;
    print(&format!(
        "{}{}kept     in {place}\n",
        told(&account, identity.as_ref()),
        keys::told(&session.handle.key_support().await)
    ))?;
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
fn told(account: &Account, identity: Option<&Identity>) -> String {
    let Account {
        portal_id,
        ui_domain,
        time_zone,
        currency,
    } = account;
    let scopes = identity.map_or(&[][..], |identity| &identity.scopes);
    format!(
        "portal   {portal_id} ({ui_domain}, {time_zone}, {currency})\n{}",
        scopes::told(scopes)
    )
}
