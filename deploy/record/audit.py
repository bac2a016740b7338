"""`homesystem audit`: is the record whole, and is it the one that the letters were written from?

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.folder import home as homes

app = typer.Typer(no_args_is_help=True, help="The record of who did what.")

BROKEN = 1


@app.callback()
def audit() -> None:
    """The record of who did what."""


@app.command("verify")
def audit_verify(
    *,
    letters: Annotated[
        Path | None, typer.Option(help="A folder of letters (*.eml): is the record the one they tell of?")
    ] = None,
    from_row: Annotated[int, typer.Option(min=1, help="Begin at this row, as far as it is still there.")] = 1,
) -> None:
    """Check every row of the record; ends with 1 and names the first broken row where it was tampered with."""
    from deploy.record import verifying

    if not asyncio.run(verifying.verify(homes.find(homes.folder()), letters, from_row)):
        raise typer.Exit(BROKEN)
