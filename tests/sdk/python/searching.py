"""Search: filters, sorts, pages and the wall."""

from hubspot.crm.contacts import ApiException, Filter, FilterGroup, PublicObjectSearchRequest

from bench import check, equal, refused


def request(*filters, **options):
    return PublicObjectSearchRequest(
        filter_groups=[FilterGroup(filters=[Filter(**one) for one in filters])] if filters else [],
        **{"limit": 100, "properties": [], "sorts": [], "after": "0", **options},
    )


def truth(portal, name):
    return {record["id"]: record["properties"] for record in portal.witness(f"objects/{name}?archived=false")}


@check("search", "filters agree with the truth")
def _(portal, crm):
    deals = truth(portal, "deals")
    known = {id: properties for id, properties in deals.items() if properties.get("amount")}
    amounts = sorted(float(properties["amount"]) for properties in known.values())
    low, high = amounts[len(amounts) // 4], amounts[len(amounts) // 2]

    def found(*filters):
        return {row.id for row in crm.deals.search_api.do_search(request(*filters, limit=200)).results}

    def wanted(holds):
        return {id for id, properties in deals.items() if holds(properties)}

    amount = {"property_name": "amount"}
    between = {**amount, "operator": "BETWEEN", "value": str(low), "high_value": str(high)}
    equal(found(between), {id for id, p in known.items() if low <= float(p["amount"]) <= high}, "BETWEEN")
    equal(
        found({**amount, "operator": "GT", "value": str(high)}),
        {id for id, p in known.items() if float(p["amount"]) > high},
    )
    equal(found({**amount, "operator": "HAS_PROPERTY"}), set(known), "HAS_PROPERTY")
    equal(found({**amount, "operator": "NOT_HAS_PROPERTY"}), set(deals) - set(known), "NOT_HAS_PROPERTY")
    stage = {"property_name": "dealstage"}
    equal(
        found({**stage, "operator": "EQ", "value": "closedwon"}), wanted(lambda p: p["dealstage"] == "closedwon"), "EQ"
    )
    either = {**stage, "operator": "IN", "values": ["closedwon", "closedlost"]}
    equal(found(either), wanted(lambda p: p["dealstage"] in ("closedwon", "closedlost")), "IN")


@check("search", "groups are alternatives")
def _(portal, crm):
    groups = [
        {"filters": [{"propertyName": "dealstage", "operator": "EQ", "value": stage}]}
        for stage in ("closedwon", "closedlost")
    ]
    got = crm.deals.search_api.do_search({"filterGroups": groups, "limit": 200})
    wanted = {id for id, p in truth(portal, "deals").items() if p["dealstage"] in ("closedwon", "closedlost")}
    equal(({row.id for row in got.results}, got.total), (wanted, len(wanted)), "either")


@check("search", "sorts and pages walk everything once")
def _(portal, crm):
    seen, after = [], "0"
    while after:
        options = {"sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}], "limit": 50, "after": after}
        page = crm.deals.search_api.do_search(request(properties=["createdate"], **options))
        seen += page.results
        after = page.paging.next.after if page.paging else None
    dates = [row.properties["createdate"] for row in seen]
    equal(dates, sorted(dates, reverse=True), "order")
    equal((len(seen), len({row.id for row in seen})), (page.total, page.total), "walk")


@check("search", "a query and a token find a new contact; an archived one is gone")
def _(portal, crm):
    made = crm.contacts.basic_api.create({"properties": {"email": "zyx@sdk.example", "lastname": "Zyxworth"}})
    find = crm.contacts.search_api.do_search
    equal([row.id for row in find(request(query="zyxworth")).results], [made.id], "query")
    token = {"property_name": "lastname", "operator": "CONTAINS_TOKEN", "value": "zyx*"}
    equal([row.id for row in find(request(token)).results], [made.id], "token")
    row = find(request(token, properties=["phone", "lastname"])).results[0]
    equal((row.properties["phone"], row.properties["lastname"]), (None, "Zyxworth"), "properties")
    crm.contacts.basic_api.archive(made.id)
    equal(find(request(query="zyxworth")).total, 0, "archived")


@check("search", "an association is a filter too")
def _(portal, crm):
    deal = next(row for row in crm.deals.get_all(associations=["contacts"]) if row.associations)
    person = deal.associations["contacts"].results[0].id
    got = crm.deals.search_api.do_search(
        request({"property_name": "associations.contact", "operator": "EQ", "value": person})
    )
    assert deal.id in {row.id for row in got.results}, got


@check("search", "ten thousand is the wall")
def _(portal, crm):
    last = crm.contacts.search_api.do_search(request(limit=200, after="9800"))
    assert last.total > 10_000 and len(last.results) == 200, (last.total, len(last.results))
    _, body = refused(ApiException, 400, lambda: crm.contacts.search_api.do_search(request(limit=200, after="9900")))
    equal((body["status"], body["category"]), ("error", "VALIDATION_ERROR"), "wall")


@check("search", "what search cannot do is a 400")
def _(portal, crm):
    name = {"property_name": "lastname", "operator": "HAS_PROPERTY"}
    groups = PublicObjectSearchRequest(
        filter_groups=[FilterGroup(filters=[Filter(**name)])] * 6, limit=1, properties=[], sorts=[], after="0"
    )
    wrong = [
        request(limit=201),
        groups,
        request(*[name] * 7),
        request({**name, "property_name": "no_such_thing"}),
        request(query="x" * 3001),
    ]
    for body in wrong:
        _, said = refused(ApiException, 400, lambda: crm.contacts.search_api.do_search(body))
        assert said["message"] and said["correlationId"], said
