#!/bin/sh
# The `homesystem` command of an installed hub, /usr/local/bin/homesystem: finds the home, and works as its user.
set -eu
code=/opt/homesystem
home=/var/lib/homesystem
python=$code/.venv/bin/python

die() { printf 'homesystem: %s\n' "$*" >&2; exit 1; }

[ -x "$python" ] || die "$python is not there; run: sudo $code/deploy/install.sh"
[ -d "$home" ] || die "$home is not there; run: sudo $code/deploy/install.sh"
user=$(stat -c %U "$home")
me=$(id -un)
[ "$me" = "$user" ] || [ "$(id -u)" = 0 ] || die "the home belongs to the user $user; run: sudo homesystem $*"
export HOMESYSTEM_VAR="$home" PYTHONDONTWRITEBYTECODE=1

if [ "${1:-}" = upgrade ]; then
    [ "$(id -u)" = 0 ] || die "this changes the system; run: sudo homesystem upgrade"
    git -c safe.directory="$code" -C "$code" pull --ff-only
    exec "$code/deploy/install.sh"
fi
"$python" -c 'import typer' 2>/dev/null || die "this machine is a room's; homesystem runs on the hub. Here: sudo homesystem upgrade"

# Both hold what belongs to several users, each of whom copies its own.
case ${1:-} in
backup | restore) [ "$(id -u)" != 0 ] || exec "$python" -m deploy "$@" ;;
esac
[ "$me" != "$user" ] || exec "$python" -m deploy "$@"

as_home() { runuser -u "$user" -- "$python" -m deploy "$@"; }

# A folder of the caller's is closed to the home's user: it works in one of its own, which is then handed over.
out=
last=
for word; do
    case $last:$word in
    --out:*) out=$word ;;
    *:--out=*) out=${word#--out=} ;;
    esac
    last=$word
done
last=
[ -n "$out" ] || exec runuser -u "$user" -- "$python" -m deploy "$@"
case $out in /*) ;; *) out=$PWD/$out ;; esac
work=$(mktemp -d "$home/out.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -d "$out" ]; then
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
if [ -n "$(ls -A "$work")" ]; then
    mkdir -p -m 700 "$out"
    cp -a "$work/." "$out/"
    for file in "$out"/* "$out"/.[!.]*; do
        [ -e "$work/${file##*/}" ] || rm -f "$file"
    done
    chown -R "${SUDO_UID:-0}:${SUDO_GID:-0}" "$out"
fi
exit $status
