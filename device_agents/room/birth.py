"""How an output begins: from what its pins still drive and what the ledger remembers of the same boot of the board.

A line that its kernel let go reads what its resistor makes of it, and may still be called an output; one that the
firmware switched on before us is an output, too. So a level is ours only where the ledger says the same.
"""

from device_agents.devices.output import Birth, Last, Memory
from device_agents.room.device import Device
from device_agents.room.hands import Hands
from device_agents.room.limits import Past
from shared.words.messages import State

Levels = tuple[int | None, ...]
"""What each pin reads that is an output still, None where a pin is none now."""


def past_of(memory: Memory | None, levels: Levels, now: float) -> Past:
    """What the output has done, as far as memory and pins agree; what is not known counts as having happened now."""
    driven = any(levels)
    if memory is None or memory.active != driven:
        return Past(active=driven, changed_at=now, rested_at=now)
    return Past(active=driven, changed_at=min(memory.changed_at, now), rested_at=min(memory.rested_at, now))


def is_ours(memory: Memory | None, levels: Levels, *, interrupted: bool, doubted: bool) -> bool:
    """Whether an earlier process of this boot left these levels; `memory` is the ledger's, None of another boot.

    Half-way through a command they may differ from the ledger. A ledger that is `doubted` contradicts nobody.
    """
    if doubted:
        return True
    return memory is not None and (interrupted or memory.active == any(levels))


def begin(
    device: Device,
    hands: Hands,
    stood: State | None,
    memory: Memory | None,
    now: float,
    *,
    interrupted: bool,
    doubted: bool = False,
) -> None:
    """Take the output's pins, without a click where nothing is to change. Raises HomeError("pin-failed").

    `stood` is its last state; `interrupted`: a command on it was begun and not finished; `doubted`: the ledger lacks
    something, so that nobody knows what was begun.
    """
    assert device.output is not None
    levels = hands.driven(device.output.pins)
    interrupted = interrupted or doubted
    # All members of an interlock group are off for a full dead time first, whatever is remembered.
    trusted = None if interrupted or device.config.interlock is not None else memory
    device.past = past_of(trusted, levels, now)
    birth = Birth(
        policy=device.config.boot,
        levels=levels,
        last=None if stood is None else Last(stood.value, memory),
        interrupted=interrupted,
        ready_at=device.limits.ready_at(device.past),
        ours=is_ours(memory, levels, interrupted=interrupted, doubted=doubted),
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
