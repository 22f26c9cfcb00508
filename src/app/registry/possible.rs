//! When an action is possible, and if not, why not: sentences for the context line and the help.

use crate::{
    app::{
        Focus, Model, Overlay, Panel, Screen, Waiting, geometry,
        outbox::{deal_of, subject},
        values::editable,
    },
    domain::{Deal, DealId, OpState, Operation, Stage, StageKind, stage_of},
};

type Possible = Result<(), String>;

/// Always.
pub(super) fn always(_: &Model) -> Possible {
    Ok(())
}

fn focused(model: &Model) -> Result<&Deal, String> {
    model
        .focused()
        .ok_or_else(|| "no deal is in focus, choose one first".to_owned())
}

/// A deal is in focus.
pub(super) fn deal(model: &Model) -> Possible {
    focused(model).map(|_| ())
}

/// There is something to open: the deal in focus, or the deal of the panel's entry in focus.
pub(super) fn open(model: &Model) -> Possible {
    match (&model.overlay, &model.screen) {
        (Some(Overlay::Operation(_)), _) => return open_deal(model),
        (_, Screen::Outbox(_)) => return operation(model).map(|_| ()),
        _ => {}
    }
    if model.focus == Focus::Body {
        return deal(model);
    }
    let entry = model.activity.get(model.panel_row).and_then(|item| item.deal.as_ref());
    match entry.filter(|id| model.deals.contains_key(*id)) {
        Some(_) => Ok(()),
        None => Err("this entry is about no deal that is here".to_owned()),
    }
}

/// There is a deal to find.
pub(super) fn any_deal(model: &Model) -> Possible {
    if model.deals.is_empty() {
        Err("no deals were read yet, r reads them now".to_owned())
    } else {
        Ok(())
    }
}

/// A deal is in focus and may be written to.
pub(super) fn writable(model: &Model) -> Possible {
    match model.read_only() {
        Some(why) => Err(format!("nothing can be changed now: {why}")),
        None => deal(model),
    }
}

/// A deal may be moved: its pipeline is known.
pub(super) fn movable(model: &Model) -> Possible {
    writable(model)?;
    let deal = focused(model)?;
    if model
        .facts
        .pipelines
        .iter()
        .any(|pipeline| pipeline.id == deal.pipeline)
    {
        Ok(())
    } else {
        Err("the pipeline of this deal is not known yet, r reads it now".to_owned())
    }
}

/// The operation the next key is about.
fn operation(model: &Model) -> Result<&Operation, String> {
    subject(model).ok_or_else(|| "no operation is in focus".to_owned())
}

/// An operation a person may decide about now.
fn decidable(model: &Model) -> Result<&Operation, String> {
    let operation = operation(model)?;
    if model.settings.read_only {
        return Err("nothing can be changed now: started with --read-only".to_owned());
    }
    let is_decided = |waiting: &Waiting| matches!(waiting, Waiting::Decision(id, _) if *id == operation.id);
    if model.waiting.values().any(is_decided) {
        return Err("what you decided about it is being kept, one moment".to_owned());
    }
    match operation.state {
        OpState::InFlight | OpState::Uncertain => {
            Err("HubSpot may have it already, its outcome is looked up first; decide then".to_owned())
        }
        OpState::Landed | OpState::Done => Err("HubSpot has it, u undoes it if it is the newest change".to_owned()),
        OpState::Cancelled if operation.error.is_some() => {
            Err("it was given up, make the change anew if you want it".to_owned())
        }
        OpState::Cancelled | OpState::Superseded => {
            Err("it was taken back before it was sent, make the change anew if you want it".to_owned())
        }
        OpState::Queued | OpState::Conflict | OpState::Held | OpState::Dead => Ok(operation),
    }
}

/// The operation may be given up.
pub(super) fn drop(model: &Model) -> Possible {
    decidable(model).map(|_| ())
}

/// The operation may be sent now.
pub(super) fn retry(model: &Model) -> Possible {
    decidable(model).map(|_| ())
}

/// The operation has values a person may set.
pub(super) fn amend(model: &Model) -> Possible {
    if editable(decidable(model)?).is_empty() {
        Err("it sets no fields, send it as it is or drop it".to_owned())
    } else {
        Ok(())
    }
}

/// The operation is about a deal that is here.
pub(super) fn open_deal(model: &Model) -> Possible {
    let deal = deal_of(operation(model)?);
    match deal.filter(|id| model.deals.contains_key(id)) {
        Some(_) => Ok(()),
        None => Err("this operation is about no deal that is here".to_owned()),
    }
}

/// Some operation needs a person.
pub(super) fn attention(model: &Model) -> Possible {
    if model.operations.iter().any(|operation| operation.state.needs_person()) {
        Ok(())
    } else {
        Err("no operation needs you".to_owned())
    }
}

/// The form has more than one field.
pub(super) fn fields(model: &Model) -> Possible {
    match &model.overlay {
        Some(Overlay::Fields(form)) if form.fields.len() > 1 => Ok(()),
        _ => Err("there is no other field".to_owned()),
    }
}

/// Undo may send the inverse of a write.
pub(super) fn undo(model: &Model) -> Possible {
    if model.settings.read_only {
        Err("nothing can be changed now: started with --read-only".to_owned())
    } else {
        Ok(())
    }
}

/// The stage `by` steps from the focused deal's own, when one step can go there without a question.
pub(in crate::app) fn step(model: &Model, by: isize) -> Result<(&Deal, &Stage), String> {
    writable(model)?;
    let deal = focused(model)?;
    let (pipeline, here) = stage_of(&model.facts.pipelines, &model.heading(deal))
        .filter(|(pipeline, _)| pipeline.id == deal.pipeline)
        .ok_or_else(|| "the stage of this deal is not known, use m to choose one".to_owned())?;
    let label = &here.label;
    if here.kind() != StageKind::Open {
        return Err(format!("'{label}' is closed, use m to move the deal out of it"));
    }
    let next = pipeline
        .position(&here.id)
        .and_then(|position| position.checked_add_signed(by))
        .and_then(|position| pipeline.stages.get(position));
    match next {
        Some(stage) if stage.kind() == StageKind::Open => Ok((deal, stage)),
        Some(stage) => Err(format!("next is '{}', use m to close the deal", stage.label)),
        None if by > 0 => Err(format!("'{label}' is the last stage, use m to choose another")),
        None => Err(format!("'{label}' is the first stage, there is none before it")),
    }
}

/// One stage on.
pub(super) fn advance(model: &Model) -> Possible {
    step(model, 1).map(|_| ())
}

/// One stage back.
pub(super) fn retreat(model: &Model) -> Possible {
    step(model, -1).map(|_| ())
}

/// The deal `by` positions from the one on the screen, in its column.
pub(in crate::app) fn neighbour(model: &Model, by: isize) -> Result<&DealId, String> {
    let Screen::Deal(state) = &model.screen else {
        return Err("open a deal first".to_owned());
    };
    let cards = model
        .board
        .columns
        .iter()
        .find_map(|column| Some((column, column.cards.iter().position(|card| *card == state.id)?)));
    let (column, position) = cards.ok_or_else(|| "this deal is not on the board in view".to_owned())?;
    position
        .checked_add_signed(by)
        .and_then(|position| column.cards.get(position))
        .ok_or_else(|| {
            let end = if by > 0 { "last" } else { "first" };
            format!("this is the {end} deal of '{}'", column.label)
        })
}

/// There is a deal below.
pub(super) fn next_deal(model: &Model) -> Possible {
    neighbour(model, 1).map(|_| ())
}

/// There is a deal above.
pub(super) fn prev_deal(model: &Model) -> Possible {
    neighbour(model, -1).map(|_| ())
}

/// The stage in focus can be folded.
pub(super) fn fold(model: &Model) -> Possible {
    let column = model
        .board
        .columns
        .get(model.board.column)
        .ok_or_else(|| "no stages were read yet".to_owned())?;
    if column.kind == StageKind::Open {
        Err("only closed stages fold".to_owned())
    } else if model.size.0 < 140 {
        Err("stages fold where the screen is at least 140 columns wide".to_owned())
    } else {
        Ok(())
    }
}

/// There is another pipeline.
pub(super) fn pipelines(model: &Model) -> Possible {
    match model.facts.pipelines.len() {
        0 => Err("no pipelines were read yet".to_owned()),
        1 => Err("there is only one pipeline".to_owned()),
        _ => Ok(()),
    }
}

/// Mine can be told from everyone's.
pub(super) fn scope(model: &Model) -> Possible {
    match model.facts.me {
        Some(_) => Ok(()),
        None => Err("it is not known which owner you are, set owner_id in the configuration".to_owned()),
    }
}

/// The panel has room.
pub(super) fn panel(model: &Model) -> Possible {
    if model.size.0 < 40 || model.size.1 < 10 {
        Err("the screen is too small for the side panel".to_owned())
    } else {
        Ok(())
    }
}

/// There is another pane to go to.
pub(super) fn pane(model: &Model) -> Possible {
    if geometry(model).panel == Panel::Hidden {
        Err("there is no other pane now, I shows the side panel".to_owned())
    } else {
        Ok(())
    }
}

/// There is somewhere to go back to.
pub(super) fn back(model: &Model) -> Possible {
    if model.trail.is_empty() {
        Err("there is nowhere to go back to".to_owned())
    } else {
        Ok(())
    }
}

/// The deal's page in HubSpot has an address.
pub(super) fn link(model: &Model) -> Possible {
    deal(model)?;
    match model.facts.account {
        Some(_) => Ok(()),
        None => Err("the account is not known yet, so the link is not either".to_owned()),
    }
}
