"""The account around the records: pipelines, owners, property definitions, lists."""

from hubspot.crm.lists import ListCreateRequest, ListSearchRequest, MembershipChangeRequest
from hubspot.crm.owners import ApiException as OwnersRefusal
from hubspot.crm.pipelines import ApiException as PipelinesRefusal
from hubspot.crm.pipelines import PipelineInput, PipelinePatchInput, PipelineStageInput, PipelineStagePatchInput
from hubspot.crm.properties import ApiException as PropertiesRefusal
from hubspot.crm.properties import OptionInput, PropertyCreate, PropertyUpdate

from bench import check, equal, refused

STAGES = [
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
    "closedwon",
    "closedlost",
]


@check("pipelines", "deal and ticket pipelines with their stages")
def _(portal, crm):
    pipelines = crm.pipelines.pipelines_api.get_all("deals").results
    sales = next(pipeline for pipeline in pipelines if pipeline.id == "default")
    equal(sorted(sales.stages, key=lambda stage: stage.display_order)[0].id, STAGES[0], "first stage")
    equal([stage.id for stage in sorted(sales.stages, key=lambda stage: stage.display_order)], STAGES, "stages")
    won = next(stage for stage in sales.stages if stage.id == "closedwon")
    equal((won.metadata["isClosed"], won.metadata["probability"]), ("true", "1.0"), "metadata")
    assert sales.created_at.tzinfo and sales.updated_at.tzinfo and won.write_permissions and not sales.archived
    tickets = crm.pipelines.pipelines_api.get_all("tickets").results
    equal([stage.metadata["ticketState"] for stage in tickets[0].stages][-1], "CLOSED", "ticket state")


@check("pipelines", "one pipeline, its stages, one stage")
def _(portal, crm):
    equal(crm.pipelines.pipelines_api.get_by_id("deals", "default").label, "Sales Pipeline", "label")
    equal(
        {stage.id for stage in crm.pipelines.pipeline_stages_api.get_all("deals", "default").results},
        set(STAGES),
        "stages",
    )
    lost = crm.pipelines.pipeline_stages_api.get_by_id("deals", "default", "closedlost")
    equal((lost.metadata["isClosed"], lost.metadata["probability"]), ("true", "0.0"), "lost")
    refused(PipelinesRefusal, 404, lambda: crm.pipelines.pipelines_api.get_by_id("deals", "nowhere"))


@check("pipeline writes", "a pipeline and a stage are made, changed and removed")
def _(portal, crm):
    def stage(label, probability, order):
        return PipelineStageInput(label=label, display_order=order, metadata={"probability": probability})

    first = [stage("Begun", "0.5", 0), stage("Won", "1.0", 1)]
    made = crm.pipelines.pipelines_api.create("deals", PipelineInput(label="Renewals", display_order=5, stages=first))
    equal([one.label for one in made.stages], ["Begun", "Won"], "stages")
    renamed = crm.pipelines.pipelines_api.update("deals", made.id, PipelinePatchInput(label="Repeats"))
    equal((renamed.id, renamed.label), (made.id, "Repeats"), "renamed")
    stages = crm.pipelines.pipeline_stages_api
    late = stages.create("deals", made.id, stage("Late", "0.8", 2))
    patch = PipelineStagePatchInput(label="Later", metadata={"probability": "0.9"})
    equal(stages.update("deals", made.id, late.id, patch).label, "Later", "stage label")
    stages.archive("deals", made.id, late.id)
    equal(len(stages.get_all("deals", made.id).results), 2, "stages left")
    crm.pipelines.pipelines_api.archive("deals", made.id)
    refused(PipelinesRefusal, 404, lambda: crm.pipelines.pipelines_api.get_by_id("deals", made.id))


@check("owners", "live and archived owners, in pages and one by one")
def _(portal, crm):
    api = crm.owners.owners_api
    live, gone = api.get_page(limit=500).results, api.get_page(limit=500, archived=True).results
    assert live and not any(owner.archived for owner in live), live
    equal(len({owner.id for owner in crm.owners.get_all()}), len(live), "get_all")
    page = api.get_page(limit=2)
    rest = api.get_page(limit=500, after=page.paging.next.after).results
    equal([owner.id for owner in page.results + rest], [owner.id for owner in live], "pages")
    one = live[0]
    assert one.created_at.tzinfo and one.type == "PERSON" and "@" in one.email and isinstance(one.user_id, int), one
    equal([owner.id for owner in api.get_page(email=one.email).results], [one.id], "by email")
    equal(api.get_by_id(int(one.id)).email, one.email, "by id")
    equal(api.get_by_id(one.user_id, id_property="userId").id, one.id, "by user")
    assert gone and all(
        owner.archived and owner.user_id is None and owner.user_id_including_inactive for owner in gone
    ), gone
    equal(api.get_by_id(int(gone[0].id), archived=True).id, gone[0].id, "archived by id")
    refused(OwnersRefusal, 404, lambda: api.get_by_id(94))


@check("properties", "definitions are listed and read")
def _(portal, crm):
    for kind in ("deals", "contacts", "companies", "tickets", "notes", "0-27"):
        names = {row.name for row in crm.properties.core_api.get_all(kind).results}
        assert "hs_object_id" in names and len(names) > 5, (kind, names)
    stage = crm.properties.core_api.get_by_name("deals", "dealstage")
    equal((stage.type, stage.field_type, stage.group_name), ("enumeration", "radio", "dealinformation"), "dealstage")
    equal(
        {option.value for option in crm.properties.core_api.get_by_name("deals", "hs_priority").options},
        {"low", "medium", "high"},
    )
    won = crm.properties.core_api.get_by_name("deals", "hs_is_closed_won")
    assert won.modification_metadata.read_only_value and won.calculated, won
    assert crm.properties.core_api.get_by_name("contacts", "email").has_unique_value is not None
    _, body = refused(PropertiesRefusal, 404, lambda: crm.properties.core_api.get_by_name("deals", "no_such_thing"))
    equal(body["category"], "OBJECT_NOT_FOUND", "category")


def definition(name, **more):
    wanted = {"group_name": "dealinformation", "label": name.title(), "type": "string", "field_type": "text"}
    return PropertyCreate(name=name, **{**wanted, **more})


@check("properties", "a definition is made, used, and made only once")
def _(portal, crm):
    made = crm.properties.core_api.create("deals", definition("sdk_note"))
    equal((made.name, made.label, made.type, made.hubspot_defined), ("sdk_note", "Sdk_Note", "string", False), "made")
    one = crm.deals.basic_api.create({"properties": {"dealname": "Noted", "sdk_note": "hello"}})
    equal(crm.deals.basic_api.get_by_id(one.id, properties=["sdk_note"]).properties["sdk_note"], "hello", "value")
    _, body = refused(PropertiesRefusal, 409, lambda: crm.properties.core_api.create("deals", definition("sdk_note")))
    equal(
        (body["category"], body["subCategory"]),
        ("OBJECT_ALREADY_EXISTS", "Properties.PROPERTY_WITH_NAME_EXISTS"),
        "409",
    )


@check("property writes", "a definition is changed, archived and comes back")
def _(portal, crm):
    api = crm.properties.core_api
    options = [
        OptionInput(label=label, value=label.lower(), display_order=n, hidden=False)
        for n, label in enumerate(("Red", "Blue"))
    ]
    api.create("deals", definition("sdk_colour", type="enumeration", field_type="select", options=options))
    changed = api.update("deals", "sdk_colour", PropertyUpdate(label="Colour", options=options[:1]))
    equal((changed.label, [option.value for option in changed.options]), ("Colour", ["red"]), "changed")
    api.archive("deals", "sdk_colour")
    refused(PropertiesRefusal, 404, lambda: api.get_by_name("deals", "sdk_colour"))
    assert "sdk_colour" in {row.name for row in api.get_all("deals", archived=True).results}
    api.create("deals", definition("sdk_colour"))
    equal(api.get_by_name("deals", "sdk_colour").archived, False, "restored")


@check("property writes", "definitions in batches, and their groups")
def _(portal, crm):
    names = ["sdk_one", "sdk_two"]
    crm.properties.batch_api.create("deals", {"inputs": [definition(name) for name in names]})
    wanted = {"inputs": [{"name": name} for name in names], "archived": False}
    equal({row.name for row in crm.properties.batch_api.read("deals", wanted).results}, set(names), "read")
    crm.properties.batch_api.archive("deals", {"inputs": [{"name": name} for name in names]})
    refused(PropertiesRefusal, 404, lambda: crm.properties.core_api.get_by_name("deals", "sdk_one"))
    assert "dealinformation" in {group.name for group in crm.properties.groups_api.get_all("deals").results}


@check("property writes", "a unique property finds its record and makes upserts repeatable")
def _(portal, crm):
    crm.properties.core_api.create("deals", definition("sdk_key", has_unique_value=True))
    one = crm.deals.basic_api.create({"properties": {"dealname": "Keyed", "sdk_key": "k-1"}})
    equal(crm.deals.basic_api.get_by_id("k-1", id_property="sdk_key").id, one.id, "by key")
    inputs = [{"id": "k-1", "idProperty": "sdk_key", "properties": {"dealname": "Keyed again"}}]
    got = crm.deals.batch_api.upsert({"inputs": inputs}).results[0]
    equal((got.id, got.new), (one.id, False), "upsert")


@check("lists", "a list is made, found, filled and emptied")
def _(portal, crm):
    ids = [row.id for row in crm.contacts.basic_api.get_page(limit=3).results]
    made = crm.lists.lists_api.create(
        ListCreateRequest(name="Sdk friends", object_type_id="0-1", processing_type="MANUAL")
    ).list
    equal((made.name, made.processing_type, made.object_type_id), ("Sdk friends", "MANUAL", "0-1"), "made")
    equal(crm.lists.lists_api.get_by_id(made.list_id).list.list_id, made.list_id, "by id")
    equal(crm.lists.lists_api.get_by_name("Sdk friends", "0-1").list.list_id, made.list_id, "by name")
    wanted = ListSearchRequest(query="sdk fri", offset=0, count=20, additional_properties=["hs_list_size"])
    found = crm.lists.lists_api.do_search(wanted)
    equal(([row.list_id for row in found.lists], found.has_more), ([made.list_id], False), "search")
    equal(set(crm.lists.memberships_api.add(made.list_id, ids).records_ids_added), set(ids), "added")
    page = crm.lists.memberships_api.get_page(made.list_id, limit=2)
    rest = crm.lists.memberships_api.get_page(made.list_id, limit=2, after=page.paging.next.after)
    equal({row.record_id for row in page.results + rest.results}, set(ids), "members")
    assert page.results[0].membership_timestamp.tzinfo
    of_one = [row.list_id for row in crm.lists.memberships_api.get_lists("0-1", ids[0]).results]
    assert made.list_id in of_one, f"lists of a record: {of_one}"
    change = MembershipChangeRequest(record_ids_to_add=[], record_ids_to_remove=ids[:1])
    equal(crm.lists.memberships_api.add_and_remove(made.list_id, change).record_ids_removed, ids[:1], "removed")
    left = crm.lists.memberships_api.get_page_ordered_by_added_to_list_date(made.list_id).results
    equal({row.record_id for row in left}, set(ids[1:]), "left")
