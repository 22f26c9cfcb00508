"""Associations: v4 with labels, and the v3 batches the SDK still has."""

from hubspot.crm.associations.v4 import (
    AssociationSpec,
    BatchInputPublicAssociationMultiArchive,
    BatchInputPublicAssociationMultiPost,
    BatchInputPublicDefaultAssociationMultiPost,
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicAssociationMultiArchive,
    PublicAssociationMultiPost,
    PublicDefaultAssociationMultiPost,
    PublicFetchAssociationsBatchRequest,
    PublicObjectId,
)
from hubspot.crm.associations.v4 import ApiException

from bench import check, equal, refused


def spec(type_id, category="HUBSPOT_DEFINED"):
    return AssociationSpec(association_category=category, association_type_id=type_id)


def people(crm, *names):
    inputs = [
        {"properties": {"firstname": name, "email": f"{name}@links.example"}, "associations": []} for name in names
    ]
    made = crm.contacts.batch_api.create({"inputs": inputs}).results
    ids = {row.properties["firstname"]: row.id for row in made}
    return [ids[name] for name in names]


def deal(crm):
    return crm.deals.basic_api.create({"properties": {"dealname": "Linked", "dealstage": "contractsent"}}).id


def linked(crm, record):
    """The contacts of a deal: id → set of association type ids."""
    rows = crm.associations.v4.basic_api.get_page("deals", record, "contacts", limit=500).results
    return {str(row.to_object_id): {link.type_id for link in row.association_types} for row in rows}


@check("associations", "a labelled link is made, read from both sides, replaced and removed")
def _(portal, crm):
    api = crm.associations.v4.basic_api
    (ann,), one = people(crm, "ann"), deal(crm)
    labels = crm.associations.v4.schema.definitions_api.get_all("deals", "contacts").results
    own = [label for label in labels if label.category == "USER_DEFINED"]
    assert any(label.type_id == 3 and label.label is None for label in labels) and len(own) > 1, labels
    made = api.create("deals", one, "contacts", ann, [spec(own[0].type_id, "USER_DEFINED")])
    equal((str(made.from_object_id), str(made.to_object_id)), (one, ann), "ends")
    equal((made.from_object_type_id, made.to_object_type_id, made.labels), ("0-3", "0-1", [own[0].label]), "types")
    rows = api.get_page("deals", one, "contacts").results
    said = {(link.category, link.type_id, link.label) for link in rows[0].association_types}
    wanted = {("HUBSPOT_DEFINED", 3, None), ("USER_DEFINED", own[0].type_id, own[0].label)}
    equal(said, wanted, "types of the link")
    mirrored = api.get_page("contacts", ann, "deals").results
    assert str(mirrored[0].to_object_id) == one and 4 in {link.type_id for link in mirrored[0].association_types}
    api.create("deals", one, "contacts", ann, [spec(own[1].type_id, "USER_DEFINED")])
    labels = {link.label for link in api.get_page("deals", one, "contacts").results[0].association_types}
    equal(labels, {None, own[1].label}, "replaced")
    api.archive("deals", one, "contacts", ann)
    api.archive("deals", one, "contacts", ann)
    equal(linked(crm, one), {}, "removed")


@check("associations", "the default link of one record")
def _(portal, crm):
    (ben,), one = people(crm, "ben"), deal(crm)
    answer = crm.associations.v4.basic_api.create_default("deals", one, "contacts", ben)
    equal(answer.status, "COMPLETE", "status")
    ends = {(row._from.id, row.to.id, row.association_spec.association_type_id) for row in answer.results}
    assert (one, ben, 3) in ends, ends
    equal(linked(crm, one), {ben: {3}}, "links")


@check("associations", "pages of a record's links")
def _(portal, crm):
    names = [f"page{n}" for n in range(7)]
    everyone, one = people(crm, *names), deal(crm)
    inputs = [
        PublicDefaultAssociationMultiPost(_from=PublicObjectId(id=one), to=PublicObjectId(id=id)) for id in everyone
    ]
    made = crm.associations.v4.batch_api.create_default(
        "deals", "contacts", BatchInputPublicDefaultAssociationMultiPost(inputs=inputs)
    )
    ends = {(row._from.id, row.to.id, row.association_spec.association_type_id) for row in made.results}
    assert ends >= {(one, person, 3) for person in everyone}, ends
    seen, after = [], None
    while True:
        options = {"after": after} if after else {}
        page = crm.associations.v4.basic_api.get_page("deals", one, "contacts", limit=3, **options)
        assert len(page.results) <= 3
        seen += [str(row.to_object_id) for row in page.results]
        if not page.paging:
            break
        after = page.paging.next.after
    equal(sorted(seen), sorted(everyone), "walk")


@check("associations", "batches make, read, unlabel and remove links")
def _(portal, crm):
    api = crm.associations.v4.batch_api
    (cleo, dan), one, two = people(crm, "cleo", "dan"), deal(crm), deal(crm)
    label = next(
        row
        for row in crm.associations.v4.schema.definitions_api.get_all("deals", "contacts").results
        if row.category == "USER_DEFINED"
    )

    def post(record, person, types):
        ends = {"_from": PublicObjectId(id=record), "to": PublicObjectId(id=person)}
        return PublicAssociationMultiPost(types=types, **ends)

    own = spec(label.type_id, "USER_DEFINED")
    made = api.create(
        "deals",
        "contacts",
        BatchInputPublicAssociationMultiPost(inputs=[post(one, cleo, [own]), post(two, dan, [spec(3)])]),
    )
    equal({(str(row.from_object_id), str(row.to_object_id)) for row in made.results}, {(one, cleo), (two, dan)}, "made")
    fetch = [PublicFetchAssociationsBatchRequest(id=id) for id in (one, two)]
    read = api.get_page("deals", "contacts", BatchInputPublicFetchAssociationsBatchRequest(inputs=fetch))
    got = {
        row._from.id: {str(to.to_object_id): {link.type_id for link in to.association_types} for to in row.to}
        for row in read.results
    }
    equal(got, {one: {cleo: {3, label.type_id}}, two: {dan: {3}}}, "read")
    api.archive_labels("deals", "contacts", BatchInputPublicAssociationMultiPost(inputs=[post(one, cleo, [own])]))
    equal(linked(crm, one), {cleo: {3}}, "unlabelled")
    removal = PublicAssociationMultiArchive(_from=PublicObjectId(id=one), to=[PublicObjectId(id=cleo)])
    api.archive("deals", "contacts", BatchInputPublicAssociationMultiArchive(inputs=[removal]))
    equal(linked(crm, one), {}, "removed")


@check("associations", "a record without links is an entry of a 207")
def _(portal, crm):
    (eve,), one, bare = people(crm, "eve"), deal(crm), deal(crm)
    crm.associations.v4.basic_api.create_default("deals", one, "contacts", eve)
    fetch = [PublicFetchAssociationsBatchRequest(id=id) for id in (one, bare)]
    read = crm.associations.v4.batch_api.get_page(
        "deals", "contacts", BatchInputPublicFetchAssociationsBatchRequest(inputs=fetch)
    )
    equal([row._from.id for row in read.results], [one], "found")
    error = read.errors[0]
    equal((error.category, error.sub_category), ("OBJECT_NOT_FOUND", "crm.associations.NO_ASSOCIATIONS_FOUND"), "error")
    equal(
        (error.message, error.context["fromObjectId"]),
        (f"No contact is associated with deal {bare}.", [bare]),
        "message",
    )


@check("associations", "what cannot be linked is refused")
def _(portal, crm):
    (fay,), one = people(crm, "fay"), deal(crm)
    api = crm.associations.v4.basic_api
    refused(ApiException, 400, lambda: api.create("deals", one, "contacts", fay, [spec(279)]))
    refused(ApiException, 404, lambda: api.create_default("deals", one, "contacts", "95"))
    equal(linked(crm, one), {}, "links")


@check("associations v3", "v3 batches make, read and remove links by their names")
def _(portal, crm):
    (gus,), one, bare = people(crm, "gus"), deal(crm), deal(crm)
    link = {"inputs": [{"from": {"id": one}, "to": {"id": gus}, "type": "deal_to_contact"}]}
    made = crm.associations.batch_api.create("deals", "contacts", link)
    equal([(row._from.id, row.to.id, row.type) for row in made.results], [(one, gus, "deal_to_contact")], "made")
    read = crm.associations.batch_api.read("deals", "contacts", {"inputs": [{"id": one}, {"id": bare}]})
    equal([row._from.id for row in read.results], [one], "found")
    assert (gus, "deal_to_contact") in {(to.id, to.type) for to in read.results[0].to}, read
    equal(read.errors[0].sub_category, "crm.associations.NO_ASSOCIATIONS_FOUND", "without links")
    crm.associations.batch_api.archive("deals", "contacts", link)
    equal(linked(crm, one), {}, "removed")


@check("associations v3", "v3 names the types of a link")
def _(portal, crm):
    types = crm.associations.schema.types_api.get_all("deals", "contacts").results
    assert ("3", "deal_to_contact") in {(row.id, row.name) for row in types}, types
