"""Contacts, companies, deals and tickets, one by one and in pages."""

import datetime

from hubspot.crm.contacts import (
    ApiException,
    AssociationSpec,
    PublicAssociationsForObject,
    PublicGdprDeleteInput,
    PublicMergeInput,
    PublicObjectId,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)

from bench import check, equal, refused


def contact(crm, **properties):
    """A fresh contact."""
    return crm.contacts.basic_api.create(SimplePublicObjectInputForCreate(properties=properties))


@check("records", "get_all walks every contact once, in order")
def _(portal, crm):
    truth = [record["id"] for record in portal.witness("objects/contacts?archived=false")]
    got = [record.id for record in crm.contacts.get_all(properties=["email", "hubspot_owner_id"])]
    assert len(got) > 10_000, len(got)
    equal(got, sorted(set(got), key=int), "order of ids")
    equal(set(got), set(truth), "ids")


@check("records", "get_all of the generic objects API and of deals, companies and tickets agree with the truth")
def _(portal, crm):
    for name, api in [("deals", crm.deals), ("companies", crm.companies), ("tickets", crm.tickets)]:
        truth = {record["id"] for record in portal.witness(f"objects/{name}?archived=false")}
        equal({record.id for record in api.get_all()}, truth, name)
        equal({record.id for record in crm.objects.get_all(object_type=name)}, truth, f"generic {name}")
    equal(len(crm.contacts.get_all(limit=250)), 250, "a limited walk")


@check("records", "a page has results, a cursor, a link, and asked associations")
def _(portal, crm):
    page = crm.deals.basic_api.get_page(
        limit=20, properties=["dealname", "no_such_thing"], associations=["contacts", "companies"]
    )
    equal(len(page.results), 20, "page size")
    assert page.paging.next.after and "limit=20" in page.paging.next.link, page.paging
    linked = [deal for deal in page.results if deal.associations]
    assert linked, "no deal of the page has an association"
    kinds = {row.type for deal in linked for rows in deal.associations.values() for row in rows.results}
    assert "deal_to_contact" in kinds, kinds
    wanted = {"dealname", "createdate", "hs_lastmodifieddate", "hs_object_id"}
    equal(set(page.results[0].properties), wanted, "asked properties")
    after = crm.deals.basic_api.get_page(limit=20, after=page.paging.next.after)
    assert int(after.results[0].id) > int(page.results[-1].id)


@check("records", "a record has text properties and aware times")
def _(portal, crm):
    some = crm.contacts.basic_api.get_page(limit=1).results[0]
    got = crm.contacts.basic_api.get_by_id(some.id)
    equal(
        set(got.properties),
        {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"},
        "defaults",
    )
    equal(got.properties["hs_object_id"], got.id, "hs_object_id")
    for time in (got.created_at, got.updated_at):
        assert isinstance(time, datetime.datetime) and time.utcoffset() == datetime.timedelta(0), time
    equal(got.archived, False, "archived")
    assert all(value is None or isinstance(value, str) for value in got.properties.values()), got.properties


@check("records", "a contact is found by its email")
def _(portal, crm):
    made = contact(crm, email="mia+lake@sdk.example", firstname="Mia")
    found = crm.contacts.basic_api.get_by_id("mia+lake@sdk.example", id_property="email", properties=["firstname"])
    equal((found.id, found.properties["firstname"]), (made.id, "Mia"), "found")
    refused(ApiException, 404, lambda: crm.contacts.basic_api.get_by_id("nobody@sdk.example", id_property="email"))


@check("records", "a create with inline associations links both ways")
def _(portal, crm):
    company = crm.companies.basic_api.get_page(limit=1).results[0]
    link = PublicAssociationsForObject(
        to=PublicObjectId(id=company.id),
        types=[AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=279)],
    )
    made = crm.contacts.basic_api.create(
        SimplePublicObjectInputForCreate(properties={"email": "link@sdk.example"}, associations=[link])
    )
    assert made.created_at and made.properties["email"] == "link@sdk.example", made
    back = crm.contacts.basic_api.get_by_id(made.id, associations=["companies"])
    equal({row.id for row in back.associations["companies"].results}, {company.id}, "company")


@check("records", "an update changes what it names, by id and by email, and history tells")
def _(portal, crm):
    made = contact(crm, email="story@sdk.example", firstname="Old", lastname="Kept")
    changed = crm.contacts.basic_api.update(made.id, SimplePublicObjectInput(properties={"firstname": "New"}))
    equal((changed.id, changed.properties["firstname"]), (made.id, "New"), "answer")
    by_email = SimplePublicObjectInput(properties={"firstname": "Newer"})
    equal(crm.contacts.basic_api.update("story@sdk.example", by_email, id_property="email").id, made.id, "by email")
    told = crm.contacts.basic_api.get_by_id(made.id, properties=["lastname"], properties_with_history=["firstname"])
    equal(told.properties["lastname"], "Kept", "lastname")
    history = told.properties_with_history["firstname"]
    equal([entry.value for entry in history], ["Newer", "New", "Old"], "history")
    assert history[0].timestamp.tzinfo and history[0].source_type, history[0]


@check("records", "an empty text clears a property")
def _(portal, crm):
    made = contact(crm, email="empty@sdk.example", phone="+1 555 0100")
    crm.contacts.basic_api.update(made.id, SimplePublicObjectInput(properties={"phone": ""}))
    equal(crm.contacts.basic_api.get_by_id(made.id, properties=["phone"]).properties["phone"], None, "phone")


@check("records", "archiving hides a record, archived=True shows it, archiving again is no error")
def _(portal, crm):
    api = crm.contacts.basic_api
    made = contact(crm, email="gone@sdk.example")
    api.archive(made.id)
    api.archive(made.id)
    refused(ApiException, 404, lambda: api.get_by_id(made.id))
    gone = api.get_by_id(made.id, archived=True)
    assert gone.archived and gone.archived_at.tzinfo, gone
    listed = api.get_page(archived=True, limit=100).results
    assert made.id in {row.id for row in listed} and all(row.archived for row in listed)
    equal(
        crm.contacts.batch_api.read({"inputs": [{"id": made.id}], "properties": []}, archived=True).results[0].id,
        made.id,
    )


@check("records", "companies, deals and tickets live the same life")
def _(portal, crm):
    ticket = {"subject": "Leak", "hs_pipeline": "0", "hs_pipeline_stage": "1"}
    deal = {"dealname": "Boat", "amount": "1500.00", "dealstage": "appointmentscheduled", "pipeline": "default"}
    for api, key, properties in [
        (crm.companies, "name", {"name": "Acme Test", "domain": "acme.example"}),
        (crm.deals, "dealname", deal),
        (crm.tickets, "subject", ticket),
    ]:
        made = api.basic_api.create({"properties": properties, "associations": []})
        api.basic_api.update(made.id, {"properties": {key: "Renamed"}})
        read = api.basic_api.get_by_id(made.id, properties=list(properties))
        equal({name: read.properties[name] for name in properties}, {**properties, key: "Renamed"}, key)
        api.basic_api.archive(made.id)
        assert api.basic_api.get_by_id(made.id, archived=True).archived


@check("records", "closing a deal computes what follows")
def _(portal, crm):
    made = crm.deals.basic_api.create(
        {"properties": {"dealname": "Closing", "amount": "250", "dealstage": "contractsent"}}
    )
    crm.deals.basic_api.update(made.id, {"properties": {"dealstage": "closedwon"}})
    names = [
        "hs_is_closed",
        "hs_is_closed_won",
        "hs_deal_stage_probability",
        "hs_closed_amount",
        "closedate",
        "pipeline",
    ]
    got = crm.deals.basic_api.get_by_id(made.id, properties=names).properties
    equal((got["hs_is_closed"], got["hs_is_closed_won"], got["pipeline"]), ("true", "true", "default"), "closed")
    equal((float(got["hs_deal_stage_probability"]), float(got["hs_closed_amount"])), (1.0, 250.0), "numbers")
    assert got["closedate"].endswith("Z"), got["closedate"]


@check("merge", "a merge makes a third id and the old ids lead to it")
def _(portal, crm):
    kept, lost = (
        contact(crm, email="kept@sdk.example", firstname="Kept"),
        contact(crm, email="lost@sdk.example", phone="1"),
    )
    whole = crm.contacts.basic_api.merge(PublicMergeInput(primary_object_id=kept.id, object_id_to_merge=lost.id))
    assert whole.id not in (kept.id, lost.id), whole.id
    for old in (kept.id, lost.id):
        got = crm.contacts.basic_api.get_by_id(old, properties=["firstname", "hs_merged_object_ids"])
        equal((got.id, got.properties["firstname"]), (whole.id, "Kept"), "survivor")
        equal(set(got.properties["hs_merged_object_ids"].split(";")), {kept.id, lost.id}, "merged ids")


@check("gdpr", "a purge removes a contact for good")
def _(portal, crm):
    made = contact(crm, email="purge@sdk.example")
    crm.contacts.basic_api.purge(PublicGdprDeleteInput(object_id=made.id))
    refused(ApiException, 404, lambda: crm.contacts.basic_api.get_by_id(made.id))
    refused(ApiException, 404, lambda: crm.contacts.basic_api.get_by_id(made.id, archived=True))
