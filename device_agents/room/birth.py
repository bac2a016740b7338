"""How an output begins: from what its pins still drive and what the ledger remembers of the same boot of the board."""

from device_agents.devices.output import Birth, Last, Memory
from device_agents.room.device import Device
from device_agents.room.hands import Hands
from device_agents.room.limits import Past
from shared.words.messages import State

Levels = tuple[int | None, ...]
"""What an earlier process left driven on each pin, None where a pin is not an output now."""


def past_of(memory: Memory | None, levels: Levels, now: float) -> Past:
    """What the output has done, as far as memory and pins agree; what is not known counts as having happened now."""
    driven = any(levels)
    if memory is None or memory.active != driven:
        return Past(active=driven, changed_at=now, rested_at=now)
    return Past(active=driven, changed_at=min(memory.changed_at, now), rested_at=min(memory.rested_at, now))


def begin(
    device: Device, hands: Hands, stood: State | None, memory: Memory | None, now: float, *, interrupted: bool
) -> None:
    """Take the output's pins, without a click where nothing is to change. Raises HomeError("pin-failed").

    `stood` is its last state; `interrupted`: a command on it was begun and not finished.
    """
    assert device.output is not None
    levels = hands.driven(device.output.pins)
    # All members of an interlock group are off for a full dead time first, whatever is remembered.
    trusted = None if interrupted or device.config.interlock is not None else memory
    device.past = past_of(trusted, levels, now)
    birth = Birth(
        policy=device.config.boot,
        levels=levels,
        last=None if stood is None else Last(stood.value, memory),
        interrupted=interrupted,
        ready_at=device.limits.ready_at(device.past),
    )
    step = device.output.boot(birth, now)
    if device.is_locked_out and step.is_active and not device.past.active:
        step = device.output.rest(step.standing, now)
    changed = any((level or 0) != write.level for level, write in zip(levels, step.writes, strict=True))
    hands.claim(device, step, now)
    if device.fault is None:
        device.past = Past(
            active=step.is_active,
            changed_at=now if changed else device.past.changed_at,
            rested_at=now if any(levels) else device.past.rested_at,
        )
