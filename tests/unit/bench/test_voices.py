"""The rooms of the bench describe what a real room may, and as much of it as one may have."""

from shared.words import messages
from shared.words.messages import DESCRIBED_MOST, Description
from shared.words.names import Kind, is_identity, is_reserved
from tests.bench import voices


def test_a_room_is_full_and_has_every_kind() -> None:
    known = voices.devices()
    assert len(known) == voices.PER_ROOM == DESCRIBED_MOST
    assert {device.kind for device in known} == set(Kind)
    said = Description(room=voices.name(1), name="Bench", agent_version="bench", devices=tuple(known))
    assert messages.decode(Description, messages.encode(said)) == said


def test_its_name_is_one_that_a_room_may_have() -> None:
    assert all(is_identity(voices.name(number)) and not is_reserved(voices.name(number)) for number in (1, 157))
