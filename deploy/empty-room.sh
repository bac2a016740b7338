#!/bin/sh
# Erases what this machine has of a home as the machine of its rooms: keys, ledgers, files and logs. Run as root as
# `homesystem factory-reset` on a room's Pi; may be run again at any time. The code stays.
# Usage: empty-room.sh [--erase ROOM]...      (without: asks)
set -eu
code=$(cd "$(dirname "$0")/.." && pwd)
home=${HOMESYSTEM_VAR:-/var/lib/homesystem}
mark=$home/factory-reset.unfinished

say() { printf '%s\n' "$*"; }
die() { printf 'factory-reset: %s\n' "$*" >&2; exit 1; }

rooms=
for file in "$home"/agents/*.toml; do
    [ ! -e "$file" ] || rooms="$rooms $(basename "$file" .toml)"
done
rooms=${rooms# }
said=
while [ $# -gt 0 ]; do
    case $1 in
    --erase) said="$said ${2:-}"; shift; [ $# = 0 ] || shift ;;
    --erase=*) said="$said ${1#--erase=}"; shift ;;
    *) die "unknown: $1; it is: factory-reset [--erase ROOM]..." ;;
    esac
done
said=${said# }
if [ ! -e "$mark" ]; then
    [ -n "$rooms" ] || die "no room of a home is set up in $home: there is nothing to erase"
    if [ -z "$said" ]; then
        [ -t 0 ] || die "this cannot be taken back; say that you mean it: sudo homesystem factory-reset --erase $(echo "$rooms" | sed 's/ / --erase /g')"
        say "This erases $rooms from this machine, for good: keys, ledgers, the file that says what hangs on which pin."
        say "On the hub, 'sudo homesystem room revoke NAME' ends its rights; what is wired here obeys nobody afterwards."
        printf 'Type %s to erase it: ' "$rooms"
        read -r said || said=
    fi
    [ "$said" = "$rooms" ] || die "'$said' is not $rooms: nothing was erased"
    # Root does not follow what may lie there as a link.
    (set -C && : >"$mark") || die "$mark cannot be written"
fi
"$code/deploy/dismiss.sh"
rm -f "$home.enabled"
# The keys first: without them nothing of what is left is worth anything. Links are taken away and not followed.
for name in pki secrets data agents; do
    rm -rf "${home:?}/$name"
done
sync
find -H "$home" -mindepth 1 ! -path "$mark" -delete
rm -f "$mark"
sync
say "Erased. The code is still there: 'sudo apt-get purge home-system-agent' takes a package away, too."
