"""What is done on each kernel: one start of a guest each, with the modules and the tests that it is for."""

import msgspec

INSIDE = "tests/pins/inside"


class Scene(msgspec.Struct, frozen=True):
    """`modules` as tests.pins.guest takes them; `tests` are pytest's."""

    name: str
    tests: tuple[str, ...]
    modules: tuple[str, ...] = ("gpio-sim",)
    parameters: str = ""
    seconds: float = 900.0


SCENES = (
    Scene(name="contract", tests=("tests/unit/device_agents/pins/test_pins_contract.py",)),
    Scene(name="lines", tests=(f"{INSIDE}/test_lines.py",)),
    Scene(name="killed", tests=(f"{INSIDE}/test_killed.py",)),
    Scene(name="edges", tests=(f"{INSIDE}/test_edges.py",)),
    Scene(name="unplugged", tests=(f"{INSIDE}/test_unplugged.py",)),
    Scene(name="names", tests=(f"{INSIDE}/test_names.py",)),
    Scene(name="watchdog", tests=(f"{INSIDE}/test_watchdog.py",), modules=()),
    Scene(name="wire", tests=(f"{INSIDE}/test_wire.py",), modules=()),
    Scene(name="i2c", tests=(f"{INSIDE}/test_i2c.py",), modules=()),
    Scene(name="agent", tests=(f"{INSIDE}/test_agent.py",), seconds=1800.0),
    Scene(name="file", tests=(f"{INSIDE}/test_own_file.py",)),
    Scene(name="load", tests=(f"{INSIDE}/test_agent_load.py",), seconds=1800.0),
)
