//! Text to tree, by recursive descent along the grammar:
//!
//! ```text
//! expr       := and { "or" and }
//! and        := not { ["and"] not }
//! not        := ["not" | "-"] not | term
//! term       := "(" expr ")" | comparison | word | "quoted text"
//! comparison := field op value
//! value      := word | "quoted" | number | date | duration | a..b | (a, b, c) | none
//! ```

use super::{
    Expr, Field, FilterError, Kind, Op, Property, PropertyKind, Schema, Segments, Value, lex::Cursor, segments, value,
};

/// How deep brackets and `not` may nest: far beyond use, far below the end of the stack.
const MAX_DEPTH: usize = 64;

/// Reads a filter text; a blank one is the filter that lets everything through.
///
/// # Errors
/// [`FilterError`] with the column, what was expected and, where there is one, a suggestion.
pub fn parse(text: &str, schema: Schema<'_>) -> Result<Expr, FilterError> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        schema,
        depth: 0,
    };
    parser.cursor.skip_blanks();
    if parser.cursor.peek().is_none() {
        return Ok(Expr::And(Vec::new()));
    }
    let expr = parser.or()?;
    match parser.cursor.peek() {
        None => Ok(expr),
        Some(c) => Err(FilterError::new(
            parser.cursor.column(),
            format!("expected a field or a word, not '{c}'"),
        )),
    }
}

struct Parser<'a> {
    cursor: Cursor,
    schema: Schema<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.and()?];
        while self.keyword("or") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.not()?];
        loop {
            if !self.keyword("and") {
                self.cursor.skip_blanks();
                let over = matches!(self.cursor.peek(), None | Some(')' | ','));
                if over || self.cursor.peek_word().eq_ignore_ascii_case("or") {
                    return Ok(one_or(parts, Expr::And));
                }
            }
            parts.push(self.not()?);
        }
    }

    fn not(&mut self) -> Result<Expr, FilterError> {
        self.cursor.skip_blanks();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError::new(
                self.cursor.column(),
                format!("brackets and 'not' nest more than {MAX_DEPTH} deep here"),
            ));
        }
        let expr = if self.cursor.eat('-') || self.keyword("not") {
            Expr::Not(Box::new(self.not()?))
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// Takes the keyword if it is next; it is one only as a whole word.
    fn keyword(&mut self, keyword: &str) -> bool {
        self.cursor.skip_blanks();
        let hit = self.cursor.peek_word().eq_ignore_ascii_case(keyword);
        if hit {
            self.cursor.word(false);
        }
        hit
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        let column = self.cursor.column();
        match self.cursor.peek() {
            None => return Err(FilterError::new(column, "expected a field or a word")),
            Some('(') => return self.group(),
            Some('"') => {
                let text = self.cursor.quoted()?;
                return Ok(self.word(text));
            }
            Some(_) => {}
        }
        if let Some(op) = self.cursor.op() {
            return Err(FilterError::new(
                column,
                format!("expected a field before '{}'", op.sign()),
            ));
        }
        let word = self.cursor.word(false);
        if word.is_empty() || is_keyword(&word) {
            let found = match self.cursor.peek() {
                Some(c) if word.is_empty() => c.to_string(),
                _ => word,
            };
            return Err(FilterError::new(
                column,
                format!("expected a field or a word, not '{found}'"),
            ));
        }
        self.cursor.skip_blanks();
        if self.cursor.op().is_some() {
            self.comparison(column, &word)
        } else {
            Ok(self.word(word))
        }
    }

    fn group(&mut self) -> Result<Expr, FilterError> {
        self.cursor.eat('(');
        let expr = self.or()?;
        self.cursor.skip_blanks();
        if self.cursor.eat(')') {
            Ok(expr)
        } else {
            Err(FilterError::new(self.cursor.column(), "expected ')'"))
        }
    }

    const fn word(&self, text: String) -> Expr {
        Expr::Word {
            text,
            fields: self.schema.word_fields(),
        }
    }

    fn comparison(&mut self, begin: usize, name: &str) -> Result<Expr, FilterError> {
        let Some(field) = self.schema.field(name) else {
            let is_open = matches!(self.schema, Schema::Unread) && is_property_name(name);
            return if is_open {
                self.of_any_kind(name)
            } else {
                Err(self.unknown(begin, name))
            };
        };
        self.compared(begin, field)
    }

    /// The comparison of a property nobody knows yet: right when it would be right for some kind of property, else with
    /// the mistake of the kind that takes most of it.
    fn of_any_kind(&mut self, name: &str) -> Result<Expr, FilterError> {
        let begin = self.cursor.clone();
        let mut worst: Option<FilterError> = None;
        for kind in PropertyKind::ALL {
            self.cursor = begin.clone();
            let name = name.to_owned();
            match self.compared(begin.column(), Field::Property(Property { name, kind })) {
                Ok(expr) => return Ok(expr),
                Err(error) if worst.as_ref().is_some_and(|worst| worst.column >= error.column) => {}
                Err(error) => worst = Some(error),
            }
        }
        Err(worst.unwrap_or_else(|| FilterError::new(begin.column(), "expected a comparison")))
    }

    /// The operator and the value that follow a field.
    fn compared(&mut self, begin: usize, field: Field) -> Result<Expr, FilterError> {
        let column = self.cursor.column();
        let Some(op) = self.cursor.eat_op() else {
            return Err(FilterError::new(column, "expected an operator"));
        };
        suits(&field, op).map_err(|message| FilterError::new(column, message))?;
        if field == Field::Segment && matches!(self.schema.segments(), Segments::Barred) {
            let message = "a segment may not refer to segments";
            return Err(FilterError::new(begin, message).suggest("write what that segment's filter asks"));
        }
        let value = self.value(&field, op)?;
        Ok(Expr::Compare { field, op, value })
    }

    fn unknown(&self, column: usize, name: &str) -> FilterError {
        let nearest: Vec<String> = self
            .schema
            .nearest(name)
            .into_iter()
            .map(|near| format!("'{near}'"))
            .collect();
        let error = FilterError::new(column, format!("no field or property is called '{name}'"));
        match nearest.split_last() {
            Some((last, [])) => error.suggest(format!("the nearest one is {last}")),
            Some((last, rest)) => error.suggest(format!("the nearest ones are {} and {last}", rest.join(", "))),
            None => error,
        }
    }

    fn value(&mut self, field: &Field, op: Op) -> Result<Value, FilterError> {
        self.cursor.skip_blanks();
        let column = self.cursor.column();
        if !self.cursor.eat('(') {
            return self.single(field, op);
        }
        if op.is_order() {
            return Err(FilterError::new(
                column,
                format!("expected one value after '{}'", op.sign()),
            ));
        }
        let mut values = Vec::new();
        loop {
            values.push(self.single(field, op)?);
            self.cursor.skip_blanks();
            if self.cursor.eat(')') {
                return Ok(Value::AnyOf(values));
            }
            if !self.cursor.eat(',') {
                return Err(FilterError::new(self.cursor.column(), "expected ',' or ')'"));
            }
        }
    }

    fn single(&mut self, field: &Field, op: Op) -> Result<Value, FilterError> {
        self.cursor.skip_blanks();
        let column = self.cursor.column();
        let fail = |message: String| FilterError::new(column, message);
        if self.cursor.peek() == Some('"') {
            let text = self.cursor.quoted()?;
            self.known_segment(field, op, column, &text)?;
            return value::of_field(field, &text).map_err(|wanted| fail(format!("{wanted}, not '{text}'")));
        }
        let word = self.cursor.word(true);
        if word.is_empty() {
            return Err(fail(format!("expected a value after '{}'", op.sign())));
        }
        if word.eq_ignore_ascii_case("none") {
            return if matches!(op, Op::Begins | Op::Equal | Op::NotEqual) {
                Ok(Value::None)
            } else {
                Err(fail(format!("'none' cannot follow '{}'", op.sign())).suggest("write ':none' for not set"))
            };
        }
        if *field == Field::Owner && word.eq_ignore_ascii_case("me") {
            return Ok(Value::Me);
        }
        self.known_segment(field, op, column, &word)?;
        match word.split_once("..") {
            Some((from, to)) if !matches!(field.kind(), Kind::Text | Kind::Choice | Kind::Flag) => {
                range(field, op, from, to).map_err(fail)
            }
            _ => value::of_field(field, &word).map_err(|wanted| fail(format!("{wanted}, not '{word}'"))),
        }
    }
}

impl Parser<'_> {
    /// Segments are known without an account, so a slip is an error and not an empty result.
    fn known_segment(&self, field: &Field, op: Op, column: usize, text: &str) -> Result<(), FilterError> {
        if *field != Field::Segment {
            return Ok(());
        }
        segments::check(self.schema.segments(), op, text).map_err(|(message, next)| {
            let error = FilterError::new(column, message);
            match next {
                Some(next) => error.suggest(next),
                None => error,
            }
        })
    }
}

fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// Internal names are lower-case letters, digits and `_`.
fn is_property_name(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.chars().all(plain)
}

/// Words with a meaning of their own where a term may stand.
pub(super) fn is_keyword(word: &str) -> bool {
    ["and", "or", "not"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Whether the operator goes with what the field holds; if not, which do.
fn suits(field: &Field, op: Op) -> Result<(), String> {
    let (what, ops) = match field.kind() {
        Kind::Text | Kind::Choice if op.is_order() => ("text", "':', '=', '!=', '~' or '!~'"),
        Kind::Flag if !matches!(op, Op::Begins | Op::Equal | Op::NotEqual) => ("yes or no", "':', '=' or '!='"),
        Kind::Number | Kind::Days if matches!(op, Op::Contains | Op::ContainsNot) => {
            ("a number", "':', '=', '!=', '<', '<=', '>' or '>='")
        }
        Kind::Instant | Kind::Day if matches!(op, Op::Contains | Op::ContainsNot) => {
            ("a date", "':', '=', '!=', '<', '<=', '>' or '>='")
        }
        _ => return Ok(()),
    };
    Err(format!(
        "'{}' is {what}: expected {ops}, not '{}'",
        field.name(),
        op.sign()
    ))
}

/// `a..b`, both ends in and of the same sort.
fn range(field: &Field, op: Op, from: &str, to: &str) -> Result<Value, String> {
    if op.is_order() {
        return Err(format!("expected one value after '{}', not a range", op.sign()));
    }
    let end = |text: &str| value::of_field(field, text).map_err(|wanted| format!("{wanted}, not '{text}'"));
    let (a, b) = (end(from)?, end(to)?);
    match (&a, &b) {
        (Value::Number(low), Value::Number(high)) if low > high => {
            Err(format!("expected the smaller number first, not '{from}..{to}'"))
        }
        (Value::Number(_), Value::Number(_)) | (Value::Day(_), Value::Day(_)) | (Value::Age(_), Value::Age(_)) => {
            Ok(Value::Range(Box::new(a), Box::new(b)))
        }
        _ => Err(format!("expected both ends of one sort, not '{from}..{to}'")),
    }
}
