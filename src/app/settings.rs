//! What the configuration decides about the dashboard.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// Settings of the dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The quota of the period, in company currency; `None` = no goal line.
    pub quota: Option<Decimal>,
    /// The months the quota is for: 1, 3 or 12.
    pub goal_months: i8,
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: i8,
    /// The pipeline to open with; `None` = the first.
    pub pipeline: Option<String>,
    /// A simulated portal is behind it: every screen says so.
    pub demo: bool,
    /// Nothing may be written.
    pub read_only: bool,
    /// A change from HubSpot is marked, but without its coloured plane.
    pub reduced_motion: bool,
    /// The user's own bindings: action id → keys.
    pub keys: BTreeMap<String, Vec<super::Key>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quota: None,
            goal_months: 3,
            fiscal_year_start: 1,
            pipeline: None,
            demo: false,
            read_only: false,
            reduced_motion: false,
            keys: BTreeMap::new(),
        }
    }
}
