"""`homesystem doctor`: looks at everything that a home needs, and names the next step for what is wrong."""

import datetime as dt
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from deploy import check_ends, check_files, check_names, check_running
from deploy.finding import Finding, examine
from deploy.home import Home

_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}


def look(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """Everything, in the order in which one would mend it."""
    for area, check in (
        ("settings", lambda: check_files.settings(home)),
        ("clock", lambda: check_files.clock(home, now)),
        ("certificates", lambda: check_files.certificates(home, now)),
        ("name", lambda: check_names.names(home)),
        ("certificates", lambda: check_ends.ends(home, now)),
        ("signer", lambda: check_ends.signer(home)),
        ("modes", lambda: check_files.modes(home)),
        ("disk", lambda: check_files.disk(home)),
        ("spools", lambda: check_files.spools(home)),
        ("broker", lambda: check_running.broker(home)),
        ("services", lambda: check_running.services(home)),
        ("mail", lambda: check_running.mail_server(home)),
    ):
        yield from examine(area, check)


def report(home: Home, console: Console, now: dt.datetime) -> bool:
    """Print a line for each thing as it is found; whether all is well."""
    faults = 0
    for found in look(home, now):
        line = f"{_MARKS[found.fine]} {found.area:<13}{escape(found.text)}"
        console.print(line, highlight=False, soft_wrap=True)
        if found.fine is False:
            faults += 1
            console.print(f"  {'':<13}→ {escape(found.step)}", highlight=False, soft_wrap=True)
    console.print("All is well." if not faults else f"{faults} thing{'s' if faults > 1 else ''} to mend.")
    return not faults
