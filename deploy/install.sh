#!/bin/sh
# Makes this machine a hub, or the Pi of a room, or brings either up to date. Run as root; run again whenever you like.
#   install.sh hub
#   install.sh room [NAME FOLDER]    FOLDER: what `homesystem room add NAME --out FOLDER` wrote on the hub
#   install.sh                       again what it was before, as `homesystem upgrade` does
set -eu
umask 022
code=$(cd "$(dirname "$0")/.." && pwd)
home=/var/lib/homesystem
units=/etc/systemd/system

say() { printf '%s\n' "$*"; }
die() { printf 'install: %s\n' "$*" >&2; exit 1; }
has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1; }

[ "$(id -u)" = 0 ] || die "this changes the system: run it with sudo"
[ "$code" = /opt/homesystem ] || die "the units look for the code in /opt/homesystem; put it there, not in $code"
[ -d /run/systemd/system ] || die "systemd does not run here; docs/setup.md is for Debian 12 and newer"
[ ! -e /usr/lib/homesystem ] ||
    die "this machine has Home System as a Debian package, which its own update goes by: sudo homesystem upgrade"

kind=${1:-}
if [ -z "$kind" ]; then
    if [ -e $units/homesystem-gateway.service ]; then kind=hub
    elif [ -e $units/homesystem-agent@.service ]; then kind=room
    else die "say what this machine is to be: install.sh hub, or install.sh room NAME FOLDER"
    fi
fi
case $kind in hub | room) ;; *) die "a machine is a hub or a room's, not '$kind'" ;; esac
room=${2:-} folder=${3:-}
if [ -n "$room" ]; then
    [ "$kind" = room ] || die "a hub takes no further words"
    "$code/deploy/place-room.sh" --check "$room" "$folder"
fi

# --- the code, and what it needs ----------------------------------------------------------------------------------
# It is root's, so that nobody who breaks into a service can change what runs tomorrow.
# A home that was tried out in its folder var keeps owner and modes: others may not read its keys.
find "$code" -path "$code/var" -prune -o -exec chown -h root:root {} +
find "$code" -path "$code/var" -prune -o ! -type l -exec chmod go=rX {} +
if [ "$kind" = hub ] && ! has mosquitto; then
    # Ours is another process with rights of its own. The distribution's is kept from starting where it comes with us
    # (systemctl unmask mosquitto has it back); what was here before us may serve somebody else.
    systemctl mask --quiet mosquitto.service
fi
purpose=$kind
if [ "$kind" = room ] && grep -qs '^pins *= *"rpi"' "$home"/agents/*.toml; then
    purpose=room-lgpio # the only way to dim
fi
"$code/deploy/setup.sh" $purpose

# --- its users, folders and rights --------------------------------------------------------------------------------
for name in "$code"/deploy/sysusers.d/*.conf; do
    case $kind:$name in room:*-signer.conf) continue ;; esac
    install -D -m 644 -t /etc/sysusers.d "$name"
    systemd-sysusers "/etc/sysusers.d/$(basename "$name")"
done
install -D -m 644 -t /etc/tmpfiles.d "$code"/deploy/tmpfiles.d/homesystem.conf
systemd-tmpfiles --create /etc/tmpfiles.d/homesystem.conf
if [ "$kind" = room ]; then
    install -D -m 644 -t /etc/udev/rules.d "$code"/deploy/udev/60-homesystem-gpio.rules
fi

# --- the units and the command ------------------------------------------------------------------------------------
for unit in "$code"/deploy/systemd/*; do
    case $kind:$unit in hub:* | room:*@.*) install -m 644 "$unit" $units/ ;; esac
done
install -D -m 755 "$code"/deploy/homesystem.sh /usr/local/bin/homesystem
"$code/deploy/settle.sh" "$kind" || die "after that, run this again"

if [ -n "$room" ]; then
    "$code/deploy/place-room.sh" "$room" "$folder"
elif [ "$kind" = hub ] && [ ! -e "$home/home.toml" ]; then
    say "The code is installed. Next: sudo homesystem init"
else
    say "This machine is up to date: a ${kind}."
fi
