"""What other programs write as JSON is read as it is meant."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.words import messages, reading
from shared.words.messages import Command
from shared.words.names import Action
from shared.words.problem import HomeError


class Inner(msgspec.Struct):
    count: int
    share: float


class Outer(msgspec.Struct):
    parts: tuple[Inner, ...]
    at: datetime | None = None
    free: dict[str, object] = {}


@pytest.mark.parametrize("written", ["50", "50.0", "5e1", "500E-1"])
def test_a_whole_number_is_whole_however_it_is_written(written: str) -> None:
    payload = f'{{"action": "set", "value": {written}, "id": "a", "issued_at": "2026-11-23T20:04:00Z"}}'
    moment = datetime(2026, 11, 23, 20, 4, tzinfo=UTC)
    assert messages.decode(Command, payload) == Command(action=Action.SET, value=50, id="a", issued_at=moment)


def test_so_it_is_in_lists_and_what_is_no_whole_number_stays() -> None:
    payload = '{"parts": [{"count": 2.0, "share": 3.0}, {"count": -0.0, "share": 0.5}], "free": {"x": [1.5]}}'
    read = reading.decode(Outer, payload)
    assert read == Outer(parts=(Inner(2, 3.0), Inner(0, 0.5)), at=None, free={"x": [1.5]})
    assert type(read.parts[0].share) is float


@pytest.mark.parametrize("written", ["50.4", '"50"', "true", "1e300", "-1e300", "9007199254740994.0"])
def test_what_is_none_is_refused(written: str) -> None:
    with pytest.raises(HomeError, match=r"Expected `int \| null`, got"):
        messages.decode(Command, f'{{"action": "set", "value": {written}}}')


def test_a_fault_beside_it_is_still_found() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"missing required field `share` - at `\$\.parts\[0\]`"):
        reading.decode(Outer, '{"parts": [{"count": 2.0}]}')
