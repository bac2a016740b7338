"""`homesystem code ATTEMPT`: a confirmation code, for whoever stands at the hub while no letter comes.

In the auth service's own database, whether it runs or not.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.folder import home as homes

if TYPE_CHECKING:
    from auth_service.hub.codes import Made

console = Console(soft_wrap=True, highlight=False, emoji=False)


def make(
    attempt: Annotated[str, typer.Argument(metavar="ATTEMPT", help="The short name that the page shows: K7P2Q.")],
) -> None:
    """Make a code for an attempt at signing in whose letter does not come. It is recorded, and told by letter."""
    made = asyncio.run(_make(homes.find(homes.folder()), attempt))
    who = f"{made.user.name} ({made.user.email})"
    console.print(f"For {who}, whose password was typed right at {made.address or 'an unknown address'}:", markup=False)
    console.print(f"\n{made.code}\n", markup=False)
    console.print(
        "It works once, in that browser alone, for ten minutes. "
        "Tell it to nobody but this person, and only if you see them or know their voice."
    )


async def _make(home: homes.Home, attempt: str) -> "Made":
    from auth_service import config
    from auth_service.hub import codes as hub_codes

    async with hub_codes.opened(config.read(home.config("auth")), now=_now) as codes:
        return await codes.make(attempt)


def _now() -> datetime:
    return datetime.now(UTC)
