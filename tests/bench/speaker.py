"""A room that says one state after the other, each with the moment in which it left.

`python -m tests.bench.speaker VAR PORT ROOM DEVICE COUNT PAUSE` prints `up`, waits for a line on its standard input,
speaks, and ends. The moment is CLOCK_MONOTONIC in nanoseconds, which every process of the machine shares; it stands
where a command's id stands, so that it goes the whole way.
"""

import itertools
import sys
import time
from pathlib import Path

from shared.words.messages import By, State, utc
from tests.bench.voices import Voice, speak

STAMP = "bench-"


def main(var: Path, port: int, room: str, device: str, count: int, pause: float) -> None:
    """Come up as the room, in the place of its agent, which must not run."""
    voice = Voice(var / "pki", port, room)
    voice.beat(time.monotonic())
    for _ in speak([voice]):
        if not voice.unacknowledged:
            break
    print("up", flush=True)
    sys.stdin.readline()
    values = itertools.cycle(("on", "off"))
    for _ in range(count):
        stamp = By(source="command", issuer="gateway", command_id=f"{STAMP}{time.monotonic_ns()}")
        voice.tell(device, State(value=next(values), since=utc(time.time()), by=stamp))
        for _ in speak([voice], pause):
            pass
    voice.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]), float(sys.argv[6]))
