"""A sensor that measures: which of its readings are news, and when it counts as failing. Pure, like every device."""

from typing import Literal

import msgspec

from shared.words.names import Kind

Source = Literal["ds18b20", "iio", "bme280"]

FAILURES = 3
"""So many failed readings in a row, or so many intervals without a good one, are a fault."""
RESOLUTION = 0.1
"""Finer than any of these sensors is accurate."""
UNITS = {Kind.TEMPERATURE: "°C", Kind.HUMIDITY: "%"}
RANGES: dict[tuple[Source, Kind], tuple[float, float]] = {
    ("ds18b20", Kind.TEMPERATURE): (-55.0, 125.0),
    ("iio", Kind.TEMPERATURE): (-55.0, 125.0),
    ("iio", Kind.HUMIDITY): (0.0, 100.0),
    ("bme280", Kind.TEMPERATURE): (-40.0, 85.0),
    ("bme280", Kind.HUMIDITY): (0.0, 100.0),
}
"""What each source can measure at all (data sheets; for iio the widest of the usual ones)."""
_ROUNDING = 1e-6


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sensor stands. `value` is what is reported: None before the first reading and during a fault.

    Unless a good reading comes before `deadline` (monotonic seconds), the sensor counts as failing.
    """

    value: float | None = None
    fault: bool = False
    failures: int = 0
    deadline: float | None = None


class Sensor:
    """A reading is news once it differs from the reported value by `change`; see `Gauge`.

    A reading outside `lowest` to `highest` is none. A value is never shown for longer than three times `every`
    seconds without another good reading.
    """

    def __init__(self, *, every: float, change: float, lowest: float, highest: float) -> None:
        self._patience = FAILURES * every
        self._change = change
        self._lowest = lowest
        self._highest = highest

    def start(self, now: float) -> Gauge:
        """Nothing has been read yet, and nothing is wrong yet."""
        return Gauge(deadline=now + self._patience)

    def read(self, gauge: Gauge, value: float | None, now: float) -> Gauge:
        """A reading came, or (None) failed."""
        if value is None or not self.is_plausible(value):
            failures = gauge.failures + 1
            if gauge.fault or failures >= FAILURES:
                return Gauge(fault=True, failures=failures)
            return msgspec.structs.replace(gauge, failures=failures)
        rounded = round(value, 1) + 0.0  # no "-0.0"
        if gauge.value is not None and abs(rounded - gauge.value) < self._change - _ROUNDING:
            rounded = gauge.value
        return Gauge(value=rounded, deadline=now + self._patience)

    def is_plausible(self, value: float) -> bool:
        """Whether the sensor can measure such a value at all."""
        return self._lowest <= value <= self._highest

    def tick(self, gauge: Gauge, now: float) -> Gauge:
        """The deadline may have come: silence is a fault as well."""
        if gauge.deadline is None or now < gauge.deadline:
            return gauge
        return Gauge(fault=True, failures=gauge.failures)
