"""The header's own rules."""

from device_agents.pins import board


def test_pins_that_carry_nothing_may_be_used() -> None:
    assert list(board.complaints([(pin, "lamp") for pin in (4, 5, 7, 17, 27)], ())) == []


def test_pins_that_carry_something_or_are_not_there_are_told() -> None:
    users = [(2, "lamp"), (14, "gate"), (0, "bell"), (28, "fan"), (-1, "pump")]
    told = list(board.complaints(users, ()))
    assert [line.split(";")[0] for line in told] == [
        "pin 2 (lamp) carries I²C data, and has a pull-up that nothing can switch off",
        "pin 14 (gate) carries the serial console's output, which moves while the Pi starts",
        "pin 0 (bell) carries the data line to a HAT's EEPROM",
        "there is no pin 28 (fan) on the header",
        "there is no pin -1 (pump) on the header",
    ]
    assert all("free_pins" in line for line in told[:3])


def test_pins_that_the_owner_calls_free_may_be_used() -> None:
    assert list(board.complaints([(2, "lamp"), (15, "gate"), (40, "fan")], {2, 15, 40})) == []
