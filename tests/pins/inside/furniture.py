"""What the room has that is tried whole: a device of each kind, and the resistors that docs/wiring.md wants."""

LAMP, HEATER, GATE, OPENING, CLOSING, INFLOW, OUTFLOW, BOLT = 17, 27, 5, 6, 16, 20, 21, 25
DIMMER, DOOR, BELL, STIR = 26, 22, 23, 24
PINS = {
    "lamp": LAMP,
    "heater": HEATER,
    "gate": GATE,
    "opening": OPENING,
    "closing": CLOSING,
    "inflow": INFLOW,
    "outflow": OUTFLOW,
    "bolt": BOLT,
}
RESTS = {pin: int(pin == LAMP) for pin in PINS.values()}
"""Each output's resistor, to the level at which its relay is released, as docs/wiring.md wants it."""
MAX_ON, PULSE, TRAVEL, RELOCK = 6.0, 0.3, 2.0, 2.0

DEVICES = f"""
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = {LAMP}
active_low = true
boot = "restore"

[[devices]]
id = "heater"
name = "Heater"
kind = "switch"
pin = {HEATER}
max_on = {MAX_ON}

[[devices]]
id = "gate"
name = "Gate"
kind = "pulse"
pin = {GATE}
pulse_ms = {PULSE * 1000:.0f}

[[devices]]
id = "blind"
name = "Blind"
kind = "cover"
pins = [{OPENING}, {CLOSING}]
travel_time = {TRAVEL}

[[devices]]
id = "inflow"
name = "Inflow"
kind = "switch"
pin = {INFLOW}
interlock = "water"

[[devices]]
id = "outflow"
name = "Outflow"
kind = "switch"
pin = {OUTFLOW}
interlock = "water"

[[devices]]
id = "bolt"
name = "Bolt"
kind = "lock"
pin = {BOLT}
relock_after = {RELOCK}

[[devices]]
id = "door"
name = "Door"
kind = "contact"
pin = {DOOR}
debounce_ms = DEBOUNCE

[[devices]]
id = "bell"
name = "Button"
kind = "button"
pin = {BELL}
debounce_ms = DEBOUNCE
double_ms = 0
long_ms = 10000
binds.press = {{ device = "lamp", action = "toggle" }}

[[devices]]
id = "stir"
name = "Motion"
kind = "motion"
pin = {STIR}
debounce_ms = DEBOUNCE
hold = 0
"""
DIMMED = f"""
[[devices]]
id = "ceiling"
name = "Ceiling"
kind = "dimmer"
pin = {DIMMER}
"""
