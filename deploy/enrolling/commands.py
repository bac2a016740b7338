"""`homesystem room` and `homesystem client`: who may connect.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from deploy.folder import home as homes
from shared.running.config import ConfigError
from shared.words.problem import HomeError

rooms = typer.Typer(no_args_is_help=True, help="Rooms: which agents may connect.")
clients = typer.Typer(no_args_is_help=True, help="Trusted clients: wall tablets and scripts with a certificate.")
console = Console()

OutDir = Annotated[Path, typer.Option("--out", help="Where to write certificate and key.")]


@rooms.command("add")
def room_add(
    name: str,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write certificate and key there, and print no line.")
    ] = None,
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
def room_renew(name: str, out: OutDir) -> None:
    """Give a room that slept too long another certificate under its name; it renews by itself while it is on."""
    _renew(name, "room", out)


@rooms.command("revoke")
def room_revoke(name: str) -> None:
    """Revoke a room's certificate, rights and connection, at once and for good."""
    _revoke(name, "room")


@rooms.command("list")
def room_list() -> None:
    """List every room that was ever enrolled."""
    _list_identities("room")


@clients.command("add")
def client_add(
    name: str,
    may: Annotated[list[str], typer.Option(help="ROOM/DEVICE that it may command and hear; repeat for more.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write certificate and key there, and print no line.")
    ] = None,
) -> None:
    """Let a trusted client join: prints a line to paste on its machine, good once, for ten minutes.

    With --out: enrol it here, and write ca.crt, client.crt and client.key for its machine.
    """
    from deploy.enrolling import enrol, lines

    devices = [enrol.device_ref(ref) for ref in may]
    if out is None:
        lines.show_for_client(lines.open_for_client(_home(), name, devices))
        return
    asyncio.run(enrol.add_client(_home(), name, devices, out))
    console.print(f"{name} is enrolled; its certificate lies in the folder you named.")


@clients.command("renew")
def client_renew(name: str, out: OutDir) -> None:
    """Give a client another certificate under its name; what it may do stays as it is."""
    _renew(name, "client", out)


@clients.command("revoke")
def client_revoke(name: str) -> None:
    """Revoke a client's certificate, rights and connection, at once and for good."""
    _revoke(name, "client")


@clients.command("list")
def client_list() -> None:
    """List every trusted client that was ever enrolled."""
    _list_identities("client")


def _home() -> homes.Home:
    return homes.find(homes.folder())


def _renew(name: str, role: Literal["room", "client"], out: Path) -> None:
    from deploy.enrolling import enrol

    home = _home()
    replaced = asyncio.run(enrol.renew(home, name, role, out))
    _beside_backups(home)
    refused = "what it had before is refused from now on" if replaced else "nothing that it had before was still good"
    console.print(f"{name} has another certificate in the folder you named, under its old name; {refused}.")


def _revoke(name: str, role: Literal["room", "client"]) -> None:
    from deploy.enrolling import enrol

    home = _home()
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

    table = Table(role.capitalize(), "Enrolled", "Revoked")
    for row in asyncio.run(enrol.identities(_home(), role)):
        revoked = f"{row.revoked_at:%Y-%m-%d %H:%M} UTC" if row.revoked_at else ""
        table.add_row(row.name, f"{row.enrolled_at:%Y-%m-%d %H:%M} UTC", revoked)
    console.print(table)
