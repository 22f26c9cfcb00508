//! The simulated portal on the wire: what it answers, what it refuses, what it tells a witness.

#[cfg(test)]
#[path = "portal_wire/harness.rs"]
mod harness;

#[cfg(test)]
#[path = "portal_wire/associations.rs"]
mod associations;
#[cfg(test)]
#[path = "portal_wire/budgets.rs"]
mod budgets;
#[cfg(test)]
#[path = "portal_wire/colleagues.rs"]
mod colleagues;
#[cfg(test)]
#[path = "portal_wire/definitions.rs"]
mod definitions;
#[cfg(test)]
#[path = "portal_wire/exact.rs"]
mod exact;
#[cfg(test)]
#[path = "portal_wire/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "portal_wire/fixtures.rs"]
mod fixtures;
#[cfg(test)]
#[path = "portal_wire/identity.rs"]
mod identity;
#[cfg(test)]
#[path = "portal_wire/lists.rs"]
mod lists;
#[cfg(test)]
#[path = "portal_wire/live.rs"]
mod live;
#[cfg(test)]
#[path = "portal_wire/membership.rs"]
mod membership;
#[cfg(test)]
#[path = "portal_wire/oauth.rs"]
mod oauth;
#[cfg(test)]
#[path = "portal_wire/records.rs"]
mod records;
#[cfg(test)]
#[path = "portal_wire/search.rs"]
mod search;
#[cfg(test)]
#[path = "portal_wire/sockets.rs"]
mod sockets;
#[cfg(test)]
#[path = "portal_wire/switches.rs"]
mod switches;
#[cfg(test)]
#[path = "portal_wire/timeline.rs"]
mod timeline;
#[cfg(test)]
#[path = "portal_wire/writes.rs"]
mod writes;
