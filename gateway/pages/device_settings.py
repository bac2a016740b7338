"""The settings of a device that its form has, pure: which its kind knows, what they are called, what may be chosen.

`usual` are those that most people look for; the form keeps the others folded. docs/rooms.md says what each does; a
device that must not be reached from a page at all (`lockout`) has no field here.
"""

from typing import Final, NamedTuple

from shared.words.languages import later
from shared.words.names import ACTIONS, SAFE_ACTIONS, STAMPED_KINDS, Action, Kind

KINDS: Final = {
    Kind.SWITCH: later("Switch: on and off"),
    Kind.DIMMER: later("Dimmer: as bright as you like"),
    Kind.LOCK: later("Lock: of a door"),
    Kind.COVER: later("Cover: a blind, a gate"),
    Kind.PULSE: later("Pulse: a short press"),
    Kind.CONTACT: later("Contact (door, window)"),
    Kind.MOTION: later("Motion sensor"),
    Kind.BUTTON: later("Button on the wall"),
    Kind.TEMPERATURE: later("Thermometer"),
    Kind.HUMIDITY: later("Hygrometer"),
}
LABELS: Final = {
    "max_on": later("On for so many seconds at the most"),
    "min_off": later("Off for so many seconds at least"),
    "min_interval": later("So many seconds from one change to the next"),
    "interlock": later("Group of which one at most is on"),
    "dead_time": later("Seconds of rest before another of its group, or the other way"),
    "relock_after": later("Locks by itself after so many seconds"),
    "contact": later("Contact that says whether its door is closed"),
    "travel_time": later("Seconds from shut to open"),
    "pulse_ms": later("Milliseconds of a press"),
    "hold": later("Seconds of quiet until it is clear"),
    "source": later("Read by"),
    "address": later("Its address"),
    "boot": later("When its room starts"),
    "on_link_loss": later("When its room hears nothing of the hub"),
    "link_loss_after": later("After so many seconds without the hub (16 at least)"),
    "frequency": later("Hertz at which it is dimmed"),
    "pull": later("What its wire rests on"),
    "debounce_ms": later("Milliseconds for which it has to hold still"),
    "double_ms": later("Milliseconds in which a second press makes it a double one"),
    "long_ms": later("Milliseconds from which a press is a long one"),
    "every": later("Seconds from one reading to the next"),
    "report_change": later("A change by so much is told"),
}
"""What is typed or chosen of a device beside its name and pins."""
SECONDS: Final = frozenset(
    {
        *("max_on", "min_off", "min_interval", "relock_after", "travel_time", "dead_time", "hold"),
        *("link_loss_after", "every", "report_change"),
    }
)
"""Numbers that may have a fraction; but for `report_change` they are seconds."""
WHOLE: Final = frozenset({"pulse_ms", "frequency", "debounce_ms", "double_ms", "long_ms"})
HAPPENINGS: Final = {
    "press": later("A press"),
    "double": later("A double press"),
    "long": later("A long press"),
}
"""What a button tells, for which its room does something by itself."""
TOGGLE: Final = "toggle"

_STARTS: Final = (("off", later("Off")), ("on", later("On")), ("restore", later("As it was")))
_STAYS: Final = ("hold", later("Stays as it is"))
_CHOICES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "boot": _STARTS,
    "on_link_loss": (_STAYS, ("off", later("Goes off")), ("on", later("Goes on"))),
    "pull": (("up", later("High (pull-up)")), ("down", later("Low (pull-down)")), ("none", later("Nothing"))),
}
_OF_A_LOCK: Final = (_STAYS, ("locked", later("Locks")), ("unlocked", later("Unlocks")))
_EXCLUSIVE: Final = ("max_on", "min_off", "min_interval", "interlock", "dead_time")
_LINK: Final = ("on_link_loss", "link_loss_after")
_WIRE: Final = ("pull", "debounce_ms")


class Layout(NamedTuple):
    """The form of one kind of device: the names of its fields, in the order in which they stand.

    `pins` is empty for what is no wire of the board's. `safe` are the actions that the form may call safe: an extractor
    fan's on, never a lock's unlock or a gate's press. `happenings` are a button's.
    """

    kind: Kind
    pins: tuple[str, ...]
    ticks: tuple[str, ...]
    usual: tuple[str, ...]
    further: tuple[str, ...]
    further_ticks: tuple[str, ...] = ()
    safe: tuple[Action, ...] = ()
    happenings: tuple[str, ...] = ()

    @property
    def open_fields(self) -> frozenset[str]:
        """What may be seen without unfolding anything."""
        binds = [f"bind_{happening}" for happening in self.happenings]
        return frozenset(("name", *self.pins, *self.ticks, *self.usual, *binds, *(f"{bind}_value" for bind in binds)))

    @property
    def folded_fields(self) -> frozenset[str]:
        """What is folded; `safe_actions` stands for its ticks, where all of them are complained of."""
        safe = ("safe_actions", *(f"safe_{action}" for action in self.safe)) if self.safe else ()
        return frozenset((*self.further, *self.further_ticks, *safe))

    def choices(self, name: str) -> tuple[tuple[str, str], ...]:
        """What a setting may be, in the file and in words; empty where it is typed."""
        if self.kind is Kind.LOCK and name == "on_link_loss":
            return _OF_A_LOCK
        return _CHOICES.get(name, ())


def _output(kind: Kind, usual: tuple[str, ...], further: tuple[str, ...]) -> Layout:
    careful = kind in (Kind.LOCK, Kind.PULSE)
    return Layout(
        kind,
        pins=("pin_open", "pin_close") if kind is Kind.COVER else ("pin",),
        ticks=("active_low", "critical", "confirm"),
        usual=usual,
        further=further,
        further_ticks=() if kind in STAMPED_KINDS else ("stamped",),
        safe=() if careful else tuple(action for action in ACTIONS[kind] if action not in SAFE_ACTIONS[kind]),
    )


def _input(kind: Kind, usual: tuple[str, ...] = (), further: tuple[str, ...] = ()) -> Layout:
    happenings = tuple(HAPPENINGS) if kind is Kind.BUTTON else ()
    return Layout(kind, ("pin",), ("active_low", "critical"), usual, (*_WIRE, *further), happenings=happenings)


def _sensor(kind: Kind) -> Layout:
    return Layout(kind, (), ("critical",), ("source", "address"), ("every", "report_change"))


LAYOUTS: Final = {
    layout.kind: layout
    for layout in (
        _output(Kind.SWITCH, _EXCLUSIVE, ("boot", *_LINK)),
        _output(Kind.DIMMER, _EXCLUSIVE, ("boot", *_LINK, "frequency")),
        _output(Kind.LOCK, ("relock_after", "contact", "min_interval"), _LINK),
        _output(Kind.COVER, ("travel_time", "interlock", "dead_time"), ("min_interval",)),
        _output(Kind.PULSE, ("pulse_ms", "travel_time", "interlock", "dead_time"), ("min_interval",)),
        _input(Kind.CONTACT),
        _input(Kind.MOTION, ("hold",)),
        _input(Kind.BUTTON, further=("double_ms", "long_ms")),
        _sensor(Kind.TEMPERATURE),
        _sensor(Kind.HUMIDITY),
    )
}


def bindable(kind: Kind) -> tuple[str, ...]:
    """What a button may do to such an output; empty for what is none."""
    actions = tuple(action.value for action in ACTIONS.get(kind, ()))
    return (*actions, TOGGLE) if kind in (Kind.SWITCH, Kind.DIMMER) else actions
