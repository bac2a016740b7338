"""A machine in a folder, for upgrades: programs that stand for apt, dpkg, systemd and the home's own.

Version 1 writes the home in form 1, version 2 in form 2; older code that finds a newer form does not start. `dies` has
the process that called the N-th program killed before, amid or after what that does. `pythons` are those that are
installed, `known` those that apt would bring.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

from deploy.upgrading import __main__ as upgrade
from deploy.upgrading.place import Place

UNITS = ("homesystem.target", "homesystem-auth.service", "homesystem-gateway.service", "homesystem-agent@hall.service")
PROGRAMS = ("apt-get", "apt-cache", "dpkg", "dpkg-query", "dpkg-deb", "systemctl")
_PROGRAM = """#!/bin/sh
# Stands for apt-get, dpkg, systemctl and their like: WORLD is the folder with what it knows and does.
set -eu
W={world}
echo "${{0##*/}} $*" >>"$W/calls"
count=$(wc -l <"$W/calls")
die() {{ if [ "$(cat "$W/dies")" = "$count $1" ]; then echo "0 never" >"$W/dies"; kill -9 $PPID; exit 137; fi; }}
has() {{ case " $all " in *" $1 "*) return 0 ;; esac; return 1; }}
fail() {{ echo "dpkg-deb: error: $*" >&2; exit 2; }}
one() {{ grep -qx "$1" "$W/running" || echo "$1" >>"$W/running"; }}
add() {{ for unit; do case $unit in -*) ;; *) one "$unit" ;; esac; done; }}
drop() {{ for unit; do grep -vx "$unit" "$W/running" >"$W/left" || true; mv "$W/left" "$W/running"; done; }}
settle() {{ # what a package does when it is configured
    [ "$1" -ge "$(cat "$W/home/form")" ] || {{ echo "the home is newer than version $1" >&2; exit 1; }}
    [ "$1" != 2 ] || [ ! -e "$W/breaks" ] || {{ echo "postinst says no" >&2; exit 1; }}
    echo "$1" >"$W/home/form"
    add homesystem-gateway.service
}}
put() {{ echo half >"$W/status"; die amid; echo "$1" >"$W/version"; settle "$1"; echo whole >"$W/status"; }}
all="$*"
die before
case ${{0##*/}} in
apt-get)
    if has --simulate; then for last; do :; done
        needed=$(sed -n "s/^Depends: .*\\(python3\\.[0-9]*\\).*/\\1/p" "$last")
        [ -z "$needed" ] || cat "$W/pythons" "$W/known" | grep -qx "$needed" ||
            {{ echo "Depends: $needed but it is not installable" >&2; exit 100; }}
        echo "Inst home-system [1] (2 local-deb [amd64])"; ! [ -e "$W/removes" ] || echo "Remv precious [1]"
        [ ! -e "$W/provides" ] || echo "Inst libprecious1t64 (2-1 Debian:13.1/stable [amd64])"
    elif has install && ! has --download-only; then put "$(head -n 1 "$W/state/newer.deb")"
    elif has download; then cat "$W/candidate" >x.deb; fi ;;
apt-cache)
    case $all in
    policy*) echo "  Candidate: $(cat "$W/candidate")" ;;
    "show libprecious1t64=2-1") printf 'Package: libprecious1t64\\nProvides: %s\\n' "$(cat "$W/provides")" ;;
    *) echo "E: No packages found" >&2; exit 100 ;;
    esac ;;
dpkg)
    case $1 in
    --compare-versions)
        last=$(printf '%s\\n%s\\n' "$2" "$4" | sort -V | tail -n 1)
        [ "$2" != "$4" ] && [ "$last" = "$2" ] || exit 1 ;;
    --print-architecture) echo amd64 ;;
    --configure) [ "$(cat "$W/status")" = whole ] || put "$(cat "$W/version")" ;;
    -i) put "$(cat "$2")" ;;
    esac ;;
dpkg-query)
    case $all in
    *Status-Status*) for last; do :; done; grep -qx "$last" "$W/pythons" && echo installed || exit 1 ;;
    *Version*) cat "$W/version" ;;
    *Installed-Size*) echo 10 ;;
    -L*) echo "$W/code/file" ;;
    -s*) printf 'Package: home-system\\nStatus: install ok installed\\nVersion: %s\\n' "$(cat "$W/version")" ;;
    esac ;;
dpkg-deb)
    case $all in
    -f*) ! grep -qx "Torn: at once" "$2" || fail "is not a Debian format archive" ;;
    --contents*) ! grep -q "^Torn: " "$2" || fail "unexpected end of file or stream" ;;
    esac
    case $all in
    *--build*) for last; do :; done; sed -n 's/^Version: //p' "$5/DEBIAN/control" >"$last" ;;
    *Package) sed -n "s/^Package: //p" "$2" | grep . || echo home-system ;;
    *Architecture) sed -n "s/^Architecture: //p" "$2" | grep . || echo amd64 ;;
    *Depends) sed -n "s/^Depends: //p" "$2" ;;
    *Version) sed -n "s/^Version: //p" "$2" | grep . || head -n 1 "$2" ;;
    *Installed-Size) echo 10 ;;
    esac ;;
systemctl)
    case $1 in
    list-units) cat "$W/running" ;;
    stop) shift; drop "$@" ;;
    start) shift; add "$@" ;;
    show) for last; do :; done
        if ! grep -qx "$last" "$W/running"; then echo inactive
        elif has --property=Type; then case $last in *doctor*) echo oneshot ;; *) echo notify ;; esac
        elif has --property=StatusText; then
            case $(cat "$W/version")$(ls "$W" | grep -x lost) in 2lost) echo "Broker cannot be reached" ;;
            *) echo Online ;; esac
         else echo active; fi ;;
    esac ;;
python)
    if has deploy.examining.fit; then
        case $(cat "$W/version")$(ls "$W" | grep faulty) in 2faulty) echo '{{"command": "no lamp"}}' ;;
        *) cat "$W/wrong" ;; esac
    else echo "$all" >>"$W/told"; fi ;;
esac
die after
"""


class World(NamedTuple):
    """What there is, in a folder."""

    folder: Path

    @property
    def place(self) -> Place:
        """As the upgrade is told of it."""
        names = {name: self.folder / name for name in ("code", "home", "state", "units", "systemd", "dpkg_lock")}
        return Place(kind="hub", package="home-system", **names)

    def read(self, name: str) -> str:
        """What a program wrote there."""
        path = self.folder / name
        return path.read_text().strip() if path.exists() else ""

    def dies(self, call: int, when: str) -> None:
        """At which call of a program its caller is killed: before, amid or after what it does."""
        (self.folder / "dies").write_text(f"{call} {when}\n")

    def boot(self) -> None:
        """The machine was without power: what is enabled runs."""
        (self.folder / "running").write_text("\n".join(UNITS) + "\n")


def made(folder: Path, *flaws: str) -> World:
    """A hub with version 1 of the package and of its home, and a file of version 2. `flaws`: see the programs."""
    for name in ("code/.venv/bin", "home", "home-signer", "units", "systemd", "bin", "home/log"):
        (folder / name).mkdir(parents=True)
    for name in PROGRAMS:
        _program(folder, folder / "bin" / name)
    _program(folder, folder / "code/.venv/bin/python")
    (folder / "code/file").write_text("code")
    texts = {"version": "1", "status": "whole", "home/form": "1", "home/home.toml": "", "home/log/auth.log": "old\n"}
    texts |= {"home-signer/key": "secret", "2.deb": "2", "candidate": "2", "dies": "0 never", "wrong": json.dumps({})}
    texts |= {"pythons": "", "known": ""}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "home-signer/key").chmod(0o600)
    for flaw in flaws:
        (folder / flaw).touch()
    world = World(folder)
    world.boot()
    return world


def _program(folder: Path, path: Path) -> None:
    path.write_text(_PROGRAM.format(world=folder))
    path.chmod(0o755)


def run(world: World, *files: str | None, finish: bool = False) -> int:
    """`homesystem upgrade FILE...`, or what the machine does when it starts; its exit code. None: without a file."""
    named = [world.folder / file for file in files or ("2.deb",) if file]
    return upgrade.main(world.place, *named, finish=finish)


def path(world: World) -> str:
    """The search path on which its programs come first."""
    return f"{world.folder / 'bin'}:{os.environ['PATH']}"


def check_still(world: World) -> None:
    """Nothing of an upgrade is left, and everything runs."""
    assert set(world.read("running").split()) == set(UNITS)
    assert not world.place.closed.exists()
    assert {path.name for path in world.place.state.iterdir()} <= {"lock", "last.json"}
    assert list(world.place.units.rglob("*.service")) == []
    assert world.read("status") == "whole"
    assert world.read("home-signer/key") == "secret"
    assert (world.folder / "home-signer/key").stat().st_mode & 0o777 == 0o600


def check_newer(world: World) -> None:
    """It has version 2, and is still."""
    assert (world.read("version"), world.read("home/form")) == ("2", "2")
    check_still(world)


def check_former(world: World) -> None:
    """It has version 1 as before, and is still."""
    assert (world.read("version"), world.read("home/form")) == ("1", "1")
    check_still(world)
