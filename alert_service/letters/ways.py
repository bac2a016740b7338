"""The ways to be told: mail, and whatever Apprise knows. Owns Apprise, an optional extra (docs/decisions/0013)."""

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from alert_service.config import MAIL, WayConfig
from alert_service.letters.carrier import Way
from shared import mail
from shared.mail import Letter, MailError, SmtpConfig
from shared.running.config import ConfigError, read_secret

_TEXT_CHARACTERS = 2000
_SECONDS = 60.0


class MailWay:
    """Letters by SMTP."""

    name = MAIL
    can_be_asked = True

    def __init__(self, smtp: SmtpConfig, people: Callable[[], Awaitable[Sequence[str]]]) -> None:
        """`people` are the addresses by which the server is tried."""
        self._smtp = smtp
        self._people = people

    async def send(self, letter: Letter) -> None:
        """Hand one letter to the mail server."""
        await mail.send(self._smtp, letter, time.time())

    async def check(self) -> None:
        """Whether the server takes sender and recipients, or one of them."""
        await mail.check(self._smtp, await self._people())


class AppriseWay:
    """Short messages by ntfy, Telegram, Matrix and a hundred others; its calls block, so each has a thread."""

    can_be_asked = False

    def __init__(self, config: WayConfig) -> None:
        self.name = config.name
        self._apprise = _library(config)
        self._target: Any = self._apprise.Apprise()
        if not self._target.add(read_secret(config.url_file).decode()):
            raise ConfigError(
                f"ways.{config.name}: {config.url_file} holds no address that Apprise knows; "
                "write one line such as ntfys://ntfy.example.org/topic"
            )

    async def send(self, letter: Letter) -> None:
        """Hand one message over. Apprise tells success from failure and no more; its own log says why."""
        kind = self._apprise.NotifyType.WARNING if letter.urgent else self._apprise.NotifyType.INFO
        text = letter.text[:_TEXT_CHARACTERS]
        call = asyncio.to_thread(self._target.notify, title=letter.subject, body=text, notify_type=kind)
        try:
            async with asyncio.timeout(_SECONDS):
                taken = await call
        except TimeoutError:
            raise MailError("no answer within a minute", permanent=False, answered=False) from None
        except Exception as error:  # a hundred services behind it, each with errors of its own
            raise MailError(type(error).__name__, permanent=False, answered=False) from error
        if not taken:
            raise MailError("was not taken; the log of apprise says more", permanent=False, answered=False)

    async def check(self) -> None:
        """There is no way to ask these services without telling them something."""


def further(configs: tuple[WayConfig, ...]) -> list[Way]:
    """The ways beside mail. Raises ConfigError for one that cannot be used."""
    return [AppriseWay(config) for config in configs]


def _library(config: WayConfig) -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError as error:
        raise ConfigError(
            f'ways.{config.name}: kind = "apprise" needs a library that is not installed: '
            "pip install 'homesystem[apprise]', or take this table out"
        ) from error
