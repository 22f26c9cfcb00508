//! The people of a deal: contacts and the company.

use ratatui::layout::Rect;

use crate::{
    app::{DealScreen, Model},
    domain::{Company, Contact, DealDetail, format},
    ui::{canvas::Canvas, theme::Token, widgets::section::section},
};

/// Draws contacts and company; gives the rows that are left below.
pub fn people(canvas: &mut Canvas<'_>, model: &Model, screen: &DealScreen, area: Rect) -> Rect {
    let look = canvas.look;
    let Some(detail) = &screen.detail else { return area };
    let mut y = area.y;
    let room = area.height / 2;
    let count = format::count(detail.contacts.len() as u64);
    section(
        canvas,
        (area.x, y),
        area.width,
        "Contacts",
        look.row().add(count, Token::Muted),
    );
    y += 1;
    if detail.contacts.is_empty() {
        canvas.text(
            area.x,
            y,
            area.width,
            &look.text("no contacts on this deal"),
            Token::Muted,
        );
        y += 2;
    }
    for contact in &detail.contacts {
        if y + 3 > area.y + room {
            break;
        }
        y = self::contact(canvas, model, contact, Rect { y, height: 3, ..area }) + 1;
    }
    y = company(
        canvas,
        detail,
        Rect {
            y,
            height: area.bottom().saturating_sub(y),
            ..area
        },
    );
    Rect {
        y,
        height: area.bottom().saturating_sub(y),
        ..area
    }
}

/// Name and last touch, job title, address; gives the row below.
fn contact(canvas: &mut Canvas<'_>, model: &Model, contact: &Contact, area: Rect) -> u16 {
    let look = canvas.look;
    let mut y = area.y;
    let touched = contact
        .last_activity
        .map_or_else(String::new, |at| format::moment(at, model.now, &model.facts.zone()));
    let name = look.row().add(contact.name(), Token::Strong.bold());
    canvas.ends(
        Rect { y, height: 1, ..area },
        name,
        look.row().add(touched, Token::Muted),
    );
    y += 1;
    for (text, token) in [(&contact.job_title, Token::Muted), (&contact.email, Token::Info)] {
        if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
            // Both ends of an address stay: the middle never hides the host.
            canvas.text(area.x, y, area.width, &look.text(text).fit_middle(area.width), token);
            y += 1;
        }
    }
    y
}

fn company(canvas: &mut Canvas<'_>, detail: &DealDetail, area: Rect) -> u16 {
    let look = canvas.look;
    let Some(company) = detail.companies.first().filter(|_| area.height >= 4) else {
        return area.y;
    };
    let others = detail.companies.len() - 1;
    let fact = if others > 0 {
        format!("and {others} more")
    } else {
        String::new()
    };
    section(
        canvas,
        (area.x, area.y),
        area.width,
        "Company",
        look.row().add(fact, Token::Muted),
    );
    canvas.text(
        area.x,
        area.y + 1,
        area.width,
        &look.text(&company.name),
        Token::Strong.bold(),
    );
    let about = look.text(&about(company));
    canvas.text(area.x, area.y + 2, area.width, &about, Token::Muted);
    area.y + 4
}

/// `globex.example · 420 people · Utopia Harbour`
fn about(company: &Company) -> String {
    let people = company.employees.as_deref().map(|count| format!("{count} people"));
    [
        company.domain.clone(),
        people,
        company.industry.clone(),
        company.city.clone(),
        company.country.clone(),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}
