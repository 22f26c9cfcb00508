//! `dealdeck simulate`: the simulated portal as a server of its own.

use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    domain::{Fault, FaultKind},
    portal::{Grant, Portal, Settings},
};

use super::{
    args::SimulateArgs,
    exit::{Outcome, print},
};

/// Runs until SIGINT or SIGTERM; both are the way to end it, so both end with 0.
pub async fn run(args: SimulateArgs) -> Outcome {
    let listen = args.listen;
    let seed = args.seed;
    let portal = Portal::new(settings(args)?)
        .map_err(|error| Fault::new(FaultKind::Usage, error.to_string(), "mend the fixture and start again"))?;
    let failed = |error: std::io::Error| {
        Fault::new(
            FaultKind::Usage,
            format!("cannot listen on {listen}: {error}"),
            "choose another --listen address",
        )
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut hello = json!({
        "url": format!("http://{address}"), "token": portal.token(), "portal_id": portal.portal_id(), "seed": seed,
    });
    if let Some((id, secret)) = portal.oauth_client() {
        hello["client_id"] = json!(id);
        hello["client_secret"] = json!(secret);
    }
    print(&format!("{hello}\n"))?;
    portal
        .serve(listener, super::signals::asked_to_end())
        .await
        .map_err(failed)?;
    Ok(0)
}

/// The tokens with their scopes. Scopes without a token belong to the made-up one, which then gets its usual value.
fn grants(args: &SimulateArgs) -> Vec<Grant> {
    let made_up = [Portal::made_up_token(args.seed)];
    let tokens = match (args.token.is_empty(), args.scopes.is_empty()) {
        (true, true) => &[][..],
        (true, false) => &made_up[..],
        (false, _) => &args.token[..],
    };
    let scopes = |n: usize| {
        let text = args.scopes.get(n).map_or("", String::as_str);
        let names = text.split([',', ' ']).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    let grant = |(n, token): (usize, &String)| Grant {
        token: token.clone(),
        scopes: scopes(n),
    };
    tokens.iter().enumerate().map(grant).collect()
}

fn settings(args: SimulateArgs) -> Result<Settings, Fault> {
    let fixture = match &args.fixture {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            Fault::new(
                FaultKind::Usage,
                format!("the fixture '{}' cannot be read: {error}", path.display()),
                "give the path of an NDJSON file",
            )
        })?),
    };
    if args.scopes.len() > args.token.len().max(1) {
        return Err(Fault::new(
            FaultKind::Usage,
            "there are more --scopes than tokens",
            "give each --scopes a --token of its own",
        ));
    }
    let tokens = grants(&args);
    let default = Settings::default();
    Ok(Settings {
        seed: args.seed,
        contacts: args.contacts.unwrap_or(default.contacts),
        companies: args.companies.unwrap_or(default.companies),
        deals: args.deals.unwrap_or(default.deals),
        owners: args.owners.unwrap_or(default.owners),
        latency: args.latency,
        limit: args.limit,
        search_limit: args.search_limit,
        daily: args.daily,
        index_lag: args.index_lag,
        live_per_minute: args.live,
        faults: args.faults,
        strict_rules: args.strict_rules,
        cursor: args.cursor,
        switches: args.switch,
        tokens,
        oauth: args.oauth,
        token_ttl: args.token_ttl,
        others: args.others,
        others_search: args.others_search,
        hublet: args.hublet,
        gzip: args.gzip,
        fixture,
        now: args.now,
        ..default
    })
}
