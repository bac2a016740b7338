"""What an alert service must not be fooled by: an older copy of its own database, and a room that turned against us."""

import asyncio
import contextlib
import email.message
import re
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import pytest

from alert_service.chain import chain
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events
from shared.broker import mqtt, paho_client
from shared.trust import tls
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Receipt, UserRef, Who
from shared.words.names import Outcome, Severity
from tests.demo import Client, Demo, text_of
from tests.house import DEADLINE, until

LONG = 120.0
FLOOD = 5000
PAGES = 60
HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that no letter and no page of ours shows: control characters and direction marks."""
EVIL = (
    "<script>alert(1)</script>",
    "x\r\nBcc: thief@example.org\r\n\r\nDear",
    "\u202egnp.exe\u2066",
    "=?utf-8?b?PHNjcmlwdD4=?=",
    "</td></table><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[2J\x07",
)


@pytest.fixture(scope="module")
def member(chaos_home: Demo) -> Client:
    return chaos_home.client("member")


class Table:
    """The alert service's database, read beside it."""

    def __init__(self, demo: Demo) -> None:
        self.path = demo.var / "data" / "alerts.sqlite3"

    def select(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    def keys(self) -> Counter[tuple[object, ...]]:
        """Every event of a producer's, by source and id."""
        return Counter(self.select("SELECT source, id FROM events WHERE source != 'alerts'"))

    def own(self) -> list[tuple[object, ...]]:
        """What and about whom the service's own events are."""
        return self.select("SELECT what, place FROM events WHERE source = 'alerts'")

    def verdict(self) -> chain.Verdict:
        """What the chain's own check says of the whole table."""

        async def look() -> chain.Verdict:
            store = await open_store(f"sqlite+aiosqlite:///{self.path}")
            try:
                async with store.read() as connection:
                    found = (await connection.execute(events.select().order_by(events.c.row))).all()
            finally:
                await store.close()
            return chain.verify(records.as_row(one) for one in found)

        return asyncio.run(look())


@pytest.fixture(scope="module")
def table(chaos_home: Demo) -> Table:
    return Table(chaos_home)


def receipted(demo: Demo) -> bool:
    """Whether every producer of the home has a receipt for everything."""
    spools = (*(demo.var / "data").glob("*spool.sqlite3"), *(demo.var / "data" / "agents").glob("*.sqlite3"))
    assert len(spools) >= 5, spools
    for path in spools:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            if connection.execute("SELECT count(*) FROM event WHERE receipted_at IS NULL").fetchone() != (0,):
                return False
    return True


def test_a_database_rolled_back_to_an_older_copy_is_filled_again(
    chaos_home: Demo, member: Client, table: Table, tmp_path: Path
) -> None:
    until(lambda: receipted(chaos_home), "all is recorded")
    copy = tmp_path / "yesterday.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(table.path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    yesterday = table.keys()
    for n in range(24):
        assert member.act("hall/lamp", "off" if n % 2 else "on").status == 200
        assert member.act("garage/light", "off" if n % 2 else "on").status == 200
    assert member.act("hall/front-door", "unlock", confirm=True).status == 200
    assert member.act("hall/front-door", "lock").status == 200
    until(lambda: receipted(chaos_home), "all is recorded")
    today = table.keys()
    assert len(today) - len(yesterday) >= 50

    chaos_home.supervise("stop", "alerts")
    for path in table.path.parent.glob("alerts.sqlite3*"):
        path.unlink()
    copy.rename(table.path)
    assert table.keys() == yesterday
    chaos_home.supervise("start", "alerts")
    until(lambda: table.keys() == today, "every event is back, once", seconds=LONG)
    assert table.verdict().broken is None
    assert [what for what, _ in table.own() if what == "audit:missing"] == []
    print(f"rolled back to {len(yesterday)} rows of {len(today)}, filled again without a new event")


class Captured:
    """Whoever holds the room's certificate: says what it likes on the room's topic, and hears its receipts."""

    def __init__(self, demo: Demo, room: str) -> None:
        self.room = room
        self.receipts: dict[str, str] = {}
        pki = demo.home.pki
        files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{room}.crt", key=pki / f"{room}.key")
        config = mqtt.BrokerConfig(identity=room, tls=files, host="127.0.0.1", port=demo.ports["MQTT"])
        self._there = threading.Event()
        self._client = paho_client.new_client(config, mqtt.Will(topics.availability(room), b""))
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._there.set()
        self._client.on_message = self._hear
        self._client.connect(config.host, config.port, 30)

    def __enter__(self) -> "Captured":
        self._client.loop_start()
        assert self._there.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, payload: bytes) -> paho.MQTTMessageInfo:
        return self._client.publish(topics.audit(self.room), payload, qos=1)

    def _subscribe(self, *_: object) -> None:
        self._client.subscribe([(topics.receipt(self.room), 1)])

    def _hear(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        for line in messages.decode(Receipt, bytes(message.payload)).events:
            self.receipts[line.id] = line.hash


def evil(n: int, victim: UserRef) -> AuditEvent:
    """A well-formed event that claims and contains whatever a room can think of."""
    text = EVIL[n % len(EVIL)]
    return AuditEvent(
        id=f"flood-{n}",
        seq=n + 1 if n % 5 else 2**52 + n,
        at=messages.utc(time.time() + (n % 7 - 3) * 86400.0 * 2),
        what=("device:unlock", "account:password-changed", text)[n % 3],
        where=("hall/front-door", "garage/door", "user/1", f"hall/{text}", text)[n % 5],
        who=Who(
            issuer=("gateway", "hall", text)[n % 3], user=victim if n % 2 else UserRef(id=text, name=text), address=text
        ),
        command_id=text if n % 4 else None,
        outcome=(Outcome.EXECUTED, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.ASKED)[n % 4],
        severity=(Severity.CRITICAL, Severity.SECURITY, Severity.INFO)[n % 3],
        detail={text: text, "reason": text, "claimed_by": "garage"},
    )


@pytest.fixture
def captured(chaos_home: Demo) -> Iterator[Captured]:
    chaos_home.supervise("stop", "agent-hall")
    with Captured(chaos_home, "hall") as made:
        yield made
    chaos_home.supervise("start", "agent-hall")


def seen_content(event: AuditEvent) -> AuditEvent:
    """The same id with another content."""
    return msgspec.structs.replace(event, what="device:lock", where="hall/other")


def test_a_compromised_room_floods_claims_and_breaks_nothing(
    chaos_home: Demo, member: Client, table: Table, captured: Captured
) -> None:
    until(lambda: receipted(chaos_home), "all is recorded")
    before = len(chaos_home.letters())
    victim = UserRef(id=member.user["id"], name=member.user["name"])
    flood = [evil(n, victim) for n in range(FLOOD)]
    for event in flood[: FLOOD // 2]:
        captured.say(messages.encode(event))
    door = str(uuid.uuid4())
    assert member.act("garage/door", "press", id=door, confirm=True).status == 200
    fields = {"command_id": door, "where": "garage/door", "what": "device:press"}
    claims = [
        msgspec.structs.replace(evil(FLOOD + n, victim), outcome=outcome, **fields) for n, outcome in enumerate(Outcome)
    ]
    for n, event in enumerate((*claims, *flood[FLOOD // 2 :])):
        captured.say(messages.encode(event))
        if n % 50 == 0:
            captured.say(messages.encode(seen_content(flood[n])))
            captured.say(msgspec.json.encode({"id": f"big-{n}", "x": "y" * 65_000}))
            captured.say(b"{" * 1000)
    captured.say(b"\xff\x00").wait_for_publish(LONG)

    subject = f"Garage door pressed — {member.user['name']}"
    letter = until(lambda: letters_called(chaos_home, before, subject), "the door's letter", seconds=LONG)[0]
    ahead = [x for x in chaos_home.letters(after=before) if str(x["Subject"]) != str(letter["Subject"])]
    assert door in text_of(letter), "a letter of its own"
    assert len(ahead) < 60, "and not behind all of the flood's"
    sent = {one.id for one in (*flood, *claims)}
    until(lambda: sent <= captured.receipts.keys(), "everything is receipted", seconds=LONG)
    keys = table.keys()
    assert set(keys.values()) == {1}, "each once"
    assert {("hall", one) for one in sent} <= set(keys)
    verdict = table.verdict()
    assert verdict.broken is None, table.select("SELECT * FROM events WHERE row = ?", verdict.broken.row)
    own = Counter(table.own())
    assert own.keys() >= {
        (f"audit:{what}", "hall") for what in ("id-reused", "malformed", "too-large", "not-its-own", "from-future")
    }
    assert all(count <= 2 for count in own.values()), "told once in ten minutes, not once an event"
    until(lambda: len(chaos_home.letters(after=before)) > 30, "letters of the flood, too", seconds=LONG)
    for one in chaos_home.letters(after=before):
        check_letter(one)
    assert len(letters_called(chaos_home, before, subject)) == 1
    pages = read_history(chaos_home.client("master"))
    print(
        f"flood of {FLOOD}: rows {verdict.row}, own {dict(own)}, letters before the door's {len(ahead)}, pages {pages}"
    )


def letters_called(demo: Demo, before: int, subject: str) -> list[email.message.EmailMessage]:
    """The letters whose subject begins so."""
    return [x for x in demo.letters(after=before) if str(x["Subject"]).startswith(subject)]


def check_letter(letter: email.message.EmailMessage) -> None:
    """It parses, has the headers of a letter of ours once each, and nothing in it is markup or moves the reader."""
    names = [name.lower() for name in letter.keys()]  # noqa: SIM118 - a letter is no mapping: names may come twice
    assert len(names) == len(set(names))
    assert "bcc" not in names
    assert {"from", "to", "subject", "date", "message-id", "auto-submitted"} <= set(names)
    assert "thief" not in str(letter["To"])
    for part in letter.walk():
        assert part.defects == [], part.defects
    assert not HOSTILE.search(str(letter["Subject"])), letter["Subject"]
    assert not HOSTILE.search(text_of(letter)), text_of(letter)
    html = letter.get_body(("html",))
    assert html is not None
    check_markup(html.get_content().replace("\r\n", "\n"))


def check_markup(html: str) -> None:
    """What a room wrote stands there as text."""
    assert not HOSTILE.search(html), HOSTILE.search(html)
    assert not re.search(r"<(script>|img src=x)|</td></table><", html)


def read_history(client: Client) -> int:
    """Turn the pages of the history; how many there were."""
    address, pages = "/history", 0
    while address and pages < PAGES:
        answer = client.call("GET", address, headers={"Accept": "text/html", "Content-Type": ""})
        assert answer.status == 200, answer
        html = answer.body.decode()
        check_markup(html)
        pages += 1
        older = re.search(r'href="(/history\?[^"]*after=[0-9]+[^"]*)"', html)
        address = older[1].replace("&amp;", "&") if older else ""
    return pages
