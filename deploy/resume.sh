#!/bin/sh
# Enables again what was enabled when a Debian package of Home System was removed, as dismiss.sh noted it. Run as root once
# the next package is settled; does nothing where none was removed.
set -eu
noted=/var/lib/homesystem.enabled
units=/usr/lib/systemd/system

[ -f "$noted" ] || exit 0
: >"$noted.left"
sort -u "$noted" | while read -r unit; do
    # After a hub's package may come the agent's, which has but some of the units: homesystem-agent@hall.service is one.
    # The others wait for the hub's.
    case $unit in *@*) file=${unit%%@*}@.${unit##*.} ;; *) file=$unit ;; esac
    [ -f "$units/$file" ] || {
        echo "$unit" >>"$noted.left"
        continue
    }
    systemctl --quiet enable "$unit"
    # A room whose file is refused says so in its own log, and is no reason to leave the package half installed.
    [ ! -d /run/systemd/system ] || systemctl start --no-block "$unit"
done
mv "$noted.left" "$noted"
[ -s "$noted" ] || rm "$noted"
