"""How long to wait before trying again: doubling, with full jitter, so that a house does not knock all at once."""

import random


def delay(attempt: int, *, first: float = 0.1, most: float = 5.0) -> float:
    """Seconds before attempt `attempt` (0 is the first retry): between half and all of the doubled wait."""
    top = min(most, first * 2.0 ** min(attempt, 30))
    return top * (0.5 + random.random() / 2)  # noqa: S311 - jitter, not a secret
