"""A room's agent as a process on a card that is torn or takes nothing: it is there, it is safe, and it tells."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.folder.home import Home
from shared.words import topics
from tests.house import Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room, audit_events


@pytest.fixture
def hub(broker: Broker) -> Iterator[Client]:
    """A gateway and whoever reads the room's events."""
    with Client(broker, "gateway", *GATEWAY_HEARS) as client:
        yield client


@pytest.fixture
def record(broker: Broker) -> Iterator[Client]:
    with Client(broker, "alerts", topics.audit("hall")) as client:
        yield client


@pytest.fixture
def hall(home: Home) -> Iterator[Room]:
    room = Room(home)
    yield room
    room.stop(signal.SIGKILL)


def told(record: Client, what: str) -> bool | None:
    return any(event.what == what for event in audit_events(record)) or None


@pytest.mark.parametrize("how", ["zeroed", "cut", "overwritten"])
def test_a_torn_ledger_does_not_end_the_room(hall: Room, hub: Client, record: Client, how: str) -> None:
    hall.online(hub)
    hub.heartbeat()
    assert hub.command("lamp", "on") == ("executed", None)
    assert hall.stop(signal.SIGKILL) == -signal.SIGKILL
    ledger = hall.home.var / "data" / "agents" / "hall.sqlite3"
    for path in (ledger, ledger.with_name(f"{ledger.name}-wal")):
        size = path.stat().st_size
        path.write_bytes({"zeroed": bytes(size), "cut": b"", "overwritten": b"\xa5" * size}[how])
    hall.online(hub)
    hub.heartbeat()
    until(lambda: told(record, "audit:torn"), "a critical event tells")
    assert len(list(ledger.parent.glob("hall.sqlite3.torn-*Z"))) >= 1
    assert hub.command("front-door", "unlock") == ("executed", None)
    assert hub.command("front-door", "lock") == ("executed", None)
    assert hub.command("lamp", "off") == ("executed", None)
    assert hall.stop() == 0


def test_on_a_card_that_takes_nothing_the_room_is_there_and_obeys_what_is_safe(
    hall: Room, hub: Client, record: Client, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    card.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(card)], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        text = hall.config.read_text()
        hall.config.write_text(text.replace(f'data = "{hall.home.var}/data/agents"', f'data = "{card}"'))
        assert hall.config.read_text() != text
        hall.online(hub)
        hub.heartbeat()
        known = hub.ask("lamp", "on")
        assert hub.answer(known).outcome == "executed"
        assert hall.stop(signal.SIGKILL) == -signal.SIGKILL
        subprocess.run(["mount", "-o", "remount,ro", str(card)], check=True)
        hall.online(hub)
        hub.heartbeat()
        until(lambda: told(record, "audit:unwritable"), "a critical event tells")
        assert hub.command("front-door", "unlock") == ("failed", "ledger-failed")
        assert hub.command("lamp", "on", age=6.0) == ("expired", "expired")
        assert hub.command("lamp", "off") == ("executed", None)
        assert hub.command("front-door", "lock") == ("executed", None)
        hub.forget()
        hub.ask("lamp", "on", id=known)
        assert hub.answer(known).outcome == "executed", "what the card still has is known"
        subprocess.run(["mount", "-o", "remount,rw", str(card)], check=True)
        until(lambda: told(record, "audit:kept-again"), "the card has it all again")
        assert hub.command("front-door", "unlock") == ("executed", None)
        assert hub.command("front-door", "lock") == ("executed", None)
        assert hall.stop() == 0
    finally:
        hall.stop(signal.SIGKILL)
        subprocess.run(["umount", "--lazy", str(card)], check=True)
