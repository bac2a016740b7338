"""`homesystem init`: from the first question, or a file of answers, to a home that can be started."""

import getpass
import os
import pwd
import stat
import sys
from pathlib import Path

from rich.console import Console
from rich.prompt import Prompt

from deploy.folder import home as homes
from deploy.folder import parts, unfinished
from deploy.founding import answers as replies
from deploy.founding import creating, questions, reach, trial, zones
from deploy.founding.answers import Answers
from deploy.founding.questions import Guesses, Terminal
from shared.running.config import ConfigError
from shared.trust import authority
from shared.words.problem import HomeError


def run(var: Path, console: Console, file: Path | None) -> None:
    """Set up the home in `var` by the answers in `file`, or by asking. Raises ConfigError and HomeError, each before
    anything is written.
    """
    unfinished.check(var)
    _check_owner(var)
    answers = _asked(console) if file is None else _written(console, file)
    try:
        home = creating.create(var, answers)
    except KeyboardInterrupt:
        text = f"Left before its end: there is no home in {var} yet. `homesystem init` begins anew."
        raise HomeError("invalid-value", text) from None
    console.print(f"\nThe home in {var} is set up. What is next:", highlight=False)
    for line in creating.next_steps(home):
        console.print(line, highlight=False, soft_wrap=True)
    shown = authority.read(home.pki / authority.FILE).fingerprint
    console.print("Its authority has the SHA-256 fingerprint, to be compared before anybody trusts it:", soft_wrap=True)
    console.print(f"  {shown}", highlight=False, soft_wrap=True)


def _asked(console: Console) -> Answers:
    if not sys.stdin.isatty():
        raise HomeError(
            "invalid-value",
            "`homesystem init` asks questions and needs a terminal; without one give it a file of answers: "
            "homesystem init --answers FILE (docs/init.md says what stands in it).",
        )
    console.print("[bold]A new home.[/bold] Enter takes what stands in brackets; nothing is written before the end.\n")
    terminal = Terminal(
        ask=lambda question, usual: Prompt.ask(question, console=console, default=usual or ...),  # type: ignore[arg-type]
        secret=lambda question: getpass.getpass(f"{question}: "),
        say=lambda sentence: console.print(f"  {sentence}", highlight=False, markup=False, soft_wrap=True),
    )
    guesses = Guesses(reach.this_machine(), zones.of_machine(), _person(), os.environ)
    return questions.ask(terminal, guesses)


def _written(console: Console, file: Path) -> Answers:
    machine = reach.this_machine()
    read = replies.read(file, name=f"{machine.name}.local", timezone=zones.of_machine())
    if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        console.print(f"[yellow]{file} may be changed by others: chmod 600 {file}[/yellow]", soft_wrap=True)
    if (doubt := reach.doubt(read.answers.name, machine)) is not None and not parts.are_contained(homes.folder()):
        console.print(doubt, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if read.letter:
        console.print(f"Sending a letter to {read.answers.email} …", highlight=False)
        trial.send_for(read.answers)
    else:
        console.print(trial.WARNING, style="yellow", highlight=False, markup=False, soft_wrap=True)
    return read.answers


def _check_owner(var: Path) -> None:
    """A home is its user's alone: whoever makes it in another's folder makes one that nobody can run."""
    there = next(folder for folder in (var, *var.parents) if folder.exists())
    if there == var and var.stat().st_uid != os.geteuid():
        owner = var.stat().st_uid
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise ConfigError(
            f"{var}: belongs to {name}; run this as that user: sudo -u {name} HOMESYSTEM_VAR={var} {sys.argv[0]} init"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{there}: may not be written by this user; make {var} for them first, or set HOMESYSTEM_VAR")


def _person() -> str:
    """The full name of whoever sits here, also behind sudo; empty where the machine knows none."""
    try:
        known = pwd.getpwnam(os.environ.get("SUDO_USER") or getpass.getuser())
    except (KeyError, OSError):
        return ""
    return "" if known.pw_uid == 0 else known.pw_gecos.partition(",")[0].strip()
