//! Text being typed: one line, and the note editor's lines. Cursor positions are grapheme clusters, never bytes, so that
//! no character can be cut in half.

use unicode_segmentation::UnicodeSegmentation as _;

/// One line of input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What is typed.
    pub text: String,
    /// Clusters before the cursor; at most as many as there are.
    pub cursor: usize,
}

impl Line {
    /// A line with this text, the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cursor: clusters(text),
        }
    }

    fn byte(&self, cluster: usize) -> usize {
        self.text
            .grapheme_indices(true)
            .nth(cluster)
            .map_or(self.text.len(), |(at, _)| at)
    }

    /// Types text at the cursor.
    pub fn insert(&mut self, text: &str) {
        let at = self.byte(self.cursor);
        let before = clusters(&self.text);
        self.text.insert_str(at, text);
        self.cursor = (self.cursor + clusters(&self.text).saturating_sub(before)).min(clusters(&self.text));
    }

    /// Deletes the cluster before the cursor; false when there is none.
    pub fn backspace(&mut self) -> bool {
        if self.cursor == 0 {
            return false;
        }
        let (from, to) = (self.byte(self.cursor - 1), self.byte(self.cursor));
        self.text.replace_range(from..to, "");
        self.cursor = (self.cursor - 1).min(clusters(&self.text));
        true
    }

    /// Deletes the cluster under the cursor; false when there is none.
    pub fn delete(&mut self) -> bool {
        let (from, to) = (self.byte(self.cursor), self.byte(self.cursor + 1));
        self.text.replace_range(from..to, "");
        from != to
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        let at = self.byte(self.cursor);
        let kept = self.text[..at].trim_end();
        let start = kept.rfind(char::is_whitespace).map_or(0, |space| {
            space + kept[space..].chars().next().map_or(0, char::len_utf8)
        });
        self.text.replace_range(start..at, "");
        self.cursor = clusters(&self.text[..start]);
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Moves the cursor by clusters, within the line.
    pub fn shift(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(clusters(&self.text));
    }

    /// Moves the cursor to the end.
    pub fn end(&mut self) {
        self.cursor = clusters(&self.text);
    }
}

/// Several lines of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    /// At least one line, none with a line break in it.
    lines: Vec<String>,
    /// Row of the cursor, an existing line.
    row: usize,
    /// Clusters before the cursor in its line; at most as many as there are.
    column: usize,
}

impl Default for Editor {
    fn default() -> Self {
        Self::new("")
    }
}

impl Editor {
    /// An editor with this text, the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lines: Vec<String> = text
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .split('\n')
            .map(str::to_owned)
            .collect();
        let row = lines.len().saturating_sub(1);
        let column = lines.last().map_or(0, |line| clusters(line));
        Self { lines, row, column }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Row and cluster column of the cursor.
    #[must_use]
    pub const fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// Nothing but blanks.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.lines.iter().all(|line| line.trim().is_empty())
    }

    /// Words in the text.
    #[must_use]
    pub fn words(&self) -> usize {
        self.lines.iter().map(|line| line.split_whitespace().count()).sum()
    }

    /// Runs an edit on the cursor's line.
    fn on_line<T>(&mut self, edit: impl FnOnce(&mut Line) -> T) -> Option<T> {
        let text = self.lines.get_mut(self.row)?;
        let mut line = Line {
            text: std::mem::take(text),
            cursor: self.column,
        };
        let result = edit(&mut line);
        (*text, self.column) = (line.text, line.cursor);
        Some(result)
    }

    /// Types text at the cursor; line breaks split the line.
    pub fn insert(&mut self, text: &str) {
        for (nth, part) in text.replace("\r\n", "\n").replace('\r', "\n").split('\n').enumerate() {
            if nth > 0 {
                self.newline();
            }
            self.on_line(|line| line.insert(part));
        }
    }

    /// Splits the line at the cursor.
    pub fn newline(&mut self) {
        let column = self.column;
        let rest = self.on_line(|line| {
            let at = line.byte(column);
            line.text.split_off(at)
        });
        self.lines.insert(self.row + 1, rest.unwrap_or_default());
        self.row += 1;
        self.column = 0;
    }

    /// Deletes backwards, joining lines at a line's beginning.
    pub fn backspace(&mut self) {
        if self.on_line(Line::backspace) == Some(false) && self.row > 0 {
            let line = self.lines.remove(self.row);
            self.row -= 1;
            self.column = self.lines.get(self.row).map_or(0, |above| clusters(above));
            if let Some(above) = self.lines.get_mut(self.row) {
                above.push_str(&line);
            }
        }
    }

    /// Deletes forwards, joining lines at a line's end.
    pub fn delete(&mut self) {
        if self.on_line(Line::delete) == Some(false) && self.row + 1 < self.lines.len() {
            let below = self.lines.remove(self.row + 1);
            if let Some(line) = self.lines.get_mut(self.row) {
                line.push_str(&below);
            }
        }
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        if self.column == 0 {
            self.backspace();
        } else {
            self.on_line(Line::delete_word);
        }
    }

    /// Moves the cursor sideways, over line ends too.
    pub fn shift(&mut self, forward: bool) {
        let width = self.lines.get(self.row).map_or(0, |line| clusters(line));
        match (forward, self.column) {
            (true, column) if column < width => self.column += 1,
            (true, _) if self.row + 1 < self.lines.len() => (self.row, self.column) = (self.row + 1, 0),
            (false, 1..) => self.column -= 1,
            (false, 0) if self.row > 0 => {
                self.row -= 1;
                self.column = self.lines.get(self.row).map_or(0, |line| clusters(line));
            }
            _ => {}
        }
    }

    /// Moves the cursor up or down, keeping the column where the line is long enough.
    pub fn climb(&mut self, by: isize) {
        self.row = self
            .row
            .saturating_add_signed(by)
            .min(self.lines.len().saturating_sub(1));
        self.column = self
            .column
            .min(self.lines.get(self.row).map_or(0, |line| clusters(line)));
    }

    /// Moves the cursor to the beginning of its line.
    pub const fn home(&mut self) {
        self.column = 0;
    }

    /// Moves the cursor to the end of its line.
    pub fn end(&mut self) {
        self.column = self.lines.get(self.row).map_or(0, |line| clusters(line));
    }
}

fn clusters(text: &str) -> usize {
    text.graphemes(true).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_and_deleting_never_cut_a_character() {
        let mut line = Line::new("月光");
        line.shift(-1);
        line.insert("e\u{301}");
        assert_eq!((line.text.as_str(), line.cursor), ("月e\u{301}光", 2));
        assert!(line.backspace() && line.backspace() && !line.backspace());
        assert_eq!((line.text.as_str(), line.cursor), ("光", 0));
    }

    #[test]
    fn a_word_goes_with_its_blanks() {
        let mut line = Line::new("send revised quote  ");
        line.delete_word();
        assert_eq!(line.text, "send revised ");
        line.delete_word();
        line.delete_word();
        line.delete_word();
        assert_eq!((line.text.as_str(), line.cursor), ("", 0));
    }

    #[test]
    fn lines_split_and_join() {
        let mut editor = Editor::new("one two");
        editor.home();
        (0..3).for_each(|_| editor.shift(true));
        editor.newline();
        assert_eq!((editor.text().as_str(), editor.cursor()), ("one\n two", (1, 0)));
        editor.backspace();
        assert_eq!((editor.text().as_str(), editor.cursor()), ("one two", (0, 3)));
        editor.insert("\r\nX\nY");
        assert_eq!(editor.text(), "one\nX\nY two");
        editor.climb(-9);
        editor.end();
        editor.delete();
        assert_eq!(editor.text(), "oneX\nY two");
        assert_eq!(editor.words(), 3);
    }
}
