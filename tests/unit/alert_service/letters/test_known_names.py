"""Names are heard from the rooms' descriptions and kept over a restart."""

from alert_service.letters.known_names import KnownNames
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.words import messages, topics
from tests.unit.alert_service.telling.test_names import described


def heard(topic: str, payload: bytes) -> Delivery:
    return Delivery(topic, payload, retained=True, connection=None, mid=1)


async def test_a_description_that_was_heard_is_known_after_a_restart(store: Store) -> None:
    known = KnownNames(store)
    known.hear(heard(topics.description("hall"), messages.encode(described("Flur", front_door="Haustür"))))
    assert known.names.place("hall/front-door") == "Haustür (Flur)"
    await known.keep()
    again = KnownNames(store)
    await again.recall()
    assert again.names.place("hall/front-door") == "Haustür (Flur)"


async def test_what_is_no_description_changes_nothing(store: Store) -> None:
    known = KnownNames(store)
    for topic, payload in (
        (topics.description("hall"), b"{"),
        (topics.description("hall"), b""),
        (topics.audit("hall"), b"{}"),
        ("elsewhere", b"{}"),
    ):
        known.hear(heard(topic, payload))
    assert known.names.known() == ({}, {}, {})
