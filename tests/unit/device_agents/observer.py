"""Someone who stands beside the relays with a watch: sees every edge, knows the rules, and trusts no state.

Time here is true time in seconds: it goes on through crashes and boots of the board.
"""

from typing import NamedTuple

ENOUGH = 1e-6


class Rule(NamedTuple):
    """What must hold for one output pin. Times in seconds; `group` names its interlock."""

    pin: int
    max_on: float | None = None
    min_off: float = 0.0
    group: str = ""
    dead_time: float = 0.0
    apart: float = 0.0
    """From one switching on to the next, as a pulse's travel time asks."""


class RuleBrokenError(AssertionError):
    """A rule was broken."""


class Observer:
    """Told of every edge; `lenient` pins are at fault just now, and nobody can switch them off."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = {rule.pin: rule for rule in rules}
        self.levels = dict.fromkeys(self._rules, 0)
        self.on_since: dict[int, float] = {}
        self.off_since: dict[int, float] = {}
        self.started = 0.0
        self.lenient: set[int] = set()
        self.forbidden: set[int] = set()
        """Locked out: never switched on."""
        self.edges = 0
        self._last_on: dict[int, float] = {}

    def edge(self, pin: int, level: int, now: float) -> None:
        """A pin changed. Raises RuleBrokenError."""
        self.edges += 1
        was, self.levels[pin] = self.levels[pin], level
        if bool(level) == bool(was):
            return  # one brightness to another
        if level:
            self._switched_on(self._rules[pin], now)
        else:
            self.off_since[pin] = now
            self._check_on(self._rules[pin], now)
            del self.on_since[pin]

    def check(self, now: float) -> None:
        """At any moment: nothing is on for longer than it may. Raises RuleBrokenError."""
        for pin in self.on_since:
            self._check_on(self._rules[pin], now)

    def fixed(self, pin: int, now: float) -> None:
        """A fault is over: what it is allowed counts from here."""
        self.lenient.discard(pin)
        if pin in self.on_since:
            self.on_since[pin] = now

    def _switched_on(self, rule: Rule, now: float) -> None:
        self.on_since[rule.pin] = now
        self._hold(rule.pin not in self.forbidden, f"pin {rule.pin} was switched on though it is locked out")
        rested = now - self.off_since.get(rule.pin, -1e9)
        self._hold(rested >= rule.min_off - ENOUGH, f"pin {rule.pin} was off for {rested} s only")
        apart = now - self._last_on.get(rule.pin, -1e9)
        self._hold(apart >= rule.apart - ENOUGH, f"pin {rule.pin} was switched on again after {apart} s")
        self._last_on[rule.pin] = now
        if not rule.group:
            return
        since_start = now - self.started
        self._hold(since_start >= rule.dead_time - ENOUGH, f"pin {rule.pin} was on {since_start} s after a start")
        for other in self._rules.values():
            if other.group == rule.group and other.pin != rule.pin:
                self._hold(not self.levels[other.pin], f"pins {rule.pin} and {other.pin} are on together")
                dead = now - self.off_since.get(other.pin, -1e9)
                self._hold(dead >= rule.dead_time - ENOUGH, f"pin {rule.pin} was on {dead} s after pin {other.pin}")

    def _check_on(self, rule: Rule, now: float) -> None:
        if rule.max_on is not None and rule.pin not in self.lenient:
            on_for = now - self.on_since[rule.pin]
            self._hold(on_for <= rule.max_on + ENOUGH, f"pin {rule.pin} was on for {on_for} s")

    @staticmethod
    def _hold(holds: bool, what: str) -> None:
        if not holds:
            raise RuleBrokenError(what)
