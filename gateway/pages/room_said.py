"""What a room says of its own file, in the page's language, pure.

A room complains in English, as in its own log and in the API: it may be older or newer than the hub. The sentences
that are known here are said in the reader's language; what is not known stays as the room said it.
"""

import re
from typing import Final

from gateway.pages.recognizing import Sentences
from shared.words.languages import later

_KNOWN: Final = Sentences(
    (
        # of one device
        later("{id} is no id; use small letters, digits and dashes, such as front-door"),
        later("{id} is there {count} times; every device needs an id of its own"),
        later("a {kind} has no such setting; it has {settings}"),
        later("there is no such setting"),
        later("there is no such setting; did you mean {name}?"),
        later("is missing; give the number of its pin, or its name"),
        later("is missing; give the opening relay's pin and the closing one's, such as [5, 6]"),
        later("is missing; measure how many seconds it takes from shut to open"),
        later("is missing; it may be {choices}"),
        later("is missing; give {what}"),
        later("a {kind} cannot start {how}; it may be {choices}"),
        later('"on" would lengthen max_on with every start; set boot = "off" or "restore"'),
        later("a {kind} cannot do {what}; it may be {choices}"),
        later('does nothing with on_link_loss = "hold"; say what it is to do, or leave it out'),
        later("a {kind} has no action {action}; it has {actions}"),
        later("{action} would pass min_off by; leave one of them out"),
        later("belongs to an interlock; name its group"),
        later("says when it may lock by itself; set relock_after too"),
        later("goes with set, and only with it"),
        later("is {value}; a whole number from 0 to {most} would be right"),
        later("a button tells press, double and long; name one of them"),
        later("Expected {wanted}, got {got}"),
        later("Expected {wanted} {bound}"),
        later("Invalid enum value {value}; it may be {choices}"),
        later("Object missing required field {name}"),
        # of several
        later("there are {count}; a room has {most} at the most"),
        later("pin {pin} is used by {devices}; every device needs pins of its own"),
        later("{group} has no other member; name the same group at another output"),
        later('every member of an interlock starts off; set boot = "off"'),
        later("two members of {group} cannot both be on; leave one of them off"),
        later("{name} is no contact of this room; name the one at its door"),
        later("{name} is no output of this room; name one"),
        # of the board
        later("there is no pin {pin} ({device}) on the header; GPIO17 would be BCM number 17"),
        later("there is no pin {pin} ({device}) on the header; BCM numbers go from 0 to {last}"),
        later("there is no pin {pin} ({device}) on this board; use another pin"),
        later("there is no line {pin} ({device}); the chip has 0 to {last}"),
        later("no line is called {name} ({device}); {near}"),
        later("lines {lines} are all called {name} ({device}); use the number"),
        later(
            "pin {pin} ({device}) carries {what}; use another pin, or list it in free_pins where nothing else needs it"
        ),
        later("pin {pin} ({device}) carries {what}; use another pin, or switch that off in raspi-config or config.txt"),
        later('pin {pin} ({device}): a dimmer needs PWM, which gpiod does not have; use a switch, or set pins = "rpi"'),
        later("line {pin} ({device}) is {by}; use another pin, or end that (gpioinfo shows all)"),
        later(
            "line {pin} ({device}): its name, or that of its user, is no UTF-8, so whether it is free cannot be told; "
            "use another pin, or end what uses it (gpioinfo shows all)"
        ),
        later("this is {chip}, which works inside the board; {what}"),
        # of sensors
        later("a {source} measures no {kind}; it may be {choices}"),
        later("{address} is none of a {source}; give {what}"),
        later("{device} needs an address, as there are {count} ds18b20: {devices}"),
        later("the {kind} of {address} is read by {devices}; one device is enough"),
        # of the file, and of what became of it
        later("It is locked out in the file. Only a hand on the room's own machine changes this, in its file."),
        later(
            "A path on the room's machine is nothing for a page. "
            "Only a hand on the room's own machine changes this, in its file."
        ),
        later("It has more devices than fit into one message. Only a hand on the room's own machine changes it."),
        later(
            "The room's file is another one by now: somebody changed it meanwhile. Look at it anew, and set it again."
        ),
        later("The room is just trying another change. Wait for a minute, and set it again."),
        later("The room cannot write its file ({reason}). Nothing was changed."),
        later("The room did not come back within {seconds} seconds."),
        later("The room could not start by it."),
        later("The room ended while it tried this, or lost its power."),
        later("The room's file was changed by hand while this was tried. It goes by what was written by hand."),
        later("Its devices stand in a form that only a hand can change."),
        later("The file has no devices as this program knows them."),
        later("The file is no TOML: {reason}."),
        later("{value} cannot stand in a file."),
    )
)
_CHIP: Final = re.compile(r"(/dev/[\w-]+): (.+)", re.DOTALL)


def told(text: str) -> str:
    """A room's sentence in the page's language, where it is one of those that are known."""
    if (of_chip := _CHIP.fullmatch(text)) is not None:
        return f"{of_chip[1]}: {told(of_chip[2])}"
    return _KNOWN.said(text) or text
