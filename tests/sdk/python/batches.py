"""Batches of records, the ones that succeed in part included."""

from hubspot.crm.contacts import (
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    SimplePublicObjectBatchInput,
    SimplePublicObjectBatchInputForCreate,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectId,
)

from bench import check, equal, refused


def reading(ids, **options):
    inputs = [SimplePublicObjectId(id=id) for id in ids]
    options = {"properties": ["email"], "properties_with_history": [], **options}
    return BatchReadInputSimplePublicObjectId(inputs=inputs, **options)


def making(*wanted):
    inputs = [SimplePublicObjectBatchInputForCreate(associations=[], **one) for one in wanted]
    return BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)


def by_id(results):
    return {row.id: row for row in results}


@check("batch", "a read of a hundred finds each, by id and by email")
def _(portal, crm):
    some = crm.contacts.basic_api.get_page(limit=100, properties=["email"]).results
    answer = crm.contacts.batch_api.read(reading([row.id for row in some]))
    equal((answer.status, set(by_id(answer.results))), ("COMPLETE", {row.id for row in some}), "answer")
    assert answer.started_at.tzinfo and answer.completed_at.tzinfo
    emails = [row.properties["email"] for row in some if row.properties["email"]][:5]
    found = crm.contacts.batch_api.read(reading(emails, id_property="email")).results
    equal({row.properties["email"] for row in found}, set(emails), "emails")


@check("batch", "a read with missing ids is a 207 that names them")
def _(portal, crm):
    some = crm.contacts.basic_api.get_page(limit=2).results
    answer = crm.contacts.batch_api.read(reading([some[0].id, "99", some[1].id, "98"]))
    equal(set(by_id(answer.results)), {row.id for row in some}, "found")
    assert answer.num_errors == len(answer.errors) >= 1, answer
    error = answer.errors[0]
    equal(
        (error.status, error.category, set(error.context["ids"])), ("error", "OBJECT_NOT_FOUND", {"98", "99"}), "error"
    )
    assert error.message.startswith("Could not get some CONTACT objects"), error.message


@check("batch", "a create of several answers 201 with all of them")
def _(portal, crm):
    wanted = [{"properties": {"email": f"batch{n}@sdk.example"}} for n in range(3)]
    answer = crm.contacts.batch_api.create(making(*wanted))
    equal({row.properties["email"] for row in answer.results}, {f"batch{n}@sdk.example" for n in range(3)}, "created")
    again = [{"properties": {"email": "batch-new@sdk.example"}}, {"properties": {"email": "batch0@sdk.example"}}]
    _, body = refused(ApiException, 409, lambda: crm.contacts.batch_api.create(making(*again)))
    equal(body["category"], "CONFLICT", "category")
    missing = crm.contacts.batch_api.read(reading(["batch-new@sdk.example"], id_property="email"))
    equal(missing.results, [], "all or nothing")


@check("batch", "a create with trace ids is a 207 that says which failed")
def _(portal, crm):
    crm.contacts.batch_api.create(making({"properties": {"email": "taken@sdk.example"}}))
    wanted = [
        {"properties": {"email": "fresh@sdk.example"}, "object_write_trace_id": "a"},
        {"properties": {"email": "taken@sdk.example"}, "object_write_trace_id": "b"},
    ]
    answer = crm.contacts.batch_api.create(making(*wanted))
    equal(
        [(row.properties["email"], row.object_write_trace_id) for row in answer.results], [("fresh@sdk.example", "a")]
    )
    equal((answer.num_errors, answer.errors[0].category), (1, "CONFLICT"), "error")
    equal(answer.errors[0].context["objectWriteTraceId"], ["b"], "trace")


@check("batch", "an update writes the ones there are and names the rest")
def _(portal, crm):
    made = crm.contacts.batch_api.create(
        making(*({"properties": {"email": f"up{n}@sdk.example"}} for n in range(2)))
    ).results
    inputs = [SimplePublicObjectBatchInput(id=row.id, properties={"lastname": "Up"}) for row in made]
    whole = crm.contacts.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    equal({row.id: row.properties["lastname"] for row in whole.results}, {row.id: "Up" for row in made}, "updated")
    inputs.append(SimplePublicObjectBatchInput(id="97", properties={"lastname": "Nobody"}))
    partly = crm.contacts.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    equal((len(partly.results), partly.num_errors, partly.errors[0].context["ids"]), (2, 1, ["97"]), "partly")
    twice = BatchInputSimplePublicObjectBatchInput(inputs=[inputs[0], inputs[0]])
    _, body = refused(ApiException, 400, lambda: crm.contacts.batch_api.update(twice))
    assert body["message"].startswith("Duplicate IDs found in batch input: ["), body


@check("upsert", "an upsert by email says what is new")
def _(portal, crm):
    crm.contacts.batch_api.create(making({"properties": {"email": "known@sdk.example"}}))

    def once(**names):
        inputs = [
            SimplePublicObjectBatchInputUpsert(
                id=f"{name}@sdk.example", id_property="email", properties={"firstname": first}
            )
            for name, first in names.items()
        ]
        answer = crm.contacts.batch_api.upsert(BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs))
        return {row.properties["email"]: (row.new, row.properties["firstname"]) for row in answer.results}

    equal(once(known="K", novel="N"), {"known@sdk.example": (False, "K"), "novel@sdk.example": (True, "N")}, "first")
    equal(once(novel="M"), {"novel@sdk.example": (False, "M")}, "second")


@check("batch", "an archive is silent about unknown ids")
def _(portal, crm):
    made = crm.contacts.batch_api.create(making({"properties": {"email": "bye@sdk.example"}})).results[0]
    inputs = [SimplePublicObjectId(id=made.id), SimplePublicObjectId(id="96")]
    crm.contacts.batch_api.archive(BatchInputSimplePublicObjectId(inputs=inputs))
    assert crm.contacts.basic_api.get_by_id(made.id, archived=True).archived


@check("batch", "more inputs than a batch takes are refused")
def _(portal, crm):
    refused(ApiException, 400, lambda: crm.contacts.batch_api.read(reading(str(n) for n in range(101))))
    history = {"properties_with_history": ["email"]}
    _, body = refused(ApiException, 400, lambda: crm.contacts.batch_api.read(reading(map(str, range(51)), **history)))
    assert "for property histories is 50" in body["message"], body


@check("batch", "deals and companies batch the same way")
def _(portal, crm):
    for api, name in [(crm.deals, "dealname"), (crm.companies, "name")]:
        made = api.batch_api.create(
            {"inputs": [{"properties": {name: f"Twin {n}"}, "associations": []} for n in range(2)]}
        )
        ids = [row.id for row in made.results]
        updates = {"inputs": [{"id": id, "properties": {"description": "twin"}} for id in ids]}
        equal(len(api.batch_api.update(updates).results), 2, name)
        read = api.batch_api.read({"inputs": [{"id": id} for id in ids], "properties": ["description"]})
        equal([row.properties["description"] for row in read.results], ["twin", "twin"], name)
        api.batch_api.archive({"inputs": [{"id": id} for id in ids]})
