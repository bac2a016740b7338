"""Sets up a real home: asks the owner the few things that cannot be guessed, and makes the first master user."""

import getpass
import re
import socket
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.prompt import IntPrompt, Prompt

from auth_service import accounts
from auth_service import config as auth_config
from deploy import home as homes
from deploy.pki.files import write
from shared.listening import EVERYWHERE
from shared.names import Role
from shared.problem import HomeError

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner said."""

    settings: homes.Settings
    email: str
    name: str
    password: str
    smtp_password: str | None = None


def ask(console: Console) -> Answers:
    """Ask on the terminal. Raises HomeError("invalid-value") without one, or for an answer that cannot be used."""
    if not sys.stdin.isatty():
        raise HomeError("invalid-value", "`homesystem init` asks questions and needs a terminal.")
    console.print("[bold]A new home.[/bold] Seven questions; nothing is written before the last one.\n")
    host = Prompt.ask("The hub's name on your network", default=f"{socket.gethostname().lower()}.local").lower()
    if _HOST.fullmatch(host) is None:
        raise HomeError("invalid-value", f"{host!r} is no host name.")
    timezone = Prompt.ask("Time zone", default=_timezone())
    smtp_host = Prompt.ask("Mail server (SMTP) for codes and letters")
    smtp_port = IntPrompt.ask("Its port", default=587)
    smtp_user = Prompt.ask("User name there (empty for none)", default="") or None
    smtp_password = getpass.getpass("Password there: ") if smtp_user else None
    email = Prompt.ask("Your e-mail address: you become the master user")
    name = Prompt.ask("Your name")
    password = getpass.getpass("A password of 12 characters or more: ")
    if password != getpass.getpass("Again: "):
        raise HomeError("invalid-value", "The two passwords differ; nothing was written.")
    settings = homes.Settings(
        name=host,
        host=EVERYWHERE,  # a hub serves its house; the broker wants a certificate from everyone
        timezone=timezone,
        smtp_host=smtp_host,
        smtp_port=smtp_port,
        smtp_security="tls" if smtp_port == 465 else "starttls",
        smtp_user=smtp_user,
        smtp_sender=f"Home System <{smtp_user if smtp_user and '@' in smtp_user else email}>",
    )
    return Answers(settings=settings, email=email, name=name, password=password, smtp_password=smtp_password)


async def create(var: Path, answers: Answers) -> homes.Home:
    """Lay out the home and make its master user. What failed half-way may simply be run again."""
    home = homes.create(var, answers.settings)
    if answers.smtp_password is not None:
        write(var / "secrets" / "smtp-password", answers.smtp_password.encode() + b"\n", 0o600)
    async with accounts.opened(auth_config.read(home.config("auth")), founding=True) as book:
        if not await book.list_users():
            await book.create_user(email=answers.email, name=answers.name, password=answers.password, role=Role.MASTER)
    homes.seal(home)
    return home


def _timezone() -> str:
    try:
        return Path("/etc/timezone").read_text().strip() or "UTC"
    except OSError:
        return "UTC"
