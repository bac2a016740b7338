"""`homesystem rule`: what the rules for letters would have told.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.folder import home as homes

app = typer.Typer(no_args_is_help=True, help="Rules for letters.")


@app.callback()
def rule() -> None:
    """Rules for letters."""


@app.command("try")
def rule_try(
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days back.")] = 7,
    rules: Annotated[Path | None, typer.Option(help="A draft: a file with [[rules]], instead of those in use.")] = None,
    config: Annotated[Path | None, typer.Option(help="The alert service's settings, else those of this home.")] = None,
) -> None:
    """Try the rules on what happened: which letters each would have sent about it. Changes and sends nothing."""
    from deploy.record import trying

    settings = config if config is not None else homes.find(homes.folder()).config("alerts")
    asyncio.run(trying.try_rules(settings, rules, days))
