"""How an output begins, whatever its line reads: by the ledger's word, and on the wires of a fake chip's kernel."""

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.devices.output import BootPolicy, Memory
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.pins import PinUse
from device_agents.room.birth import is_ours
from tests.unit.device_agents.fakes import House
from tests.unit.device_agents.pins.benches import CHIP
from tests.unit.device_agents.pins.wires import FakeGpiod

LAMP = 17
REST = 30.0


def memory(*, active: bool) -> Memory:
    return Memory(boot="b", active=active, changed_at=0.0, rested_at=0.0)


@pytest.mark.parametrize("level", [None, 0, 1])
@pytest.mark.parametrize("active", [False, True])
def test_a_level_is_ours_where_the_ledger_of_this_boot_says_the_same(level: int | None, active: bool) -> None:
    levels = (level,)
    assert is_ours(memory(active=active), levels, interrupted=False, doubted=False) == (bool(level) == active)
    assert is_ours(memory(active=active), levels, interrupted=True, doubted=False), "half-way, both may be"
    assert not is_ours(None, levels, interrupted=False, doubted=False), "of another boot"
    assert not is_ours(None, levels, interrupted=True, doubted=False)
    assert is_ours(None, levels, interrupted=True, doubted=True), "a torn ledger contradicts nobody"


class Wired:
    """A room with one lamp on a fake chip: lives come and go, the wire stays."""

    def __init__(self, folder: Path, *, policy: BootPolicy, active_low: bool, keeps: bool, tells: bool) -> None:
        self.gpiod = FakeGpiod(keeps=keeps)
        self.gpiod.tells = tells
        self._use = PinUse(pin=LAMP, device="lamp", output=True, active_low=active_low)
        self._active_low = active_low
        lamp = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": LAMP, "boot": policy, "min_off": REST}
        self.house = House(folder, [lamp | {"active_low": active_low}], pins=cast("Any", self._pins()))
        self.house.now += REST
        self.house.heartbeat()

    def _pins(self) -> GpiodPins:
        return GpiodPins(self.gpiod, CHIP, "hall", (self._use,))

    def dies(self) -> None:
        """kill -9: the kernel lets the lines go, as it does."""
        self.house.die()
        self.house.pins.close()

    def boots(self) -> None:
        """The board starts anew: every line is an input, and nobody's."""
        self.house.boot += "+"
        self.gpiod.called_outputs.clear()
        self.gpiod.board.change(LAMP, output=False)

    def lives(self) -> None:
        self.gpiod.board.edges.clear()
        self.house.pins = cast("Any", self._pins())
        self.house.born()

    def pull(self, level: int) -> None:
        """What the line reads, logically, where nobody drives it."""
        self.gpiod.board.change(LAMP, outside=level ^ self._active_low)

    def latch(self, level: int) -> None:
        """The firmware makes it an output."""
        self.gpiod.board.change(LAMP, latch=level ^ self._active_low)
        self.gpiod.board.change(LAMP, output=True)

    @property
    def level(self) -> int:
        return self.gpiod.board.wires[LAMP].level ^ self._active_low

    @property
    def edges(self) -> list[int]:
        return [level ^ self._active_low for level in self.gpiod.board.edges[LAMP]]


@given(
    policy=st.sampled_from(["off", "on", "restore"]),
    was_on=st.booleans(),
    active_low=st.booleans(),
    keeps=st.booleans(),
    tells=st.booleans(),
    pull=st.integers(0, 1),
    boot=st.sampled_from(["same", "another", "another, with a firmware that drives 0", "and 1"]),
)
def test_after_a_kill_the_lamp_is_what_policy_and_ledger_say_with_one_edge_at_most(
    tmp_path_factory: pytest.TempPathFactory,
    policy: BootPolicy,
    was_on: bool,
    active_low: bool,
    keeps: bool,
    tells: bool,
    pull: int,
    boot: str,
) -> None:
    wired = Wired(tmp_path_factory.mktemp("hall"), policy=policy, active_low=active_low, keeps=keeps, tells=tells)
    wired.pull(pull)
    ack = wired.house.command("lamp", "on" if was_on else "off", id="c1")
    assert ack is not None
    assert ack.outcome == "executed"
    wired.dies()
    if boot != "same":
        wired.boots()
    if "firmware" in boot or boot == "and 1":
        wired.latch(int(boot == "and 1"))
    before = wired.level
    wired.lives()
    house = wired.house
    wanted = {"off": 0, "on": 1, "restore": int(was_on)}[policy]
    first = wired.level
    assert wired.edges == ([] if first == before else [first]), "from where it was to where it belongs, and none else"
    assert house.state("lamp").value == ("on" if first else "off")
    assert before or not first, "nobody knows for how long it has been off: it rests first"
    if wanted and not first:
        house.advance(REST - 0.1)
        assert wired.level == 0
        house.advance(0.2)
    assert wired.level == wanted
    assert house.state("lamp").value == ("on" if wanted else "off")
    wired.dies()


def test_where_the_line_was_kept_there_is_no_edge(tmp_path: Path) -> None:
    wired = Wired(tmp_path, policy="restore", active_low=True, keeps=True, tells=False)
    for action in ("on", "off"):
        wired.house.command("lamp", action, id=action)
        wired.house.now += REST
        wired.dies()
        wired.lives()
        wired.house.heartbeat()
        assert (wired.edges, wired.house.state("lamp").value) == ([], action)
    wired.dies()
