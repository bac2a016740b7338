"""What a room tells of its file passes the broker, whatever there is to tell."""

from datetime import UTC, datetime

import msgspec
import pytest

from device_agents.own_file import telling
from shared.words import messages
from shared.words.messages import DESCRIBED_MOST
from shared.words.room_file import (
    COMPLAINTS_MOST,
    FILE_BYTES,
    TABLES_BYTES,
    Complaint,
    DeviceTable,
    FileAnswer,
    OfferedPin,
    RoomFile,
)

WORST = "\x01"
"""A sign that takes six bytes in JSON."""
PINS = tuple(OfferedPin(line=number, name=f"PIN-{number:027}", place=40, quiet=True) for number in range(256))


def tables(bytes_: int) -> tuple[DeviceTable, ...]:
    """As many as a room may have, in about so many bytes."""
    each = bytes_ // DESCRIBED_MOST - 24
    return tuple({"id": f"d{number:02}", "name": "n" * each} for number in range(DESCRIBED_MOST))


def complaints(sign: str, number: int = COMPLAINTS_MOST) -> FileAnswer:
    found = tuple(Complaint(text=f"{n}".ljust(400, sign), device="d" * 64, setting="pin") for n in range(number))
    return FileAnswer(id="s1", outcome="refused", at=datetime(2026, 11, 29, tzinfo=UTC), complaints=found)


def file(
    devices: tuple[DeviceTable, ...], pins: tuple[OfferedPin, ...] = PINS, answer: FileAnswer | None = None
) -> RoomFile:
    return RoomFile(room="r" * 32, version="0" * 64, devices=devices, pins=pins, answer=answer)


def told(whole: RoomFile) -> RoomFile:
    encoded = telling.encoded(whole)
    assert len(encoded) <= FILE_BYTES
    return messages.decode(RoomFile, encoded)


def test_what_fits_is_told_whole() -> None:
    whole = file(tables(20_000), answer=complaints("x", 10))
    assert told(whole) == whole


def test_complaints_that_do_not_fit_are_left_out_from_the_end() -> None:
    whole = file(tables(30_000), answer=complaints("x"))
    short = told(whole)
    assert short.answer is not None
    assert whole.answer is not None
    assert 1 < len(short.answer.complaints) < COMPLAINTS_MOST
    assert short.answer.complaints == whole.answer.complaints[: len(short.answer.complaints)]
    assert (short.devices, short.pins) == (whole.devices, PINS)


def test_tables_that_do_not_fit_beside_the_pins_are_left_out_and_it_is_said_why() -> None:
    whole = file(tables(TABLES_BYTES - 1000))
    assert len(msgspec.json.encode(whole.devices)) <= TABLES_BYTES
    assert len(messages.encode(whole)) > FILE_BYTES
    short = told(whole)
    assert (short.devices, short.pins) == (None, PINS)
    assert short.why is not None
    assert "own machine" in short.why


def test_tables_that_could_not_be_sent_back_are_not_told() -> None:
    assert told(file(tables(TABLES_BYTES + 4000), pins=())).devices is None


@pytest.mark.parametrize("length", [31, 64])
def test_the_worst_of_all_fits(length: int) -> None:
    pins = tuple(OfferedPin(line=100_000, name=WORST * length, place=40, quiet=True) for _ in range(256))
    short = told(file(tables(TABLES_BYTES), pins, complaints(WORST)))
    assert short.answer is not None
    assert short.answer.complaints[0].text.startswith("0")
