"""`homesystem room` and `homesystem client`: who may connect.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import asyncio
import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from deploy.folder import home as homes
from shared.running.config import ConfigError
from shared.words.problem import HomeError

rooms = typer.Typer(no_args_is_help=True, help="Rooms: which agents may connect.")
clients = typer.Typer(no_args_is_help=True, help="Trusted clients: wall tablets and scripts with a certificate.")
console = Console(emoji=False)

OutDir = Annotated[Path | None, typer.Option("--out", help="Write certificate and key there, and print no line.")]
P12 = Annotated[bool, typer.Option("--p12", help="For an app on a phone: show a QR code and a code to type there.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]


@rooms.command("add")
def room_add(
    name: str,
    out: OutDir = None,
) -> None:
    """Let a room join: prints a line to paste on its Pi, good once, for ten minutes.

    With --out: enrol it here, and write ca.crt, room.crt, room.key and room.toml for its Pi.
    """
    from deploy.enrolling import enrol, lines

    if out is None:
        home = _home()
        lines.show(home, lines.open_for(home, name))
        return
    asyncio.run(enrol.add_room(_home(), name, out))
    console.print(f"Room {name} is enrolled. Carry its folder to its Pi over a safe way; docs/setup.md goes on there.")


@rooms.command("renew")
def room_renew(name: str, out: OutDir = None, yes: Yes = False) -> None:
    """Let a room join again under its name, on another card or after it slept too long: prints a line for its Pi.

    What it had before is refused at once. With --out: write ca.crt, room.crt, room.key and room.toml for its Pi.
    A room that is on renews by itself.
    """
    _renew(name, "room", out, yes=yes)


@rooms.command("revoke")
def room_revoke(name: str) -> None:
    """Revoke a room's certificate, rights and connection, at once and for good; or the line of one that is to come."""
    _revoke(name, "room")


@rooms.command("list")
def room_list() -> None:
    """List every room that was ever enrolled."""
    _list_identities("room")


@clients.command("add")
def client_add(
    name: str,
    may: Annotated[list[str], typer.Option(help="ROOM/DEVICE that it may command and hear; repeat for more.")],
    out: OutDir = None,
    p12: P12 = False,
) -> None:
    """Let a trusted client join: prints a line to paste on its machine, good once, for ten minutes.

    With --p12: a phone loads a file for its app (PKCS #12), once, from an address that is shown as a QR code.
    With --out: enrol it here, and write ca.crt, client.crt and client.key for its machine.
    """
    from deploy.enrolling import enrol, lines

    _check_one_way(out, p12=p12)
    devices = [enrol.device_ref(ref) for ref in may]
    home = _home()
    if unheard := asyncio.run(enrol.unheard(home, devices)):
        print(
            f"Beware: nobody knows yet whether there is {', '.join(unheard)}, since the room never came up. Compare "
            "the name with what the room has once it is online.",
            file=sys.stderr,
        )
    if p12:
        from deploy.enrolling import opening, phone

        phone.show(home, opening.new(home, name, "phone", devices))
        return
    if out is None:
        lines.show_for_client(lines.open_for_client(home, name, devices))
        return
    asyncio.run(enrol.add_client(home, name, devices, out))
    console.print(f"{name} is enrolled; its certificate lies in the folder you named.")


@clients.command("renew")
def client_renew(name: str, out: OutDir = None, p12: P12 = False, yes: Yes = False) -> None:
    """Give a client another certificate under its name, by a line for its machine; what it may do stays as it is.

    What it had before is refused at once. With --p12: by a file for a phone's app. With --out: write ca.crt, client.crt
    and client.key instead.
    """
    _check_one_way(out, p12=p12)
    _renew(name, "client", out, p12=p12, yes=yes)


@clients.command("revoke")
def client_revoke(name: str) -> None:
    """Revoke a client's certificate, rights and connection, at once and for good; or the line of one to come."""
    _revoke(name, "client")


@clients.command("list")
def client_list() -> None:
    """List every trusted client that was ever enrolled."""
    _list_identities("client")


def _home() -> homes.Home:
    return homes.find(homes.folder())


def _check_one_way(out: Path | None, *, p12: bool) -> None:
    if p12 and out is not None:
        raise HomeError("invalid-value", "--p12 is for a phone, --out for a folder; choose one of them.")


def _renew(
    name: str, role: Literal["room", "client"], out: Path | None, *, p12: bool = False, yes: bool = False
) -> None:
    from deploy.enrolling import enrol

    home = _home()
    if out is None:
        _renew_by_itself(home, name, role, p12=p12, yes=yes)
        return
    replaced = asyncio.run(enrol.renew(home, name, role, out))
    _beside_backups(home)
    refused = "what it had before is refused from now on" if replaced else "nothing that it had before was still good"
    console.print(f"{name} has another certificate in the folder you named, under its old name; {refused}.")


def _renew_by_itself(home: homes.Home, name: str, role: Literal["room", "client"], *, p12: bool, yes: bool) -> None:
    from deploy.enrolling import enrol, lines, opening, phone

    asyncio.run(enrol.check_standing(home, name, role))
    if not yes:
        question = f"What {name} has now is refused at once, even if nobody uses what is shown next. Go on"
        if not sys.stdin.isatty():
            raise HomeError("confirmation-required", f"{question}? Then say so: --yes")
        typer.confirm(question, abort=True, err=True)
    try:
        opened = opening.again(home, name, "phone" if p12 else role)
    finally:
        _beside_backups(home)
    if p12:
        phone.show(home, opened)
    elif role == "room":
        lines.show(home, lines.line(opened, role), "homesystem room renew")
    else:
        lines.show_for_client(lines.line(opened, role), "homesystem client renew")


def _revoke(name: str, role: Literal["room", "client"]) -> None:
    from deploy.enrolling import enrol

    home = _home()
    if asyncio.run(enrol.call_off(home, name, role)):
        console.print(f"Nobody came as {name} yet, and by what was shown for it nobody can now. The name stays free.")
        return
    try:
        dropped = asyncio.run(enrol.revoke(home, name, role))
    finally:  # also one that is not done yet must not be undone by a backup
        _beside_backups(home)
    ending = "its connection was dropped" if dropped else "no broker is running; it will be refused when one does"
    console.print(f"{name} is revoked: {ending}. The name is never given out again.")


def _beside_backups(home: homes.Home) -> None:
    """Who is revoked stands beside the backups at once; of an installed home root does it (deploy/homesystem.sh)."""
    from deploy.archives import plan as plans
    from deploy.archives import sending

    if home.var == plans.INSTALLED or (plan := plans.read(home.var)).target is None:
        return
    try:
        sending.send_list(home.var, plan, dt.datetime.now(dt.UTC))
    except (HomeError, ConfigError) as error:
        told = error.detail if isinstance(error, HomeError) else str(error)
        console.print(f"It does not stand beside the backups yet; the next one writes it. {told}", soft_wrap=True)


def _list_identities(role: str) -> None:
    from deploy.enrolling import enrol

    table = Table(Column(role.capitalize(), no_wrap=True), "Enrolled", "Revoked")
    for row in asyncio.run(enrol.identities(_home(), role)):
        revoked = f"{row.revoked_at:%Y-%m-%d %H:%M} UTC" if row.revoked_at else ""
        table.add_row(row.name, f"{row.enrolled_at:%Y-%m-%d %H:%M} UTC", revoked)
    console.print(table)
