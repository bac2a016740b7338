"""What an output has done before the agent started, pure: from its pins and from the ledger of the same boot."""

from device_agents.devices.output import Memory
from device_agents.limits import Past

Levels = tuple[int | None, ...]
"""What an earlier process left driven on each pin, None where a pin is not an output now."""


def past_of(memory: Memory | None, levels: Levels, now: float) -> Past:
    """What the output has done, as far as memory and pins agree; what is not known counts as having happened now."""
    driven = any(levels)
    if memory is None or memory.active != driven:
        return Past(active=driven, changed_at=now, rested_at=now)
    return Past(active=driven, changed_at=min(memory.changed_at, now), rested_at=min(memory.rested_at, now))
