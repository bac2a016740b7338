"""What the commands about backups have in common: whose home it is, and what is said of a backup that was made."""

import datetime as dt
import os
from pathlib import Path

from rich.console import Console

from deploy.archives import plan as plans
from deploy.archives.plan import INSTALLED, Plan
from deploy.archives.sending import Sent
from deploy.folder import home as homes
from shared.running.config import ConfigError
from shared.words.problem import HomeError

console = Console(emoji=False)


def home() -> Path:
    """The home's folder. Raises ConfigError where there is no home, HomeError for who may not back it up."""
    var = homes.folder()
    if var == INSTALLED and os.geteuid() != 0:
        raise HomeError("no-proof", "Backups hold what belongs to several users: run this with sudo.")
    if not (var / "home.toml").exists():
        raise ConfigError(f"{var}: there is no home here to back up; set HOMESYSTEM_VAR to its folder")
    return var


def plan_of(var: Path) -> Plan:
    """The plan of a home that may not be there yet. Raises HomeError for who may not read it."""
    try:
        return plans.read(var)
    except PermissionError as error:
        raise HomeError("no-proof", f"{error.filename} is root's: run this with sudo.") from error


def now() -> dt.datetime:
    """This moment."""
    return dt.datetime.now(dt.UTC)


def tell_sent(plan: Plan, sent: Sent) -> None:
    """Say what is at the target."""
    console.print(f"{sent.name} is at {plan.target}: {sent.size / 1e6:.2f} MB, sealed.", soft_wrap=True)
    tell_elsewhere(sent.elsewhere)
    if sent.pruned:
        console.print(f"Older ones that are not kept any more went: {len(sent.pruned)}.", soft_wrap=True)


def tell_elsewhere(elsewhere: list[str]) -> None:
    """Say what is not in a backup."""
    for told in elsewhere:
        console.print(f"Not in it: {told}.", soft_wrap=True, markup=False)
