"""The phases of a home's life, in order: which need which, and which blocks of the guide they type."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from tests.booted.house import House
from tests.booted.phases import (
    aging,
    another_authority,
    commanding,
    dying,
    enrolling,
    examining,
    founding,
    installing,
    joining,
    locking_down,
    losing,
    packaging,
    renaming,
    renewing,
    restarting,
    restoring,
    revoking,
    sending,
    signing_in,
    units,
    updating,
    upgrading,
    walls,
)


class Step(NamedTuple):
    """A phase: what it is called, what it does, what has to be well before, what it types, and whether it is short."""

    name: str
    run: Callable[[House], None]
    needs: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    short: bool = True


BACKUP = ("backup", "backup-key", "backup-target", "backup-verify")
RESTORE = ("restore", "restore-sealed")
WEB_AUTHORITY = ("web-authority", "web-authority-next", "web-authority-now")
STEPS = (
    Step("install", installing.run, types=("hub-install",)),
    Step("init", founding.run, ("install",), ("hub-init",)),
    Step("units", units.run, ("init",), ("hub-units", "hub-authority")),
    Step("walls", walls.run, ("units",)),
    Step("sign in", signing_in.run, ("units",)),
    Step("enrol", enrolling.run, ("sign in",), ("room-add", "room-install", "room-start")),
    Step("command", commanding.plain, ("enrol",)),
    Step("critical", commanding.critical, ("enrol",)),
    Step("doctor", examining.run, ("units",), ("doctor",)),
    Step("web authority", another_authority.run, ("sign in",), WEB_AUTHORITY, short=False),
    Step("power off", restarting.in_order, ("enrol",)),
    Step("power cut", restarting.plug_pulled, ("enrol",), short=False),
    Step("kill -9", dying.killed, ("enrol",), short=False),
    Step("freeze", dying.frozen, ("enrol",), short=False),
    Step("revoke", revoking.run, ("enrol",), ("revoke",), short=False),
    Step("lockdown", locking_down.run, ("enrol",), ("lockdown",), short=False),
    Step("lost mailbox", losing.mailbox, ("sign in",), ("lost-mailbox",), short=False),
    Step("lost factor", losing.factor, ("lost mailbox",), ("lost-factor",), short=False),
    Step("lost card", losing.card, ("enrol",), ("lost-card", "new-card"), short=False),
    Step("new address", losing.address, ("enrol",), short=False),
    Step("upgrade", updating.to_newer, ("enrol",), ("update",), short=False),
    Step("update from old", updating.from_old, ("install",), ("update-first",), short=False),
    Step("backup", restoring.backup, ("enrol",), BACKUP, short=False),
    Step("backup elsewhere", sending.run, ("backup",), ("backup-sftp",), short=False),
    Step("restore", restoring.restore, ("backup",), RESTORE, short=False),
    Step("renew", renewing.run, ("enrol",)),
    Step("months", aging.run, ("renew",), short=False),
    Step("forty days", aging.away, ("renew",), short=False),
    Step("rename", renaming.run, ("enrol",), ("rename", "rename-done"), short=False),
    Step("given away", losing.given_away, ("enrol",), ("give-away-hub", "give-away-room"), short=False),
)


PACKAGED = (
    Step("install", packaging.install, types=("deb-hub",)),
    Step("init", founding.run, ("install",), ("hub-init",)),
    Step("units", units.run, ("init",), ("hub-units", "hub-authority")),
    Step("walls", walls.run, ("units",)),
    Step("sign in", signing_in.run, ("units",)),
    Step("enrol", packaging.enrol, ("sign in",), ("room-add", "deb-room", "room-start")),
    Step("command", commanding.plain, ("enrol",)),
    Step("critical", commanding.critical, ("enrol",)),
    Step("join", joining.run, ("sign in",), ("deb-room-add",)),
    Step("doctor", examining.run, ("units",), ("doctor",)),
    Step("power off", restarting.in_order, ("enrol",)),
    Step("backup", restoring.backup, ("enrol",), BACKUP),
    Step("restore", packaging.restore, ("backup",), RESTORE),
    Step("goes back", upgrading.goes_back, ("enrol",)),
    Step("room goes back", upgrading.room_goes_back, ("enrol",)),
    Step("cut off", upgrading.cut_off, ("enrol",)),
    Step("upgrade", upgrading.upgrade, ("enrol",), ("deb-upgrade-hub", "deb-upgrade-room")),
    Step("refused", packaging.refused, ("upgrade",)),
    Step("in favour", packaging.in_favour, ("upgrade",)),
    Step("from git", packaging.from_git),
    Step("remove", packaging.remove, ("enrol",), ("deb-remove",)),
    Step("next Debian", packaging.next_debian, ("upgrade",)),
    Step("purge", packaging.purge, ("upgrade",), ("deb-purge",)),
)
"""A home from packages instead of a checkout; each of its machines is fresh."""


def chosen(
    names: Collection[str] | None, *, short: bool = False, steps: Sequence[Step] = STEPS, newest: bool = False
) -> list[Step]:
    """The steps to take: all, or the short ones, or those named and what they need. KeyError: no such step.

    `newest`: on a Debian after which there is none yet.
    """
    if newest:
        steps = [step for step in steps if step.run is not packaging.next_debian]
    if names is None:
        return [step for step in steps if step.short or not short]
    by_name = {step.name: step for step in steps}
    wanted, left = set(), list(names)
    while left:
        step = by_name[left.pop()]
        wanted.add(step.name)
        left += step.needs
    return [step for step in steps if step.name in wanted]


def unmet(step: Step, well: Collection[str]) -> str:
    """Why a step cannot be tried after only `well` went well; empty where it can."""
    return ", ".join(name for name in step.needs if name not in well)
