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
renew_by_itself() { systemctl --quiet enable --now "homesystem-room-renew@$1.timer"; }
as_home() { runuser -u homesystem -- env HOMESYSTEM_VAR="$home" PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONTZPATH= "$@"; }
# Root does nothing of its own in the home: what lies there may be a link to anywhere.
bring() { as_home sh -c 'umask 077; cat >"$0.new" && mv "$0.new" "$0"' "$2" <"$1"; }

[ "$(id -u)" = 0 ] || die "this changes the system: run it with sudo"
[ "$code" = /opt/homesystem ] || die "the units look for the code in /opt/homesystem; put it there, not in $code"
[ -d /run/systemd/system ] || die "systemd does not run here; docs/setup.md is for Debian 12 and newer"

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
    case $room in *[!a-z0-9-]* | [!a-z]*) die "'$room' is no name of a room; it is what 'homesystem room add' was given" ;; esac
    [ -n "$folder" ] || die "name the folder that 'homesystem room add $room --out FOLDER' wrote on the hub"
    for name in ca.crt room.crt room.key room.toml; do
        [ -f "$folder/$name" ] || die "$folder/$name is not there; bring the whole folder that 'homesystem room add $room' wrote"
    done
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
chown homesystem: "$home"
if [ "$kind" = room ]; then
    install -D -m 644 -t /etc/udev/rules.d "$code"/deploy/udev/60-homesystem-gpio.rules
    if has udevadm && [ -e /run/udev/control ]; then
        udevadm control --reload
        udevadm trigger --subsystem-match=gpio
    fi
fi

# --- the units and the command ------------------------------------------------------------------------------------
for unit in "$code"/deploy/systemd/*; do
    case $kind:$unit in hub:* | room:*@.*) install -m 644 "$unit" $units/ ;; esac
done
install -D -m 755 "$code"/deploy/homesystem.sh /usr/local/bin/homesystem
systemctl daemon-reload

running() { systemctl list-units --plain --no-legend --state=active,activating "$1" | cut -d ' ' -f 1; }

whole=yes
if [ "$kind" = hub ]; then
    # Everything stands still while rights, keys and configuration change: what is half new serves nobody.
    stopped=$(running 'homesystem-*.service')
    # shellcheck disable=SC2086 # the list is meant to be split
    [ -z "$stopped" ] || systemctl stop $stopped
    # Whatever fails below, and also when the connection to this machine is lost, the house goes on.
    trap 'exit 1' INT TERM HUP
    # shellcheck disable=SC2086 # as above
    trap '[ -z "$stopped" ] || systemctl start $stopped' EXIT
    "$code/deploy/move-vault.sh"
    systemctl --quiet enable --now homesystem-signer.service
    if [ -e "$home/home.toml" ]; then
        say "bringing the home up to date …"
        as_home "$code/.venv/bin/homesystem" repair --quick || whole=no
    fi
    # shellcheck disable=SC2086 # the list is meant to be split
    [ -z "$stopped" ] || systemctl start $stopped
    trap - EXIT INT TERM HUP
    if systemctl is-enabled --quiet homesystem-gateway.service 2>/dev/null; then
        systemctl --quiet reenable homesystem.target
        systemctl start homesystem.target
    fi
else
    for unit in $(running 'homesystem-agent@*.service'); do
        of=${unit#*@} of=${of%.service}
        # New code may refuse a file that was right: then the room goes on as it was until that is mended.
        if as_home "$code/.venv/bin/python" -m device_agents --config "$home/agents/$of.toml" --check-config; then
            systemctl restart "$unit"
        else
            whole=no
        fi
    done
    for file in "$home"/agents/*.toml; do
        [ ! -e "$file" ] || renew_by_itself "$(basename "$file" .toml)"
    done
fi
[ $whole = yes ] || die "not all is up to date: mend what stands above, and run this again; it runs as it was"

# --- a room's own files -------------------------------------------------------------------------------------------
if [ -n "$room" ]; then
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
    renew_by_itself "$room"
    as_home "$code/.venv/bin/python" -m device_agents --config "$file" --check-config ||
        say "Mend $file as it says above before you start the room."
    say "Now delete $folder, as it holds the room's key; say in $file what hangs on which pin; then:"
    say "  sudo systemctl enable --now homesystem-agent@$room"
elif [ "$kind" = hub ] && [ ! -e "$home/home.toml" ]; then
    say "The code is installed. Next: sudo homesystem init"
else
    say "This machine is up to date: a ${kind}."
fi
