#!/bin/sh
# What the line of `homesystem room add` runs on a room's Pi, as root: installs the agent that the hub offers, where there is
# none yet, and has it join. Every step may be the last: the same line goes on from there, as long as it is good.
# Usage: join.sh ROOM HUB:PORT      (in a folder with the hub's ca.crt; the line's token comes on standard input)
set -eu
umask 022

die() { printf 'join: %s\n' "$*" >&2; exit 1; }

room=${1:-} hub=${2:-}
[ -n "$hub" ] || die "paste the whole line that 'homesystem room add' printed on the hub"
[ "$(id -u)" = 0 ] || die "this changes the system: paste the whole line, with its sudo"
token=
IFS= read -r token || [ -n "$token" ] || die "the line's token is missing: paste the whole line"
ca=$PWD/ca.crt
[ -f "$ca" ] || die "the hub's ca.crt does not lie here: paste the whole line"

has() { command -v "$1" >/dev/null 2>&1; }
can_join() { has homesystem && homesystem room join --help >/dev/null 2>&1; }
fetch() {
    if has curl; then curl -sSf --cacert "$ca" -o "$2" "https://$hub/join/$1"
    else wget -nv --ca-certificate="$ca" -O "$2" "https://$hub/join/$1"; fi
}

if ! can_join; then
    [ ! -e /opt/homesystem/deploy/install.sh ] ||
        die "the Home System of this machine is older than the hub's; run: sudo homesystem upgrade. Then paste the line again"
    { has dpkg && has apt-get; } || die "packages are for Debian and Raspberry Pi OS; docs/setup.md has another way"
    VERSION_ID=
    . /etc/os-release
    architecture=$(dpkg --print-architecture)
    package=$PWD/home-system-agent.deb
    fetch "agent/$VERSION_ID/$architecture" "$package" ||
        die "the hub at $hub offers no agent for Debian $VERSION_ID $architecture. On the hub, put home-system-agent_…+deb${VERSION_ID}_$architecture.deb into /var/lib/homesystem/packages (docs/packages.md), and paste the line again. Nothing was installed"
    export DEBIAN_FRONTEND=noninteractive
    # What an earlier try was stopped in; and the packages that this one needs are Debian's own.
    dpkg --configure -a </dev/null
    apt-get -q update </dev/null
    apt-get -q install -y "$package" </dev/null || die "the agent could not be installed; mend what apt says, and paste the line again"
    can_join || die "the agent that the hub offers is older than the hub; bring its /var/lib/homesystem/packages up to date"
fi
printf %s "$token" | homesystem room join "$room" "$hub" --ca "$ca"
