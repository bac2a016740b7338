"""The `homesystem` command: sets up a home, runs it, and changes who may do what in it.

What needs a database is imported where it is used: `up` must not wait for it.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from deploy import keeping, rename
from deploy.folder import home as homes
from deploy.folder import naming, turns
from deploy.household import codes, lockdown, users
from deploy.live_broker import broker, taking_up
from deploy.record import audit
from deploy.running import up
from shared.running.config import EX_CONFIG, ConfigError
from shared.words.problem import HomeError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Sets up a home, runs it, and changes who may do what in it.",
    pretty_exceptions_enable=False,
)
room_app = typer.Typer(no_args_is_help=True, help="Rooms: which agents may connect.")
client_app = typer.Typer(no_args_is_help=True, help="Trusted clients: wall tablets and scripts with a certificate.")
app.command()(keeping.backup)
app.command()(keeping.restore)
app.add_typer(users.app, name="user")
app.add_typer(audit.app, name="audit")
app.add_typer(room_app, name="room")
app.add_typer(client_app, name="client")
app.add_typer(lockdown.app, name="lockdown")
app.command("rename")(rename.rename)
app.command("code")(codes.make)

console = Console()
T = TypeVar("T")

OutDir = Annotated[Path, typer.Option("--out", help="Where to write certificate and key.")]


@app.command()
def init(
    *,
    answers: Annotated[
        Path | None, typer.Option(help="A TOML file with the answers, instead of questions; see docs/init.md.")
    ] = None,
    demo_home: Annotated[bool, typer.Option("--demo", help="The demo home, without questions.")] = False,
) -> None:
    """Set up a home in HOMESYSTEM_VAR (or ./var): certificates, configuration, and the master user."""
    from deploy.founding import command
    from deploy.running import demo

    var = homes.folder()
    if demo_home:
        _run(demo.create(var))
        console.print(f"The home in {var} is set up. [bold]homesystem up[/bold] runs it here.")
    else:
        command.run(var, console, answers)


@app.command("up")
def run_home(
    *,
    demo_home: Annotated[bool, typer.Option("--demo", help="Make the demo home first where there is none.")] = False,
) -> None:
    """Run the whole home on this machine until Ctrl-C."""
    var = homes.folder()
    if demo_home and not (var / "home.toml").exists():
        from deploy.running import demo

        print("making the demo home …", flush=True)
        _run(demo.create(var))
    up.start(homes.find(var))


@app.command()
def renew() -> None:
    """Renew certificates near their end, or not fit for use, and the revocation list; meant for a daily timer.

    Services, rooms and a running broker take them up by themselves.
    """
    home = _home()
    with turns.turn(home.var, "homesystem renew"):
        made = homes.renew(home)
        told = taking_up.reload(home)
        home = rename.finish(home)
    console.print(f"Renewed: {', '.join(made) or 'nothing was due'}; a fresh revocation list is in place.")
    if told:
        console.print("The broker serves what lies there; services and rooms take theirs up by themselves.")
    else:
        console.print("No broker is running here; it reads its files when it starts.")
    naming.check(home.var, home.settings.name, home.settings.former_names)


@app.command("doctor")
def examine_home(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs: docs/doctor.md has the shape.")] = False
) -> None:
    """Look at everything that the home needs, running or not; exit code 1 when something is to be mended."""
    import datetime as dt

    import msgspec

    from deploy import doctor

    home, now = _home(), dt.datetime.now(dt.UTC)
    if as_json:
        found = doctor.report_as_json(home, now)
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        well = found.well
    else:
        well = doctor.report(home, console, now)
    if not well:
        raise typer.Exit(1)


@app.command("rights")
def refresh_rights() -> None:
    """Bring the hub's own rights at the broker up to date; its unit does so before each start."""
    home = _home()
    with turns.turn(home.var, "homesystem rights"):
        changed = broker.refresh(home)
    console.print(f"Brought up to date: {_listed(changed)}.")


@app.command()
def repair(
    *,
    accounts: Annotated[
        bool, typer.Option("--accounts", help="Go on with what can be read of torn accounts, locked down.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="All but the databases, which take long to read.")] = False,
) -> None:
    """Make what is missing and bring what follows this version up to date; an update and the broker's unit do so.

    A record that is torn goes aside, and what can be read of it on.
    """
    from deploy import repairing

    home = _home()
    with turns.turn(home.var, "homesystem repair"):
        homes.lay_out(home)
        changed = broker.refresh(home)
        taking_up.reload(home)  # a broker that runs still has what was there before
        told = [] if quick else _run(repairing.databases(home, accounts=accounts))
    console.print(f"Folders, certificates and mosquitto.conf are as they should be; rights: {_listed(changed)}.")
    for line in told:
        console.print(line, soft_wrap=True)


@app.command()
def authority() -> None:
    """Print the web authority's certificate, for the browsers of the household: homesystem authority > web-ca.crt."""
    print((_home().pki / "web-ca.crt").read_text(), end="")


@app.command(context_settings={"ignore_unknown_options": True})  # -5 is a temperature
def sim(
    device: Annotated[str, typer.Argument(metavar="ROOM/DEVICE")],
    value: Annotated[
        str,
        typer.Argument(help="open, closed, press, double, long, motion, clear; 21.5, fail; for an output: stuck, free"),
    ],
) -> None:
    """Drive a simulated input of a running home, or break an output: its line no longer follows commands."""
    from deploy.enrolling import enrol
    from device_agents.pins import simulation

    room, name = enrol.device_ref(device)
    simulation.drive(_home().var / "sim", room, name, value)
    console.print(f"{device} is driven: {value}")


@room_app.command("add")
def room_add(name: str, out: OutDir) -> None:
    """Enrol a room: writes ca.crt, room.crt, room.key and room.toml for its Pi."""
    from deploy.enrolling import enrol

    _run(enrol.add_room(_home(), name, out))
    console.print(f"Room {name} is enrolled. Carry its folder to its Pi over a safe way; docs/setup.md goes on there.")


@room_app.command("renew")
def room_renew(name: str, out: OutDir) -> None:
    """Give a room that slept too long another certificate under its name; it renews by itself while it is on."""
    _renew(name, "room", out)


@room_app.command("revoke")
def room_revoke(name: str) -> None:
    """Revoke a room's certificate, rights and connection, at once and for good."""
    _revoke(name, "room")


@room_app.command("list")
def room_list() -> None:
    """List every room that was ever enrolled."""
    _list_identities("room")


@client_app.command("add")
def client_add(
    name: str,
    out: OutDir,
    may: Annotated[list[str], typer.Option(help="ROOM/DEVICE that it may command and hear; repeat for more.")],
) -> None:
    """Enrol a trusted client: writes ca.crt, client.crt and client.key."""
    from deploy.enrolling import enrol

    _run(enrol.add_client(_home(), name, [enrol.device_ref(ref) for ref in may], out))
    console.print(f"{name} is enrolled; its certificate lies in the folder you named.")


@client_app.command("renew")
def client_renew(name: str, out: OutDir) -> None:
    """Give a client another certificate under its name; what it may do stays as it is."""
    _renew(name, "client", out)


@client_app.command("revoke")
def client_revoke(name: str) -> None:
    """Revoke a client's certificate, rights and connection, at once and for good."""
    _revoke(name, "client")


@client_app.command("list")
def client_list() -> None:
    """List every trusted client that was ever enrolled."""
    _list_identities("client")


def main() -> None:
    """Run the command; errors are one sentence that names the next step."""
    # Spools, ledgers and logs say who opened what, and when: they are their owner's alone.
    os.umask(0o077)
    try:
        app()
    except ConfigError as error:
        print(f"homesystem: {error}", file=sys.stderr)
        raise SystemExit(EX_CONFIG) from error
    except HomeError as error:
        print(f"homesystem: {error.detail}", file=sys.stderr)
        raise SystemExit(1) from error
    except PermissionError as error:
        var = homes.folder()
        step = f"run this as the home's user, or give the home back to it: sudo chown -R --reference={var} {var}"
        print(f"homesystem: {error.filename}: {error.strerror}; {step}", file=sys.stderr)
        raise SystemExit(1) from error


def _home() -> homes.Home:
    return homes.find(homes.folder())


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _listed(changed: list[str]) -> str:
    return ", ".join(changed) or "nothing was out of date"


def _renew(name: str, role: Literal["room", "client"], out: Path) -> None:
    from deploy.enrolling import enrol

    replaced = _run(enrol.renew(_home(), name, role, out))
    refused = "what it had before is refused from now on" if replaced else "nothing that it had before was still good"
    console.print(f"{name} has another certificate in the folder you named, under its old name; {refused}.")


def _revoke(name: str, role: Literal["room", "client"]) -> None:
    from deploy.enrolling import enrol

    dropped = _run(enrol.revoke(_home(), name, role))
    ending = "its connection was dropped" if dropped else "no broker is running; it will be refused when one does"
    console.print(f"{name} is revoked: {ending}. The name is never given out again.")


def _list_identities(role: str) -> None:
    from deploy.enrolling import enrol

    table = Table(role.capitalize(), "Enrolled", "Revoked")
    for row in _run(enrol.identities(_home(), role)):
        revoked = f"{row.revoked_at:%Y-%m-%d %H:%M} UTC" if row.revoked_at else ""
        table.add_row(row.name, f"{row.enrolled_at:%Y-%m-%d %H:%M} UTC", revoked)
    console.print(table)


if __name__ == "__main__":
    main()
