"""HubSpot's Python SDK against the simulated portal. Run by ../run.sh: a line a check, then a count in JSON."""

import json
import sys

import bench
from bench import Portal

# Importing registers the checks, in this order. The counting ones come first: they compare with an untouched account.
import searching  # noqa: F401
import records  # noqa: F401
import batches  # noqa: F401
import links  # noqa: F401
import activities  # noqa: F401
import account  # noqa: F401
import errors  # noqa: F401
import dated  # noqa: F401

WIDE = ["--limit", "1000000/10s", "--search-limit", "1000000/1s", "--index-lag", "0s..0s"]

with Portal("--contacts", "10400", "--companies", "60", "--deals", "120", *WIDE) as portal:
    passed, failed = bench.run(portal, portal.client().crm)
print(json.dumps({"passed": passed, "failed": failed}))
sys.exit(1 if failed else 0)
