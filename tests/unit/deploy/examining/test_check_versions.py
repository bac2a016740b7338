"""Which rooms are behind or ahead, by what the broker retains of them."""

import pytest

from deploy.examining import check_versions
from shared.words import messages, topics
from shared.words.messages import Description
from shared.words.version import VERSION


def said(room: str, version: str) -> tuple[str, bytes]:
    told = Description(room=room, name=room, agent_version=version, devices=())
    return topics.description(room), messages.encode(told)


def test_rooms_of_the_hubs_version_are_well() -> None:
    (found,) = check_versions.judged(dict([said("hall", VERSION), said("kitchen", VERSION)]))
    assert found.fine
    assert f"2 rooms are of version {VERSION}" in found.text


@pytest.mark.parametrize(
    ("version", "told", "where"),
    [
        ("0.0.9", "behind the hub's", "on the Pi of hall"),
        ("0.2.0", "ahead of the hub's 0.1.0: they still work", ", here;"),
        ("0.1.1", "ahead of the hub's 0.1.0: they still work", ", here;"),
        ("0.3.0", "they need not work together", ", here;"),
        ("soon", "which is none", "on the Pi of hall"),
    ],
)
def test_a_room_of_another_version_is_named_with_what_to_do_and_where(
    monkeypatch: pytest.MonkeyPatch, version: str, told: str, where: str
) -> None:
    monkeypatch.setattr(check_versions, "VERSION", "0.1.0")
    found = list(check_versions.judged(dict([said("hall", version), said("kitchen", "0.1.0")])))
    (one,) = found
    assert one.fine is False
    assert one.text.startswith("room hall ")
    assert told in one.text
    assert where in one.step


def test_what_cannot_be_read_is_told_and_stops_nothing() -> None:
    topic, _ = said("attic", "1")
    found = list(check_versions.judged({topic: b"{", **dict([said("hall", "9.9.9")])}))
    assert [one.text.split()[1] for one in found] == ["attic:", "hall"]
