"""The phases of a home's life, in order, and which need which."""

from collections.abc import Callable
from typing import NamedTuple

from tests.booted.house import House
from tests.booted.phases import (
    aging,
    commanding,
    dying,
    enrolling,
    examining,
    founding,
    installing,
    locking_down,
    renewing,
    restarting,
    revoking,
    signing_in,
    units,
    updating,
)


class Step(NamedTuple):
    """A phase: what it is called, what it does, what has to be well before, and whether the short run has it."""

    name: str
    run: Callable[[House], None]
    needs: tuple[str, ...] = ()
    short: bool = True


STEPS = (
    Step("install", installing.run),
    Step("init", founding.run, ("install",)),
    Step("units", units.run, ("init",)),
    Step("sign in", signing_in.run, ("units",)),
    Step("enrol", enrolling.run, ("sign in",)),
    Step("command", commanding.plain, ("enrol",)),
    Step("critical", commanding.critical, ("enrol",)),
    Step("doctor", examining.run, ("units",)),
    Step("power off", restarting.in_order, ("enrol",)),
    Step("power cut", restarting.plug_pulled, ("enrol",), short=False),
    Step("kill -9", dying.killed, ("enrol",), short=False),
    Step("freeze", dying.frozen, ("enrol",), short=False),
    Step("revoke", revoking.run, ("enrol",), short=False),
    Step("lockdown", locking_down.run, ("enrol",), short=False),
    Step("upgrade", updating.to_newer, ("enrol",), short=False),
    Step("update from old", updating.from_old, ("install",), short=False),
    Step("renew", renewing.run, ("enrol",)),
    Step("months", aging.run, ("renew",), short=False),
    Step("forty days", aging.away, ("renew",), short=False),
)


def unmet(step: Step, well: set[str]) -> str:
    """Why a step cannot be tried after only `well` went well; empty where it can."""
    return ", ".join(name for name in step.needs if name not in well)
