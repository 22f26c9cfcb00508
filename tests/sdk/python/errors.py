"""How refusals reach a user of the SDK, and its own retries."""

from hubspot.crm.contacts import ApiException
from hubspot.crm.deals import ApiException as DealsRefusal
from hubspot.crm.objects import ApiException as ObjectsRefusal
from urllib3.util.retry import Retry

from bench import Portal, check, equal, refused


@check("errors", "401 for a wrong token, with its category")
def _(portal, crm):
    wrong = portal.client(access_token="pat-na1-00000000-0000-0000-0000-000000000000").crm
    error, body = refused(ApiException, 401, lambda: wrong.contacts.basic_api.get_page())
    equal(
        (body["category"], error.headers["X-HubSpot-Correlation-Id"]), ("EXPIRED_AUTHENTICATION", body["correlationId"])
    )
    assert "expire time" in body["context"], body


@check("errors", "403 for a missing scope names it")
def _(portal, crm):
    portal.witness("faults", {"faults": "403=1"})
    _, body = refused(ApiException, 403, lambda: crm.contacts.basic_api.get_page())
    equal(body["category"], "MISSING_SCOPES", "category")
    assert body["errors"][0]["context"]["requiredGranularScopes"], body


@check("errors", "404 for an unknown id and for what is no id")
def _(portal, crm):
    _, body = refused(ApiException, 404, lambda: crm.contacts.basic_api.get_by_id("93"))
    equal((body["status"], body["message"]), ("error", "resource not found"), "unknown")
    _, body = refused(ApiException, 404, lambda: crm.contacts.basic_api.get_by_id("abc"))
    equal((body["category"], body["context"]), ("OBJECT_NOT_FOUND", {"id": ["abc"]}), "no id")
    refused(ApiException, 404, lambda: crm.contacts.basic_api.update("93", {"properties": {"firstname": "x"}}))


@check("errors", "409 for a contact that exists, with its id")
def _(portal, crm):
    make = crm.contacts.basic_api.create
    made = make({"properties": {"email": "once@sdk.example"}, "associations": []})
    _, body = refused(
        ApiException, 409, lambda: make({"properties": {"email": "Once@sdk.example"}, "associations": []})
    )
    equal(
        (body["message"], body["category"]), (f"Contact already exists. Existing ID: {made.id}", "CONFLICT"), "conflict"
    )


@check("errors", "400 names every bad property")
def _(portal, crm):
    bad = {"dealname": "Bad", "nonsense": "1", "amount": "much", "hs_priority": "huge", "hs_is_closed": "true"}
    _, body = refused(DealsRefusal, 400, lambda: crm.deals.basic_api.create({"properties": bad, "associations": []}))
    equal(body["category"], "VALIDATION_ERROR", "category")
    codes = {error["context"]["propertyName"][0]: error["code"] for error in body["errors"]}
    equal(
        (codes["nonsense"], codes["hs_priority"], codes["hs_is_closed"]),
        ("PROPERTY_DOESNT_EXIST", "INVALID_OPTION", "READ_ONLY_VALUE"),
    )
    assert set(codes) == set(bad) - {"dealname"}, codes
    stage = {"properties": {"dealname": "Bad", "dealstage": "nowhere", "pipeline": "default"}}
    _, body = refused(DealsRefusal, 400, lambda: crm.deals.basic_api.create(stage))
    assert "nowhere is not a valid pipeline stage ID" in body["message"], body
    mail = {"properties": {"email": "no mail"}, "associations": []}
    _, body = refused(ApiException, 400, lambda: crm.contacts.basic_api.create(mail))
    equal(body["errors"][0]["code"], "INVALID_EMAIL", "email")


@check("errors", "400 for an unknown object type, a bad page size and a bad association")
def _(portal, crm):
    _, body = refused(ObjectsRefusal, 400, lambda: crm.objects.basic_api.get_page("butterflies"))
    equal(body["message"], "Unable to infer object type from: butterflies", "message")
    refused(ApiException, 400, lambda: crm.contacts.basic_api.get_page(limit=101))
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    link = {"properties": {"email": "bad-link@sdk.example"}, "associations": [{"to": {"id": "92"}, "types": types}]}
    _, body = refused(ApiException, 400, lambda: crm.contacts.basic_api.create(link))
    equal(body["message"], "One or more associations are invalid", "association")
    refused(ApiException, 404, lambda: crm.contacts.basic_api.get_by_id("bad-link@sdk.example", id_property="email"))


@check("limits", "429 of the window and of search, and the SDK's retries get past both")
def _(portal, crm):
    with Portal("--contacts", "50", "--limit", "6/2s", "--search-limit", "2/1s", "--index-lag", "0s..0s") as narrow:
        once = narrow.client().crm
        for _ in range(6):
            _, status, headers = once.contacts.basic_api.get_page_with_http_info(limit=1)
        equal((headers["X-HubSpot-RateLimit-Max"], headers["X-HubSpot-RateLimit-Remaining"]), ("6", "0"), "headers")
        _, body = refused(ApiException, 429, lambda: once.contacts.basic_api.get_page(limit=1))
        equal((body["errorType"], body["policyName"]), ("RATE_LIMIT", "TEN_SECONDLY_ROLLING"), "window")
        seek = {"filterGroups": [], "limit": 1}
        said = [once.contacts.search_api.do_search_with_http_info(seek)[2] for _ in range(2)]
        assert not any(name.lower().startswith("x-hubspot-ratelimit") for headers in said for name in headers), said
        _, body = refused(ApiException, 429, lambda: once.contacts.search_api.do_search(seek))
        equal((body["message"], body["policyName"]), ("You have reached your secondly limit.", "SECONDLY"), "search")
        retry = Retry(total=6, status_forcelist=(429,), backoff_factor=0.2, allowed_methods=None)
        patient = narrow.client(retry=retry).crm
        equal(len([patient.contacts.basic_api.get_page(limit=1) for _ in range(14)]), 14, "window outlasted")
        equal(len([patient.contacts.search_api.do_search(seek) for _ in range(5)]), 5, "search outlasted")
        assert narrow.witness("stats")[0]["by_status"]["429"] >= 4


@check("limits", "the SDK's retries get past a server error")
def _(portal, crm):
    portal.witness("faults", {"faults": "500=1,502=1"})
    refused(ApiException, 500, lambda: crm.contacts.basic_api.get_page(limit=1))
    patient = portal.client(retry=Retry(total=3, status_forcelist=(500, 502, 503, 504), backoff_factor=0.1)).crm
    equal(len(patient.contacts.basic_api.get_page(limit=1).results), 1, "after 502")
