//! What holds on every screen: nothing is wider than the screen, nothing panics, the focus is seen, slots do not move.

use dealdeck::{
    app::{Focus, sample},
    ui::{Depth, Glyphs, Look, Theme},
};
use proptest::prelude::*;

use crate::{
    grid::{draw, rows},
    scenes,
};

const SIZES: [(u16, u16); 9] = [
    (20, 6),
    (24, 8),
    (39, 12),
    (60, 18),
    (80, 24),
    (100, 30),
    (120, 40),
    (160, 45),
    (220, 60),
];
const THEMES: [Theme; 5] = [Theme::Dark, Theme::Light, Theme::Contrast, Theme::Safe, Theme::Mono];
const DEPTHS: [Depth; 5] = [
    Depth::True,
    Depth::Ansi256,
    Depth::Ansi16,
    Depth::Mono,
    Depth::NoAttributes,
];

fn dark() -> Look {
    Look::new(Theme::Dark, Depth::True, Glyphs::Unicode)
}

fn cells(text: &str) -> usize {
    use ratatui::buffer::CellWidth as _;
    use unicode_segmentation::UnicodeSegmentation as _;
    text.graphemes(true)
        .map(|cluster| usize::from(cluster.cell_width()))
        .sum()
}

/// A factor on the number of cases, 1 by default.
pub fn cases(base: u32) -> u32 {
    let factor = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|text| text.parse().ok());
    base * factor.unwrap_or(1)
}

#[test]
fn no_row_is_wider_than_the_screen() {
    for (name, scene) in scenes::ALL {
        for size in SIZES {
            for row in rows(&draw(&scene(size), &dark())) {
                assert_eq!(cells(&row), usize::from(size.0), "{name} at {size:?}: {row}");
            }
        }
    }
}

#[test]
fn the_footer_keeps_its_right_end_and_never_cuts_a_word() {
    for size in SIZES.into_iter().filter(|size| size.0 >= 24) {
        let model = scenes::board(size);
        let screen = rows(&draw(&model, &dark()));
        let footer = screen.last().unwrap();
        assert!(footer.contains("? help"), "{size:?}: {footer}");
        assert!(!footer.contains('…'), "{size:?}: {footer}");
    }
}

#[test]
fn the_focus_is_seen_in_every_pane_in_every_palette() {
    for theme in THEMES {
        for depth in DEPTHS {
            for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
                let look = Look::new(theme, depth, glyphs);
                for size in [(60, 18), (80, 24), (120, 40), (160, 45)] {
                    let name = format!("{theme:?} {depth:?} {glyphs:?} {size:?}");
                    let mut model = scenes::board(size);
                    let first = draw(&model, &look);
                    model.board.focus = sample::id("Quokka");
                    assert_ne!(first, draw(&model, &look), "card {name}");
                    let edge = if glyphs == Glyphs::Ascii { "#" } else { "▌" };
                    assert!(rows(&first).iter().any(|row| row.contains(edge)), "edge {name}");
                    let mut panel = scenes::panel(size);
                    let focused = draw(&panel, &look);
                    panel.focus = Focus::Body;
                    if size.0 >= 80 {
                        assert_ne!(focused, draw(&panel, &look), "panel {name}");
                    }
                    let detail = scenes::detail(size);
                    assert!(
                        rows(&draw(&detail, &look)).iter().any(|row| row.contains(edge)),
                        "note {name}"
                    );
                }
            }
        }
    }
}

#[test]
fn without_colour_every_state_of_a_card_still_differs() {
    let look = Look::new(Theme::Mono, Depth::NoAttributes, Glyphs::Ascii);
    // Without the side panel, where the same names stand.
    let screen: Vec<String> = rows(&draw(&scenes::board((160, 45)), &look))
        .iter()
        .map(|row| row.chars().take(110).collect())
        .collect();
    let card = |name: &str| {
        let y = screen.iter().position(|row| row.contains(name)).unwrap();
        let row: Vec<char> = screen[y].chars().collect();
        let x = screen[y].find(name).map(|at| screen[y][..at].chars().count()).unwrap();
        let third: String = screen[y + 2].chars().skip(x - 2).take(21).collect();
        (row[x - 2], third)
    };
    let slot = |name: &str| card(name).1.chars().nth(15).unwrap();
    assert_eq!(card("Acme Rocket").0, '#');
    assert_eq!(
        [
            slot("Acme Rocket"),
            slot("Vorpal Blades"),
            slot("Bandersnatch"),
            slot("Grandfather"),
            slot("Moonbeam"),
            slot("Bluebird"),
            slot("Kraken"),
        ],
        ['q', 's', '?', 'H', 'C', '*', ' ']
    );
}

#[test]
fn slots_of_the_third_line_stand_at_the_same_column_of_every_card() {
    let model = scenes::board((160, 45));
    let buffer = draw(&model, &dark());
    let geometry = dealdeck::app::geometry(&model);
    let mut seen = 0;
    for column in geometry.board.columns.iter().filter(|column| !column.folded) {
        for card in 0..9 {
            let y = geometry.board.top + card * 4 + 2;
            let at = |slot: u16| buffer[(column.x + slot, y)].symbol();
            if at(0).trim().is_empty() || y + 1 >= geometry.board.top + geometry.board.height {
                continue;
            }
            seen += 1;
            assert!(
                at(2).chars().all(|c| c.is_ascii_digit()),
                "days {column:?} {card}: {}",
                at(2)
            );
            assert!("•◆▲○".contains(at(6)), "step {column:?} {card}: {}", at(6));
            assert!(" zZ".contains(at(11)), "idle {column:?} {card}: {}", at(11));
            assert!(" ↑⇡?≠‖✗✓✦".contains(at(15)), "write {column:?} {card}: {}", at(15));
            assert!(
                at(18).chars().all(char::is_alphabetic),
                "owner {column:?} {card}: {}",
                at(18)
            );
            assert_eq!([at(1), at(20)], [" ", " "], "{column:?} {card}");
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn no_number_is_ever_cut() {
    for size in SIZES.into_iter().filter(|size| size.0 >= 40) {
        for row in rows(&draw(&scenes::hard_names(size), &dark())) {
            let cut = row.split(' ').any(|word| word.ends_with('…') && word.starts_with('$'));
            assert!(!cut, "{size:?}: {row}");
        }
    }
}

#[test]
fn an_overlay_leaves_header_and_panel_in_place() {
    let size = (160, 45);
    let board = rows(&draw(&scenes::board(size), &dark()));
    let picker = rows(&draw(&scenes::stage(size), &dark()));
    assert_eq!(board[..2], picker[..2]);
    let panel = |row: &str| row.chars().rev().take(30).collect::<String>();
    for (before, after) in board.iter().zip(&picker).take(43) {
        assert_eq!(panel(before), panel(after));
    }
    assert_eq!(picker[44].trim(), "", "the footer is cleared");
}

#[test]
fn a_demo_says_so_on_every_screen() {
    for (name, scene) in scenes::ALL {
        for size in SIZES.into_iter().filter(|size| size.0 >= 24) {
            let mut model = scene(size);
            model.settings.demo = true;
            let screen = rows(&draw(&model, &dark()));
            assert!(screen.iter().any(|row| row.contains("demo")), "{name} at {size:?}");
        }
    }
}

#[test]
fn the_title_says_what_waits_and_no_names() {
    let model = scenes::board((80, 24));
    assert_eq!(dealdeck::ui::plain_title(&model), "dealdeck · 5 waiting");
    let mut quiet = scenes::board((80, 24));
    quiet.outbox.rows.clear();
    assert_eq!(dealdeck::ui::plain_title(&quiet), "dealdeck");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(60)))]

    #[test]
    fn nothing_panics_at_any_size(
        width in 1_u16..230,
        height in 1_u16..70,
        scene in 0..scenes::ALL.len(),
        depth in 0..DEPTHS.len(),
        ascii in any::<bool>(),
    ) {
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let look = Look::new(Theme::Dark, DEPTHS[depth], glyphs);
        let model = scenes::ALL[scene].1((width, height));
        let buffer = draw(&model, &look);
        for row in rows(&buffer) {
            prop_assert_eq!(cells(&row), usize::from(width));
        }
    }

    #[test]
    fn nothing_panics_on_the_smallest_screens(width in 1_u16..42, height in 1_u16..14, scene in 0..scenes::ALL.len()) {
        draw(&scenes::ALL[scene].1((width, height)), &dark());
    }
}

#[test]
fn a_folded_stage_shows_every_ordinary_amount() {
    let mut board = sample::board();
    if let Some(account) = &mut board.account {
        account.currency = "EUR".to_owned();
    }
    let screen = rows(&draw(&sample::model_with(board, (160, 45)), &dark()));
    assert!(screen.iter().all(|row| !row.contains('#')), "{screen:#?}");
    assert!(screen.iter().any(|row| row.contains("41.0KEUR")), "{screen:#?}");
}

#[test]
fn a_blank_stands_after_the_days_however_many_they_are() {
    for (days, shown) in [(99, "▎ 99d "), (119, "▎ 17w "), (1_500, "▎ 4y  ")] {
        let mut board = sample::board();
        for deal in &mut board.deals {
            deal.stage_entered = sample::now()
                .checked_sub(jiff::SignedDuration::from_hours(24 * days))
                .ok();
        }
        let screen = rows(&draw(&sample::model_with(board, (160, 45)), &dark()));
        assert!(screen.iter().any(|row| row.contains(shown)), "{shown}: {screen:#?}");
    }
}

#[test]
fn the_marks_stand_together_in_the_help() {
    let screen = rows(&draw(&scenes::help((160, 45)), &dark()));
    let column = |text: &str| {
        let row = screen.iter().find(|row| row.contains(text)).unwrap();
        row.split(text).next().unwrap().chars().count()
    };
    assert_eq!(column("days in this stage"), column("Marks ──") + 9);
    assert_eq!(column("colleague edited"), column("Marks ──") + 9);
}
