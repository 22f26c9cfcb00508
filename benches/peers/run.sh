#!/usr/bin/env bash
# The first sync of 20,000 contacts beside its peers: a plain loop and HubSpot's own SDKs for Python and Node, in one run,
# each against a `dealdeck simulate` of its own that answers after 120 ms and takes 190 requests in ten seconds.
#
#   benches/peers/run.sh [--markdown] [BINARY]            seconds, CPU, memory, requests, beside the bound and the goal
#   benches/peers/run.sh --faults [--markdown] [BINARY]   5 % 500, 5 % 429, 5 % resets and one hang: who comes through whole
#
# Without BINARY, cargo builds the release one. The table goes to stdout, progress to stderr. Exits 1 when dealdeck or,
# without faults, anyone is not whole; a missed goal is said in the table and fails nothing: time is noise on a busy machine.
#
#   RUNS=3        rounds; figures are medians
#   PEER_RUNS=1   the most of them for a peer that takes longer than 20 s
#   PROPERTIES=   same: the peers ask for what dealdeck asks for (the default); 27: for 27 properties, whatever dealdeck does
#   CONTACTS=20000, SEED=7
#
# Takes about three minutes; with --faults, where everyone runs once, up to a quarter of an hour.
# Needs what tests/sdk/run.sh needs, and uses the SDKs that it installs.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"

flags=() binary=""
for argument in "$@"; do
  case $argument in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    --markdown | --faults) flags+=("$argument") ;;
    -*) echo "'$argument' is no flag; --help lists them" >&2; exit 2 ;;
    *) [ -z "$binary" ] || { echo "one binary at a time, not '$argument' as well" >&2; exit 2; }; binary=$argument ;;
  esac
done

scratch="$(mktemp -d)" driver=""
# The driver ends what it started. What is left when somebody killed it outright is in pids/, a file a process group.
leave() {
  local left
  trap - EXIT
  trap '' INT TERM HUP
  if [ -n "$driver" ]; then
    kill -TERM "$driver" 2>/dev/null || true
    wait "$driver" 2>/dev/null || true
  fi
  for left in "$scratch"/pids/*; do
    [ ! -e "$left" ] || kill -KILL -- "-${left##*/}" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

export XDG_CACHE_HOME="${XDG_CACHE_HOME:-${HOME:-$scratch}/.cache}"
homes="$("$root/tests/sdk/run.sh" --install)"

if [ -z "$binary" ]; then
  binary="$(cargo build --release --locked --bin dealdeck --message-format=json-render-diagnostics --manifest-path "$root/Cargo.toml" |
    python3 -c 'import json, sys
rows = map(json.loads, sys.stdin)
print(*[row["executable"] for row in rows if row.get("executable") and row["target"]["kind"] == ["bin"]])')"
fi
if [ ! -f "$binary" ] || [ ! -x "$binary" ]; then
  echo "'$binary' is no program; build dealdeck first" >&2
  exit 2
fi
# A copy: a build that finishes meanwhile must not change what is measured.
cp "$binary" "$scratch/dealdeck"

# In the background, so that a signal to this script is heard at once.
mkdir "$scratch/pids"
python3 -B "$here/driver.py" "${flags[@]+"${flags[@]}"}" \
  "$scratch/dealdeck" "${homes%%$'\n'*}" "${homes##*$'\n'}" "$scratch" &
driver=$!
code=0
wait "$driver" || code=$?
driver=""
exit "$code"
