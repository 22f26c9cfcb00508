"""The plain loop: a page after the other over one connection, with nothing but Python. Prints the ids it received.

RETRIES is how often a page is asked for again, in the way most scripts do it: ten seconds after a 429, else one.
"""

import http.client
import json
import os
import sys
import time
import urllib.parse

base = urllib.parse.urlsplit(os.environ["DEALDECK_BASE_URL"])
retries = int(os.environ.get("RETRIES", "0"))
headers = {"Authorization": f"Bearer {os.environ['DEALDECK_TOKEN']}"}
connection = http.client.HTTPConnection(base.hostname, base.port, timeout=30 if retries else None)


def page(path):
    """One page; every failure is an exception."""
    for attempt in range(retries + 1):
        status = None
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
            if status == 200:
                return json.loads(body)
            error = RuntimeError(f"{status} {answer.reason}")
        except (OSError, http.client.HTTPException) as broken:
            connection.close()
            error = broken
        if attempt < retries:
            time.sleep(10 if status == 429 else 1)
    raise error


query = {"limit": "100", "properties": os.environ["PROPERTIES"]}
try:
    while True:
        got = page(f"/crm/v3/objects/contacts?{urllib.parse.urlencode(query)}")
        print(*[row["id"] for row in got["results"]], sep="\n")
        after = got.get("paging", {}).get("next", {}).get("after")
        if not after:
            break
        query["after"] = after
except (OSError, http.client.HTTPException, RuntimeError) as error:
    sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
