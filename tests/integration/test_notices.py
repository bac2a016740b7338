"""A house's three sentences as they run: happenings over a real broker become letters in a real mailbox, each once."""

import asyncio
import contextlib
import signal
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from deploy.folder.home import Home
from shared.door.web import allow, internal_app, json_response, serve_https
from shared.trust import tls
from shared.words import internal_recipients, messages
from shared.words.internal_recipients import AtHome, Recipient, Recipients
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Severity
from tests.house import Broker, SmtpSink, until
from tests.integration.test_alerts import MASTER, Auth, Producer, Service, broker, hall, home, nobody_is_erased, service

__all__ = ["broker", "hall", "home", "service"]

MINUTE = 60.0


class Household(Auth):
    """Says besides whether somebody is signed in at home."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.at_home = False

    @contextlib.asynccontextmanager
    async def there(self) -> AsyncIterator[None]:
        async def recipients(_request: web.Request) -> web.StreamResponse:
            return json_response(Recipients(people=(Recipient(id="u1", email=MASTER, master=True),)))

        async def somebody(_request: web.Request) -> web.StreamResponse:
            return json_response(AtHome(somebody=self.at_home))

        app = internal_app()
        app.router.add_get(internal_recipients.RECIPIENTS, allow("alerts")(recipients))
        app.router.add_get(internal_recipients.AT_HOME, allow("alerts")(somebody))
        app.router.add_get(internal_recipients.ERASURES, allow("alerts")(nobody_is_erased))
        pki = self._home.pki
        files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / "auth-server.crt", key=pki / "auth-server.key")
        async with serve_https(app, "127.0.0.1", self._home.settings.auth_port, tls.server_context(files)):
            yield


def rules() -> str:
    """The three sentences; the night is around now, whenever the test runs."""
    now = datetime.now(UTC)
    night = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    return f"""
[[rules]]
name = "garage left open"
what = "device:opened"
where = "garage/door-contact"
lasting = "10 min"

[[rules]]
name = "front door at night"
what = "device:opened"
where = "hall/door-contact"
between = "{night}"
urgent = true

[[rules]]
name = "nobody in"
what = "device:pressed"
where = "hall/doorbell"
unless = "somebody-at-home"
"""


def happening(what: str, where: str, *, ago: float = 0.0, gesture: str = "") -> AuditEvent:
    return AuditEvent(
        id=uuid.uuid4().hex,
        at=messages.utc(time.time() - ago),
        what=what,
        where=where,
        who=Who(issuer=where.partition("/")[0]),
        outcome=Outcome.EXECUTED,
        severity=Severity.INFO,
        detail={"event": gesture} if gesture else {},
    )


@pytest.fixture
def household(home: Home) -> Household:
    return Household(home)


@pytest.fixture
async def garage(broker: Broker, tmp_path: Path) -> AsyncIterator[Producer]:
    producer = Producer(broker, "garage", tmp_path)
    async with producer.running():
        yield producer


async def letters(sink: SmtpSink, count: int) -> list[str]:
    """The subjects of `count` letters, once they are there."""
    await asyncio.to_thread(sink.wait_for, count)
    return [str(letter["Subject"]) for letter in sink.letters]


async def test_each_sentence_of_a_house_is_a_letter_once_and_so_is_its_end(
    service: Service,
    household: Household,
    hall: Producer,
    garage: Producer,
    smtp_sink: SmtpSink,
) -> None:
    service.config.write_text(service.config.read_text() + rules())
    async with household.there():
        service.start()
        # The garage's hub was away: it was open for fourteen minutes, and is closed when we hear of it.
        await garage.say(
            happening("device:opened", "garage/door-contact", ago=20 * MINUTE),
            happening("device:closed", "garage/door-contact", ago=6 * MINUTE),
        )
        (told,) = await letters(smtp_sink, 1)
        assert told.startswith("Door contact (garage) was open for 14 minutes, from ")
        opened = happening("device:opened", "hall/door-contact")
        await hall.say(opened)
        assert (await letters(smtp_sink, 2))[1].startswith("Door contact (hall) was opened at ")
        assert smtp_sink.letters[1]["X-Priority"] == "1" or smtp_sink.letters[1]["Importance"] == "high"
        await hall.say(happening("device:pressed", "hall/doorbell", gesture="press"))
        await letters(smtp_sink, 3)
        body = smtp_sink.letters[2].get_body(("plain",))
        assert body is not None
        assert "Nobody was signed in at home." in body.get_content()
        household.at_home = True
        await hall.say(happening("device:pressed", "hall/doorbell", gesture="press"))
        await hall.receipted()
        # Killed and started anew, it neither forgets what is open nor repeats what was told.
        assert await asyncio.to_thread(service.stop, signal.SIGKILL) == -signal.SIGKILL
        service.start()
        await hall.say(happening("device:closed", "hall/door-contact"))
        assert "was closed again at " in (await letters(smtp_sink, 4))[3]
        household.at_home = False
        await hall.say(happening("device:pressed", "hall/doorbell", gesture="long"))
        assert (await letters(smtp_sink, 5))[4].startswith("Doorbell (hall) was pressed long at ")
        assert len(smtp_sink.letters) == 5
        assert smtp_sink.letters[3]["References"] == smtp_sink.letters[1]["References"]
        await asyncio.to_thread(until, lambda: (service.stop() == 0) or None, "it ends")
