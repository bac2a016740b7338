#!/bin/bash
# systemd 252 (Debian 12, package 252.39-1~deb12u2), by `systemd-analyze calendar`, which asks the same code as its timers; 257 (Debian 13) and 262 say the same.
#
# What one would expect: a daily timer of a zone with summer time may be odd on the day of a change, since its hour may be missing or come
# twice. One that fires hourly or every quarter of an hour is in no doubt: it fires that often, all through the night.
# What happens: once a moment of the hour that comes twice has passed, its second pass is left out as a whole. `hourly` is silent
# for two hours, and `*:0/15` for an hour and a quarter, from 2:45 in summer time to 3:00 in winter time. With UTC behind it, the same
# line fires each hour: a zone stands for nothing where no hour of the day is meant.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/partial" "$work/root"
apt-get -qq -y --no-install-recommends --download-only -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/apt" \
    -o Debug::NoLocking=1 install 'systemd=252*' tzdata >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; exit 1; }
for package in "$work"/apt/*.deb; do dpkg-deb -x "$package" "$work/root"; done
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

analyze() { TZ=Europe/Berlin TZDIR=$work/root/usr/share/zoneinfo LD_LIBRARY_PATH=$libraries "$work/root/usr/bin/systemd-analyze" "$@"; }
fires() { # FROM TIMES CALENDAR: when it fires, in UTC, on one line
    echo "$3: $(analyze calendar --base-time="$1" --iterations="$2" "$3" \
        | sed -n 's/.*(in UTC): .* \([0-9:]*\):00 UTC$/\1/p' | paste -sd' ')"
}

analyze --version | head -1
# In Berlin it was 2 o'clock at 00:00 UTC and at 01:00 UTC again on 2026-10-25.
autumn='2026-10-24 23:10:00 UTC'
seen=$(fires "$autumn" 4 hourly; fires "$autumn" 4 'hourly UTC'; fires "$autumn" 9 '*:0/15')
printf '%s\n' "$seen"
expected='hourly: 00:00 02:00 03:00 04:00
hourly UTC: 00:00 01:00 02:00 03:00
*:0/15: 23:15 23:30 23:45 00:00 00:15 00:30 00:45 02:00 02:15'
[ "$seen" = "$expected" ] || { echo "CHANGED: a timer no longer leaves out the second pass of the doubled hour"; exit 1; }
echo "as stated: what fires each hour is silent for two when the clock is put back"
