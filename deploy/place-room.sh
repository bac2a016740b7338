#!/bin/sh
# Puts a room's own files in their place on its Pi: what `homesystem room add NAME --out FOLDER` wrote on the hub. Run as
# root once the code is there, by install.sh, as `homesystem room place` or by `homesystem room join`; may be run again at
# any time.
# Usage: place-room.sh [--check|--start] NAME FOLDER
#   --check  only look whether name and folder are right
#   --start  have the room run as well, now and from now on: nobody has to say yet what hangs on which pin
set -eu
umask 022
code=$(cd "$(dirname "$0")/.." && pwd)
home=/var/lib/homesystem
only_look=no
starts=no

say() { printf '%s\n' "$*"; }
die() { printf 'place-room: %s\n' "$*" >&2; exit 1; }
as_home() { runuser -u homesystem -- env HOMESYSTEM_VAR="$home" PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONTZPATH= "$@"; }
# Root does nothing of its own in the home: what lies there may be a link to anywhere. On the card when it returns: where
# the key came from is deleted then, and whoever has a room in a box pulls the plug to mount it.
bring() {
    as_home sh -c 'umask 077; cat >"$0.new" && sync "$0.new" && mv "$0.new" "$0" && sync "$(dirname "$0")"' "$2" <"$1"
}

usage() {
    say "Usage: homesystem room place [--check|--start] NAME FOLDER"
    say "On a room's Pi: put what 'homesystem room add NAME --out FOLDER' wrote on the hub in its place."
    say "  --check   only look whether name and folder are right"
    say "  --start   have the room run as well, now and from now on"
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
--check) only_look=yes; shift ;;
--start) starts=yes; shift ;;
esac
room=${1:-} folder=${2:-}
[ -n "$folder" ] && [ $# = 2 ] || die "name the room, and the folder that 'homesystem room add NAME --out FOLDER' wrote on the hub"
case $room in *[!a-z0-9-]* | [!a-z]*) die "'$room' is no name of a room; it is what 'homesystem room add' was given" ;; esac
for name in ca.crt room.crt room.key room.toml; do
    [ -f "$folder/$name" ] || die "$folder/$name is not there; bring the whole folder that 'homesystem room add $room' wrote"
done
# Another room's key in this one's place would have this one shut out, and nobody would know why.
whose=$(openssl x509 -in "$folder/room.crt" -noout -subject 2>/dev/null | sed -e 's/.*CN *= *//' -e 's|[,/].*||')
[ -z "$whose" ] || [ "$whose" = "$room" ] ||
    die "$folder is of the room $whose, and not of $room: name that room, or bring the folder that is meant"
[ $only_look = no ] || exit 0

# --- a room's own files -------------------------------------------------------------------------------------------
as_home install -d -m 700 "$home/agents" "$home/data" "$home/log" "$home/pki" "$home/pki/$room"
for name in ca.crt room.crt room.key; do
    bring "$folder/$name" "$home/pki/$room/$name"
done
file=$home/agents/$room.toml
if [ -e "$file" ]; then
    say "$file stays as it is."
else
    bring "$folder/room.toml" "$file"
fi
systemctl --quiet enable --now "homesystem-room-renew@$room.timer"
if [ $starts = yes ]; then
    # A second try may bring another key: a room that runs takes it up.
    systemctl --quiet enable "homesystem-agent@$room"
    systemctl restart "homesystem-agent@$room" ||
        die "the room does not start; systemctl status homesystem-agent@$room says why"
    exit 0
fi
as_home "$code/.venv/bin/python" -m device_agents --config "$file" --check-config ||
    say "Mend $file as it says above before you start the room."
say "Now delete $folder, as it holds the room's key; say in $file what hangs on which pin; then:"
say "  sudo systemctl enable --now homesystem-agent@$room"
