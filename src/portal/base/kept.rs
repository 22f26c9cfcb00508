//! Which properties a generated record may have. A table only.

use crate::portal::kinds::ObjectType::{
    self, Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets,
};

/// The properties a generated record of this type may have; the per-stage dates of deals come on top.
pub(super) fn names(object: ObjectType) -> &'static [&'static str] {
    match object {
        Contacts => &CONTACT_NAMES,
        Companies => &COMPANY_NAMES,
        Deals => &DEAL_NAMES,
        Tickets => &TICKET_NAMES,
        Notes => &NOTE_NAMES,
        Tasks => &TASK_NAMES,
        Calls => &CALL_NAMES,
        Emails => &EMAIL_NAMES,
        Meetings => &MEETING_NAMES,
    }
}

const CONTACT_NAMES: [&str; 21] = [
    "associatedcompanyid",
    "city",
    "company",
    "country",
    "createdate",
    "email",
    "firstname",
    "hs_email_domain",
    "hs_full_name_or_email",
    "hs_lead_status",
    "hs_object_id",
    "hs_object_source",
    "hs_timezone",
    "hubspot_owner_id",
    "jobtitle",
    "lastmodifieddate",
    "lastname",
    "lifecyclestage",
    "notes_last_updated",
    "num_associated_deals",
    "phone",
];

const COMPANY_NAMES: [&str; 17] = [
    "annualrevenue",
    "city",
    "country",
    "createdate",
    "domain",
    "hs_lastmodifieddate",
    "hs_object_id",
    "hs_object_source",
    "hubspot_owner_id",
    "industry",
    "lifecyclestage",
    "name",
    "num_associated_contacts",
    "num_associated_deals",
    "numberofemployees",
    "phone",
    "website",
];

const DEAL_NAMES: [&str; 37] = [
    "amount",
    "amount_in_home_currency",
    "closed_lost_reason",
    "closedate",
    "createdate",
    "days_to_close",
    "deal_currency_code",
    "dealname",
    "dealstage",
    "dealtype",
    "hs_closed_amount",
    "hs_closed_won_date",
    "hs_created_by_user_id",
    "hs_deal_stage_probability",
    "hs_exchange_rate",
    "hs_is_closed",
    "hs_is_closed_lost",
    "hs_is_closed_won",
    "hs_is_open_count",
    "hs_lastmodifieddate",
    "hs_manual_forecast_category",
    "hs_next_step",
    "hs_object_id",
    "hs_object_source",
    "hs_priority",
    "hs_projected_amount",
    "hs_projected_amount_in_home_currency",
    "hs_updated_by_user_id",
    "hs_v2_date_entered_current_stage",
    "hs_v2_time_in_current_stage",
    "hubspot_owner_id",
    "notes_last_contacted",
    "notes_last_updated",
    "notes_next_activity_date",
    "num_associated_contacts",
    "num_notes",
    "pipeline",
];

const TICKET_NAMES: [&str; 10] = [
    "closed_date",
    "content",
    "createdate",
    "hs_lastmodifieddate",
    "hs_object_id",
    "hs_pipeline",
    "hs_pipeline_stage",
    "hs_ticket_priority",
    "hubspot_owner_id",
    "subject",
];

const TASK_NAMES: [&str; 9] = [
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_object_id",
    "hs_task_priority",
    "hs_task_status",
    "hs_task_subject",
    "hs_task_type",
    "hs_timestamp",
    "hubspot_owner_id",
];

const NOTE_NAMES: [&str; 6] = [
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_note_body",
    "hs_object_id",
    "hs_timestamp",
    "hubspot_owner_id",
];

const CALL_NAMES: [&str; 11] = [
    "hs_call_body",
    "hs_call_direction",
    "hs_call_disposition",
    "hs_call_duration",
    "hs_call_status",
    "hs_call_title",
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_object_id",
    "hs_timestamp",
    "hubspot_owner_id",
];

const EMAIL_NAMES: [&str; 10] = [
    "hs_createdate",
    "hs_email_direction",
    "hs_email_html",
    "hs_email_status",
    "hs_email_subject",
    "hs_email_text",
    "hs_lastmodifieddate",
    "hs_object_id",
    "hs_timestamp",
    "hubspot_owner_id",
];

const MEETING_NAMES: [&str; 11] = [
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_meeting_body",
    "hs_meeting_end_time",
    "hs_meeting_location",
    "hs_meeting_outcome",
    "hs_meeting_start_time",
    "hs_meeting_title",
    "hs_object_id",
    "hs_timestamp",
    "hubspot_owner_id",
];
