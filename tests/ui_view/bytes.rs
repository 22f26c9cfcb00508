//! What a terminal is sent. In a CRM an attacker only needs to fill in a web form: forty payloads in every text that comes
//! from data, on every screen, and the bytes that leave must carry none of them.

use dealdeck::{
    app::{Model, Overlay, Screen, sample},
    domain::{Connection, Fault, FaultKind, Payload},
    ui::{Depth, Glyphs, Look, Theme},
};

use crate::{
    grid::{bytes, draw},
    scenes,
};

/// Begins with a letter, so that it is never blank; `X` is what must not arrive.
const PAYLOADS: [&str; 40] = [
    "a\u{1b}]52;c;WFhY\u{7}z",
    "a\u{1b}]52;c;WFhY\u{1b}\\z",
    "a\u{1b}]0;XXX\u{7}z",
    "a\u{1b}]2;XXX\u{1b}\\z",
    "a\u{1b}]8;;http://x.example\u{7}z",
    "a\u{1b}]1337;File=XXX\u{7}z",
    "a\u{1b}]4;1;?\u{7}z",
    "a\u{1b}]10;?\u{7}z",
    "a\u{1b}[2J\u{1b}[Hz",
    "a\u{1b}[31;5mz",
    "a\u{1b}[?1049lz",
    "a\u{1b}[?25lz",
    "a\u{1b}[6nz",
    "a\u{1b}[cz",
    "a\u{1b}[>cz",
    "a\u{1b}[21tz",
    "a\u{1b}[20;20rz",
    "a\u{1b}cz",
    "a\u{1b}7z\u{1b}8",
    "a\u{1b}(0z",
    "a\u{1b}Pq#0XXX\u{1b}\\z",
    "a\u{1b}_GXXX\u{1b}\\z",
    "a\u{1b}^XXX\u{1b}\\z",
    "a\u{1b}XXXX\u{1b}\\z",
    "a\u{9b}31mz",
    "a\u{9d}0;XXX\u{9c}z",
    "a\u{90}qXXX\u{9c}z",
    "a\u{85}z\u{84}",
    "a\rz",
    "a\nz\u{b}\u{c}",
    "a\u{8}\u{8}z",
    "a\u{7}\u{5}z",
    "a\tz\u{0}",
    "a\u{7f}z",
    "a\u{e}z\u{f}",
    "a\u{202e}z\u{202c}",
    "a\u{2066}z\u{2069}\u{200f}\u{200e}\u{61c}",
    "a\u{200b}z\u{2060}\u{feff}\u{200d}",
    "a\u{e0041}\u{e0042}z",
    "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}z\u{1b}",
];

/// Puts a payload into every text that comes from HubSpot, a configuration or a keyboard: the one at `start` first, then
/// the next for every further text, so that over all starts every text has had every payload.
fn poison(model: &mut Model, start: usize) {
    let mut payloads = PAYLOADS.iter().cycle().skip(start);
    let mut text = || (*payloads.next().unwrap()).to_owned();
    for deal in model.deals.values_mut() {
        deal.name = text();
        deal.next_step = Some(text());
        deal.category = Some(text());
        deal.currency = Some(text());
    }
    for owner in model.facts.owners.values_mut() {
        owner.first_name = text();
        owner.last_name = text();
    }
    for pipeline in &mut model.facts.pipelines {
        pipeline.label = text();
        pipeline.stages.iter_mut().for_each(|stage| stage.label = text());
    }
    model.board.columns.iter_mut().for_each(|column| column.label = text());
    // An underscore in a segment's name is a blank on the screen, which would make another sequence of the payload.
    for segment in &mut model.segments {
        segment.segment.name = text().replace('_', "^");
    }
    model.outbox.rows.iter_mut().for_each(|row| row.2 = text());
    model.activity.iter_mut().for_each(|item| item.name = text());
    if let Some(account) = &mut model.facts.account {
        account.currency = text();
    }
    if let Some(said) = &mut model.said {
        said.text = text();
    }
    if let Connection::ReadOnly(fault) = &mut model.freshness.connection {
        *fault = Fault::new(FaultKind::Refused, text(), text());
    }
    match &mut model.screen {
        Screen::Deal(screen) => {
            if let Some(detail) = &mut screen.detail {
                for note in &mut detail.notes {
                    note.body = format!("<p>{}</p><p>{}</p>", text(), text());
                }
                for contact in &mut detail.contacts {
                    contact.first_name = Some(text());
                    contact.job_title = Some(text());
                    contact.email = Some(text());
                }
                for company in &mut detail.companies {
                    company.name = text();
                    company.domain = Some(text());
                    company.city = Some(text());
                }
                detail.properties.insert(text(), Some(text()));
            }
        }
        Screen::Setup(state) => state.why = Some(Fault::new(FaultKind::Auth, text(), text())),
        Screen::Board | Screen::Outbox(_) => {}
    }
    for operation in &mut model.operations {
        operation.title = text();
        if let Some(error) = &mut operation.error {
            (error.class, error.message, error.correlation_id) = (text(), text(), Some(text()));
        }
        match &mut operation.payload {
            Payload::SetProperties { values, base } => {
                for properties in [values, base] {
                    properties.values_mut().for_each(|value| *value = Some(text()));
                    properties.insert(text(), Some(text()));
                }
            }
            Payload::CreateNote { body, .. } => *body = format!("<p>{}</p>", text()),
            _ => {}
        }
    }
    if let Some(story) = &mut model.story {
        for definition in &mut story.definitions {
            definition.label = text();
            definition.options.iter_mut().for_each(|option| option.1 = text());
        }
        story
            .story
            .mirrored
            .values_mut()
            .for_each(|value| *value = Some(text()));
    }
    match &mut model.overlay {
        Some(Overlay::Note(note)) => note.editor = dealdeck::app::Editor::new(&text()),
        Some(Overlay::Find(finder)) => finder.query = dealdeck::app::Line::new(&text()),
        Some(Overlay::Stage(picker)) => picker.query = dealdeck::app::Line::new(&text()),
        Some(Overlay::Help(help)) => help.query = dealdeck::app::Line::new(&text()),
        Some(Overlay::Pipeline(picker)) => picker.query = dealdeck::app::Line::new(&text()),
        Some(Overlay::Fields(form)) => {
            form.fault = Some(text());
            for field in &mut form.fields {
                field.name = text();
                field.line = dealdeck::app::Line::new(&text());
            }
        }
        Some(Overlay::Operation(_) | Overlay::Confirm(_)) | None => {}
    }
}

/// Sequences the backend itself may write: moving, colours, attributes.
fn is_ours(sequence: &str) -> bool {
    sequence.ends_with('H') || sequence.ends_with('m')
}

/// Gives back what was sent, for a closer look.
fn assert_clean(bytes: Vec<u8>, what: &str) -> String {
    let text = String::from_utf8(bytes).unwrap();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        rest = &rest[at + 1..];
        let body = rest
            .strip_prefix('[')
            .unwrap_or_else(|| panic!("{what}: an escape that is no CSI"));
        let end = body.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c)).unwrap();
        let sequence = &body[..=end];
        assert!(is_ours(sequence), "{what}: {sequence:?}");
        assert!(
            sequence[..end]
                .chars()
                .all(|c| c.is_ascii_digit() || c == ';' || c == ':'),
            "{what}: {sequence:?}"
        );
    }
    for c in text.chars().filter(|c| *c != '\u{1b}') {
        assert!(!c.is_control(), "{what}: {c:?}");
        let unseen = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}');
        assert!(!unseen, "{what}: {c:?}");
    }
    let marks = text.split(|c| c != '\u{301}').map(str::len).max().unwrap_or(0) / '\u{301}'.len_utf8();
    assert!(marks <= 8, "{what}: {marks} combining marks");
    text
}

#[test]
fn no_payload_reaches_the_terminal_from_any_screen() {
    let look = Look::new(Theme::Dark, Depth::True, Glyphs::Unicode);
    let every = if crate::rules::cases(1) >= 10 { 1 } else { 10 };
    for (name, scene) in scenes::ALL {
        for size in [(39, 12), (60, 18), (160, 45)] {
            let mut model = scene(size);
            for start in (0..PAYLOADS.len()).step_by(every) {
                poison(&mut model, start);
                let what = format!("{name} at {size:?} from {start}");
                let text = assert_clean(bytes(&draw(&model, &look)), &what);
                // Of a sequence in data nothing is left. What a person pastes stays as text, without what would act.
                let arrived = text.contains("XXX") || text.contains("WFhY");
                assert!(model.overlay.is_some() || !arrived, "{what}: a payload arrived");
            }
        }
    }
}

#[test]
fn ascii_signs_are_ascii_where_names_are() {
    let look = Look::new(Theme::Mono, Depth::NoAttributes, Glyphs::Ascii);
    for (name, scene) in scenes::ALL {
        if ["hard-names", "outbox-hard"].contains(&name) {
            continue;
        }
        for size in [(24, 8), (60, 18), (80, 24), (160, 45)] {
            let mut model = scene(size);
            if let Some(id) = sample::id("月光") {
                model.deals.remove(&id);
            }
            let text = String::from_utf8(bytes(&draw(&model, &look))).unwrap();
            let strange: String = text.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(strange, "", "{name} at {size:?}");
        }
    }
}
