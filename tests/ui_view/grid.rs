//! A drawn screen as text: its rows, then the style of every cell as runs under a legend of token names.

use std::collections::BTreeMap;

use dealdeck::{
    app::Model,
    ui::{Look, Palette, Token, view},
};
use ratatui::{
    Terminal,
    backend::{Backend as _, CrosstermBackend, TestBackend},
    buffer::{Buffer, Cell, CellWidth as _},
    style::{Color, Modifier},
};

/// Draws a model at its own size.
pub fn draw(model: &Model, look: &Look) -> Buffer {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(model, look, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The rows as a reader sees them: the second half of a wide character is not a character.
pub fn rows(buffer: &Buffer) -> Vec<String> {
    let width = buffer.area.width;
    (0..buffer.area.height)
        .map(|y| {
            let mut row = String::new();
            let mut x = 0;
            while x < width {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += symbol.cell_width().max(1);
            }
            row
        })
        .collect()
}

/// Rows, then per row the style runs by letter, then the legend.
pub fn snapshot(buffer: &Buffer, look: &Look) -> String {
    let mut legend: BTreeMap<String, char> = BTreeMap::new();
    let mut out = String::new();
    for row in rows(buffer) {
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out.push_str("--- styles\n");
    let mut order = Vec::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(usize, char)> = Vec::new();
        for x in 0..buffer.area.width {
            let name = style(&buffer[(x, y)], &look.palette);
            let next = char::from_u32('a' as u32 + legend.len() as u32).unwrap();
            let next = if legend.len() < 26 {
                next
            } else {
                char::from_u32('A' as u32 + legend.len() as u32 - 26).unwrap()
            };
            let letter = *legend.entry(name.clone()).or_insert_with(|| {
                order.push((next, name));
                next
            });
            match runs.last_mut() {
                Some((count, last)) if *last == letter => *count += 1,
                _ => runs.push((1, letter)),
            }
        }
        let runs: Vec<String> = runs.iter().map(|(count, letter)| format!("{count}{letter}")).collect();
        out.push_str(&format!("{y:>2} {}\n", runs.join(" ")));
    }
    for (letter, name) in order {
        out.push_str(&format!("{letter} = {name}\n"));
    }
    out
}

fn style(cell: &Cell, palette: &Palette) -> String {
    let mut name = format!(
        "{} on {}",
        colour(cell.fg, palette, false),
        colour(cell.bg, palette, true)
    );
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "faint"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reverse"),
    ] {
        if cell.modifier.contains(modifier) {
            name.push_str(&format!(" {word}"));
        }
    }
    name
}

fn colour(colour: Color, palette: &Palette, plane: bool) -> String {
    let planes = Token::PLANES.into_iter();
    let texts = Token::TEXTS
        .into_iter()
        .chain([Token::Line, Token::Track, Token::OnAccent]);
    let tokens: Vec<Token> = if plane {
        planes.chain(texts).collect()
    } else {
        texts.chain(planes).collect()
    };
    let rgb = |token: &Token| {
        let (r, g, b) = palette.rgb(*token);
        Color::Rgb(r, g, b)
    };
    match colour {
        Color::Reset => "default".to_owned(),
        Color::Rgb(r, g, b) => tokens.iter().find(|token| rgb(token) == colour).map_or_else(
            || format!("#{r:02x}{g:02x}{b:02x}"),
            |token| format!("{token:?}").to_lowercase(),
        ),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The bytes a terminal would get for this screen.
pub fn bytes(buffer: &Buffer) -> Vec<u8> {
    let mut out = Vec::new();
    let empty = Buffer::empty(buffer.area);
    let mut backend = CrosstermBackend::new(&mut out);
    let cells = empty.diff(buffer);
    backend.draw(cells.into_iter()).unwrap();
    out
}

/// With `DEALDECK_SHOW=directory` every snapshot is also written there as a file of terminal text, to be looked at.
pub fn show(name: &str, buffer: &Buffer) {
    let Some(directory) = std::env::var_os("DEALDECK_SHOW") else {
        return;
    };
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = Vec::new();
        let mut x = 0;
        let mut cells = Vec::new();
        while x < buffer.area.width {
            let cell = &buffer[(x, y)];
            cells.push((x, y, cell));
            x += cell.symbol().cell_width().max(1);
        }
        CrosstermBackend::new(&mut line).draw(cells.into_iter()).unwrap();
        let line = String::from_utf8(line).unwrap();
        // Each row begins with a cursor move; in a file the line break does that.
        text.push_str(line.split_once('H').map_or(line.as_str(), |(_, row)| row));
        text.push('\n');
    }
    let path = std::path::Path::new(&directory).join(format!("{name}.ans"));
    std::fs::write(path, text).unwrap();
}
