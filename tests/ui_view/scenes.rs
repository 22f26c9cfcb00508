//! The screens that are drawn: the sample board and what can be open on it, at any size.

use dealdeck::{
    app::{
        Answer, DealScreen, Editor, Effect, Finder, Focus, Help, Hit, Key, KeyCode, Line, Model, Msg, NoteEditor,
        OutboxScreen, Overlay, PipelinePicker, Query, Said, SaidKind, Screen, SetupState, StagePicker, sample, update,
    },
    domain::{Connection, DealId, Fault, FaultKind, ObjectType, OpError, OpState, Operation, Progress, Reading},
};
use jiff::ToSpan as _;

pub type Size = (u16, u16);
pub type Scene = fn(Size) -> Model;

/// Every scene by name, for rules that hold on all of them.
pub const ALL: [(&str, Scene); 33] = [
    ("board", board),
    ("detail", detail),
    ("detail-loading", detail_loading),
    ("help", help),
    ("help-search", help_search),
    ("finder", finder),
    ("stage", stage),
    ("stage-typed", stage_typed),
    ("note", note),
    ("note-empty", note_empty),
    ("pipelines", pipelines),
    ("setup", setup),
    ("setup-refused", setup_refused),
    ("offline", offline),
    ("slowed", slowed),
    ("refused", refused),
    ("trouble", trouble),
    ("detail-trouble", detail_trouble),
    ("empty", empty),
    ("starting", starting),
    ("first-sync", first_sync),
    ("cached", cached),
    ("panel", panel),
    ("hard-names", hard_names),
    ("outbox", outbox),
    ("outbox-empty", outbox_empty),
    ("outbox-hard", outbox_hard),
    ("operation", operation),
    ("operation-held", operation_held),
    ("operation-note", operation_note),
    ("fields", fields),
    ("fields-refused", fields_refused),
    ("confirm", confirm),
];

pub fn board(size: Size) -> Model {
    sample::model(size)
}

fn id(name: &str) -> DealId {
    sample::id(name).unwrap()
}

pub fn detail(size: Size) -> Model {
    let mut model = board(size);
    let id = id("Globex");
    model.screen = Screen::Deal(Box::new(DealScreen {
        detail: sample::detail(&id),
        id,
        note: 0,
        fault: None,
    }));
    model
}

pub fn detail_loading(size: Size) -> Model {
    let mut model = detail(size);
    if let Screen::Deal(screen) = &mut model.screen {
        screen.detail = None;
    }
    model
}

pub fn help(size: Size) -> Model {
    let mut model = board(size);
    model.overlay = Some(Overlay::Help(Help::default()));
    model
}

pub fn help_search(size: Size) -> Model {
    let mut model = board(size);
    model.overlay = Some(Overlay::Help(Help {
        query: Line::new("sta"),
        searching: true,
        chosen: 1,
    }));
    model
}

pub fn finder(size: Size) -> Model {
    let mut model = board(size);
    let hits = [
        ("Acme", vec![0, 1, 2]),
        ("Moonbeam", vec![8, 9, 12]),
        ("Slithy", vec![3]),
    ];
    model.overlay = Some(Overlay::Find(Finder {
        query: Line::new("acm"),
        hits: hits
            .into_iter()
            .map(|(name, matched)| Hit {
                deal: id(name),
                matched,
            })
            .collect(),
        chosen: 0,
        matching: 3,
    }));
    model
}

pub fn stage(size: Size) -> Model {
    let mut model = board(size);
    let stages = sample::pipeline()
        .stages
        .into_iter()
        .map(|stage| (stage.id, Some(Vec::new())));
    model.overlay = Some(Overlay::Stage(StagePicker {
        deal: id("Acme"),
        query: Line::default(),
        stages: stages.collect(),
        chosen: 2,
    }));
    model
}

pub fn stage_typed(size: Size) -> Model {
    let mut model = stage(size);
    if let Some(Overlay::Stage(picker)) = &mut model.overlay {
        picker.query = Line::new("lo");
        let lost = picker.stages.pop().unwrap();
        for stage in &mut picker.stages {
            stage.1 = None;
        }
        picker.stages.insert(0, (lost.0, Some(vec![7, 8])));
        picker.chosen = 0;
    }
    model
}

pub fn note(size: Size) -> Model {
    let mut model = board(size);
    let text = "Call with Pip Hazelnut\n\nOutcome\nPip confirmed the EMEA team wants the renewal and 12 more pairs. Legal needs \
                the new terms before Friday.\n\nNext step\n  Send revised quote Thu 10:00";
    model.overlay = Some(Overlay::Note(NoteEditor {
        deal: id("Acme"),
        editor: Editor::new(text),
        kept: true,
        unread: false,
        kept_at: Some(sample::now()),
        sending: false,
    }));
    model
}

pub fn note_empty(size: Size) -> Model {
    let mut model = note(size);
    if let Some(Overlay::Note(note)) = &mut model.overlay {
        note.editor = Editor::default();
        note.kept_at = None;
    }
    model
}

pub fn pipelines(size: Size) -> Model {
    let mut model = board(size);
    model.overlay = Some(Overlay::Pipeline(PipelinePicker {
        query: Line::new("re"),
        chosen: 0,
    }));
    model
}

pub fn setup(size: Size) -> Model {
    let mut model = board(size);
    model.screen = Screen::Setup(SetupState {
        why: None,
        token: Line::new("pat-na1-0123"),
        checking: false,
    });
    model
}

pub fn setup_refused(size: Size) -> Model {
    let mut model = setup(size);
    if let Screen::Setup(state) = &mut model.screen {
        state.why = Some(Fault::new(
            FaultKind::Auth,
            "HubSpot does not know this token any more",
            "make a new one and paste it here",
        ));
        state.checking = true;
    }
    model
}

pub fn offline(size: Size) -> Model {
    let mut model = board(size);
    let now = sample::now();
    model.freshness.connection = Connection::Offline {
        since: now.saturating_sub(11.minutes()).unwrap(),
        next_try: now.saturating_add(37.seconds()).unwrap(),
    };
    model.freshness.as_of = Some(now.saturating_sub(11.minutes()).unwrap());
    model.said = Some(Said {
        kind: SaidKind::Kept,
        text: "note on Acme Rocket Skates EMEA, 41 words".to_owned(),
        until: now.saturating_add(6.seconds()).unwrap(),
    });
    model
}

pub fn slowed(size: Size) -> Model {
    let mut model = board(size);
    let now = sample::now();
    model.freshness.connection = Connection::Slowed {
        until: now.saturating_add(11.seconds()).unwrap(),
    };
    model.limits.burst.left = 0;
    model
}

pub fn refused(size: Size) -> Model {
    let mut model = board(size);
    let fault = Fault::new(
        FaultKind::Auth,
        "the token is for account '1234', this mirror is of '8800123'",
        "use its token or another --data-dir",
    );
    model.freshness.connection = Connection::ReadOnly(fault);
    model
}

fn scope_missing() -> Fault {
    let what = "the token may not read notes, scope 'crm.objects.contacts.read' is missing";
    Fault::new(FaultKind::Auth, what, "add the scope to the token")
}

pub fn trouble(size: Size) -> Model {
    let mut model = board(size);
    model.freshness.trouble = Some(scope_missing());
    model
}

pub fn detail_trouble(size: Size) -> Model {
    let mut model = detail(size);
    model.freshness.trouble = Some(scope_missing());
    if let Screen::Deal(screen) = &mut model.screen
        && let Some(detail) = &mut screen.detail
    {
        detail.notes.clear();
        detail.notes_as_of = None;
    }
    model
}

pub fn empty(size: Size) -> Model {
    let mut board = sample::board();
    board.deals.clear();
    board.activity.clear();
    sample::model_with(board, size)
}

pub fn starting(size: Size) -> Model {
    let mut model = board(size);
    model.loaded = false;
    model.board.columns.clear();
    model.board.focus = None;
    model.freshness.connection = Connection::Cached;
    model.freshness.as_of = None;
    model
}

pub fn first_sync(size: Size) -> Model {
    let mut model = board(size);
    model.freshness.connection = Connection::Syncing(Progress {
        what: Reading::Records(ObjectType::Contacts),
        fetched: 6_400,
        pages: 64,
        about: Some(20_000),
    });
    model.freshness.as_of = None;
    model
}

pub fn cached(size: Size) -> Model {
    let mut model = board(size);
    model.freshness.connection = Connection::Cached;
    model.freshness.as_of = Some(sample::now().saturating_sub(14.hours()).unwrap());
    model
}

pub fn panel(size: Size) -> Model {
    let mut model = board(size);
    model.panel = Some(true);
    model.focus = Focus::Panel;
    model
}

/// Names and amounts that are hard to fit: wide, right to left, endless, missing, enormous, in another currency.
pub fn hard_names(size: Size) -> Model {
    let mut board = sample::board();
    let names = [
        "月光チーズ株式会社東京支店営業部",
        "شركة الأمل للتجارة والتوزيع",
        "חברת אבן דרך בע״מ",
        "",
        "Wissenschaftlichemitarbeiterinnenvereinigung",
        "e\u{301}lan vital e\u{301}lan vital e\u{301}lan",
        "👩‍👩‍👧‍👦 family & sons 🇩🇪",
    ];
    let amounts = [
        "123456789012",
        "999999999999999",
        "0.004",
        "-48000",
        "30000",
        "7",
        "1010000",
    ];
    for (nth, deal) in board.deals.iter_mut().enumerate() {
        deal.name = names[nth % names.len()].to_owned();
        deal.amount = Some(amounts[nth % amounts.len()].parse().unwrap());
        deal.currency = (nth % 3 == 0).then(|| "EUR".to_owned());
        if nth % 5 == 0 {
            deal.last_activity = None;
            deal.stage_entered = None;
            deal.created = deal.created.saturating_sub(9_000.hours()).unwrap();
        }
    }
    sample::model_with(board, size)
}

fn press(model: &mut Model, keys: &[Key]) {
    for key in keys {
        let effects = update(model, Msg::Key(*key), sample::now());
        answer(model, effects);
    }
}

/// The engine's answers about the outbox.
fn answer(model: &mut Model, effects: Vec<Effect>) {
    for effect in effects {
        let answer = match effect {
            Effect::Query(ticket, Query::Outbox) => (ticket, Answer::Outbox(Ok(sample::outbox()))),
            Effect::Query(ticket, Query::Story(id)) => {
                (ticket, Answer::Story(id, Ok(Box::new(sample::story(id).unwrap()))))
            }
            _ => continue,
        };
        let effects = update(model, Msg::Answer(answer.0, answer.1), sample::now());
        self::answer(model, effects);
    }
}

/// The outbox, the operation of this deal in focus.
fn outbox_at(size: Size, name: &str) -> Model {
    let mut model = board(size);
    press(&mut model, &[Key::char('O')]);
    let deal = id(name);
    if let Screen::Outbox(screen) = &mut model.screen {
        let of_deal = |operation: &&Operation| operation.entity.id == deal.as_str();
        screen.chosen = model.operations.iter().find(of_deal).map(|operation| operation.id);
    }
    let effects = update(&mut model, Msg::Resumed, sample::now());
    answer(&mut model, effects);
    model
}

pub fn outbox(size: Size) -> Model {
    outbox_at(size, "Moonbeam")
}

pub fn outbox_empty(size: Size) -> Model {
    let mut model = board(size);
    model.operations.clear();
    model.outbox.rows.clear();
    model.screen = Screen::Outbox(OutboxScreen::default());
    model
}

/// Titles and reasons that are hard to fit, many rows, and text that must not reach the terminal as it is.
pub fn outbox_hard(size: Size) -> Model {
    let mut model = outbox(size);
    let first = model.operations.clone();
    for nth in 0..80 {
        let mut operation = first[nth % first.len()].clone();
        operation.id = dealdeck::domain::OpId(uuid(10_000 + nth as u128));
        operation.title =
            "stage of 月光チーズ株式会社\u{1b}]52;c;x\u{7}\u{202e}  שלב → Wissenschaftlichemitarbeiterin".to_owned();
        operation.attempts = 4_000_000_000;
        if let Some(error) = &mut operation.error {
            error.message = "e\u{301}lan 👩‍👩‍👧‍👦 \u{1b}[2J not valid ".repeat(60);
        }
        model.operations.push(operation);
    }
    if let Screen::Outbox(screen) = &mut model.screen {
        screen.row = 40;
        screen.chosen = model.operations.get(40).map(|operation| operation.id);
    }
    model
}

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

pub fn operation(size: Size) -> Model {
    let mut model = outbox(size);
    press(&mut model, &[Key::plain(KeyCode::Enter)]);
    model
}

pub fn operation_held(size: Size) -> Model {
    let mut model = outbox_at(size, "Grandfather");
    press(&mut model, &[Key::plain(KeyCode::Enter)]);
    model
}

/// A note of which nobody knows whether HubSpot has it, and that has no key.
pub fn operation_note(size: Size) -> Model {
    let mut model = outbox_at(size, "Bandersnatch");
    press(&mut model, &[Key::plain(KeyCode::Enter)]);
    let error = OpError {
        class: "unknown_outcome".to_owned(),
        message: "not found in HubSpot – send again?".to_owned(),
        correlation_id: None,
    };
    for operation in &mut model.operations {
        if operation.state == OpState::Uncertain {
            operation.state = OpState::Held;
            operation.error = Some(error.clone());
        }
    }
    model
}

pub fn fields(size: Size) -> Model {
    let mut model = outbox_at(size, "Grandfather");
    let keys = [Key::char('E'), Key::plain(KeyCode::Down), Key::plain(KeyCode::Down)];
    press(&mut model, &keys);
    model
}

pub fn fields_refused(size: Size) -> Model {
    let mut model = fields(size);
    if let Some(Overlay::Fields(form)) = &mut model.overlay {
        form.chosen = 1;
        form.fields[1].line = Line::new("Soggy Parasols");
        form.fault = Some(
            "deals have no property 'competitor_of_record' in this account any more; check its internal name in HubSpot"
                .to_owned(),
        );
    }
    model
}

pub fn confirm(size: Size) -> Model {
    let mut model = outbox_at(size, "Grandfather");
    press(&mut model, &[Key::char('X')]);
    model
}

/// A board with this many deals.
pub fn many(count: usize, size: Size) -> Model {
    sample::model_with(sample::many(count), size)
}
