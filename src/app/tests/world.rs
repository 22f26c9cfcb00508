//! A dashboard with a small engine behind it: it answers questions from its board and keeps what it is handed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    app::{Answer, Effect, Key, KeyCode, Model, Msg, Query, Settings, Ticket, registry::Keymap, sample, start, update},
    domain::{
        Board, Change, Deal, DealDetail, DealId, Decision, Event, Fault, FaultKind, OpId, OpKind, OpState, Operation,
        Pending, Receipt, RedoOutcome, UndoOutcome,
    },
};

/// The dashboard, the engine's truth, and what was asked of the world outside.
pub struct World {
    pub model: Model,
    pub board: Board,
    pub drafts: BTreeMap<DealId, String>,
    pub notes: Vec<(DealId, String)>,
    /// The engine's operations.
    pub operations: Vec<Operation>,
    /// What was decided, in order.
    pub decided: Vec<(OpId, Decision)>,
    /// The engine refuses the next decisions with this.
    pub refuses: Option<Fault>,
    /// Effects that are no questions, in order.
    pub done: Vec<Effect>,
    /// Keys pressed so far.
    pub keys: usize,
    /// The engine answers questions; else they pile up in `open`.
    pub answers: bool,
    pub open: Vec<Effect>,
    /// The store refuses to keep anything.
    pub broken: bool,
    /// The store refuses to keep drafts.
    pub drafts_broken: bool,
    pub now: Timestamp,
    undo: Vec<Deal>,
    ops: u128,
}

impl World {
    /// The sample's board at this size, read, everybody's deals in view, the focus on Acme.
    pub fn at(size: (u16, u16)) -> Self {
        let mut world = Self::with(sample::board(), size);
        if world.model.board.scope == crate::app::Scope::Mine {
            world.press("M");
        }
        world.focus("Acme");
        world.keys = 0;
        world.model.said = None;
        world
    }

    /// A world with this board, read.
    pub fn with(board: Board, size: (u16, u16)) -> Self {
        let model = Model::new(Settings::default(), Keymap::default(), sample::now(), size);
        let mut world = Self::unread(model, board);
        let effects = start(&mut world.model);
        world.carry_out(effects);
        world
    }

    /// A world in which nothing was asked yet.
    pub fn unread(model: Model, board: Board) -> Self {
        Self {
            now: model.now,
            model,
            board,
            drafts: BTreeMap::new(),
            notes: Vec::new(),
            operations: Vec::new(),
            decided: Vec::new(),
            refuses: None,
            done: Vec::new(),
            keys: 0,
            answers: true,
            open: Vec::new(),
            broken: false,
            drafts_broken: false,
            undo: Vec::new(),
            ops: 1_000,
        }
    }

    pub fn focus(&mut self, name: &str) {
        crate::app::focus_on(&mut self.model, sample::id(name));
        assert_eq!(self.focused(), self.full(name), "{name} is on the board");
    }

    fn full(&self, name: &str) -> String {
        let deal = self.board.deals.iter().find(|deal| deal.name.starts_with(name));
        deal.map(|deal| deal.name.clone()).unwrap_or_default()
    }

    /// The name of the focused deal, empty without one.
    pub fn focused(&self) -> String {
        self.model.focused().map(|deal| deal.name.clone()).unwrap_or_default()
    }

    /// The label of the column in focus.
    pub fn stage(&self) -> &str {
        &self.model.board.columns[self.model.board.column].label
    }

    /// What the context line says, empty when nothing.
    pub fn said(&self) -> &str {
        self.model.said.as_ref().map_or("", |said| said.text.as_str())
    }

    /// The deal as the engine has it.
    pub fn truth(&mut self, name: &str) -> &mut Deal {
        self.board
            .deals
            .iter_mut()
            .find(|deal| deal.name.starts_with(name))
            .unwrap()
    }

    /// Presses keys: words are keys each (`jj` = two), `<enter>` a named one, `'text'` is typed as it is.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in parse(keys) {
            self.keys += 1;
            self.say(Msg::Key(key));
        }
        self
    }

    /// Types body text, which no journey counts.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            let key = if c == '\n' {
                Key::plain(KeyCode::Enter)
            } else {
                Key::char(c)
            };
            self.say(Msg::Key(key));
        }
        self
    }

    /// One message, and everything that follows from it.
    pub fn say(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg, self.now);
        self.carry_out(effects);
        assert_eq!(super::laws::broken(&self.model), None);
    }

    pub fn event(&mut self, event: Event) {
        self.say(Msg::Engine(event));
    }

    /// Lets time pass and rings the timers that are due.
    pub fn wait(&mut self, wait: SignedDuration) {
        self.now = self.now.saturating_add(wait).unwrap();
        let now = self.now;
        let due = |effect: &Effect| matches!(effect, Effect::Timer(_, at) if *at <= now);
        let (ring, keep): (Vec<_>, Vec<_>) = std::mem::take(&mut self.done).into_iter().partition(due);
        self.done = keep;
        for effect in ring {
            if let Effect::Timer(timer, _) = effect {
                self.say(Msg::Timer(timer));
            }
        }
    }

    /// What was asked of the world outside apart from timers.
    pub fn effects(&self) -> Vec<&Effect> {
        self.done
            .iter()
            .filter(|effect| !matches!(effect, Effect::Timer(..)))
            .collect()
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let answer = match &effect {
                Effect::Query(..) | Effect::Submit(..) | Effect::Undo(..) | Effect::Redo(..) | Effect::Decide(..)
                    if !self.answers =>
                {
                    self.open.push(effect);
                    continue;
                }
                Effect::Query(ticket, query) => Some((*ticket, self.answer(query))),
                Effect::Submit(ticket, submission) => Some((*ticket, Answer::Kept(self.keep(&submission.change)))),
                Effect::Decide(ticket, op, decision) => Some((*ticket, Answer::Decided(self.decide(*op, decision)))),
                Effect::Undo(ticket) => Some((*ticket, Answer::Undone(Ok(self.take_back())))),
                Effect::Redo(ticket) => Some((*ticket, Answer::Redone(Ok(RedoOutcome::Nothing)))),
                Effect::SaveDraft(ticket, ..) | Effect::AddDraft(ticket, ..) if self.drafts_broken => {
                    let fault = Fault::new(FaultKind::Store, "the disk is full", "free some space");
                    Some((*ticket, Answer::Drafted(Err(fault))))
                }
                Effect::SaveDraft(ticket, deal, Some(text)) => {
                    self.drafts.insert(deal.clone(), text.clone());
                    Some((*ticket, Answer::Drafted(Ok(()))))
                }
                Effect::SaveDraft(ticket, deal, None) => {
                    self.drafts.remove(deal);
                    Some((*ticket, Answer::Drafted(Ok(()))))
                }
                Effect::AddDraft(ticket, deal, text) => {
                    let older = self.drafts.get(deal).map(|older| format!("{older}\n"));
                    let text = older.unwrap_or_default() + text;
                    self.drafts.insert(deal.clone(), text);
                    Some((*ticket, Answer::Drafted(Ok(()))))
                }
                _ => None,
            };
            if !matches!(effect, Effect::Query(..)) {
                self.done.push(effect);
            }
            if let Some((ticket, answer)) = answer {
                self.say(Msg::Answer(ticket, answer));
            }
        }
    }

    /// Answers what piled up, in the order given.
    pub fn answer_open(&mut self, order: &[usize]) {
        let open = std::mem::take(&mut self.open);
        self.answers = true;
        for nth in order {
            self.carry_out(vec![open[*nth].clone()]);
        }
    }

    /// What the engine answers now.
    pub fn answer(&self, query: &Query) -> Answer {
        match query {
            Query::Board => Answer::Board(Ok(Box::new(self.board.clone()))),
            Query::Deals(ids) => Answer::Deals {
                asked: ids.clone(),
                found: Ok(ids.iter().filter_map(|id| self.deal(id)).cloned().collect()),
            },
            Query::Detail(id) => Answer::Detail(Ok(self.deal(id).map(|deal| {
                let detail = sample::detail(id).map(|detail| DealDetail {
                    deal: deal.clone(),
                    ..detail
                });
                Box::new(detail.unwrap())
            }))),
            Query::Outbox => Answer::Outbox(Ok(self.operations.clone())),
            Query::Story(id) => match sample::story(*id) {
                Some(story) => Answer::Story(*id, Ok(Box::new(story))),
                None => Answer::Story(*id, Err(Fault::new(FaultKind::Store, "there is no such operation", ""))),
            },
            Query::Draft(id) => Answer::Draft(id.clone(), self.drafts.get(id).cloned()),
        }
    }

    fn deal(&self, id: &DealId) -> Option<&Deal> {
        self.board.deals.iter().find(|deal| deal.id == *id)
    }

    fn keep(&mut self, change: &Change) -> Result<Receipt, Fault> {
        if self.broken {
            return Err(Fault::new(FaultKind::Store, "the disk is full", "free some space"));
        }
        self.ops += 1;
        let op = OpId(uuid::Uuid::from_u128(self.ops));
        let said = match change {
            Change::MoveDeal { deal, stage, .. } => {
                let found = self.board.deals.iter_mut().find(|known| known.id == *deal);
                let Some(deal) = found else {
                    return Err(Fault::new(FaultKind::Refused, "there is no such deal", ""));
                };
                self.undo.push(deal.clone());
                deal.stage = stage.clone();
                let (kind, state) = (OpKind::SetProperties, OpState::Queued);
                deal.pending.push(Pending { op, kind, state });
                format!("stage of {} → {stage}", deal.name)
            }
            Change::AddNote { deal, text, .. } => {
                self.notes.push((deal.clone(), text.clone()));
                format!("note of {} words", text.split_whitespace().count())
            }
            other => format!("{other:?}"),
        };
        Ok(Receipt { op, said })
    }

    /// The engine's part of a decision: what is dropped is cancelled, what is sent waits.
    fn decide(&mut self, op: OpId, decision: &Decision) -> Result<Box<Operation>, Fault> {
        if let Some(fault) = &self.refuses {
            return Err(fault.clone());
        }
        self.decided.push((op, decision.clone()));
        let operation = self.operations.iter_mut().find(|operation| operation.id == op).unwrap();
        operation.state = match decision {
            Decision::Drop => OpState::Cancelled,
            Decision::Send | Decision::SendWith(_) => OpState::Queued,
        };
        Ok(Box::new(operation.clone()))
    }

    fn take_back(&mut self) -> UndoOutcome {
        let Some(before) = self.undo.pop() else {
            return UndoOutcome::Nothing;
        };
        let of = OpId(uuid::Uuid::from_u128(self.ops));
        let said = format!("stage of {} is {} again", before.name, before.stage);
        let (id, name) = (before.id.clone(), before.name.clone());
        *self.truth(&name) = before;
        let changed = Event::DealsChanged {
            ids: vec![id],
            by: None,
            remote: false,
        };
        self.event(changed);
        UndoOutcome::Cancelled { of, said }
    }

    /// The ticket of the newest question of a kind.
    pub fn ticket(&self, kind: &'static str) -> Ticket {
        self.model.asked[kind]
    }
}

/// Reads keys as tests write them.
pub fn parse(keys: &str) -> Vec<Key> {
    let mut found = Vec::new();
    for word in keys.split_whitespace() {
        let mut rest = word;
        while let Some(c) = rest.chars().next() {
            if let Some((name, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'))
                && !name.is_empty()
            {
                found.push(name.parse().unwrap());
                rest = after;
            } else if let Some(after) = rest.strip_prefix('^').filter(|after| !after.is_empty()) {
                let letter = after.chars().next().unwrap();
                found.push(Key::ctrl(letter));
                rest = &after[letter.len_utf8()..];
            } else {
                found.push(Key::char(c));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    found
}
