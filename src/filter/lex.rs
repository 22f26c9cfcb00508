//! The text as characters with columns, and the three things that are read from it: words, quoted text, operators.

use super::{FilterError, Op};

/// A place in the text.
#[derive(Clone)]
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
        }
    }

    /// The column of the next character, from 1.
    pub(super) const fn column(&self) -> usize {
        self.at + 1
    }

    /// The next character; `None` = the end.
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes the character if it is next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let hit = self.peek() == Some(wanted);
        self.at += usize::from(hit);
        hit
    }

    /// The operator that begins here, not taken.
    pub(super) fn op(&self) -> Option<Op> {
        Op::ALL.into_iter().find(|op| self.begins_with(op.sign()))
    }

    /// Takes the operator that begins here.
    pub(super) fn eat_op(&mut self) -> Option<Op> {
        let op = self.op()?;
        self.at += op.sign().len();
        Some(op)
    }

    fn begins_with(&self, sign: &str) -> bool {
        sign.chars()
            .enumerate()
            .all(|(nth, c)| self.chars.get(self.at + nth) == Some(&c))
    }

    /// Takes a word: up to a blank, a bracket, a comma, a quote or an operator. A `:` ends a word where a term may stand
    /// (`stage:x`), but not inside a value. Empty where no word begins.
    pub(super) fn word(&mut self, in_value: bool) -> String {
        let start = self.at;
        while let Some(c) = self.peek() {
            let ends = match self.op() {
                Some(Op::Begins) => !in_value || self.at == start,
                Some(_) => true,
                None => c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"'),
            };
            if ends {
                break;
            }
            self.at += 1;
        }
        self.chars.get(start..self.at).unwrap_or_default().iter().collect()
    }

    /// The word that begins here, not taken.
    pub(super) fn peek_word(&mut self) -> String {
        let start = self.at;
        let word = self.word(false);
        self.at = start;
        word
    }

    /// Takes text in double quotes, `\"` and `\\` inside; the cursor stands on the opening quote.
    pub(super) fn quoted(&mut self) -> Result<String, FilterError> {
        let start = self.column();
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' if text.trim().is_empty() => {
                    return Err(FilterError::new(start, "expected text between the quotes")
                        .suggest("a field that is not set is found with 'none'"));
                }
                '"' => return Ok(text),
                '\\' if matches!(self.peek(), Some('"' | '\\')) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                _ => text.push(c),
            }
        }
        Err(FilterError::new(self.column(), "expected a closing quote"))
    }
}
