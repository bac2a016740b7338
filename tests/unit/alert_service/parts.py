"""What the alert service's tests share: events, a clock moved by hand, a postman and a link that keep what they get."""

import asyncio
import itertools
from datetime import UTC, datetime

from alert_service.config import MAIL
from alert_service.letters.opening import Opening
from alert_service.letters.outbox import Outbox
from shared.broker.bus import Delivery
from shared.mail import Letter, MailError
from shared.words import messages, topics
from shared.words.internal_recipients import Recipient
from shared.words.messages import AuditEvent, Receipt, UserRef, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

START = datetime(2026, 11, 23, 20, 4, 0, tzinfo=UTC).timestamp()
ADA = UserRef(id="u1", name="Ada")
HOUSE = Opening().follow
"""Opens letters by the house's own rules."""
_ids = itertools.count(1)


def event(
    *,
    id: str | None = None,  # noqa: A002 - the field's own name
    seq: int = 0,
    at: float = START,
    what: str = "device:unlock",
    where: str = "hall/front-door",
    issuer: str = "gateway",
    user: UserRef | None = ADA,
    address: str | None = "192.0.2.7",
    command_id: str | None = "c1",
    outcome: Outcome = Outcome.EXECUTED,
    severity: Severity = Severity.CRITICAL,
    detail: dict[str, str] | None = None,
) -> AuditEvent:
    """An audit event; by default the hall's word that Ada's unlocking was done."""
    return AuditEvent(
        id=id or f"e{next(_ids)}",
        seq=seq,
        at=messages.utc(at),
        what=what,
        where=where,
        who=Who(issuer=issuer, user=user, address=address),
        command_id=command_id,
        outcome=outcome,
        severity=severity,
        detail=detail or {},
    )


def delivery(source: str, content: AuditEvent | bytes, *, topic: str | None = None) -> Delivery:
    """A message as the bus hands it over."""
    payload = content if isinstance(content, bytes) else messages.encode(content)
    return Delivery(topic or topics.audit(source), payload, retained=False, connection=None, mid=next(_ids))


class Clock:
    """The time, moved by hand."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> float:
        return self.time


def masters(*emails: str) -> tuple[Recipient, ...]:
    """Master users with these addresses."""
    return tuple(Recipient(id=email, email=email, master=True) for email in emails)


async def work(outbox: Outbox) -> float:
    """Sort out, and let every carrier work once; the seconds until there may be more."""
    return min([await outbox.sort(), *[await carrier.round() for carrier in outbox.carriers]])


class Postman:
    """A way that takes letters; `away` and `refusals` make it raise."""

    can_be_asked = True

    def __init__(self, name: str = MAIL) -> None:
        self.name = name
        self.letters: list[Letter] = []
        self.away = False
        self.refusals: dict[str, MailError] = {}
        self.tries = 0

    async def check(self) -> None:
        if self.away:
            raise MailError("connection refused", permanent=False, answered=False)

    async def send(self, letter: Letter) -> None:
        self.tries += 1
        await self.check()
        if (refusal := self.refusals.get(letter.to)) is not None:
            raise refusal
        self.letters.append(letter)


class FakeLink:
    """Stands for the bus: keeps acknowledgements and receipts in the order in which they were given."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.heard = asyncio.Event()
        self.down = False

    def acknowledge(self, delivery: Delivery) -> None:
        self.told.append(("acknowledged", delivery))
        self.heard.set()

    def send(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        if self.down:
            raise HomeError("broker-unreachable")
        self.told.append((topic, messages.decode(Receipt, payload)))
        self.heard.set()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(0)
        return future

    @property
    def acknowledged(self) -> list[Delivery]:
        return [what for kind, what in self.told if isinstance(what, Delivery)]

    def receipts(self, source: str) -> list[messages.ReceiptLine]:
        """Every line of every receipt for a source."""
        return [
            line
            for topic, what in self.told
            if isinstance(what, Receipt) and topic == topics.receipt(source)
            for line in what.events
        ]
