"""`homesystem lockdown`: begins one, ends it and shows it, in the auth service's own database, whether it runs or not.

Whoever may run it sits at the hub, so nothing else is asked for.
"""

import asyncio
from datetime import UTC, datetime

import typer
from rich.console import Console

from deploy.folder import home as homes
from deploy.folder import turns
from deploy.live_broker import broker
from shared.words import messages, topics
from shared.words.internal import LockdownState
from shared.words.problem import HomeError

app = typer.Typer(no_args_is_help=True, help="Lockdown: everyone is signed out, and only off, lock and stop work.")

console = Console(emoji=False)


@app.command()
def begin() -> None:
    """Lock the home down: end every session, and have every room obey off, lock and stop only."""
    home = homes.find(homes.folder())
    stood, state, recorded = asyncio.run(_change(home, active=True))
    done = "was locked down already" if stood.active else "is locked down, and everyone is signed out"
    console.print(f"The home {done}: {_since(state)}.")
    if not recorded:
        console.print("No proof of it could be written, so no letter goes out: free space on the hub's disk.")
    console.print(_told(home, state))


@app.command()
def end() -> None:
    """End the lockdown. Where there is none, rooms that still believe one are told anew."""
    home = homes.find(homes.folder())
    stood, state, _ = asyncio.run(_change(home, active=False))
    console.print("The lockdown is over." if stood.active else "The home was not locked down; that is said anew.")
    console.print(_told(home, state))


@app.command()
def show() -> None:
    """Say whether the home is locked down, and since when."""
    state = asyncio.run(_state(homes.find(homes.folder())))
    console.print(f"The home is {'locked down' if state.active else 'not locked down'}: {_since(state)}.")


async def _change(home: homes.Home, *, active: bool) -> tuple[LockdownState, LockdownState, bool]:
    """What stood, what now stands, and whether its proof could be written; an end without one raises no-proof."""
    from auth_service import config
    from auth_service.home import lockdown
    from auth_service.hub.accounts import ISSUER

    who = messages.Who(issuer=ISSUER)
    async with lockdown.opened(config.read(home.config("auth")), now=_now) as (the_lockdown, proof):
        stood = await the_lockdown.state()
        if active:
            return stood, await the_lockdown.begin(who), not proof.owes
        return stood, await (the_lockdown.end(who) if stood.active else the_lockdown.repeat()), True


async def _state(home: homes.Home) -> LockdownState:
    from auth_service import config
    from auth_service.home import lockdown

    async with lockdown.opened(config.read(home.config("auth")), now=_now) as (the_lockdown, _):
        return await the_lockdown.state()


def _told(home: homes.Home, state: LockdownState) -> str:
    """Whether the rooms know: the running auth service looks once a second, and has the broker retain it."""

    def says_it(payload: bytes) -> bool:
        try:
            told = messages.decode(messages.Lockdown, payload)
        except HomeError:
            return False
        return told == messages.Lockdown(active=state.active, at=state.at or messages.utc(0))

    try:
        with turns.turn(home.var, "homesystem lockdown"), broker.as_admin(home) as admin:
            if admin.hears(topics.LOCKDOWN, says_it):
                return "Every room and gateway that is connected has been told; the others are when they connect."
    except HomeError as error:
        if error.slug != "broker-unreachable":
            raise
        return "No broker is running here: rooms and gateways are told once it and the auth service run."
    return "The broker has not been told yet: the auth service does that once it runs; see its log."


def _since(state: LockdownState) -> str:
    return "there never was a lockdown" if state.at is None else f"since {state.at:%Y-%m-%d %H:%M:%S} UTC"


def _now() -> datetime:
    return datetime.now(UTC)
