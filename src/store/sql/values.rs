//! Conditions on one column of contacts that has far fewer values than there are contacts: they are tried once per value,
//! along the column's index, and the contacts with the values that pass are found there as well. A function call for each
//! of a million contacts would take most of a second.

use super::{Predicate, Result};
use crate::{
    domain::ObjectType,
    filter::{Field, Plan, Test},
};

/// What stands for the field's value in the condition on values.
const VALUE: &str = "v.x";

/// A column with an index (those of a mirror that is still being loaded come at its end), and its values, each once.
pub(super) struct Column {
    name: &'static str,
    values: &'static str,
    /// Its values are so few that one of them may be that of most contacts.
    is_coarse: bool,
}

const LIFECYCLE: Column = Column {
    name: "c.lifecycle",
    values: "WITH RECURSIVE v(x) AS (SELECT min(lifecycle) FROM contact UNION ALL \
             SELECT (SELECT min(lifecycle) FROM contact WHERE lifecycle > v.x) FROM v WHERE v.x IS NOT NULL) \
             SELECT v.x FROM v WHERE v.x IS NOT NULL AND ",
    is_coarse: true,
};
const OWNER: Column = Column {
    name: "c.owner",
    values: "WITH RECURSIVE v(x) AS (SELECT min(owner) FROM contact UNION ALL \
             SELECT (SELECT min(owner) FROM contact WHERE owner > v.x) FROM v WHERE v.x IS NOT NULL) \
             SELECT v.x FROM v WHERE v.x IS NOT NULL AND ",
    is_coarse: true,
};
/// Companies are many: one pass along the index takes less time than a look for each. Its index takes texts that differ in
/// the case of ASCII letters for the same, and so do the tests that ignore case.
const COMPANY: Column = Column {
    name: "c.company COLLATE NOCASE",
    values: "WITH v(x) AS (SELECT company FROM contact WHERE company IS NOT NULL GROUP BY company COLLATE NOCASE) \
             SELECT v.x FROM v WHERE ",
    is_coarse: false,
};

/// The column that a plan is about, if it is about one only and asks what only a function can tell.
pub(super) fn column(plan: &Plan) -> Option<Column> {
    let mut tests = Vec::new();
    collect(plan, &mut tests);
    let (first, _) = *tests.first()?;
    let calls = |test: &Test| matches!(test, Test::Equals(_) | Test::Begins(_) | Test::Contains(_));
    if !tests.iter().all(|(field, _)| *field == first) || !tests.iter().any(|(_, test)| calls(test)) {
        return None;
    }
    match first {
        Field::Lifecycle => Some(LIFECYCLE),
        Field::Owner => Some(OWNER),
        Field::Company => tests
            .iter()
            .all(|(_, test)| calls(test) || matches!(test, Test::Set))
            .then_some(COMPANY),
        _ => None,
    }
}

fn collect<'a>(plan: &'a Plan, into: &mut Vec<(&'a Field, &'a Test)>) {
    match plan {
        Plan::All(parts) | Plan::Any(parts) => parts.iter().for_each(|part| collect(part, into)),
        Plan::Not(inner) => collect(inner, into),
        Plan::Test(field, test) => into.push((field, test)),
    }
}

/// Whether the plan holds where the field is unset: no test does there.
fn holds_unset(plan: &Plan) -> bool {
    match plan {
        Plan::All(parts) => parts.iter().all(holds_unset),
        Plan::Any(parts) => parts.iter().any(holds_unset),
        Plan::Not(inner) => !holds_unset(inner),
        Plan::Test(..) => false,
    }
}

impl Predicate {
    /// The contacts whose value in this column passes.
    pub(super) fn by_value(&mut self, column: &Column, plan: &Plan) -> Result<()> {
        let from = (self.sql.len(), self.params.len());
        let own = if self.walks && column.is_coarse { "+" } else { "" };
        self.sql
            .push_str(&format!("({own}{} IN ({}", column.name, column.values));
        self.over = Some(VALUE);
        let outcome = self.plan(ObjectType::Contacts, plan);
        self.over = None;
        outcome?;
        self.sql.push(')');
        if holds_unset(plan) {
            self.sql.push_str(&format!(" OR {own}{} IS NULL", column.name));
        }
        self.sql.push(')');
        if column.is_coarse {
            self.picks(column.name, from);
        }
        Ok(())
    }
}
