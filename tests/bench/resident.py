"""What processes weigh and how long they take to start, from /proc."""

import os
import time
from pathlib import Path

from deploy.running.ready import Witness
from tests.demo import Demo
from tests.house import until


def megabytes(pid: int) -> tuple[float, float]:
    """Resident and proportional set size, in MB (10^6 bytes)."""
    figures = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in {"Rss", "Pss"}:
            figures[name] = int(rest.split()[0]) * 1024 / 1e6
    return figures["Rss"], figures["Pss"]


def born(pid: int) -> float:
    """When a process started, in seconds since 1970."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used, all its threads together."""
    # What clock_getcpuclockid(3) gives for another process: nanoseconds, where /proc counts in hundredths of a second.
    return time.clock_gettime(~pid << 3 | 2)


def gateway_start(demo: Demo) -> float:
    """Seconds from a fresh gateway's birth to its first answer, with the machine otherwise quiet."""
    pid = demo.reborn("gateway", demo.kill("gateway"))
    client = demo.client()

    def answers() -> bool:
        try:
            return client.call("GET", "/healthz").status == 200
        except OSError:
            return False

    until(answers, "the gateway answers")
    return time.time() - born(pid)


def agent_start(demo: Demo, room: str) -> float:
    """Seconds from a fresh agent's birth until the hub hears that it is online."""
    witness = Witness(demo.home, {room}, started=time.time())
    try:
        until(witness.connected, "the witness listens")
        pid = demo.reborn(f"agent-{room}", demo.kill(f"agent-{room}"))
        until(lambda: not witness.listen(0.1), "the agent is online")
    finally:
        witness.close()
    return time.time() - born(pid)
