"""Which numbers are recorded, read from a real database: spans per source, and nothing that is too old to ask for."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.chain.arrivals import MAX_DETAILS, Arrival
from alert_service.chain.spans import Spans, read_spans
from alert_service.intake import asker, gaps, seq_rows
from alert_service.intake.gaps import Missing
from alert_service.record import records
from shared.keeping.database import Store
from shared.words import messages
from shared.words.messages import AuditEvent
from shared.words.names import Severity
from tests.unit.alert_service.parts import HOUSE, START, event


async def write(store: Store, source: str, numbers: Iterable[int], *, now: float = START) -> None:
    batch = [Arrival(source, event(seq=n, where=source, severity=Severity.INFO)) for n in numbers]
    async with store.write() as connection:
        await records.record(connection, batch, now, HOUSE)


async def spans(store: Store) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, Spans] = {}
    async with store.read() as connection:
        for source, first, last in await seq_rows.recorded(connection):
            found.setdefault(source, Spans()).add(first, last)
    return {source: list(one) for source, one in found.items()}


async def test_an_empty_database_knows_nothing(store: Store) -> None:
    assert await spans(store) == {}


async def test_gaps_are_between_the_spans_whatever_the_order_of_the_rows(store: Store) -> None:
    await write(store, "hall", [7, 5, 6, 12, 10])
    await write(store, "garage", [3, 3, 1])
    await write(store, "gateway", [0])  # without a number
    await write(store, "hall", [11, 20])
    assert await spans(store) == {"hall": [(0, 7), (10, 12), (20, 20)], "garage": [(0, 1), (3, 3)]}


async def test_what_is_older_than_spools_keep_it_is_not_asked_for(store: Store) -> None:
    await write(store, "hall", [1, 2, 9, 50])
    await write(store, "garage", [4, 8])
    await write(store, "hall", [11, 14], now=START + 9 * 86400)
    assert await spans(store) == {"hall": [(0, 11), (14, 14), (50, 50)], "garage": [(0, 8)]}


async def test_days_in_which_only_the_service_itself_wrote_leave_nothing_to_ask_for(store: Store) -> None:
    await write(store, "hall", [1, 2, 9])
    for day in range(1, 11):  # a removed day, a checked record: its own rows, which have no number
        await write(store, "alerts", [0], now=START + day * 86400)
    assert await spans(store) == {"hall": [(0, 9)]}


async def test_only_the_newest_rows_are_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seq_rows, "LOOK_BACK_ROWS", 10)
    await write(store, "hall", range(1, 40, 2))
    await write(store, "garage", [1, 3, 5])
    assert await spans(store) == {
        "hall": [(0, 27), *((n, n) for n in range(29, 40, 2))],
        "garage": [(0, 1), (3, 3), (5, 5)],
    }


async def test_what_was_told_as_missing_is_known(store: Store) -> None:
    await write(store, "hall", [1, 5, 9])
    told = asker.report(Missing("hall", ((2, 4),)), START)
    async with store.write() as connection:
        await records.record(connection, [told], START, HOUSE)
    assert await spans(store) == {"hall": [(0, 5), (9, 9)]}


async def test_recorded_numbers_are_found_within_a_span(store: Store) -> None:
    await write(store, "hall", [1, 5, 9, 10])
    await write(store, "garage", [6])
    async with store.read() as connection:
        assert await seq_rows.between(connection, "hall", (2, 9), 99) == [5, 9]
        assert await seq_rows.between(connection, "hall", (2, 2**53), 2) == [5, 9]


@given(numbers=st.sets(st.one_of(st.integers(1, 3000), st.integers(2**52, 2**53)), min_size=1, max_size=600))
def test_a_report_of_many_gaps_is_an_event_like_any_other_and_names_them_all(numbers: set[int]) -> None:
    lost = Spans()
    for number in numbers:
        lost.add(number, number)
    made = asker.report(Missing("hall", tuple(lost)), START).event
    assert messages.decode(AuditEvent, messages.encode(made)) == made
    assert len(made.detail) <= MAX_DETAILS
    told = [span for name, text in made.detail.items() if name.startswith(gaps.NUMBERS) for span in read_spans(text)]
    assert all(any(first <= number <= last for first, last in told) for number in numbers)


async def test_what_one_text_of_a_report_does_not_hold_is_known_as_well(store: Store) -> None:
    await write(store, "hall", range(1, 1000, 5))
    lost = tuple((n + 1, n + 4) for n in range(1, 400, 5))
    async with store.write() as connection:
        await records.record(connection, [asker.report(Missing("hall", lost), START)], START, HOUSE)
    assert (await spans(store))["hall"][0] == (0, 401)


@pytest.mark.parametrize("missing", [((3, 4),), ((3, 4), (7, 7)), ((5, 2**52),)])
def test_a_report_names_its_numbers_and_is_the_same_whenever_it_is_made(missing: Sequence[tuple[int, int]]) -> None:
    made = asker.report(Missing("hall", tuple(missing)), START)
    again = asker.report(Missing("hall", tuple(missing)), START + 5000)
    other = asker.report(Missing("garage", tuple(missing)), START)
    assert made.event.id == again.event.id != other.event.id
    assert (made.source, made.event.what, made.event.where) == ("alerts", gaps.MISSING, "hall")
    assert made.event.severity is Severity.SECURITY
    assert read_spans(made.event.detail[gaps.NUMBERS]) == list(missing)
