#!/bin/sh
# The `homesystem` command of an installed hub or room, /usr/local/bin/homesystem: finds the home, and works as its user.
# In a Debian package it is /usr/bin/homesystem, and says below which package that is.
set -eu
code=/opt/homesystem
home=/var/lib/homesystem
package=
python=$code/.venv/bin/python
again="sudo $code/deploy/install.sh"
[ -z "$package" ] || again="sudo apt-get install --reinstall $package"

die() { printf 'homesystem: %s\n' "$*" >&2; exit 1; }

# One that was cut off is finished by the code that it kept for that: what is installed may be half of each.
if [ "${1:-}" = upgrade ] && [ -e "$home-upgrade/step.json" ] && [ -x "$home-upgrade/driver/run" ]; then
    shift
    exec "$home-upgrade/driver/run" "$@"
fi
if [ -n "${HOMESYSTEM_IMAGE:-}" ] && [ "${1:-}" = upgrade ]; then
    die "a container is not changed: a newer version is a newer image, as docs/containers.md has it under Day by day"
fi
[ -x "$python" ] || die "$python is not there; run: $again"
[ -d "$home" ] || die "$home is not there; run: $again"
user=$(stat -L -c %U "$home")
me=$(id -un)
[ "$me" = "$user" ] || [ "$(id -u)" = 0 ] || die "the home belongs to the user $user; run: sudo homesystem $*"
# Where the caller stands may be anybody's folder: nothing of it is run, least of all as root.
# PYTHONTZPATH: times of day by the table that this version brings along, as the units have it.
export HOMESYSTEM_VAR="$home" PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONTZPATH=

only_asks() { for word; do case $word in -h | --help) return 0 ;; esac; done; return 1; }
if [ "${1:-}" = upgrade ]; then
    [ "$(id -u)" = 0 ] || only_asks "$@" || die "this changes the system; run: sudo homesystem upgrade"
    shift
    exec "$python" -m deploy.upgrading "${package:-checkout}" "$@"
fi
if [ "${1:-} ${2:-}" = "room place" ]; then
    [ "$(id -u)" = 0 ] || only_asks "$@" || die "this changes the system; run: sudo homesystem $*"
    shift 2
    exec "$code/deploy/place-room.sh" "$@"
fi
if [ "${1:-} ${2:-}" = "room join" ]; then
    shift 2
    exec "$python" -m device_agents.joining "$@"
fi
has_hub() { "$python" -c 'import typer' 2>/dev/null; }
if [ "${1:-}" = factory-reset ] && ! has_hub; then
    [ "$(id -u)" = 0 ] || die "this changes the system; run: sudo homesystem factory-reset"
    shift
    exec "$code/deploy/empty-room.sh" "$@"
fi
has_hub || die "this machine is a room's; homesystem runs on the hub. Here: sudo homesystem upgrade"

# What these hold belongs to several users.
case ${1:-} in
backup | restore | factory-reset) [ "$(id -u)" != 0 ] || exec "$python" -m deploy "$@" ;;
esac
[ "$me" != "$user" ] || exec "$python" -m deploy "$@"
# Who owns what in a hub's home only root can mend.
if [ "${1:-}" = repair ] && [ -z "${HOMESYSTEM_IMAGE:-}" ]; then
    "$python" -m deploy.folder.owning "$home" || die "nothing else was repaired; see above"
fi

as_home() { runuser -u "$user" -- "$python" -m deploy "$@"; }

# Whoever was revoked stays so when an older backup comes back: it is written beside the backups at once, as root, whose
# the target is. Where that cannot be reached, the revocation stands, and the timer tries again each hour.
beside() {
    [ -e "$home-backup/plan.toml" ] || return 0
    "$python" -m deploy backup revoked ||
        echo "homesystem: it does not stand beside the backups yet; homesystem-backup.timer tries again each hour" >&2
}

# A folder of the caller's is closed to the home's user: it works in one of its own, which is then handed over. That one
# lies where only root can put another in its place.
out=
last=
renews=
case "${1:-} ${2:-}" in "room renew" | "client renew") renews=yes ;; esac
for word; do
    case $last:$word in
    --out:*) out=$word ;;
    *:--out=*) out=${word#--out=} ;;
    esac
    last=$word
done
last=
if [ -z "$out" ]; then
    case "${1:-} ${2:-}" in
    "room revoke" | "client revoke" | "room renew" | "client renew") ;;
    *) exec runuser -u "$user" -- "$python" -m deploy "$@" ;;
    esac
    status=0
    as_home "$@" || status=$?
    beside
    exit $status
fi
case $out in /*) ;; *) out=$PWD/$out ;; esac

# Somebody else could change what is in a folder of theirs while it is copied.
check_owner() {
    case $(stat -L -c %u "$out") in
    0 | "${SUDO_UID:-0}") ;;
    *) die "$out belongs to somebody else; name a folder of your own" ;;
    esac
}

place=$(mktemp -d /run/homesystem.XXXXXX)
trap 'rm -rf "$place"' EXIT
# Whoever types Ctrl-C ends the command, and gets what it has made by then.
trap : INT TERM HUP
chmod 711 "$place"
work=$place/out
mkdir -m 700 "$work"
if [ -d "$out" ]; then
    check_owner
    for file in "$out"/* "$out"/.[!.]*; do
        case ${file##*/} in
        '*' | '.[!.]*' | *.crt | *.key | room.toml | .enrolling) ;;
        *) die "$out holds other things; name a folder for this alone" ;;
        esac
    done
    cp -a "$out/." "$work/"
fi
chown -R "$user:" "$work"
status=0
for word; do
    shift
    case $last:$word in
    --out:*) word=$work ;;
    *:--out=*) word=--out=$work ;;
    esac
    last=$word
    set -- "$@" "$word"
done
as_home "$@" || status=$?
case $renews in yes) beside ;; esac
chmod 700 "$place"
if [ -n "$(ls -A "$work")" ]; then
    mkdir -p -m 700 "$out"
    check_owner
    # Plain files alone, and none of them through a link that lies in their place.
    find "$work" -mindepth 1 -maxdepth 1 -type f -exec cp -P --remove-destination -t "$out" {} +
    for file in "$out"/* "$out"/.[!.]*; do
        [ -e "$work/${file##*/}" ] || rm -f "$file"
    done
    if ! chmod 700 "$out" 2>/dev/null || ! chown -R "${SUDO_UID:-0}:${SUDO_GID:-0}" "$out" 2>/dev/null; then
        echo "homesystem: the disk of $out knows no owners: whoever can read it has the key" >&2
    fi
fi
exit $status
