"""A sensor: which readings are news, and when it counts as failing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.devices.sensor import Gauge, Sensor

EVERY = 30.0
CHANGE = 0.2


def thermometer(change: float = CHANGE) -> Sensor:
    return Sensor(every=EVERY, change=change, lowest=-55.0, highest=125.0)


def play(sensor: Sensor, readings: list[float | None]) -> list[float | None]:
    """What is shown after each reading, one every 30 s."""
    gauge, now, shown = sensor.start(0.0), 0.0, []
    for reading in readings:
        gauge = sensor.read(sensor.tick(gauge, now), reading, now)
        shown.append(gauge.value)
        now += EVERY
    return shown


def test_nothing_is_shown_and_nothing_is_wrong_before_the_first_reading() -> None:
    gauge = thermometer().start(1000.0)
    assert (gauge.value, gauge.fault, gauge.deadline) == (None, False, 1090.0)


@pytest.mark.parametrize(
    ("readings", "shown"),
    [
        ([21.0, 21.1, 21.2, 21.3], [21.0, 21.0, 21.2, 21.2]),
        ([21.0, 20.81, 20.79, 20.6], [21.0, 20.8, 20.8, 20.6]),
        ([21.04, 21.06, 21.14], [21.0, 21.0, 21.0]),
        ([0.1, 0.3, 0.0999], [0.1, 0.3, 0.1]),
        ([-0.04], [0.0]),
        ([23.125, 23.187], [23.1, 23.1]),
    ],
)
def test_a_reading_is_news_once_it_differs_enough(readings: list[float | None], shown: list[float]) -> None:
    assert play(thermometer(), readings) == shown


def test_zero_has_no_sign() -> None:
    (shown,) = play(thermometer(), [-0.04])
    assert shown is not None
    assert math.copysign(1, shown) == 1


def test_two_failures_are_forgiven_and_three_are_a_fault_until_the_next_good_reading() -> None:
    assert play(thermometer(), [21.0, None, None, 21.0]) == [21.0, 21.0, 21.0, 21.0]
    sensor, gauge = thermometer(), thermometer().start(0.0)
    for reading in (None, None, None):
        gauge = sensor.read(gauge, reading, 1.0)
    assert (gauge.value, gauge.fault, gauge.deadline) == (None, True, None)
    gauge = sensor.read(gauge, None, 2.0)
    assert gauge.fault
    gauge = sensor.read(gauge, 21.0, 3.0)
    assert (gauge.value, gauge.fault, gauge.failures) == (21.0, False, 0)


@pytest.mark.parametrize("value", [-127.0, -55.1, 125.1, math.nan, math.inf])
def test_what_the_sensor_cannot_measure_is_a_failure(value: float) -> None:
    assert play(thermometer(), [21.0, value, value, value]) == [21.0, 21.0, 21.0, None]


@pytest.mark.parametrize("value", [-55.0, 125.0])
def test_what_it_can_just_measure_is_shown(value: float) -> None:
    assert play(thermometer(), [value]) == [value]


def test_silence_is_a_fault_after_three_intervals() -> None:
    sensor = thermometer()
    gauge = sensor.read(sensor.start(0.0), 21.0, 100.0)
    assert sensor.tick(gauge, 189.9).value == 21.0
    silent = sensor.tick(gauge, 190.0)
    assert (silent.value, silent.fault, silent.deadline) == (None, True, None)
    assert sensor.tick(silent, 500.0) == silent


def test_failed_readings_do_not_put_the_silence_off() -> None:
    sensor = thermometer()
    gauge = sensor.read(sensor.start(0.0), 21.0, 0.0)
    gauge = sensor.read(gauge, None, 89.0)
    assert gauge.deadline == 90.0


STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 200.0),
        st.one_of(st.none(), st.floats(-60.0, 130.0), st.floats(20.0, 22.0), st.just(math.nan)),
    ),
    max_size=60,
)


@given(STEPS, st.floats(0.1, 5.0))
def test_what_is_shown_is_a_recent_reading_and_a_failing_sensor_shows_nothing(
    steps: list[tuple[float, float | None]], change: float
) -> None:
    sensor = thermometer(change)
    gauge, now = sensor.start(0.0), 0.0
    good: list[float] = []
    last_good, failures = 0.0, 0
    for pause, reading in steps:
        now += pause
        gauge = sensor.tick(gauge, now)
        check(gauge, good, change, failing=failures >= 3 or now - last_good >= 3 * EVERY)
        gauge = sensor.read(gauge, reading, now)
        if reading is not None and -55.0 <= reading <= 125.0:
            good.append(round(reading, 1))
            last_good, failures = now, 0
        else:
            failures += 1
        check(gauge, good, change, failing=failures >= 3 or now - last_good >= 3 * EVERY)


def check(gauge: Gauge, good: list[float], change: float, *, failing: bool) -> None:
    if gauge.fault:
        assert gauge.value is None
    if failing:
        assert gauge.fault
    elif good:
        # No fault lasts past a good reading, so that what is shown came after the last fault.
        assert not gauge.fault
        assert gauge.value in good
        assert gauge.value is not None
        assert abs(gauge.value - good[-1]) < change
