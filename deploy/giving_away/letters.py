"""The last letter of a home, to each of its master users: that it was erased, and where its record stood.

The record goes with the home, so this letter is what is left of it: it leaves before anything is erased.
"""

import asyncio
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from alert_service import config as alerts_config
from deploy.archives.backup import run_as_owner
from deploy.folder import home as homes
from deploy.giving_away.household import Household
from shared import mail
from shared.mail import Letter, MailError
from shared.running.config import ConfigError
from shared.words.internal import User
from shared.words.languages import Tongue, later
from shared.words.problem import HomeError

_COLUMNS = 72
_SUBJECT = later("The home on {name} is being erased")
_HELLO = later("Hello {name},")
_WHAT = later(
    "somebody at the hub {name} is erasing the home: its accounts, its record, its settings and its keys. Nobody can "
    "sign in any more, and the rooms obey nobody. This is its last letter."
)
_RECORD = later("Its record ended with row {row}, hash:")
_NOT_YOU = later(
    "If nobody of you wanted that, somebody has or had the hub in their hands: see to your doors by hand, change the "
    "password of the mail server that the hub knew, and bring the home back from a backup on another machine."
)


def letter(household: Household, to: User) -> Letter:
    """The letter to one master user, in their language."""
    tongue = Tongue(to.language or household.language)
    told = [tongue.say(_HELLO, name=" ".join(to.name.split())), tongue.say(_WHAT, name=household.name)]
    lines = [_wrapped(one) for one in told]
    if household.row:
        lines += [_wrapped(tongue.say(_RECORD, row=household.row)), household.head]
    lines.append(_wrapped(tongue.say(_NOT_YOU)))
    subject = tongue.say(_SUBJECT, name=household.name)
    return Letter(to=to.email, subject=subject, text="\n\n".join(lines) + "\n", urgent=True)


def send(var: Path, household: Household) -> Mapping[str, str]:
    """Write to every master user; whom no letter reached, by address, and why. As root it is done as the home's owner.

    Raises HomeError("internal") where nothing of it can be done.
    """
    done = run_as_owner("deploy.giving_away.letters", var, input=msgspec.json.encode(household))
    if done.returncode != 0:
        raise HomeError("internal", f"No letter could be written: {done.stderr.decode(errors='replace').strip()}")
    return msgspec.json.decode(done.stdout, type=dict[str, str])


async def _send(home: homes.Home, household: Household) -> dict[str, str]:
    unreached = {}
    for master in household.masters:
        try:
            smtp = alerts_config.read(home.config("alerts")).smtp
            await mail.send(smtp, letter(household, master), time.time())
        except (MailError, ConfigError) as error:
            unreached[master.email] = str(error)
    return unreached


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    there = homes.find(Path(sys.argv[1]))
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Household)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_send(there, given))))
