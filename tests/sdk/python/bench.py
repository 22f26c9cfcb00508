"""What the checks stand on: a simulated portal of their own, and a list of checks that each print one line."""

import json
import os
import subprocess
import traceback
import urllib.request

from hubspot import HubSpot
from hubspot.discovery.discovery_base import DiscoveryBase

BINARY = os.environ["DEALDECK_BINARY"]
PENDING = {name.strip() for name in os.environ.get("SDK_PENDING", "").split(",") if name.strip()}

checks = []


def check(group, sentence):
    """Registers a check; `group` is what PENDING names."""

    def register(function):
        checks.append((group, sentence, function))
        return function

    return register


def equal(got, wanted, what="value"):
    assert got == wanted, f"{what}: {got!r} instead of {wanted!r}"


def refused(exceptions, status, call):
    """Runs a call that must be refused with this status; returns the SDK's exception and its JSON body."""
    try:
        answer = call()
    except exceptions as error:
        equal(error.status, status, "status")
        return error, json.loads(error.body)
    raise AssertionError(f"not refused with {status}: {answer!r:.200}")


def strict(package, name, config):
    """The SDK's own factory of APIs, whose answers must come with a status that HubSpot's specification names.

    Left alone, the SDK turns any other success into None without a word.
    """
    api = DiscoveryBase._default_api_factory(package, name, config)
    call = api.api_client.call_api

    def checked(path, method, *arguments, response_types_map, **options):
        answer = call(path, method, *arguments, response_types_map=response_types_map, **options)
        status = api.api_client.last_response.status
        assert not response_types_map or status in response_types_map, f"{method} {path} may not answer {status}"
        return answer

    api.api_client.call_api = checked
    return api


class Portal:
    """A running `dealdeck simulate`; leaves when the block ends."""

    def __init__(self, *flags):
        self.flags = flags

    def __enter__(self):
        command = [BINARY, "simulate", "--listen", "127.0.0.1:0", "--seed", "7", *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        opening = json.loads(self.process.stdout.readline())
        self.url, self.token, self.portal_id = opening["url"], opening["token"], opening["portal_id"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def client(self, access_token=None, **options):
        """HubSpot's client, pointed at this portal: its generated parts read `host`, `api_request` reads `base_url`."""
        options = {"host": self.url, "base_url": self.url, "api_factory": strict, **options}
        return HubSpot(access_token=access_token or self.token, **options)

    def witness(self, path, body=None):
        """What the portal itself says, around the SDK; NDJSON comes back as a list."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/__portal/{path}", data=data)) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]


def run(*arguments):
    """Runs every registered check; returns how many passed and failed."""
    passed = failed = 0
    for group, sentence, function in checks:
        waits = group in PENDING
        try:
            function(*arguments)
            passed += 1
            print(f"pass  python  {group}: {sentence}{' (no longer pending)' if waits else ''}", flush=True)
        except Exception as error:  # a check may fail in any way the SDK can
            reason = f"{error.status} {error.body}" if hasattr(error, "body") else str(error)
            reason = " ".join(reason.split())[:600]
            print(
                f"{'pend' if waits else 'FAIL'}  python  {group}: {sentence}: {type(error).__name__}: {reason}",
                flush=True,
            )
            failed += not waits
            if not waits and os.environ.get("SDK_TRACE"):
                traceback.print_exc()
    return passed, failed
