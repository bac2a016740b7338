"""`homesystem rename`: gives the hub another name, and ends the old one when everybody has followed.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.folder import home as homes
from shared.words.problem import HomeError

if TYPE_CHECKING:
    from deploy.names.renaming import Followers

console = Console(emoji=False)


def rename(
    name: Annotated[str | None, typer.Argument(help="The new name, such as hub.local.")] = None,
    *,
    done: Annotated[bool, typer.Option("--done", help="Browsers know the new name: end the old one.")] = False,
) -> None:
    """Give the hub another name; the old one is served as well until you say --done."""
    if (name is None) is not done:
        raise HomeError("invalid-value", "Say either the new name (homesystem rename NAME), or --done.")
    with homes.turn(homes.folder(), "homesystem rename") as home:
        if name is not None:
            _begin(home, name)
        else:
            _end(home)


def finish(home: homes.Home) -> homes.Home:
    """Take a former name from the broker's certificate where the owner is done with it and no room needs it; daily."""
    if home.settings.former_names or not home.settings.former_broker_names:
        return home
    from deploy.names import renaming

    return renaming.end_for_rooms(home, asyncio.run(renaming.followers(home)))


def _begin(home: homes.Home, name: str) -> None:
    from deploy.founding import reach
    from deploy.names import renaming

    home, by_hand = renaming.begin(home, name)
    settings, former = home.settings, ", ".join(home.settings.former_names)
    _say(f"The hub is {settings.name}; browsers and rooms still reach it as {former}, too. What is next:")
    if (doubt := reach.doubt(settings.name, reach.this_machine())) is not None:
        _say(f"- {doubt}")
    for line in by_hand:
        _say(f"- {line}")
    restart = (
        "docker compose restart alerts auth"
        if home.contained
        else "sudo systemctl restart homesystem-alerts homesystem-auth"
    )
    _say(f"- Letters link with the new name: {restart}")
    _say(
        "- Import what `homesystem authority` prints into the household's browsers: it is another authority, which "
        f"can vouch for {settings.name} alone. Then open https://{settings.name}:{settings.https_port}"
    )
    if (told := ending(*asyncio.run(renaming.passkeys(home)), settings.name)) is not None:
        _say(told)
    _tell(asyncio.run(renaming.followers(home)), settings.name)
    _say("- When every browser knows the new name: homesystem rename --done")


def _end(home: homes.Home) -> None:
    from deploy.names import renaming

    if not home.settings.former_names and not home.settings.former_broker_names:
        raise HomeError("invalid-value", f"The hub has the one name {home.settings.name}; nothing is to be ended.")
    home = renaming.end_for_browsers(home)
    _say(f"Browsers reach the hub as {home.settings.name} alone.")
    left = asyncio.run(renaming.followers(home))
    home = renaming.end_for_rooms(home, left)
    if home.settings.former_broker_names:
        _say(f"The broker is still called {', '.join(home.settings.former_broker_names)} as well, for these:")
        _tell(left, home.settings.name)
        _say("`homesystem renew`, which its timer runs daily, ends that once each has come under the new name.")
    else:
        _say("No room needs a former name of the broker any more.")


def ending(passkeys: int, people: int, name: str) -> str | None:
    """What becomes of passkeys, which browsers bind to one name for good."""
    if not passkeys:
        return None
    counted = f"{passkeys} passkey{'s' if passkeys > 1 else ''} of {people} {'people' if people > 1 else 'person'}"
    return (
        f"- {counted} worked under the former name alone, and cannot sign anybody in under {name}: sign in by another "
        "factor or a recovery code, remove them on the account page, and make new ones there"
    )


def _tell(left: "Followers", name: str) -> None:
    for room, known in left.rooms.items():
        _say(
            f'- Room {room} {known}: write host = "{name}" under [broker] in its file on the Pi, and restart its agent'
        )
    if left.clients:
        _say(f"- Trusted clients do not tell how they reach the hub; have them use {name}: {', '.join(left.clients)}")


def _say(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
