"""`homesystem factory-reset`: the house is sold, or the hub goes to somebody else.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

from typing import Annotated

import typer

from deploy.folder import home as homes


def factory_reset(
    *,
    name: Annotated[
        str | None, typer.Option("--erase", metavar="HUB", help="The hub's name, instead of being asked for it.")
    ] = None,
    letters: Annotated[
        bool, typer.Option(help="Write to the master users first; nothing is erased unless that works.")
    ] = True,
) -> None:
    """Erase this home for good: people, record, settings and keys. Each master user gets a last letter first.

    For a house or a hub that changes hands. Backups that lie elsewhere stay.
    """
    from deploy.giving_away import resetting

    resetting.reset(homes.folder(), name, letters=letters)
