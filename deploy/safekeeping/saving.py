"""`homesystem backup`: a home as one file, sealed for the household's key, carried to its target, and tried out."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from deploy.archives import backup as backups
from deploy.archives import plan as plans
from deploy.archives import scratch, sealing, sending, targets
from deploy.folder import home as homes
from deploy.folder import parts
from deploy.safekeeping import arranging, opening
from deploy.safekeeping.telling import console, home, now, plan_of, tell_elsewhere, tell_sent
from shared.keeping import notes
from shared.words.noted import BackupMade

_MAKE = "make"


class _Backups(TyperGroup):
    """`homesystem backup FILE` is `homesystem backup make FILE`: a file that is called like a command is ./FILE."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """A first word that is no command of ours is what `make` is given, where it can only be meant as a file."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            for word in args:
                if not word.startswith("-") and not {"/", "."} & set(word):
                    known = ", ".join(sorted(self.commands))
                    ctx.fail(f"There is no {word!r} here but {known}. A file of that name: homesystem backup ./{word}")
            args = [_MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Backups, help="One file with everything of the home; `backup` alone, or with a FILE, makes one.")


@app.command(_MAKE)
def make(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to; else the target, else a name with the date.")
    ] = None,
    *,
    plain: Annotated[bool, typer.Option("--plain", help="Not sealed, though there is a key.")] = False,
) -> None:
    """Write everything of the home into one file, while it runs: settings, keys, accounts, the record, spools.

    It is sealed where the home has a key for that (homesystem backup key).
    """
    var, at = home(), now()
    with plans.alone(var):
        plan = plans.read(var)
        if file is None and not plain and plan.target is not None:
            tell_sent(plan, sending.send(var, plan, at))
            return
        recipient = None if plain else plan.recipient
        ending = "" if recipient is None else sealing.SUFFIX
        target = (file or Path(f"homesystem-{at:%Y-%m-%dT%H%M%S}.tar.gz{ending}")).absolute()
        size, elsewhere = backups.write(var, target, at, recipient)
        if recipient is not None and plan.key is not None:
            sending.put_key(target.parent, recipient, plan.key)
    try:
        notes.write(parts.folder(var, "gateway") / "data", BackupMade(at=at, size=size))
    except OSError as error:
        console.print(f"The house's page does not learn of it: {error.strerror or error}.", soft_wrap=True)
    console.print(f"{target} holds the home: {size / 1e6:.2f} MB.", soft_wrap=True)
    tell_elsewhere(elsewhere)
    told = (
        "It holds the keys of the house, and whoever has it can read it: keep it where nobody else does, and not on "
        "this machine alone. homesystem backup key FILE makes a key; the next one is sealed for that."
        if recipient is None
        else "It is sealed: its key opens it, and nothing else. Keep it on another machine than this one."
    )
    console.print(told, soft_wrap=True)


app.command()(arranging.key)
app.command()(arranging.target)


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The backup, or their folder; else the newest at the target."),
    ] = None,
    *,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The key's file, for a sealed one.")] = None,
) -> None:
    """Try a backup out: bring it back into a folder of its own, open every database, and check record and keys.

    Nothing of the home is touched. Exit code 1 where anything is wrong with it.
    """
    from deploy.safekeeping import verifying

    var, faults = homes.folder(), 0
    plan = plan_of(var)
    with scratch.made(opening.place(var), scratch.FETCHED) as fetched:
        if file is None:
            name = sending.newest(var, plan)
            file = fetched / name
            targets.found(plan, plans.folder(var)).fetch(name, file)
            console.print(f"The newest backup is {name}.", soft_wrap=True)
        file = opening.chosen(file)
        with opening.opened(file, var, key, plan) as opened:
            for found in verifying.verify(opened.archive, file, var, now()):
                faults += not found.well
                mark = "[green]✓[/]" if found.well else "[red]✗[/]"
                console.print(f"{mark} {escape(found.text)}", highlight=False, soft_wrap=True)
    if faults:
        console.print(f"{faults} thing{'s are' if faults > 1 else ' is'} wrong with it: make another one.")
        raise typer.Exit(1)
    console.print("It can be restored.")


@app.command()
def timed() -> None:
    """What the timer runs each hour: a backup where the last one is of yesterday, and who was revoked, beside it."""
    var, at = home(), now()
    if (plan := plans.read(var)).target is None:
        console.print("No target is set up for backups, so nothing was done: homesystem backup target", soft_wrap=True)
        return
    with plans.alone(var):
        sent = sending.send_due(var, plan, at)
    if sent is None:
        console.print("The last backup is not a day old; who was revoked was written beside it anew.", soft_wrap=True)
    else:
        tell_sent(plan, sent)


@app.command()
def revoked() -> None:
    """Write who was revoked beside the backups, at once; whoever revokes a room or a client has it done."""
    var = home()
    if (plan := plans.read(var)).target is None:
        return
    sending.send_list(var, plan, now())
    console.print(f"That stands beside the backups at {plan.target}, and none of them undoes it.", soft_wrap=True)
