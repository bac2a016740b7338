"""From bytes to the chain on a real database: whatever arrives, in whatever order, is recorded once or refused."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alert_service.chain import arrivals, chain
from alert_service.chain.arrivals import OURSELVES
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events
from shared.words import messages
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import HOUSE, START, event

TEXT = st.text(max_size=12) | st.sampled_from(
    ["\0", "\ud800", "x" * 201, "<script>", "a\r\nb", "\u202e", "hall/lamp", "garage/door", "", "gateway", "user/1"]
)
MOMENT = st.sampled_from(
    [START, START - 86400, START + 10**7, 0.0, "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "x", None, 5]
)


def _moment(drawn: Any) -> Any:
    return messages.utc(drawn) if isinstance(drawn, float) else drawn


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "seq": st.integers(-2, 50) | st.sampled_from([2**53 - 1, 2**53, 2**64, "1", None]),
    "at": MOMENT.map(_moment),
    "what": TEXT | st.integers(),
    "where": TEXT,
    "who": st.fixed_dictionaries(
        {"issuer": TEXT}, optional={"user": st.fixed_dictionaries({"id": TEXT, "name": TEXT})}
    ),
    "command_id": TEXT | st.none(),
    "outcome": st.sampled_from([*Outcome, "perhaps", 3]),
    "severity": st.sampled_from([*Severity, "grave", None]),
    "detail": st.dictionaries(TEXT, TEXT, max_size=34) | st.none(),
    "unheard-of": TEXT,
}


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """An event with a few of its fields changed for the worse, from a small pool of ids; or no event at all."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=40) | st.sampled_from([b"", b"[" * 70_000, b"x" * 65_536, b"null", b"{}"]))
    made = msgspec.to_builtins(event(id=f"e{draw(st.integers(0, 6))}", seq=3))
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3, unique=True)):
        made[name] = draw(FIELDS[name])
    try:
        return msgspec.json.encode(made)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
        return repr(made).encode(errors="surrogatepass")


def together() -> st.SearchStrategy[bytes]:
    """Several of them in one message, whatever they are."""
    return st.lists(payloads(), min_size=1, max_size=6).map(lambda bodies: b"[%b]" % b",".join(bodies))


SOURCES = st.sampled_from(["hall", "garage", "gateway", "auth"])
SAID = st.tuples(SOURCES, payloads() | together())
BATCHES = st.lists(st.lists(SAID, min_size=1, max_size=8), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making one takes a while."""
    path = tmp_path_factory.mktemp("blank") / "alerts.sqlite3"

    async def make() -> None:
        await (await open_store(f"sqlite+aiosqlite:///{path}")).close()

    asyncio.run(make())
    return path


async def take_in(database: Path, batches: list[list[tuple[str, bytes]]]) -> list[chain.Row]:
    """Everything, in batches a day apart, as the recorder does; the whole table."""
    store = await open_store(f"sqlite+aiosqlite:///{database}")
    try:
        for day, batch in enumerate(batches):
            now = START + day * 86400.0
            told = [one for source, payload in batch for one in arrivals.read_all(f"audit/{source}", payload, now)]
            assert len(told) >= len(batch)
            async with store.write() as connection:
                receipts, _ = await records.record(connection, told, now, HOUSE)
            for one in told:
                assert (one.source, one.event.id) in receipts
                assert one.instead_of is None or one.instead_of in receipts
        async with store.read() as connection:
            found = (await connection.execute(events.select().order_by(events.c.row))).all()
        return [records.as_row(one) for one in found]
    finally:
        await store.close()


@settings(max_examples=40, deadline=None)
@given(batches=BATCHES)
def test_whatever_arrives_the_chain_is_whole_and_every_event_is_in_it_once(
    blank: Path, batches: list[list[tuple[str, bytes]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(shutil.copy(blank, folder))
        rows = asyncio.run(take_in(database, batches))
    assert chain.verify(rows).broken is None
    keys = [(row.source, row.event.id) for row in rows]
    assert len(keys) == len(set(keys))
    first: dict[tuple[str, str], AuditEvent] = {}
    for day, batch in enumerate(batches):
        for source, payload in batch:
            for arrival in arrivals.read_all(f"audit/{source}", payload, START + day * 86400.0):
                if arrival.source != OURSELVES:
                    first.setdefault((source, arrival.event.id), arrival.event)
    recorded = {(row.source, row.event.id): row.event for row in rows if row.source != OURSELVES}
    assert recorded == first, "what came first under a key stands"
    for row in rows:
        messages.decode(AuditEvent, messages.encode(row.event))
        assert row.source != OURSELVES or row.event.severity is Severity.SECURITY
