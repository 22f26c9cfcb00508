//! Generated values: one property of one record at a time, so that a search over a million contacts makes only the texts
//! it compares.

use super::{Base, DealFacts};
use crate::portal::clock::{DAY, iso};
use crate::portal::kinds::ObjectType::{
    self, Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets,
};
use crate::portal::names;

impl Base {
    /// One value of a generated record; `None` when it is unset.
    pub(in crate::portal) fn value(&self, object: ObjectType, index: u32, name: &str) -> Option<String> {
        if name == "hs_object_id" {
            return Some(self.id(object, index).to_string());
        }
        if let Some(at) = self.instant(object, index, name) {
            return Some(iso(at));
        }
        if name == "hubspot_owner_id" {
            let owner = if object.is_activity() {
                self.owner(Deals, self.deal_of(object, index))
            } else {
                self.owner(object, index)
            };
            return owner.map(|owner| owner.0.clone());
        }
        match object {
            Contacts => self.contact_value(index, name),
            Companies => self.company_value(index, name),
            Deals => self.deal_value(index, name),
            Tickets => self.ticket_value(index, name),
            Notes => (name == "hs_note_body").then(|| self.pick(&names::NOTES, Notes, index, 1).to_owned()),
            Tasks => self.task_value(index, name),
            Calls => self.call_value(index, name),
            Emails => self.email_value(index, name),
            Meetings => self.meeting_value(index, name),
        }
    }

    /// Create and modified dates without the way through text: Unix milliseconds.
    pub(in crate::portal) fn instant(&self, object: ObjectType, index: u32, name: &str) -> Option<i64> {
        if name == object.modified_property() {
            Some(self.modified(object, index))
        } else if name == object.created_property() {
            Some(self.created(object, index))
        } else if name == "hs_timestamp" && object.is_activity() && object != Tasks {
            Some(self.activity_at(object, index))
        } else {
            None
        }
    }

    fn contact_value(&self, contact: u32, name: &str) -> Option<String> {
        let share = |salt| self.share(Contacts, contact, salt);
        let text = |text: &str| Some(text.to_owned());
        let first = self.pick(&names::FIRST, Contacts, contact, 20);
        let last = self.pick(&names::LAST, Contacts, contact, 21);
        let (city, country, zone) = self.pick(&names::CITIES, Contacts, contact, 22);
        match name {
            "firstname" => text(first),
            "lastname" => text(last),
            "email" => Some(self.contact_email(contact)),
            "hs_full_name_or_email" => Some(format!("{first} {last}")),
            "hs_email_domain" => self
                .contact_email(contact)
                .split_once('@')
                .map(|(_, domain)| domain.to_owned()),
            "phone" if share(23) < 0.7 => Some(format!("+1-555-01{:02}", self.hash(Contacts, contact, 24) % 100)),
            "jobtitle" if share(25) < 0.85 => text(self.pick(&names::TITLES, Contacts, contact, 26)),
            "company" => self.company_of(contact).map(|company| self.company_name(company)),
            "associatedcompanyid" => self
                .company_of(contact)
                .map(|company| self.id(Companies, company).to_string()),
            "city" => text(city),
            "country" => text(country),
            "hs_timezone" => text(&zone.to_lowercase().replace('/', "_slash_")),
            "lifecyclestage" => text(self.pick(&LIFECYCLE, Contacts, contact, 27)),
            "hs_lead_status" if share(28) < 0.4 => text(self.pick(&LEAD_STATUS, Contacts, contact, 29)),
            "num_associated_deals" => {
                let count = self.neighbours(Contacts, contact, Deals).len();
                (count > 0).then(|| count.to_string())
            }
            "notes_last_updated" => {
                let dates = self.led_by(contact).filter_map(|deal| self.deal(deal).last_activity);
                dates.max().map(iso)
            }
            "hs_object_source" => text("CRM_UI"),
            _ => None,
        }
    }

    /// Carries the index, so that a contact can be found by its address.
    fn contact_email(&self, contact: u32) -> String {
        let first = names::slug(self.pick(&names::FIRST, Contacts, contact, 20));
        let last = names::slug(self.pick(&names::LAST, Contacts, contact, 21));
        let domain = self
            .company_of(contact)
            .map_or_else(|| "post.example".to_owned(), |c| self.company_domain(c));
        let name = [first, last]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(".");
        format!("{name}{}{contact}@{domain}", if name.is_empty() { "" } else { "." })
    }

    /// The contact with this address.
    pub(in crate::portal) fn contact_by_email(&self, email: &str) -> Option<u32> {
        let local = email.split_once('@')?.0;
        let digits = local.rsplit('.').next()?;
        let contact = digits.parse().ok().filter(|contact| *contact < self.span(Contacts))?;
        self.contact_email(contact)
            .eq_ignore_ascii_case(email)
            .then_some(contact)
    }

    fn company_value(&self, company: u32, name: &str) -> Option<String> {
        let share = |salt| self.share(Companies, company, salt);
        let (city, country, _) = self.pick(&names::CITIES, Companies, company, 22);
        match name {
            "name" => Some(self.company_name(company)),
            "domain" => Some(self.company_domain(company)),
            "website" => Some(format!("https://{}", self.company_domain(company))),
            "phone" => Some(format!("+1-555-01{:02}", self.hash(Companies, company, 24) % 100)),
            "industry" => Some(self.pick(&names::INDUSTRIES, Companies, company, 25).to_owned()),
            "city" => Some(city.to_owned()),
            "country" => Some(country.to_owned()),
            "numberofemployees" => Some(((share(26) * 8.0).exp() as u64 + 1).to_string()),
            "annualrevenue" if share(27) < 0.6 => Some((((share(28) * 7.0).exp() as u64 + 1) * 100_000).to_string()),
            "lifecyclestage" => Some(self.pick(&LIFECYCLE, Companies, company, 29).to_owned()),
            "num_associated_contacts" => Some(self.contacts_of(company).count().to_string()),
            "num_associated_deals" => Some(self.neighbours(Companies, company, Deals).len().to_string()),
            "hs_object_source" => Some("CRM_UI".to_owned()),
            _ => None,
        }
    }

    fn deal_value(&self, deal: u32, name: &str) -> Option<String> {
        let facts = self.deal(deal);
        let share = |salt| self.share(Deals, deal, salt);
        let text = |text: &str| Some(text.to_owned());
        let pipeline = &self.pipelines[facts.pipeline];
        let stage = &pipeline.stages[facts.stage];
        let home = facts
            .amount
            .map(|amount| if facts.euro { amount * 11 / 10 } else { amount });
        let weighted = |amount: u64| decimal(amount as f64 * stage.chance());
        match name {
            "dealname" => {
                let thing = self.pick(&names::THINGS, Deals, deal, 40);
                let company = self
                    .deal_company(deal)
                    .map_or_else(|| "Walk-in".to_owned(), |c| self.company_name(c));
                Some(format!("{company} {thing}"))
            }
            "pipeline" => Some(pipeline.id.clone()),
            "dealstage" => Some(stage.id.clone()),
            "amount" => facts.amount.map(|amount| amount.to_string()),
            "deal_currency_code" => text(if facts.euro { "EUR" } else { "USD" }),
            "hs_exchange_rate" => text(if facts.euro { "1.1" } else { "1.0" }),
            "amount_in_home_currency" => home.map(|amount| amount.to_string()),
            "hs_deal_stage_probability" => stage.probability.clone(),
            "hs_projected_amount" => facts.amount.map(weighted),
            "hs_projected_amount_in_home_currency" => home.map(weighted),
            "closedate" => facts.close.map(iso),
            "dealtype" => text(if facts.pipeline == 1 {
                "existingbusiness"
            } else {
                "newbusiness"
            }),
            "hs_priority" if share(42) < 0.5 => text(["low", "medium", "high"][(share(43) * 3.0) as usize]),
            "hs_next_step" if !facts.closed && share(44) < 0.7 => text(self.pick(&names::NEXT_STEPS, Deals, deal, 45)),
            "hs_manual_forecast_category" => text(match stage.chance() {
                _ if facts.closed && facts.won => "CLOSED",
                _ if facts.closed => "OMIT",
                p if p >= 0.9 => "COMMIT",
                p if p >= 0.6 => "BEST_CASE",
                _ => "PIPELINE",
            }),
            "hs_v2_date_entered_current_stage" | "hs_v2_time_in_current_stage" => Some(iso(facts.entered_current)),
            "notes_last_updated" => facts.last_activity.map(iso),
            "notes_last_contacted" => self.last_contact(deal).map(iso),
            "notes_next_activity_date" if self.has_task(deal) => {
                Some(self.task_due(deal)).filter(|due| *due > self.opened).map(iso)
            }
            "num_notes" => Some(self.activities(deal).to_string()),
            "num_associated_contacts" => Some(self.deal_contacts(deal).len().to_string()),
            "hs_object_source" => text("CRM_UI"),
            "hs_created_by_user_id" | "hs_updated_by_user_id" => self
                .owner(Deals, deal)
                .or(self.owners.first())
                .map(|owner| owner.1.to_string()),
            _ => None,
        }
        .or_else(|| self.outcome_value(deal, &facts, name))
        .or_else(|| self.stage_date(&facts, name))
    }

    /// What a deal shows of having been won or lost.
    fn outcome_value(&self, deal: u32, facts: &DealFacts, name: &str) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        let flag = |flag: bool| Some(flag.to_string());
        match name {
            "hs_is_closed" => flag(facts.closed),
            "hs_is_closed_won" => flag(facts.won),
            "hs_is_closed_lost" => flag(facts.closed && !facts.won),
            "hs_is_open_count" => text(if facts.closed { "0" } else { "1" }),
            "hs_closed_amount" => facts
                .amount
                .map(|amount| if facts.won { amount } else { 0 }.to_string()),
            "hs_closed_won_date" if facts.won => Some(iso(facts.entered_current)),
            "days_to_close" if facts.won => Some(((facts.entered_current - facts.created) / DAY).to_string()),
            "closed_lost_reason" if facts.closed && !facts.won => text(self.pick(&LOST_REASONS, Deals, deal, 41)),
            _ => None,
        }
    }

    /// One of the per-stage families, when that is what was asked for.
    fn stage_date(&self, facts: &DealFacts, name: &str) -> Option<String> {
        let (id, exited) = match name.strip_prefix("hs_v2_date_entered_") {
            Some(id) => (id, false),
            None => (name.strip_prefix("hs_v2_date_exited_")?, true),
        };
        let stages = &self.pipelines[facts.pipeline].stages;
        let place = facts.entered.iter().position(|(stage, _)| stages[*stage].id == id)?;
        facts.entered.get(place + usize::from(exited)).map(|(_, at)| iso(*at))
    }

    fn ticket_value(&self, ticket: u32, name: &str) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        let stage = ["1", "2", "3", "4", "4"][(self.share(Tickets, ticket, 20) * 5.0) as usize];
        match name {
            "subject" => text(self.pick(&names::TICKETS, Tickets, ticket, 21)),
            "content" => text("It worked yesterday, and nobody touched anything."),
            "hs_pipeline" => text("0"),
            "hs_pipeline_stage" => text(stage),
            "hs_ticket_priority" => text(["LOW", "MEDIUM", "HIGH"][(self.share(Tickets, ticket, 22) * 3.0) as usize]),
            "closed_date" if stage == "4" => Some(iso(self.modified(Tickets, ticket))),
            _ => None,
        }
    }
}

/// At most four digits after the point, without trailing zeros.
fn decimal(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Repeated values weigh more.
const LIFECYCLE: [&str; 12] = [
    "subscriber",
    "subscriber",
    "lead",
    "lead",
    "lead",
    "marketingqualifiedlead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

const LEAD_STATUS: [&str; 6] = [
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
];

const LOST_REASONS: [&str; 5] = [
    "Price",
    "Went with a competitor",
    "No budget this year",
    "Champion left",
    "Lost to a spreadsheet",
];
