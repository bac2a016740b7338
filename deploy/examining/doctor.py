"""`homesystem doctor`: looks at everything that a home needs, and names the next step for what is wrong."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape

from deploy.examining import (
    check_backups,
    check_broker,
    check_ends,
    check_enrolments,
    check_files,
    check_names,
    check_rooms,
    check_rules,
    check_running,
    check_served,
    check_sign_in,
    check_units,
    check_versions,
    check_zones,
)
from deploy.examining.finding import Finding, examine
from deploy.folder.home import Home
from deploy.running import installation
from deploy.running.installation import Installation
from shared.keeping import notes
from shared.words.noted import DoctorLine, DoctorReport

_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}


def look(home: Home, now: dt.datetime, here: Installation | None = None) -> Iterator[Finding]:
    """Everything, in the order in which one would mend it; each step as one types it on this machine."""
    here = here or installation.look(home)
    for area, check in (
        ("owners", lambda: check_files.owners(home)),
        ("settings", lambda: check_files.settings(home)),
        ("clock", lambda: check_files.clock(home, now)),
        ("zones", lambda: check_zones.zones(here, now)),
        ("certificates", lambda: check_files.certificates(home, now)),
        ("name", lambda: check_names.names(home)),
        ("certificates", lambda: check_ends.ends(home, now)),
        ("certificates", lambda: check_ends.following(home, now)),
        ("certificates", lambda: check_ends.following_web(home, now)),
        ("signer", lambda: check_ends.signer(home)),
        ("modes", lambda: check_files.modes(home)),
        ("disk", lambda: check_files.disk(home)),
        ("databases", lambda: check_files.databases(home)),
        ("spools", lambda: check_files.spools(home)),
        ("backups", lambda: check_backups.backups(home, now)),
        ("enrolments", lambda: check_enrolments.enrolments(home)),
        ("rules", lambda: check_rules.rules(home)),
        ("units", lambda: check_units.units(here)),
        ("broker", lambda: check_broker.build(home, here)),
        ("broker", lambda: check_running.broker(home, here)),
        ("rooms", lambda: check_rooms.rooms(home, here, now)),
        ("versions", lambda: check_versions.rooms(home)),
        ("services", lambda: check_running.services(home, here)),
        ("served", lambda: check_served.served(home, here)),
        ("sign-in", lambda: check_sign_in.sign_in(home, here)),
        ("mail", lambda: check_running.mail_server(home, here)),
    ):
        for found in examine(area, check):
            yield found._replace(text=here.typed(found.text), step=here.typed(found.step))


def report(home: Home, console: Console, now: dt.datetime) -> bool:
    """Print a line for each thing as it is found; whether all is well."""
    faults, seen = 0, list[Finding]()
    for found in look(home, now):
        seen.append(found)
        line = f"{_MARKS[found.fine]} {found.area:<13}{escape(found.text)}"
        console.print(line, highlight=False, soft_wrap=True)
        if found.fine is False:
            faults += 1
            console.print(f"  {'':<13}→ {escape(found.step)}", highlight=False, soft_wrap=True)
    keep(home, _told(seen, now))
    console.print("All is well." if not faults else f"{faults} thing{'s' if faults > 1 else ''} to mend.")
    return not faults


def report_as_json(home: Home, now: dt.datetime) -> DoctorReport:
    """The same for programs, once all was looked at."""
    told = _told(look(home, now), now)
    keep(home, told)
    return told


def keep(home: Home, told: DoctorReport) -> None:
    """Leave it for the house's page, which shows how old it is; on a disk that takes nothing the older one stays."""
    with contextlib.suppress(OSError):
        notes.write(home.notes, told)


def _told(found: Iterable[Finding], now: dt.datetime) -> DoctorReport:
    findings = [DoctorLine(one.area, one.state, one.text, one.step, one.is_noted) for one in found]
    return DoctorReport(well=all(line.state != "wrong" for line in findings), at=now, findings=findings)
