"""Which drawing of static/icons.svg stands for a device at rest, pure; what it looks like just now may have another."""

from typing import Final

from shared.words.looks import Icon
from shared.words.names import Kind

_LAMPS: Final = ("lamp", "light", "bulb")
_OF_KIND: Final = {
    Kind.SWITCH: Icon.POWER,
    Kind.DIMMER: Icon.LAMP,
    Kind.LOCK: Icon.LOCK,
    Kind.COVER: Icon.BLIND,
    Kind.PULSE: Icon.GATE,
    Kind.CONTACT: Icon.DOOR,
    Kind.MOTION: Icon.MOTION,
    Kind.BUTTON: Icon.BELL,
    Kind.TEMPERATURE: Icon.THERMOMETER,
    Kind.HUMIDITY: Icon.DROP,
}


def usual(kind: Kind, device: str) -> Icon:
    """Of a device to which the master user gave none; a switch whose id says that it is a lamp has a lamp's."""
    if kind is Kind.SWITCH and any(lamp in device for lamp in _LAMPS):
        return Icon.LAMP
    return _OF_KIND[kind]
