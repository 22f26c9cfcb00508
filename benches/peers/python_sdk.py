"""HubSpot's Python SDK, walking as its get_all does, without keeping the rows. Prints the ids it received.

RETRIES turns the SDK's documented retries on, with a time limit an answer; left alone it has neither.
"""

import os
import sys

from hubspot import HubSpot
from urllib3.util.retry import Retry

retries = int(os.environ.get("RETRIES", "0"))
statuses = (429, 500, 502, 503, 504)
retry = Retry(total=retries, status_forcelist=statuses, backoff_factor=0.3) if retries else None
limits = {"_request_timeout": 30} if retries else {}

client = HubSpot(access_token=os.environ["DEALDECK_TOKEN"], host=os.environ["DEALDECK_BASE_URL"], retry=retry)
# Each look at `basic_api` makes a client with connections of its own: looked at once, as get_all does.
api = client.crm.contacts.basic_api
properties = os.environ["PROPERTIES"].split(",")
after = None
try:
    while True:
        page = api.get_page(limit=100, after=after, properties=properties, **limits)
        print(*[row.id for row in page.results], sep="\n")
        if page.paging is None or page.paging.next is None:
            break
        after = page.paging.next.after
except Exception as error:  # the SDK lets everything through, its own exceptions and urllib3's
    sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
