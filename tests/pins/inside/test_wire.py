"""DS18B20 on the kernel's own driver: what each thing that happens to a wire looks like, and what is said of it."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from device_agents.sensors.build import probes
from device_agents.sensors.ds18b20 import Ds18b20
from device_agents.sensors.reader import Reader
from device_agents.sensors.readings import Reading, SensorError
from shared.words import topics
from shared.words.messages import State
from tests.house import until
from tests.pins.inside import wire
from tests.pins.inside.wire import ADDRESSES, DEVICES
from tests.unit.device_agents.fakes import House, room_config

Saw = Callable[[str], None]
ROUNDS = 4


@pytest.fixture(autouse=True)
def two() -> None:
    """Two sensors that are well, and known."""
    wire.begin()
    wire.drive({0, 1})
    until(lambda: not any(DEVICES.glob("00-*")), "a wire without ghosts")
    wire.known({0, 1})


def said(address: str | None = ADDRESSES[0]) -> str:
    """What reading it ends with."""
    try:
        return f"{Ds18b20(address).read()}"
    except SensorError as error:
        return str(error)


def shown() -> str:
    """What the kernel has for it."""
    return repr((DEVICES / ADDRESSES[0] / "w1_slave").read_text())


@pytest.mark.parametrize("celsius", [20.0, -25.0625, 0.0, 85.0, 125.0])
def test_what_is_measured_is_told(celsius: float, saw: Saw) -> None:
    wire.drive({0, 1}, celsius={0: celsius})
    assert abs(float(said()) - celsius) < 0.001
    saw(f"DS18B20 at {celsius} °C: {said()}")


def test_unplugged_alone(saw: Saw) -> None:
    wire.drive({0})
    wire.known({0})
    wire.drive(())
    assert said() == "nobody answers on the wire; it is unplugged, or the wire cut"
    saw(f"unplugged, alone on its wire: w1_slave {shown()}; {said()}")


def test_unplugged_while_others_answer_and_then_forgotten(saw: Saw) -> None:
    wire.drive({1})
    assert said().startswith("its checksum is wrong; it is unplugged while others answer, or the wire disturbs it")
    saw(f"unplugged while another answers: w1_slave {shown()}; {said()}")
    wire.known({1})
    assert (
        said() == f"there is no {ADDRESSES[0]} on the wire, only {ADDRESSES[1]}; it is unplugged, or another one by now"
    )
    saw(f"after {wire.FORGOTTEN_AFTER} searches: no folder; {said()}")
    assert Ds18b20(None).read() == 20.0
    wire.drive({0, 1})
    wire.known({0, 1})
    assert said() == "20.0"
    assert said(None) == f"there are {ADDRESSES[0]}, {ADDRESSES[1]}; set `address` to one of them"


def test_a_wrong_bit(saw: Saw) -> None:
    wire.drive({0, 1}, torn={0})
    assert said().startswith("its checksum is wrong; it is unplugged while others answer, or the wire disturbs it")
    saw(f"a bit wrong: w1_slave {shown()}; {said()}")
    assert said(ADDRESSES[1]) == "20.0"


def test_held_low(saw: Saw) -> None:
    wire.drive({0, 1}, shorted=True)
    assert said() == "the wire is held low; look for a short circuit"
    saw(f"held low: w1_slave {shown()}; {said()}")
    wire.known(())
    assert said() == f"there is no {ADDRESSES[0]}, and the wire is held low; look for a short circuit"
    saw(f"after {wire.FORGOTTEN_AFTER} searches: {[path.name for path in DEVICES.glob('0*')]}; {said()}")
    wire.drive({0, 1}, celsius={0: 21.5})
    wire.known({0, 1})
    assert said() == "21.5"
    assert (DEVICES / ADDRESSES[0] / "conv_time").read_text() == "750\n"


def test_power_lost_while_it_converts(saw: Saw) -> None:
    wire.drive({0, 1}, faint={0})
    assert said() == "it reads 85.0, which is what it says before it has measured"
    saw(f"its supply breaks down while it converts: w1_slave {shown()}; {said()}")


def test_eight_on_one_wire_hold_neither_the_loop_nor_another_sensor(tmp_path: Path, saw: Saw) -> None:
    wire.drive(range(8))
    wire.known(range(8))
    (tmp_path / "name").write_text("elsewhere\n")
    (tmp_path / "in_temp_input").write_text("21000\n")
    warmth = {"name": "Temperature", "kind": "temperature", "every": 2}
    crowd = [{"id": f"t{n}", "source": "ds18b20", "address": address} | warmth for n, address in enumerate(ADDRESSES)]
    alone = {"id": "alone", "source": "iio", "address": str(tmp_path)} | warmth
    lamp = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17}
    devices = [*crowd, alone, lamp]
    reader = Counting(probes(room_config(tmp_path, devices)))
    house = House(tmp_path, devices, sensors=reader, now=time.monotonic())
    house.heartbeat()
    turns: list[float] = []
    while min(reader.read[f"t{n}"] for n in range(8)) < ROUNDS:
        house.agent.inbox.wait(0.1, house.link)
        began = time.monotonic()
        house.advance(max(0.0, began - house.now))
        ack = house.command("lamp", "off" if len(turns) % 2 else "on", id=f"c{len(turns)}")
        assert ack is not None
        assert ack.outcome.value == "executed"
        turns.append(time.monotonic() - began)
    told = [state for name in reader.read for state in house.link.heard(State, topics.state("hall", name))]
    assert [state.fault for state in told if state.fault] == []
    assert reader.read["alone"] > 2 * ROUNDS
    took = reader.last - reader.first
    house.agent.stop()
    saw(
        f"8 DS18B20 on one wire, every = 2: {ROUNDS} rounds in {took:.1f} s, no fault; the sensor elsewhere gave "
        f"{reader.read['alone']} readings meanwhile, and {len(turns)} commands took {max(turns) * 1000:.0f} ms at most"
    )


class Counting(Reader):
    """Counts good readings."""

    def start(self, heard: Callable[[Reading], None]) -> None:
        self.read: Counter[str] = Counter()
        self.first = self.last = time.monotonic()

        def count(reading: Reading) -> None:
            heard(reading)
            if reading.value is not None:
                self.last = time.monotonic()
                self.read[reading.device] += 1

        super().start(count)
