//! `dealdeck setup --keys`: what makes a create safe to send again, offered and explained. It refuses to change the account
//! before somebody has agreed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::{
    cli::{
        exit::{Outcome, print, remark_line},
        session::{Parts, Session},
        stdin,
        wiring::{self, Wiring},
    },
    domain::{Fault, FaultKind, KeySupport},
    sync::Clock,
};

/// What the property is for, before somebody agrees to it.
const OFFER: &str = "\
HubSpot cannot tell whether a note that it answers nothing to was written. With a property whose values it keeps unique,
dealdeck gives every note, task and deal it creates a key: a second send of the same one cannot make a second record.
Without it such a note waits, is looked for, and dealdeck asks you before it sends it again.
This adds one text property, 'dealdeck_key', to these types; HubSpot allows ten unique ones a type. The token needs the
scope to change their properties, for this step only. Archive the property in HubSpot to take it away.
";

/// Gives the account the properties that are missing.
pub async fn set_up(wiring: &Wiring, yes: bool, clock: &Clock) -> Outcome {
    let credentials = wiring.credentials()?.ok_or_else(wiring::no_token)?;
    let (session, _engine) = Session::open(Parts::new(wiring, credentials, clock)?)?;
    session.handle.check().await?;
    let support = session.handle.key_support().await;
    if support.iter().all(|support| support.property.is_some()) {
        print(&told(&support))?;
        return Ok(0);
    }
    remark_line(OFFER.trim_end());
    if !yes && !agreed().await? {
        remark_line("nothing was changed");
        return Ok(0);
    }
    let support = session.handle.set_up_keys().await;
    print(&told(&support))?;
    match support.into_iter().find_map(|support| support.trouble) {
        Some(trouble) => Err(trouble),
        None => Ok(0),
    }
}

async fn agreed() -> Result<bool, Fault> {
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            FaultKind::Usage,
            "a property would be added to the account, and nobody can be asked here",
            "add --yes",
        ));
    }
    let _ = write!(io::stderr().lock(), "Add it? [y/N] ").and_then(|()| io::stderr().flush());
    let answer = stdin::read(|mut input| {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line)
    });
    let answer = answer.await.unwrap_or_default();
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// What is duplicate-safe, a line for every type, and what makes the rest so.
pub fn told(support: &[KeySupport]) -> String {
    let mut text = String::new();
    for support in support {
        let state = match (&support.property, &support.trouble) {
            (_, Some(trouble)) => format!("duplicate-safe: unknown, {trouble}"),
            (Some(property), None) => format!("duplicate-safe: yes, by '{property}'"),
            (None, None) => "duplicate-safe: no; `dealdeck setup --keys` explains and changes that".to_owned(),
        };
        text += &format!("{:<8} {state}\n", support.object.name());
    }
    text
}
