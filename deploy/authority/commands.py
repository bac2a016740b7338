"""`homesystem authority`: shows the authorities, and lets another one follow the device authority.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.folder import home as homes
from deploy.folder import turns

if TYPE_CHECKING:
    from deploy.authority.rotating import Left, Standing

app = typer.Typer(
    invoke_without_command=True,
    help="The home's authorities. Alone it prints the web authority's certificate, for the browsers of the household: "
    "homesystem authority > web-ca.crt.",
)
console = Console()


@app.callback()
def show(context: typer.Context) -> None:
    """Print the web authority's certificate where no more is said."""
    if context.invoked_subcommand is None:
        print((_home().pki / "web-ca.crt").read_text(), end="")


@app.command("list")
def list_() -> None:
    """Show until when the authorities are good, and who has yet to follow where another one follows."""
    from deploy.authority import rotating
    from deploy.pki import reading

    home = _home()
    _tell(rotating.look(home))
    _say(f"Web authority: until {_day(reading.ends_at(home.pki / 'web-ca.crt'))}.")


@app.command()
def rotate(
    *,
    finish: Annotated[bool, typer.Option("--finish", help="End the former authority now.")] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="With --finish: who may be cut off by that; repeat for more.")
    ] = None,
) -> None:
    """Let another device authority follow: rooms renew by themselves, clients by `homesystem client renew`.

    May be given again, also after an interruption. The former authority ends by itself once everybody has followed.
    """
    from deploy.authority import rotating

    home = _home()
    with turns.turn(home.var, "homesystem authority rotate"):
        if finish:
            _cut_off(rotating.end(home, without=without or ()))
            return
        begun = rotating.begin(home)
        standing = rotating.look(home)
    _say("Another device authority signs from now on." if begun else "Another device authority signs already.")
    _tell(standing)
    _say(
        "Rooms that are on renew within a day. The former one ends by itself once everybody has followed, by "
        "`homesystem renew`, which its timer runs daily; to end it before: homesystem authority rotate --finish"
    )


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
        renew = f"homesystem {one.role} renew {one.name} --out FOLDER"
        _say(f"- {one.role.capitalize()} {one.name} is cut off; under its name it comes back by: {renew}")
    _say("Backups from before still hold the former key: make a new one, and remove those.")


def _day(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _say(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _home() -> homes.Home:
    return homes.find(homes.folder())
