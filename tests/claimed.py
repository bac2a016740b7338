"""What tests take of this machine, ports and small networks: each is one process's, however many run side by side."""

import random
import socket

PORTS = range(20000, 32000)
"""Below those that the kernel gives to outgoing connections, which might take one before its service does."""
BLOCK = 100
"""How many ports a process claims at once: a claim costs it a file descriptor."""
NETWORKS = 250
_ours: list[int] = []


def free_port() -> int:
    """A port that nobody listens on just now, and that no test of this machine was given or will be while we run."""
    while True:
        while _ours:
            port = _ours.pop()
            if _can_be_bound(port):
                return port
        start = PORTS.start + BLOCK * claim("ports", len(PORTS) // BLOCK)
        _ours.extend(random.SystemRandom().sample(range(start, start + BLOCK), BLOCK))


def network() -> str:
    """The first three numbers of a network of 256 addresses that is ours until this process ends, as `10.213.7`."""
    return f"10.213.{claim('network', NETWORKS)}"


def claim(kind: str, count: int) -> int:
    """One of `count` numbers of a kind that no other process has, and this one did not have before."""
    for number in random.SystemRandom().sample(range(count), count):
        # A name without a file (unix(7)): it is given back by the process's end, whatever that is, and there is one of
        # a kind per network namespace, as there is of each port.
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0home-tests-{kind}-{number}")
        except OSError:
            mark.close()
            continue
        mark.detach()
        return number
    raise AssertionError(f"all {count} {kind} of this machine are taken by tests that run")


def _can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
