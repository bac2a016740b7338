#!/bin/sh
# Brings what runs on this machine up to the code beside this script, once that and its users are there: rights, keys and
# configuration of a hub, and the agents of rooms. Run as root by install.sh and by the Debian packages, at every update.
# Usage: settle.sh hub|room
set -eu
umask 022
# Here the code beside this script counts. Former versions name, to all that they start, the copy of themselves from
# which an upgrade is finished that was cut off.
unset PYTHONPATH
code=$(cd "$(dirname "$0")/.." && pwd)
home=/var/lib/homesystem
kind=$1

say() { printf '%s\n' "$*"; }
as_home() { runuser -u homesystem -- env HOMESYSTEM_VAR="$home" PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONTZPATH= "$@"; }
running() { systemctl list-units --plain --no-legend --state=active,activating "$1" | cut -d ' ' -f 1; }

# Each service's own part of the home, and its user's; nothing of it may run.
apart() {
    as_home "$code/.venv/bin/python" -m deploy.folder.parting "$home" &&
        env PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 "$code/.venv/bin/python" -m deploy.folder.owning "$home"
}

chown homesystem: "$home"
if [ ! -d /run/systemd/system ]; then
    say "systemd does not run here: what is enabled starts with the machine, and is brought up to date then."
    [ "$kind" = room ] || {
        apart
        systemctl --quiet enable homesystem-signer.service
    }
    exit 0
fi
if [ -e /run/udev/control ] && command -v udevadm >/dev/null 2>&1; then
    udevadm control --reload
    udevadm trigger --subsystem-match=gpio
fi
systemctl daemon-reload

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
    apart || whole=no
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
        [ ! -e "$file" ] || systemctl --quiet enable --now "homesystem-room-renew@$(basename "$file" .toml).timer"
    done
fi
if [ $whole = no ]; then
    echo "settle: not all is up to date: mend what stands above; it runs as it was" >&2
    exit 1
fi
