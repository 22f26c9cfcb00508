#!/usr/bin/env bash
# HubSpot's own SDKs for Python and Node against `dealdeck simulate`: what they trip over is a bug of the simulated portal.
#
#   tests/sdk/run.sh [BINARY]
#   tests/sdk/run.sh --install
#
# Without BINARY, cargo is asked for the one the tests use. The SDKs are installed from their registries, at the versions
# pinned here, into a cache outside the clone. Prints a line a check and ends in 'N passed, N failed'; exits 1 on failures.
# --install only installs them, and prints the directories of the Python and of the Node SDK, a line each.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# Groups of checks whose feature the portal does not have yet: they run, and their failures do not count.
PENDING=""
export SDK_PENDING="$PENDING"

# All that is installed and checked has this many seconds; then it is stopped and counts as failed.
LONGEST=175

# need WHAT TRIAL PACKAGE...: makes sure that a trial command works, by apt where that is possible.
need() {
  local what=$1 trial=$2 root=()
  shift 2
  eval "$trial" >/dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] || root=(sudo -n)
  if ! command -v apt-get >/dev/null || ! { "${root[@]}" apt-get update -qq && "${root[@]}" apt-get install -qqy "$@"; } >&2; then
    echo "$what is missing and apt cannot install it; install $*, then try again" >&2
    exit 1
  fi
}

# The binary that `cargo test` builds for the integration tests: built already after a test run.
binary() {
  cargo test --locked --no-run --test portal_wire --message-format=json-render-diagnostics --manifest-path "$here/../../Cargo.toml" |
    python3 -c 'import json, sys
rows = map(json.loads, sys.stdin)
print(*[row["executable"] for row in rows if row.get("executable") and row["target"]["kind"] == ["bin"]])'
}

# within COMMAND...: runs it in the time that is left.
within() {
  local left=$((LONGEST - SECONDS))
  timeout "$((left > 0 ? left : 1))" "$@"
}

# keyed NAME FILES...: a directory of the cache that belongs to these files' contents.
keyed() {
  local name=$1
  shift
  echo "$cache/$name-$(cat "$@" | sha256sum | cut -c1-12)"
}

# Makes sure that the Python SDK is installed; where, is in $home.
python_home() {
  home="$(keyed python "$here/python/requirements.txt" <(python3 --version))"
  if [ ! -e "$home/ready" ]; then
    rm -rf "$home"
    within python3 -m venv "$home" >&2
    within "$home/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt" >&2
    touch "$home/ready"
  fi
}

python_checks() {
  local home
  python_home
  PYTHONDONTWRITEBYTECODE=1 within "$home/bin/python" "$here/python/main.py"
}

# The same for the Node SDK.
node_home() {
  home="$(keyed node "$here/node/package-lock.json")"
  if [ ! -e "$home/ready" ]; then
    rm -rf "$home"
    mkdir -p "$home"
    cp "$here/node/package.json" "$here/node/package-lock.json" "$home"
    # The SDK asks for a newer Node than it needs: any with fetch will do.
    within npm ci --prefix "$home" --silent --no-audit --no-fund --engine-strict=false >&2
    touch "$home/ready"
  fi
}

node_checks() {
  local home
  node_home
  SDK_NODE_HOME="$home" within node "$here/node/main.mjs"
}

need "Python with venv" "python3 -m venv --help && python3 -c 'import ensurepip'" python3 python3-venv
need "Node 18 or newer with npm" "node -e 'fetch' && npm --version" nodejs npm
logs="$(mktemp -d)"
trap 'rm -rf "$logs"' EXIT
cache="${XDG_CACHE_HOME:-${HOME:-$logs}/.cache}/dealdeck-ci/sdk"
mkdir -p "$cache"
SECONDS=0

if [ "${1:-}" = --install ]; then
  for side in python node; do
    "${side}_home"
    echo "$home"
  done
  exit
fi

DEALDECK_BINARY="${1:-$(binary)}"
export DEALDECK_BINARY
[ -x "$DEALDECK_BINARY" ] || { echo "'$DEALDECK_BINARY' is no program; build dealdeck first" >&2; exit 1; }
SECONDS=0

# Side by side, each against a portal of its own.
for side in python node; do
  (set -euo pipefail; "${side}_checks") >"$logs/$side" 2>&1 &
done
wait

passed=0 failed=0
for side in python node; do
  sed '$ { /^{"passed"/d }' "$logs/$side"
  read -r p f < <(tail -n 1 "$logs/$side" | sed -nE 's/^\{"passed": ?([0-9]+), ?"failed": ?([0-9]+)\}$/\1 \2/p') || {
    echo "FAIL  $side: the checks did not come to their end within $LONGEST s; their last words are above"
    p=0 f=1
  }
  passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
