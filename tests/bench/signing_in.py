"""People who sign in: what they cost everybody else's commands, and what the answers to them tell of accounts."""

import asyncio
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import commanding, floors, guessing, guessing_invitations, load, verdicts
from tests.demo import Demo

PEOPLE = 50
"""So many sign in at once, all the time."""
TURNS = 11
GUESSES = 100


def measure(seconds: float, limits: Iterable[str], console: Console) -> Iterator[Table]:
    """What people who sign in cost everybody else's commands, and what answers to them tell of accounts."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder) / "var")
        demo.start()
        demo.stop()
        demo.lift_limits(*limits)
        guessing.lift(demo)
        demo.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                yield runner.run(beside(demo, seconds, console))
            demo.stop()
            guessing.cheapen(demo)
            demo.start()
            with console.status("accounts and invitations to be guessed at …"):
                accounts = guessing.kinds(demo)
                invitations = guessing_invitations.kinds(demo)
            with console.status("guessing …"), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                signing_in = runner.run(guessing.measure(demo, accounts, GUESSES))
                joining = runner.run(guessing.measure(demo, invitations, guessing_invitations.ROUNDS))
            yield guessing.table(signing_in)
            yield guessing.table(joining, guessing_invitations.BASE)
        except BaseException:
            print(demo.logs())
            raise
        finally:
            if demo.runs:
                demo.stop()


async def beside(demo: Demo, seconds: float, console: Console) -> Table:
    """One client's commands, alone and beside the sign-ins of many, in turns."""
    client, email = demo.client("member"), demo.users()["guest"]["email"]
    alone: list[load.Figures] = []
    beside: list[load.Figures] = []
    for turn in range(TURNS):
        with console.status(f"commands alone and beside {PEOPLE} sign-ins, {turn + 1} of {TURNS} …"):
            alone.append(await commanding.plain(demo, client, 1, seconds))
            people = ("tests.bench.sign_ins", str(demo.var), str(demo.ports["HTTPS"]), email, str(PEOPLE))
            with floors.spawned(*people):
                beside.append(await commanding.plain(demo, client, 1, seconds))
    figures = [
        verdicts.Figure(
            f"command, p{100 * quantile:g}",
            "ms",
            [one.quantile(quantile) for one in beside],
            [one.quantile(quantile) for one in alone],
            verdicts.Target(ratio_most=2.0) if quantile == 0.99 else None,
        )
        for quantile in (0.5, 0.99)
    ]
    return verdicts.table(f"{PEOPLE} people sign in, all the time", "alone", figures)
