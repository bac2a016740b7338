"""A service that ended unasked is told once: not twice by a restart, not each time where it ends again and again."""

from pathlib import Path

import pytest

from alert_service.chain.arrivals import Arrival
from alert_service.telling.policy import MASTERS, Matter, Policy, Rule
from alert_service.telling.rules import Part, part
from alert_service.watches.ends_watch import EndsWatch, told_replaced
from shared.keeping.database import Store
from shared.proof import ends
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.record_parts import tell

AT = 1_700_000_000_123


class Hub:
    """Notes of units in a folder, the watch over them, and what it recorded."""

    def __init__(self, run: Path, told: dict[str, float] | None = None) -> None:
        self.run = run
        self.now = AT / 1000 + 5
        self.recorded: list[Arrival] = []
        self.watch = EndsWatch(told or {}, self._record, run=run, now=lambda: self.now)

    async def _record(self, arrival: Arrival) -> None:
        self.recorded.append(arrival)

    def note(self, unit: str, at: int, result: str = "watchdog ABRT") -> None:
        folder = self.run / f"homesystem-{unit}"
        folder.mkdir(exist_ok=True)
        with (folder / ends.NOTE).open("a") as file:
            file.write(f"{at} {result}\n")

    def told(self) -> list[tuple[str, dict[str, str]]]:
        return [(arrival.event.where, arrival.event.detail) for arrival in self.recorded]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


async def test_each_service_is_told_once(hub: Hub) -> None:
    await hub.watch.look()
    hub.note("gateway", AT)
    hub.note("broker", AT, "exit-code 1")
    await hub.watch.look()
    await hub.watch.look()
    assert hub.told() == [
        ("broker", {"because": "it failed with the exit code 1"}),
        ("gateway", {"because": "it gave no sign of life"}),
    ]


async def test_one_that_ends_again_and_again_is_one_event_in_ten_minutes(hub: Hub) -> None:
    hub.note("auth", AT)
    await hub.watch.look()
    for second in range(1, 4):
        hub.note("auth", AT + 1000 * second)
        await hub.watch.look()
    assert len(hub.recorded) == 1
    hub.now += ends.AT_MOST_EVERY
    await hub.watch.look()
    assert hub.told()[1:] == [("auth", {"because": "it gave no sign of life", "times": "3"})]


async def test_what_cannot_be_read_hides_nothing_else_and_ends_nothing(hub: Hub) -> None:
    (hub.run / "homesystem-auth" / ends.NOTE).mkdir(parents=True)
    hub.note("gateway", AT)
    await hub.watch.look()
    assert [arrival.event.where for arrival in hub.recorded] == ["gateway"]


async def test_rooms_speak_for_themselves(hub: Hub) -> None:
    hub.note("agent-hall", AT)
    await hub.watch.look()
    assert hub.recorded == []


async def test_what_the_record_has_is_not_told_again(hub: Hub, store: Store) -> None:
    hub.note("gateway", AT)
    await hub.watch.look()
    await tell(store, [(arrival.source, arrival.event) for arrival in hub.recorded])
    again = Hub(hub.run, await told_replaced(store))
    again.note("gateway", AT + 1)
    await again.watch.look()
    assert again.recorded == [], "too soon, though it is another process now"
    again.now += ends.AT_MOST_EVERY
    await again.watch.look()
    assert [arrival.event.where for arrival in again.recorded] == ["gateway"]


def test_it_deserves_a_letter_which_a_household_may_do_without() -> None:
    told = ends.event("gateway", "alerts", [ends.End(AT / 1000, "it gave no sign of life")])
    assert part("alerts", told) is Part.ALONE
    matter = Matter(told.what, told.where, "alerts", Outcome.EXECUTED, Severity.CRITICAL)
    decision = Policy().decide(matter)
    assert decision is not None
    assert decision.audience == (MASTERS,)
    assert not decision.urgent
    assert Policy([Rule(what="service:replaced", letter=False)]).decide(matter) is None
