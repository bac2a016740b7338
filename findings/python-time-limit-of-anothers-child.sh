#!/bin/bash
# Python 3.11.2 (Debian 12), `subprocess.run(…, user=…, timeout=…)` in a process of root whose bounding set lacks CAP_KILL, as systemd's
# `CapabilityBoundingSet=CAP_SETUID CAP_SETGID` makes one. To be run as root.
#
# What one would expect: after `timeout` seconds the child is ended and TimeoutExpired raised, whosever it is; at the least, that one is told of
# the time in which the child was to be done.
# What happens: the kernel lets such a root become another user and not signal one, so the child cannot be ended. `run` then waits for
# as long as the child likes, which is what the limit was there to prevent, and raises PermissionError, an OSError: whoever catches
# TimeoutExpired misses it, and whoever catches OSError takes it for a program that could not be begun.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "to be run as root, which can become another user" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/partial" "$work/root"
apt-get -qq -y --no-install-recommends --download-only -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/apt" \
    -o Debug::NoLocking=1 install 'python3.11-minimal=3.11.2*' 'libpython3.11-stdlib=3.11.2*' >"$work/apt.log" 2>&1 \
    || { tail -5 "$work/apt.log" >&2; exit 1; }
for package in "$work"/apt/*.deb; do dpkg-deb -x "$package" "$work/root"; done
python() { PYTHONHOME=$work/root/usr "$@" "$work/root/usr/bin/python3.11" -B - <<'P'
import subprocess

try:
    subprocess.run(["/bin/sh", "-c", "sleep 3; echo the child is done"], user=65534, group=65534, extra_groups=[], cwd="/", timeout=1)
except (subprocess.TimeoutExpired, OSError) as error:
    print(type(error).__name__)
P
}

"$work/root/usr/bin/python3.11" --version
seen=$(echo "all of root's rights:"; python env; echo "without CAP_KILL:"; python setpriv --bounding-set -kill)
printf '%s\n' "$seen"
expected="all of root's rights:
TimeoutExpired
without CAP_KILL:
the child is done
PermissionError"
[ "$seen" = "$expected" ] || { echo "CHANGED: a time limit holds for another user's child, or says that it does not"; exit 1; }
echo "as stated: the limit neither ends the child nor is told of"
