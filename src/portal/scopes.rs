//! Which scopes a request needs. One of those listed is enough; none listed means that any token will do.

use axum::http::Method;

use super::errors::Problem;
use super::keys::Caller;
use super::kinds::ObjectType::{self, Companies, Contacts, Deals, Tasks, Tickets};
use super::version::family;

/// The two bodies HubSpot has for missing scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Under `errors[]`, as record-like APIs say it.
    Records,
    /// Under `context`, as schema-like APIs say it.
    Schemas,
}

/// The refusal of a caller who lacks every scope that would do.
pub(super) fn refusal(caller: &Caller, method: &Method, parts: &[&str]) -> Option<Problem> {
    let (needed, shape) = needed(method, parts)?;
    if needed.is_empty() || needed.iter().any(|scope| caller.may(scope)) {
        return None;
    }
    Some(match shape {
        Shape::Records => Problem::missing_scopes(&needed),
        Shape::Schemas => Problem::missing_schema_scopes(&needed),
    })
}

fn needed(method: &Method, parts: &[&str]) -> Option<(Vec<&'static str>, Shape)> {
    if let ["integrators", "timeline", ..] = parts {
        return Some((vec!["timeline"], Shape::Records));
    }
    let (family, _, rest) = family(parts)?;
    let reads = method == Method::GET || rest.iter().any(|part| matches!(*part, "read" | "search" | "all"));
    let object = |kind: &&str| ObjectType::parse(kind);
    Some(match (family, rest) {
        ("objects" | "associations", [kind, ..]) => (of_records(object(kind)?, reads), Shape::Records),
        ("pipelines", [kind, ..]) => {
            let object = object(kind)?;
            let mut scopes = of_records(object, reads);
            scopes.extend(of_schema(object, reads));
            (scopes, Shape::Schemas)
        }
        ("properties", [kind, ..]) => {
            let object = object(kind)?;
            let mut scopes = of_schema(object, reads);
            if reads {
                scopes.extend(of_records(object, true));
            }
            (scopes, Shape::Schemas)
        }
        ("owners", _) => (vec!["crm.objects.owners.read"], Shape::Records),
        ("lists", _) if reads => (vec!["crm.lists.read"], Shape::Records),
        ("lists", _) => (vec!["crm.lists.write"], Shape::Records),
        ("limits" | "schemas", _) => {
            let all = [Contacts, Companies, Deals, Tickets];
            (
                all.into_iter().flat_map(|object| of_records(object, true)).collect(),
                Shape::Schemas,
            )
        }
        _ => (Vec::new(), Shape::Records),
    })
}

/// Activities go with contacts.
fn of_records(object: ObjectType, reads: bool) -> Vec<&'static str> {
    match (object, reads) {
        (Deals, true) => vec!["crm.objects.deals.read"],
        (Deals, false) => vec!["crm.objects.deals.write"],
        (Companies, true) => vec!["crm.objects.companies.read"],
        (Companies, false) => vec!["crm.objects.companies.write"],
        (Tickets, true) => vec!["tickets", "crm.objects.tickets.read"],
        (Tickets, false) => vec!["tickets", "crm.objects.tickets.write"],
        (Tasks, true) => vec!["crm.objects.contacts.read", "crm.objects.tasks.read"],
        (_, true) => vec!["crm.objects.contacts.read"],
        (_, false) => vec!["crm.objects.contacts.write"],
    }
}

fn of_schema(object: ObjectType, reads: bool) -> Vec<&'static str> {
    match (object, reads) {
        (Deals, true) => vec!["crm.schemas.deals.read"],
        (Deals, false) => vec!["crm.schemas.deals.write"],
        (Companies, true) => vec!["crm.schemas.companies.read"],
        (Companies, false) => vec!["crm.schemas.companies.write"],
        (Tickets, _) => vec!["tickets"],
        (object, true) if object.is_activity() => vec!["crm.schemas.notes.read", "crm.schemas.contacts.read"],
        (object, false) if object.is_activity() => vec!["crm.schemas.notes.write", "crm.schemas.contacts.write"],
        (_, true) => vec!["crm.schemas.contacts.read"],
        (_, false) => vec!["crm.schemas.contacts.write"],
    }
}
