"""The date versions, through the SDK's door for paths it has no module for."""

from bench import check, equal

VERSIONS = ("2026-03", "2026-09")


def ask(client, method, path, status, **options):
    answer = client.api_request({"method": method, "path": path, **options})
    equal(answer.status_code, status, f"{method} {path}: {answer.text[:300]}")
    return answer.json() if answer.text else None


@check("dated", "records live under date versions as under v3")
def _(portal, crm):
    client = portal.client()
    for version in VERSIONS:
        path = f"/crm/objects/{version}/contacts"
        page = ask(client, "GET", path, 200, qs={"limit": 2, "properties": "email", "archived": False})
        equal(len(page["results"]), 2, "page")
        assert ask(client, "GET", path, 200, qs={"limit": 2, "after": page["paging"]["next"]["after"]})["results"]
        made = ask(client, "POST", path, 201, body={"properties": {"email": f"d{version}@sdk.example"}})
        ask(client, "PATCH", f"{path}/{made['id']}", 200, body={"properties": {"firstname": "Dated"}})
        equal(crm.contacts.basic_api.get_by_id(made["id"]).properties["firstname"], "Dated", "seen by v3")
        found = ask(client, "POST", f"{path}/search", 200, body={"query": f"d{version}@sdk.example"})
        equal([row["id"] for row in found["results"]], [made["id"]], "search")
        read = ask(
            client,
            "POST",
            f"{path}/batch/read",
            207,
            body={"inputs": [{"id": made["id"]}, {"id": "91"}], "properties": []},
        )
        equal((len(read["results"]), read["numErrors"]), (1, 1), "batch")
        ask(client, "DELETE", f"{path}/{made['id']}", 204)


@check("dated", "associations, pipelines, owners, definitions and the account answer too")
def _(portal, crm):
    client = portal.client()
    deal = next(row for row in crm.deals.get_all(associations=["contacts"]) if row.associations)
    for version in VERSIONS:
        links = ask(client, "GET", f"/crm/objects/{version}/deals/{deal.id}/associations/contacts", 200)
        batch = ask(
            client,
            "POST",
            f"/crm/associations/{version}/deals/contacts/batch/read",
            200,
            body={"inputs": [{"id": deal.id}]},
        )
        equal(batch["results"][0]["to"], links["results"], "links")
        assert ask(client, "GET", f"/crm/associations/{version}/deals/contacts/labels", 200)["results"]
        assert ask(client, "GET", f"/crm/pipelines/{version}/deals", 200)["results"][0]["stages"]
        assert ask(client, "GET", f"/crm/owners/{version}", 200)["results"]
        assert ask(client, "GET", f"/crm/properties/{version}/deals", 200)["results"]
        equal(ask(client, "GET", f"/account-info/{version}/details", 200)["portalId"], portal.portal_id, "portal")
        usage = ask(client, "GET", f"/account-info/{version}/api-usage/daily/private-apps", 200)["results"][0]
        equal(usage["name"], "private-apps-api-calls-daily", "usage")


@check("dated", "the token tells what it may do")
def _(portal, crm):
    body = {"tokenKey": portal.token}
    told = ask(portal.client(), "POST", "/oauth/v2/private-apps/get/access-token-info", 200, body=body)
    assert told["hubId"] == portal.portal_id and "crm.objects.deals.write" in told["scopes"], told
    assert crm.owners.owners_api.get_by_id(told["userId"], id_property="userId").email
