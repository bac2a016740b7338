"""What the pages tell the master user about letters that do not arrive, since mail itself cannot."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from aiohttp import web

from gateway import keys
from gateway.pages import times
from gateway.pages.speaking import say, say_many
from gateway.picture import guards
from gateway.picture.plain import plain, without_addresses
from shared.words.internal import SessionInfo
from shared.words.internal_alerts import MailStatus
from shared.words.unreached import parted

PATIENCE: Final = timedelta(hours=1)
"""What lasts for less may pass by itself: it is told at once, more quietly."""


class Notice(NamedTuple):
    """A sentence in bold, and what it means."""

    title: str
    text: str
    tone: str = "bad"


async def of(request: web.Request, info: SessionInfo) -> Notice | None:
    """What is to be told to this viewer, if anything."""
    if not guards.may_manage_users(info):
        return None
    status = await request.app[keys.ALERTS].mail()
    return None if status is None else notice(status, guards.local_now(request.app[keys.CONFIG].zone))


def notice(status: MailStatus, now: datetime) -> Notice | None:
    """What a status comes down to, the gravest first; None while letters go out."""
    waiting = ""
    if status.letters_waiting:
        waiting = say_many("{count} waits.", "{count} wait.", status.letters_waiting) + " "
    if status.failing_since is not None:
        assert now.tzinfo is not None
        since = times.full(status.failing_since, now.tzinfo)
        return Notice(
            say("No letter goes out since {when}.", when=since),
            waiting + _what_then(status),
            "bad" if now - status.failing_since >= PATIENCE else "unsure",
        )
    if refused := status.letters_refused:
        return Notice(
            say("The mail server refuses letters for good."),
            say("{count} of them, because of their addresses. Is every user's address right?", count=refused),
        )
    if not status.recipients_known and status.letters_waiting:
        text = waiting + say("The alert service has not learned the users yet.")
        return Notice(say("Nobody is known to write to."), text)
    return None


def failure(status: MailStatus) -> str:
    """What the mail server says; or, in the page's language, what keeps it from being reached."""
    return _failure(status)[1]


def _failure(status: MailStatus) -> tuple[bool, str]:
    """Whether the server was reached at all, and the words."""
    ours, rest = parted(without_addresses(status.failure or ""))
    return ours is None, plain((say(ours) if ours else "") + rest, 160)


def _what_then(status: MailStatus) -> str:
    is_reached, words = _failure(status)
    if not is_reached:
        return say("What waits is sent once the mail server is reached, and nothing is lost: {why}", why=words)
    return say(
        "What waits is sent once the mail server takes it, and nothing is lost. It says: {failure}",
        failure=words or say("nothing"),
    )
