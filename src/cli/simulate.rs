//! `dealdeck simulate`: the simulated portal as a server of its own.

use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    domain::{Fault, FaultKind},
    portal::{Portal, Settings},
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
    let hello = json!({
        "url": format!("http://{address}"), "token": portal.token(), "portal_id": portal.portal_id(), "seed": seed,
    });
    print(&format!("{hello}\n"))?;
    portal
        .serve(listener, super::signals::asked_to_end())
        .await
        .map_err(failed)?;
    Ok(0)
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
        fixture,
        now: args.now,
        ..default
    })
}
