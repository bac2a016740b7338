#!/bin/sh
# Stops everything of Home System on this machine, and has nothing of it start again; what was enabled is noted, for the
# package that comes next, this one or the other (resume.sh). Run as root before the Debian package is removed; the home stays.
set -eu
noted=/var/lib/homesystem.enabled
# Without those of a package that is gone, which systemd may remember for a while, and refuses to stop.
units() {
    systemctl list-units --plain --no-legend --all 'homesystem*' | grep -Ev ' not-found +inactive ' | cut -d ' ' -f 1
}

if [ -d /run/systemd/system ]; then
    # Timers and the target first, so that nothing of it starts another.
    for kind in timer target service; do
        of_kind=$(units | grep "\.$kind\$" || true)
        # shellcheck disable=SC2086 # the list is meant to be split
        [ -z "$of_kind" ] || systemctl stop $of_kind
    done
fi
# By its links, so that rooms, whose units have names of their own, are found as well.
enabled=$(for link in /etc/systemd/system/*.wants/homesystem*; do [ ! -L "$link" ] || basename "$link"; done | sort -u)
if [ -n "$enabled" ]; then
    echo "$enabled" >>"$noted"
    # shellcheck disable=SC2086 # the list is meant to be split
    systemctl --quiet disable $enabled
fi
