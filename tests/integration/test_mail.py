"""Letters to a real SMTP server: how we greet it, and that one impossible recipient stops no other letter."""

import time
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

from alert_service.chain.arrivals import Arrival
from alert_service.letters import mailbox
from alert_service.letters.outbox import Manner, Outbox
from alert_service.letters.ways import MailWay
from alert_service.record import records
from alert_service.store import open_store
from shared.mail import Letter, MailError, SmtpConfig, check, send
from tests.house import SmtpSink
from tests.unit.alert_service.parts import HOUSE, Clock, event, masters, work

SENDER = "Home System <home@example.org>"


def config(sink: SmtpSink, *, greeting: str | None = None) -> SmtpConfig:
    return SmtpConfig(host="127.0.0.1", port=sink.port, sender=SENDER, security="none", greeting=greeting)


async def nobody() -> list[str]:
    return []


@pytest.mark.parametrize(("greeting", "heard"), [("hub.example.org", "hub.example.org"), (None, "example.org")])
async def test_the_server_is_greeted_with_a_full_name(smtp_sink: SmtpSink, greeting: str | None, heard: str) -> None:
    letter = Letter(to="ada@example.org", subject="x", text="x")
    await send(config(smtp_sink, greeting=greeting), letter, time.time())
    assert smtp_sink.greetings == [heard]


async def test_the_servers_own_words_are_told(smtp_sink: SmtpSink) -> None:
    smtp_sink.refused.add("ada@example.org")
    with pytest.raises(MailError, match="no such mailbox here"):
        await send(config(smtp_sink), Letter(to="ada@example.org", subject="x", text="x"), time.time())


async def test_an_address_beyond_ascii_is_set_aside_and_the_others_get_their_letters(
    smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/alerts.sqlite3")
    manner = Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=600, alone=5)
    outbox = Outbox(store, MailWay(config(smtp_sink), nobody), manner)
    try:
        async with store.write() as connection:
            # An accounts' database of an older day may hold what is refused at the door by now.
            await mailbox.set_people(connection, masters("ada@example.org", "jörg@example.org", "zoe@example.org"), 0.0)
            await records.record(connection, [Arrival("hall", event(issuer="phone"))], time.time(), HOUSE)
        for _ in range(3):
            await work(outbox)
        assert sorted(str(letter["To"]) for letter in smtp_sink.letters) == ["ada@example.org", "zoe@example.org"]
        assert outbox.mail.failing_since is None
        async with store.read() as connection:
            assert await mailbox.count(connection) == mailbox.Counts(waiting=1, refused=1)
    finally:
        await store.close()


@pytest.fixture
def modern_sink() -> Iterator[SmtpSink]:
    """One that carries addresses beyond ASCII itself; the servers behind it may not."""
    sink = SmtpSink(smtputf8=True)
    sink.start()
    yield sink
    sink.stop()


async def test_an_address_beyond_ascii_is_refused_alike_by_whatever_server(
    smtp_sink: SmtpSink, modern_sink: SmtpSink
) -> None:
    for sink in (smtp_sink, modern_sink):
        with pytest.raises(MailError, match="most mail servers carry no such letters") as told:
            await send(config(sink), Letter(to="t\u00fcr@example.org", subject="x", text="x"), time.time())
        assert (told.value.permanent, told.value.answered) == (True, True)
        assert sink.named == []


async def test_a_check_goes_as_far_as_the_recipients_and_sends_nothing(smtp_sink: SmtpSink) -> None:
    assert await check(config(smtp_sink)) == {}
    assert smtp_sink.named == ["home@example.org"]
    smtp_sink.refused.add("bob@example.org")
    refused = await check(config(smtp_sink), ["ada@example.org", "bob@example.org", "t\u00fcr@example.org"])
    assert set(refused) == {"bob@example.org", "t\u00fcr@example.org"}
    assert "no such mailbox here" in refused["bob@example.org"]
    assert smtp_sink.letters == []


async def test_a_server_that_takes_nobody_is_told_before_a_letter_is_due(smtp_sink: SmtpSink) -> None:
    """As one that dislikes our greeting, and says so only at the recipient."""
    smtp_sink.refused |= {"ada@example.org", "bob@example.org"}
    with pytest.raises(MailError, match="no such mailbox here"):
        await check(config(smtp_sink), ["ada@example.org", "bob@example.org"])
    with pytest.raises(MailError, match="no such mailbox here"):
        await MailWay(config(smtp_sink), lambda: _only("ada@example.org")).check()


async def _only(address: str) -> list[str]:
    return [address]


async def test_a_letter_on_which_the_server_hangs_up_stops_no_other(smtp_sink: SmtpSink, tmp_path: Path) -> None:
    smtp_sink.cut_off.add("ada@example.org")
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/alerts.sqlite3")
    clock = Clock()
    manner = Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=60_000, alone=5)
    outbox = Outbox(store, MailWay(config(smtp_sink), nobody), manner, now=clock)
    try:
        async with store.write() as connection:
            await mailbox.set_people(connection, masters("ada@example.org", "zoe@example.org"), 0.0)
            await records.record(connection, [Arrival("hall", event(issuer="phone"))], clock(), HOUSE)
        for _ in range(12):
            clock.time += 61.0
            await work(outbox)
        assert [str(letter["To"]) for letter in smtp_sink.letters] == ["zoe@example.org"]
        assert outbox.mail.failing_since is None
    finally:
        await store.close()
