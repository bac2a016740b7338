"""`homesystem user`: who may sign in.

What needs a database is imported where it is used: `homesystem up` must not wait for it.
"""

import asyncio
import getpass
import os
import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Column, Table

from deploy.folder import home as homes
from shared.words import grant_text
from shared.words.languages import LANGUAGES, Language, known_language
from shared.words.names import Role
from shared.words.problem import HomeError

app = typer.Typer(no_args_is_help=True, help="Users: who may sign in.")
console = Console(emoji=False)

LanguageOption = Annotated[
    str | None, typer.Option(help="Letters and pages in this language (en, de); left out: the home's.")
]
PasswordFile = Annotated[Path | None, typer.Option(help="Read the password from this file.")]


@app.command("add")
def user_add(
    email: str,
    *,
    name: Annotated[str, typer.Option(help="How others see this user.")],
    role: Annotated[Role, typer.Option(help="What this user may do.")] = Role.MEMBER,
    may: Annotated[list[str] | None, typer.Option(help="ROOM/DEVICE, for a guest; repeat for more.")] = None,
    language: LanguageOption = None,
    password_file: PasswordFile = None,
) -> None:
    """Add a user; asks for the password, which never stands on a command line."""
    from deploy.household import people

    home, chosen, devices = homes.find(homes.folder()), _language(language), may or []
    # Nobody types a password twice to hear then that the name was wrong.
    asyncio.run(people.check_new(home, email=email, name=name, role=role, may=devices))
    password = _password(password_file)
    asyncio.run(people.add(home, email=email, name=name, password=password, role=role, may=devices, language=chosen))
    console.print(f"{email} may sign in as {role}.")


@app.command("change")
def user_change(
    email: str,
    *,
    language: Annotated[
        str, typer.Option(help="The language of this user's letters and pages: en, de, or \"home\" for the home's.")
    ],
) -> None:
    """Change how a user is written to."""
    from deploy.household import people

    chosen = _language(None if language == "home" else language)
    asyncio.run(people.set_language(homes.find(homes.folder()), email, chosen))
    console.print(f"Letters to {email} are in {chosen or 'the language of the home'} from now on.")


@app.command("list")
def user_list() -> None:
    """List every user."""
    from deploy.household import people

    home = homes.find(homes.folder())
    zone = ZoneInfo(home.settings.timezone)
    rows = asyncio.run(people.rows(home))
    # Other commands are given the address, so it stands there whole, and on one line where there is room for that.
    longest = max((len(row.user.email) for row in rows), default=0)
    email = Column("E-mail", overflow="fold", no_wrap=longest <= console.width // 2)
    table = Table(email, "Name", "Role", "May use", "Language", "Last sign-in", "Disabled")
    for row in rows:
        granted = "; ".join(grant_text.written(grant, zone) for grant in row.grants)
        may = granted if row.user.role is Role.GUEST else "all"
        last = f"{row.signed_in_at:%Y-%m-%d %H:%M} UTC" if row.signed_in_at else "never"
        disabled = "yes" if row.disabled else ""
        table.add_row(
            row.user.email, row.user.name, row.user.role, may or "nothing", row.user.language or "home", last, disabled
        )
    console.print(table)


@app.command("grant")
def user_grant(
    email: str,
    *,
    may: Annotated[list[str] | None, typer.Option(help="ROOM/DEVICE that this guest may use; repeat for more.")] = None,
    only: Annotated[
        str | None, typer.Option(help='These actions only, such as on,off; "look" for none. Left out: all.')
    ] = None,
    days: Annotated[str | None, typer.Option(help="On these days, such as mon-fri or sat,sun. Left out: all.")] = None,
    hours: Annotated[
        str | None, typer.Option(help="In these hours of the home's time, such as 22:00-06:00. Left out: all.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="From this day on: 2026-12-01, or 2026-12-01T18:00.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until this day, which is included, or a time of it.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Take everything away that was granted before.")] = False,
) -> None:
    """Let a guest use devices, beside what was granted before; takes effect at once. Without options: show it."""
    from deploy.household import grants

    home = homes.find(homes.folder())
    wanted = grants.read(home, may or [], only=only, days=days, hours=hours, since=since, until=until)
    for line in asyncio.run(grants.change(home, email, wanted, none=none)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command("disable")
def user_disable(email: str) -> None:
    """End every session of a user, and let them sign in no more."""
    from deploy.household import people

    asyncio.run(people.disable(homes.find(homes.folder()), email))
    console.print(f"{email} cannot sign in any more, and every session is ended.")


@app.command("reset")
def user_reset(email: str, *, password_file: PasswordFile = None) -> None:
    """Give a user another password, and end every session; asks for the password."""
    from deploy.household import people

    home = homes.find(homes.folder())
    asyncio.run(people.check_there(home, email))
    asyncio.run(people.reset(home, email, _password(password_file)))
    console.print(f"{email} has another password, and every session is ended.")


@app.command("email")
def user_email(
    old: Annotated[str, typer.Argument(help="The address that the user has.")],
    new: Annotated[str, typer.Argument(help="The one to sign in with from now on.")],
) -> None:
    """Give a user another e-mail address, and end every session: for who lost the mailbox and has no strong factor."""
    from deploy.household import people

    asyncio.run(people.change_email(homes.find(homes.folder()), old, new))
    console.print(f"{new} is the address now, and every session is ended. A letter tells {old} so.")


@app.command("drop-factors")
def user_drop_factors(email: str) -> None:
    """Take the authenticator apps of a user away, who lost them: codes come by mail again."""
    from deploy.household import people

    count = asyncio.run(people.drop_factors(homes.find(homes.folder()), email))
    console.print(
        f"{count} removed; {email} signs in with a mailed code again."
        if count
        else f"{email} has none: nothing changed."
    )


@app.command("erase")
def user_erase(
    email: str, *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False
) -> None:
    """Erase a disabled user from the accounts and from the record: what was done stays, by whom is gone for good."""
    from deploy.household import people

    home = homes.find(homes.folder())
    user = asyncio.run(people.erasable(home, email))
    if not yes:
        question = f"Erase {user.name} ({user.email}) for good? The record will not say any more who it was"
        typer.confirm(question, abort=True)
    rows = asyncio.run(people.erase(home, email, _count))
    console.print(f"{email} is erased: the account, and the person in {rows} rows of the record, which still fits.")
    console.print("Copies remain in spools for a week, in logs for a month, and in letters and backups.")


def _count(rows: int) -> None:
    if rows and rows % 1000 == 0:
        console.print(f"{rows} rows …")


def _language(code: str | None) -> Language | None:
    if code is None:
        return None
    known = known_language(code)
    if known is None:
        raise HomeError("invalid-value", f"There are letters in {' and '.join(LANGUAGES)}; {code} is none of them.")
    return known


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise HomeError("invalid-value", f"--password-file: {file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise HomeError("invalid-value", f"--password-file: {file} is no text in UTF-8.") from error
    if not os.isatty(sys.stdin.fileno()):
        raise HomeError("invalid-value", "There is no terminal to ask for a password; use --password-file.")
    from auth_service.people.password_form import canonical

    first = getpass.getpass("Password: ")
    if canonical(first) != canonical(getpass.getpass("Again: ")):
        raise HomeError("invalid-value", "The two passwords differ; nothing was changed.")
    return first
