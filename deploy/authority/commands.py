"""`homesystem authority`: shows the authorities, and lets another one follow the device or the web authority.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import datetime as dt
import sys
from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.folder import home as homes
from shared.words.problem import HomeError

if TYPE_CHECKING:
    from deploy.authority.rotating import Left, Standing
    from shared.trust.signing import WebFollowing

app = typer.Typer(
    invoke_without_command=True,
    help="The home's authorities. Alone it prints the web authority's certificate, for the browsers of the household: "
    "homesystem authority > web-ca.crt.",
)
console = Console(emoji=False)
_MOST_DAYS = 365


class Which(StrEnum):
    """Of the home's two authorities: rooms and services have the one, browsers the other."""

    DEVICE = "device"
    WEB = "web"


@app.callback()
def show(context: typer.Context) -> None:
    """Print the web authority's certificate where no more is said."""
    if context.invoked_subcommand is None:
        from shared.trust import authority

        now, *others = authority.read_all(_home().pki / authority.FILE)
        print(now.pem, end="")
        if others:
            print("Another web authority follows it; that one: homesystem authority next", file=sys.stderr)


@app.command("next")
def next_() -> None:
    """Print the certificate of the web authority that follows, for browsers: homesystem authority next > next.crt."""
    from deploy.authority import web_rotating

    following = web_rotating.look(_home())
    if not following.pem:
        raise HomeError("not-found", "No web authority follows another; `homesystem authority` prints the one.")
    print(following.pem, end="")


@app.command("list")
def list_() -> None:
    """Show until when the authorities are good, and how far others follow them."""
    from deploy.authority import rotating, web_rotating

    home = _home()
    _tell(rotating.look(home))
    _tell_web(web_rotating.look(home))


@app.command()
def rotate(
    which: Annotated[Which, typer.Argument(help="Which of the two is to be followed by another.")] = Which.DEVICE,
    *,
    finish: Annotated[bool, typer.Option("--finish", help="End the former authority now.")] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Of the device authority, with --finish: who may be cut off by that; repeat for more."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=0, max=_MOST_DAYS, help="Of the web authority: in how many days the hub changes over; 30 if not said."
        ),
    ] = None,
) -> None:
    """Let another authority follow; the former one ends by itself.

    Of the device authority: rooms renew by themselves, clients by `homesystem client renew`, and the former one ends
    once everybody has followed. Of the web authority: people install the other one from the hub's page until the hub
    changes over. May be given again, also after an interruption.
    """
    with homes.turn(homes.folder(), "homesystem authority rotate") as home:
        if which is Which.WEB:
            if without:
                raise HomeError("invalid-value", "--without is of the device authority: browsers have no names here.")
            if finish and days is not None:
                raise HomeError("invalid-value", "Say either --finish, which is now, or --days.")
            _rotate_web(home, finish=finish, days=days)
        else:
            if days is not None:
                raise HomeError("invalid-value", "--days is of the web authority: homesystem authority rotate web")
            _rotate_device(home, finish=finish, without=without or ())


def _rotate_device(home: homes.Home, *, finish: bool, without: Collection[str]) -> None:
    from deploy.authority import rotating

    if finish:
        _cut_off(rotating.end(home, without=without))
        return
    begun = rotating.begin(home)
    standing = rotating.look(home)
    _say("Another device authority signs from now on." if begun else "Another device authority signs already.")
    _tell(standing)
    _say(
        "Rooms that are on renew within a day. The former one ends by itself once everybody has followed, by "
        "`homesystem renew`, which its timer runs daily; to end it before: homesystem authority rotate --finish"
    )


def _rotate_web(home: homes.Home, *, finish: bool, days: int | None) -> None:
    from deploy.authority import web_rotating

    now = dt.datetime.now(dt.UTC)
    if finish:
        web_rotating.end(home)
    else:
        web_rotating.begin(home, now, days=days)
        web_rotating.go_on(home, now)
    following = web_rotating.look(home)
    if following.phase is None:  # where its end was only to be finished, too
        say_web_ended(home)
        return
    _tell_web(following)
    settings = home.settings
    _say(f"- On each phone and computer, open https://{settings.name}:{settings.https_port}/authority and install it.")
    _say(
        "- Programs that know the hub by a copy of its web-ca.crt, such as a proxy, are given that file anew: it has "
        "both."
    )
    _say(
        "`homesystem renew`, which its timer runs daily, changes over then. Later or sooner: homesystem authority "
        "rotate web --days N; now: homesystem authority rotate web --finish"
    )


def say_web_ended(home: homes.Home) -> None:
    """What the owner does once browsers are shown the other authority."""
    settings = home.settings
    _say("Browsers are shown the other web authority; the former one has ended, and its key is destroyed.")
    _say(
        "- Whoever has not installed it is warned, and cannot go past that: bring them what `homesystem authority` "
        f"prints, or have somebody send it who has https://{settings.name}:{settings.https_port}/authority open."
    )
    _say("- Take the former one out of phones and computers, and out of copies that programs have.")
    _say("- Backups from before still hold the former key: make a new one, and remove those.")


def _tell_web(following: "WebFollowing") -> None:
    from shared.trust import authority

    if following.phase is None:
        _say(f"Web authority: until {_day(following.ends)}; no other follows it.")
        return
    (followed,) = authority.ders(following.pem)
    changes = following.changes_at or following.ends
    _say(
        f"Web authority: another is offered to browsers since {_day(following.since or changes)}; the hub changes over "
        f"on {_day(changes)}."
    )
    _say(f"- Its SHA-256 fingerprint, to be compared: {authority.fingerprint(followed)}")


def _tell(standing: "Standing") -> None:
    following = standing.following
    if following.phase is None:
        _say(f"Device authority: until {_day(following.ends)}; no other follows it.")
        return
    since = following.since or following.ends
    _say(f"Device authority: followed by another since {_day(since)}; the former one until {_day(following.ends)}.")
    for one in standing.behind:
        _say(f"- {one.role.capitalize()} {one.name} {one.why} (until {_day(one.until)}): {one.step}")
    if not standing.behind:
        _say("Everybody has followed.")


def _cut_off(left: "list[Left]") -> None:
    _say("The former device authority has ended, and its key is destroyed.")
    for one in left:
        renew = f"homesystem {one.role} renew {one.name}"
        _say(f"- {one.role.capitalize()} {one.name} is cut off; under its name it comes back by: {renew}")
    _say("Backups from before still hold the former key: make a new one, and remove those.")


def _day(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _say(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _home() -> homes.Home:
    return homes.find(homes.folder())
