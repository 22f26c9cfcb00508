//! What a frame and a cursor key cost, at 200 × 60. A frame builds only what is in view, so a hundred thousand deals must
//! cost what a thousand cost.

use criterion::Criterion;
use dealdeck::{
    app::{Key, Msg, sample, update},
    ui::{Depth, Glyphs, Look, Theme, view},
};
use ratatui::{Terminal, backend::TestBackend};

const SIZE: (u16, u16) = (200, 60);

fn frames(criterion: &mut Criterion) {
    let look = Look::new(Theme::Dark, Depth::True, Glyphs::Unicode);
    for deals in [1_000, 100_000] {
        let model = sample::model_with(sample::many(deals), SIZE);
        let Ok(mut terminal) = Terminal::new(TestBackend::new(SIZE.0, SIZE.1));
        criterion.bench_function(&format!("frame, {deals} deals"), |bencher| {
            bencher.iter(|| terminal.draw(|frame| view(&model, &look, frame)).map(|_| ()));
        });
    }
}

fn keys(criterion: &mut Criterion) {
    for deals in [1_000, 100_000] {
        let mut model = sample::model_with(sample::many(deals), SIZE);
        let mut down = true;
        criterion.bench_function(&format!("cursor key, {deals} deals"), |bencher| {
            bencher.iter(|| {
                down = !down;
                let key = Key::char(if down { 'j' } else { 'k' });
                update(&mut model, Msg::Key(key), sample::now())
            });
        });
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    frames(&mut criterion);
    keys(&mut criterion);
    criterion.final_summary();
}
