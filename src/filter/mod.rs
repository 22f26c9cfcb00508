//! The filter language of filter bar, saved views, segments and `--filter`, and fuzzy ranking for finders and pickers.
//!
//! Text becomes an [`Expr`] (what was written), an `Expr` in a [`Context`] becomes a [`Plan`] (what it means here and
//! now), and a plan is evaluated over a [`Row`] in memory or compiled to SQL by the store. Pure: the moment, the zone and
//! every label come in as arguments. It refuses to guess: an unknown field, a wrong kind of value or an operator that
//! does not fit is an error with its column, never an empty result.

mod dates;
mod error;
mod field;
pub mod fuzzy;
mod lex;
mod parse;
mod plan;
mod print;
mod resolve;
mod row;
mod segments;
mod tree;
mod value;

pub use error::FilterError;
pub use field::{Field, Kind, Property, PropertyKind, Schema, Segments};
pub use parse::parse;
pub use plan::{Context, Plan, Test, fold};
pub use row::{Cell, ContactRow, DealRow, Row, matches};
pub use tree::{Day, Expr, Length, Op, Unit, Value};

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
