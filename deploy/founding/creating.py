"""Makes the home of the owner's answers: everything on disk, and the first master user."""

import asyncio
from pathlib import Path

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.folder import home as homes
from deploy.folder import turns
from deploy.founding.answers import Answers
from deploy.pki.files import write
from shared.words.names import Role

INSTALLED = Path("/var/lib/homesystem")
"""Where the units look for a home."""


def create(var: Path, answers: Answers) -> homes.Home:
    """Lay out the home and make its master user. Whoever is stopped half-way may simply begin again."""
    var.mkdir(parents=True, exist_ok=True)
    with turns.turn(var, "homesystem init"):
        return asyncio.run(_create(var, answers))


async def _create(var: Path, answers: Answers) -> homes.Home:
    home = homes.create(var, answers.settings)
    if answers.mail.password is not None:
        write(var / "secrets" / "smtp-password", answers.mail.password.encode() + b"\n", 0o600)
    words = (home.settings.name,)
    async with accounts.opened(auth_config.read(home.config("auth")), founding=True, words=words) as book:
        await book.create_user(email=answers.email, name=answers.person, password=answers.password, role=Role.MASTER)
    homes.seal(home)
    return home


def next_steps(home: homes.Home) -> list[str]:
    """What the owner does now, a line each: commands as they are typed."""
    if home.contained:
        return _next_steps_apart(home)
    installed = home.var == INSTALLED
    run = "sudo homesystem" if installed else f"HOMESYSTEM_VAR={home.var} homesystem"
    start = "sudo systemctl enable --now homesystem.target" if installed else f"{run} up"
    return [
        "Start it:",
        f"  {start}",
        "See that all is well:",
        f"  {run} doctor",
        "Have the household's browsers trust it: import what this prints; it can vouch for this hub alone:",
        f"  {run} authority > web-ca.crt",
        f"or load it at https://{home.settings.name}:{home.settings.https_port}/authority",
        f"Then sign in at https://{home.settings.name}:{home.settings.https_port}",
        "Enrol the first room:",
        f"  {run} room add hall --out hall",
    ]


def _next_steps_apart(home: homes.Home) -> list[str]:
    address = f"https://{home.settings.name}:{home.settings.https_port}"
    return [
        "Start it:",
        "  docker compose up -d --wait",
        "See that all is well:",
        "  docker compose exec hub homesystem doctor",
        "Have the household's browsers trust it: import what this prints; it can vouch for this hub alone:",
        "  docker compose exec hub homesystem authority > web-ca.crt",
        f"or load it at {address}/authority",
        f"Then sign in at {address}",
        "Enrol the first room; it comes as an archive, with its key, for its Pi:",
        "  docker compose exec -T hub carry room add hall > hall.tar",
    ]
