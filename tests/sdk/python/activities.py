"""Notes, tasks, calls, emails and meetings."""

from hubspot.crm.objects.notes import (
    ApiException,
    AssociationSpec,
    PublicAssociationsForObject,
    PublicObjectId,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.objects.tasks import ApiException as TasksRefusal

from bench import check, equal, refused

NOON = "2026-11-20T12:00:00Z"


def deal(crm):
    return crm.deals.basic_api.create({"properties": {"dealname": "Busy", "dealstage": "contractsent"}}).id


@check("activities", "a note on a deal is one call and reads back")
def _(portal, crm):
    one = deal(crm)
    spec = AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=214)
    link = PublicAssociationsForObject(to=PublicObjectId(id=one), types=[spec])
    body = {"hs_timestamp": NOON, "hs_note_body": "<p>Called &amp; promised</p>"}
    made = crm.objects.notes.basic_api.create(SimplePublicObjectInputForCreate(properties=body, associations=[link]))
    names = ["hs_note_body", "hs_timestamp", "hs_body_preview"]
    note = crm.objects.notes.basic_api.get_by_id(made.id, properties=names, associations=["deals"])
    equal((note.properties["hs_note_body"], note.properties["hs_timestamp"]), (body["hs_note_body"], NOON), "note")
    equal({row.id for row in note.associations["deals"].results}, {one}, "deal")
    held = crm.deals.basic_api.get_by_id(one, associations=["notes"], properties=["num_notes"])
    equal({row.id for row in held.associations["notes"].results}, {made.id}, "notes of the deal")
    linked = crm.associations.v4.basic_api.get_page("deals", one, "notes").results
    equal([link.type_id for link in linked[0].association_types], [213], "direction")
    crm.objects.notes.basic_api.archive(made.id)
    assert not crm.associations.v4.basic_api.get_page("deals", one, "notes").results


@check("activities", "times may be written as milliseconds")
def _(portal, crm):
    made = crm.objects.notes.basic_api.create(
        {"properties": {"hs_timestamp": "1763640000000", "hs_note_body": "ms"}, "associations": []}
    )
    got = crm.objects.notes.basic_api.get_by_id(made.id, properties=["hs_timestamp"]).properties["hs_timestamp"]
    equal(got, "2025-11-20T12:00:00Z", "hs_timestamp")


@check("activities", "tasks, calls, emails and meetings are made, read and listed")
def _(portal, crm):
    one, objects = deal(crm), crm.objects
    task = {
        "hs_task_subject": "Ring",
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": "HIGH",
        "hs_task_type": "CALL",
    }
    call = {
        "hs_call_title": "Rang",
        "hs_call_duration": "90000",
        "hs_call_direction": "OUTBOUND",
        "hs_call_status": "COMPLETED",
    }
    email = {
        "hs_email_direction": "EMAIL",
        "hs_email_subject": "Hello",
        "hs_email_text": "Hi",
        "hs_email_status": "SENT",
    }
    meeting = {"hs_meeting_title": "Meet", "hs_meeting_start_time": NOON, "hs_meeting_end_time": "2026-11-20T13:00:00Z"}
    for api, properties, link in [
        (objects.tasks, task, 216),
        (objects.calls, call, 206),
        (objects.emails, email, 210),
        (objects.meetings, meeting, 212),
    ]:
        properties = {"hs_timestamp": NOON, **properties}
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link}]
        made = api.basic_api.create({"properties": properties, "associations": [{"to": {"id": one}, "types": types}]})
        got = api.basic_api.get_by_id(made.id, properties=list(properties), associations=["deals"])
        equal({name: got.properties[name] for name in properties}, properties, "properties")
        equal({row.id for row in got.associations["deals"].results}, {one}, "deal")
        page = api.basic_api.get_page(limit=100)
        while page.paging:
            page = api.basic_api.get_page(limit=100, after=page.paging.next.after)
        equal(page.results[-1].id, made.id, "last of the list")
        assert api.batch_api.read({"inputs": [{"id": made.id}], "properties": []}).results[0].created_at.tzinfo
    done = objects.tasks.basic_api.get_page(limit=1).results[0]
    changed = objects.tasks.basic_api.update(done.id, {"properties": {"hs_task_status": "COMPLETED"}})
    equal(changed.properties["hs_task_status"], "COMPLETED", "status")


@check("activities", "an activity needs its time and its words")
def _(portal, crm):
    make = crm.objects.notes.basic_api.create
    refused(ApiException, 400, lambda: make({"properties": {"hs_note_body": "when?"}, "associations": []}))
    task = {"properties": {"hs_timestamp": NOON, "hs_task_status": "SOON"}, "associations": []}
    _, body = refused(TasksRefusal, 400, lambda: crm.objects.tasks.basic_api.create(task))
    equal(body["errors"][0]["code"], "INVALID_OPTION", "code")
