#!/bin/sh
# Installs what a purpose needs: packages from apt where they are missing, Python packages into .venv from the hashed lock
# file. Quiet and quick when everything is there. `make run` has the purpose run, `make test` has test; install.sh has
# hub, room and room-lgpio, and `make deb` has deb.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { printf '%s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs a command, and shows what it said only if it failed.
quietly() {
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "failed: $*"
    fi
    rm -f "$log"
}

usable() { "$1" -c 'import sys, venv, ensurepip, sqlite3, ssl; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null 2>&1 && usable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1; }

lock=requirements.lock
packages="shared gateway auth_service alert_service device_agents deploy"
case $purpose in
    run | hub) ;;
    test) lock=requirements-dev.lock ;;
    # Nothing of the packages' content comes from this environment; it only has what builds them.
    deb) ;;
    room | room-lgpio) lock=requirements-$purpose.lock packages="shared device_agents" ;;
    *) die "nobody knows the purpose '$purpose'" ;;
esac
# A development environment serves `make run` as well.
case $purpose in run | deb) [ ! -f .venv/installed-requirements-dev.lock ] || lock=requirements-dev.lock ;; esac

missing=""
case $purpose in
    room*) has openssl || missing="$missing openssl" ;;
    deb)
        has dpkg-deb || die "packages are built on Debian, or what comes from it: there is no dpkg-deb here"
        has readelf || missing="$missing binutils"
        has po2debconf || missing="$missing po-debconf"
        has lintian || missing="$missing lintian"
        ;;
    *) has mosquitto || missing="$missing mosquitto" ;;
esac
[ -n "$(find_python)" ] || missing="$missing python3 python3-venv"
if [ "$purpose" = test ]; then
    has mosquitto_pub || missing="$missing mosquitto-clients"
    has ip || missing="$missing iproute2"
    has chromium || missing="$missing chromium"
    has chromium-headless-shell || missing="$missing chromium-headless-shell"
    # The browser driver's own runtime links to it, and a small system has none.
    ls /usr/lib/*/libatomic.so.1 /lib/*/libatomic.so.1 >/dev/null 2>&1 || missing="$missing libatomic1"
fi

if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || die "please install$missing; this script knows only apt-get"
    sudo=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || die "please install as root:$missing"
        sudo=sudo
    fi
    say "installing from the distribution (once):$missing"
    quietly $sudo apt-get update -qq
    # shellcheck disable=SC2086 # the list is meant to be split
    quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

python=$(find_python)
[ -n "$python" ] || die "Python 3.11 or newer with venv is needed; this system offers $(python3 --version 2>&1 || echo none)"

stamp=.venv/installed-$lock

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
if ! cmp -s "$lock" "$stamp"; then
    say "installing Python packages from $lock (once) …"
    if command -v uv >/dev/null 2>&1; then
        quietly uv pip install --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock"
    else
        quietly .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$lock"
    fi
    quietly .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
    cp "$lock" "$stamp"
fi
# Compiled once, so that every start is quick, also where the environment forbids Python to write bytecode.
# shellcheck disable=SC2086 # the list is meant to be split
.venv/bin/python -m compileall -q $packages
