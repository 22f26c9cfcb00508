"""Runs the clients one by one, each against a fresh `dealdeck simulate`, and prints what they took. Called by run.sh."""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SDK = HERE.parents[1] / "tests" / "sdk"


def wish(name, usual, form="[1-9][0-9]*"):
    """What the environment says, checked."""
    said = os.environ.get(name) or usual
    if not re.fullmatch(form, said):
        print(f"{name} cannot be '{said}'; see run.sh --help", file=sys.stderr)
        sys.exit(2)
    return said


CONTACTS = int(wish("CONTACTS", "20000"))
SEED = wish("SEED", "7", "[0-9]+")
RUNS = int(wish("RUNS", "3"))
PEER_RUNS = int(wish("PEER_RUNS", "1"))
ASKED = wish("PROPERTIES", "same", "same|27")
LATENCY = 0.12

# Seconds from which a peer counts as slow, and after which any client is stopped.
SLOW, LONGEST = 20, 600

# All at once, the hang in the middle of the walk: silence for 120 seconds, or for as long as a client cares to listen.
FAULTS = "500=5%,429=5%,reset=5%"
HANG, HANG_AFTER = "hang=1", 40
RETRIES = {"loop": 10, "python": 10, "node": 6}

TWENTY_SEVEN = (
    "address,associatedcompanyid,city,company,country,createdate,email,fax,firstname,hs_email_domain,"
    "hs_full_name_or_email,hs_lead_status,hs_linkedin_url,hs_object_source,hs_timezone,hubspot_owner_id,jobtitle,"
    "lastmodifieddate,lastname,lifecyclestage,mobilephone,notes_last_updated,num_associated_deals,phone,state,website,zip"
)

# The bound is what the limits and the latency allow; the goal and what is shown at the least were set beforehand. They
# belong to 20,000 contacts.
Mark = collections.namedtuple("Mark", "bound goal most")
MARKS = {"opaque": Mark(11.6, 12.0, 12.5), "id": Mark(2.0, 3.0, 5.0)}
# How many times slower than dealdeck the Node SDK is to be, by dealdeck's cursors.
AHEAD = {"opaque": 2.1, "id": 5.0}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Started:
    """A process group that leaves with the block, and that run.sh knows of as long as it is there."""

    def __init__(self, scratch, command, **options):
        self.process = subprocess.Popen(command, start_new_session=True, **options)
        self.note = scratch / "pids" / str(self.process.pid)
        self.note.touch()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.note.unlink(missing_ok=True)


class Portal(Started):
    """A running `dealdeck simulate` with an empty rate window."""

    def __init__(self, setting, cursor, faults=""):
        world = ["--contacts", str(CONTACTS), "--companies", "0", "--deals", "0", "--seed", SEED]
        pace = ["--latency", f"{LATENCY * 1000:.0f}ms", "--limit", "190/10s", "--search-limit", "5/1s"]
        told = subprocess.run([setting.binary, "simulate", "--help"], capture_output=True, text=True, check=True)
        world += ["--tickets", "0"] if "--tickets" in told.stdout else []
        command = [setting.binary, "simulate", "--listen", "127.0.0.1:0", "--cursor", cursor, "--faults", faults]
        super().__init__(
            setting.scratch,
            [*command, *world, *pace],
            stdout=subprocess.PIPE,
            text=True,
            env=setting.environment(),
            cwd=setting.empty(),
        )
        try:
            opening = json.loads(self.process.stdout.readline() or "null")
            if opening is None:
                sys.exit("the simulated portal does not start")
            self.url, self.token = opening["url"], opening["token"]
        except BaseException:
            self.__exit__()
            raise

    def witness(self, path, body=None):
        """What the portal itself says; costs no budget and stands in no log. NDJSON comes back as a list."""
        data = None if body is None else json.dumps(body).encode()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(urllib.request.Request(f"{self.url}/__portal/{path}", data=data)) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def stats(self):
        return self.witness("stats")[0]

    def truth(self):
        return {row["id"] for row in self.witness("objects/contacts?archived=false")}


class Setting:
    """Where everything is, and the clean environment that every process gets."""

    def __init__(self, arguments):
        self.binary, self.scratch = arguments.binary, pathlib.Path(arguments.scratch)
        self.python_home, self.node_home = arguments.python_home, arguments.node_home
        self.count = 0

    def empty(self):
        """A fresh directory: no `.env`, no configuration, no mirror of the run before."""
        self.count += 1
        made = self.scratch / str(self.count)
        made.mkdir()
        return made

    def environment(self, **more):
        """No token, proxy or configuration of whoever runs this."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        home = str(self.scratch / "home")
        return {**kept, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1", "SDK_NODE_HOME": self.node_home, **more}

    def clients(self, faults):
        """Those that take part, in the order of the table."""
        python = f"HubSpot's Python SDK {re.search('==(.+)', (SDK / 'python/requirements.txt').read_text())[1].strip()}"
        versions = json.loads((SDK / "node/package.json").read_text())["dependencies"]
        node = f"HubSpot's Node SDK {versions['@hubspot/api-client']}"
        commands = {
            "loop": ("plain loop", [sys.executable, HERE / "loop.py"]),
            "python": (python, [f"{self.python_home}/bin/python", HERE / "python_sdk.py"]),
            "node": (node, [shutil.which("node"), HERE / "node_sdk.mjs"]),
        }
        for key, (name, command) in commands.items():
            yield Client(key, name, command)
            if faults:
                yield Client(key, f"{name}, {RETRIES[key]} retries", command, retries=RETRIES[key])
        for cursor in ("opaque", "id"):
            yield Client(cursor, f"dealdeck, {cursor} cursors", [self.binary], cursor=cursor)


class Client:
    """One way of reading all contacts."""

    def __init__(self, key, name, command, cursor=None, retries=0):
        self.key, self.name, self.command, self.retries = key, name, [str(part) for part in command], retries
        self.ours, self.cursor = cursor is not None, cursor or "opaque"
        self.runs = []

    def run(self, setting, properties, faults=False):
        """One walk against a portal of its own."""
        home = setting.empty()
        with Portal(setting, self.cursor, FAULTS if faults else "") as portal:
            environment = setting.environment(
                DEALDECK_BASE_URL=portal.url,
                DEALDECK_TOKEN=portal.token,
                RETRIES=str(self.retries),
                PROPERTIES=properties,
            )
            place = {"env": environment, "cwd": home}
            sync = ["sync", "--only", "contacts", "--format", "json", "--data-dir", "data"] if self.ours else []
            measure = [sys.executable, "-I", "-S", str(HERE / "measure.py"), "measured", *self.command, *sync]
            with (home / "out").open("w") as out, (home / "err").open("w") as err:
                files = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
                with Started(setting.scratch, measure, **files, **place) as started:
                    watch(started.process, portal if faults else None)
            run = self.told(home, portal)
            if self.ours and run.code == 0:
                run.got = self.mirror(place)
            run.judge(portal.truth())
        self.runs.append(run)
        return run

    def told(self, home, portal):
        """What the client, the operating system and the portal say about the run."""
        run = Run()
        try:
            vars(run).update(json.loads((home / "measured").read_text()))
        except FileNotFoundError:
            run.seconds, run.why = LONGEST, f"stopped after {LONGEST} s"
        out, err = (home / "out").read_text(), (home / "err").read_text()
        if run.code:
            run.why = (err.strip().splitlines() or [f"exit code {run.code}"])[-1][:160]
        if self.ours:
            said = json.loads(out) if out.strip() else {}
            run.rows = said.get("objects", {}).get("contacts", {}).get("fetched", 0)
            run.complete = said.get("complete", False)
        else:
            run.got = out.split()
            run.rows = len(run.got)
        stats = portal.stats()
        run.requests, run.refused = stats["requests"], stats["refused"]
        log = portal.witness("requests")
        run.faults = collections.Counter(entry["fault"] for entry in log if entry["fault"])
        run.properties = asked(log)
        return run

    def mirror(self, place):
        """The ids that dealdeck now has; None when this build has no command for it."""
        listing = [*self.command, "contacts", "list"]
        if subprocess.run([*listing, "--help"], check=False, capture_output=True, **place).returncode:
            return None
        given = ["--format", "jsonl", "--limit", "10000000", "--data-dir", "data"]
        done = subprocess.run([*listing, *given], check=False, capture_output=True, text=True, timeout=120, **place)
        if done.returncode:
            say(f"  dealdeck contacts list: {done.stderr.strip()}")
            return []
        return [str(json.loads(line)["id"]) for line in done.stdout.splitlines()]


class Run:
    """The figures of one walk."""

    code, cpu, peak, why, complete, got = 1, float("nan"), float("nan"), "", True, None

    def judge(self, truth):
        """Whether every record came, and came once."""
        self.checked = self.got is not None
        if self.checked:
            self.missing, self.twice = len(truth - set(self.got)), len(self.got) - len(set(self.got))
            same = sorted(self.got) == sorted(truth)
        else:
            self.missing, self.twice = max(len(truth) - self.rows, 0), max(self.rows - len(truth), 0)
            same = self.rows == len(truth)
        self.whole = self.code == 0 and self.complete and same


def asked(log):
    """The properties of the first page of contacts by list, as they stood in the URL."""
    for entry in log:
        if entry["method"] == "GET" and re.search("/objects/[^/]*/?contacts$", entry["path"]):
            query = urllib.parse.parse_qs(entry["query"])
            return ",".join(query.get("properties", []))
    return ""


def watch(process, hanging):
    """Waits for the client; gives the portal its hang once the walk is on its way."""
    end = time.monotonic() + LONGEST
    while process.poll() is None and time.monotonic() < end:
        if hanging and hanging.stats()["requests"] >= HANG_AFTER:
            hanging.witness("faults", {"faults": f"{FAULTS},{HANG}"})
            hanging = None
        time.sleep(0.02)


def table(rows, markdown):
    """The first row is the head; the first column is left-aligned, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        [cell.ljust(width) if index == 0 else cell.rjust(width) for index, (cell, width) in enumerate(zip(row, widths))]
        for row in rows
    ]
    if not markdown:
        return "\n".join("  ".join(line).rstrip() for line in lines)
    rule = ["-" * width if index == 0 else "-" * (width - 1) + ":" for index, width in enumerate(widths)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def median(client, figure):
    return statistics.median(getattr(run, figure) for run in client.runs)


def spread(client):
    seconds = [run.seconds for run in client.runs]
    return f"{len(seconds)}" + (f" ({min(seconds):.1f}-{max(seconds):.1f} s)" if len(seconds) > 1 else "")


def marked(client):
    """The cells 'bound', 'goal', 'at most' and what is reached of them."""
    mark = MARKS.get(client.key)
    if not mark:
        return [f"{-(-CONTACTS // 100) * LATENCY:.1f}", "", "", ""]
    if CONTACTS != 20000:
        return ["", "", "", ""]
    seconds = median(client, "seconds")
    reached = "goal" if seconds <= mark.goal else "at most" if seconds <= mark.most else "no"
    return [f"{mark.bound:.1f}", f"{mark.goal:.1f}", f"{mark.most:.1f}", reached]


def figures(client):
    whole = all(run.whole for run in client.runs)
    seconds, rows = median(client, "seconds"), min(run.rows for run in client.runs)
    return [
        client.name,
        f"{seconds:.1f}",
        *marked(client),
        f"{rows / seconds:,.0f}",
        f"{median(client, 'cpu'):.2f}",
        f"{median(client, 'peak') / 2**20:.0f}",
        f"{median(client, 'requests'):.0f}",
        str(max(run.refused for run in client.runs)),
        f"{rows:,}" + ("" if whole else " (not whole)"),
        spread(client),
    ]


def ratios(clients):
    """The Node SDK's seconds over dealdeck's."""
    by_key = {client.key: client for client in clients}
    for cursor, goal in AHEAD.items():
        times = median(by_key["node"], "seconds") / median(by_key[cursor], "seconds")
        word = "reached" if times >= goal else "not reached"
        yield f"The Node SDK takes {times:.1f} x as long as dealdeck with {cursor} cursors (goal: {goal:g} x, {word})."


def notes(clients, load):
    """What one must know to read the table."""
    counts = {len(run.properties.split(",")) for client in clients for run in client.runs if run.properties}
    if len(counts) == 1:
        properties = f"{counts.pop()} properties asked for by each"
    else:
        widths = {len(run.properties.split(",")) for client in clients if client.ours for run in client.runs}
        properties = f"dealdeck asked for {max(widths)} properties, its peers for {max(counts)}: not the same work"
    yield (
        f"{CONTACTS:,} contacts, {properties}; {LATENCY * 1000:.0f} ms an answer, 190 requests in ten seconds, five "
        f"searches a second. Seconds from start to exit; peers print ids, dealdeck keeps every record on disk. Bound: of "
        f"the peers, {-(-CONTACTS // 100)} pages one after the other."
    )
    ours = [run for client in clients if client.ours for run in client.runs]
    if all(run.checked for run in ours):
        yield "dealdeck's rows: compared with the portal's, id by id."
    else:
        yield "dealdeck's rows: by its own count; ids not checked, this build has no 'contacts list'."
    yield f"{os.cpu_count()} processors, load average {load[0]:.1f} at the start and {os.getloadavg()[0]:.1f} at the end."


def properties_for(client, clients):
    """What a peer asks for: what dealdeck was seen to ask for, or a fixed list. dealdeck is not told."""
    if client.ours:
        return ""
    seen = [run.properties for client in clients if client.ours for run in client.runs if run.properties]
    if ASKED == "same" and not seen:
        say("  dealdeck listed no contacts: the peers ask for 27 properties")
    return seen[0] if ASKED == "same" and seen else TWENTY_SEVEN


def compare(setting, clients, markdown):
    """The table of the plain mode; whether everyone is whole."""
    load = os.getloadavg()
    for turn in range(RUNS):
        # dealdeck first: its peers are to ask for the same properties.
        for client in sorted(clients, key=lambda client: not client.ours):
            slow = not client.ours and client.runs and median(client, "seconds") > SLOW
            if slow and len(client.runs) >= PEER_RUNS:
                continue
            run = client.run(setting, properties_for(client, clients))
            say(f"  {turn + 1}/{RUNS}  {client.name}: {run.seconds:.2f} s, {run.rows:,} rows {run.why}".rstrip())
    head = ["client", "seconds", "bound", "goal", "at most", "reached", "contacts/s", "CPU s", "peak MiB"]
    head += ["requests", "refused", "rows", "runs"]
    print(table([head, *map(figures, clients)], markdown), end="\n\n")
    words = [*(ratios(clients) if CONTACTS == 20000 else []), *notes(clients, load)]
    print("\n".join(words), flush=True)
    return all(run.whole for client in clients for run in client.runs)


def endure(setting, clients, markdown):
    """The table of the faults; whether dealdeck is whole."""
    load = os.getloadavg()
    rows = [["client", "whole", "seconds", "rows", "missing", "twice", "requests", "faults met", "stopped by"]]
    for client in sorted(clients, key=lambda client: not client.ours):
        run = client.run(setting, properties_for(client, clients), faults=True)
        say(f"  {client.name}: {'whole' if run.whole else 'not whole'} after {run.seconds:.1f} s {run.why}".rstrip())
    for client in clients:
        run = client.runs[0]
        word = "no" if not run.whole else "yes" if run.checked else "yes (own count)"
        met = ", ".join(f"{count} x {kind}" for kind, count in sorted(run.faults.items()))
        numbers = [f"{run.rows:,}", f"{run.missing:,}", f"{run.twice:,}", str(run.requests)]
        rows.append([client.name, word, f"{run.seconds:.1f}", *numbers, met, run.why.replace("|", "/")])
    print(table(rows, markdown), end="\n\n")
    print(f"Faults: {FAULTS}, and a hang after {HANG_AFTER} requests; one run each.")
    print("\n".join(notes(clients, load)), flush=True)
    return all(client.runs[0].whole for client in clients if client.ours)


def leave(*_):
    sys.exit(143)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--faults", action="store_true")
    for name in ("binary", "python_home", "node_home", "scratch"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)
    setting = Setting(arguments)
    clients = list(setting.clients(arguments.faults))
    mode = endure if arguments.faults else compare
    sys.exit(0 if mode(setting, clients, arguments.markdown) else 1)


main()
