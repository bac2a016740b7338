"""Tests that run side by side: none is given what another has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import claimed

ROOT = Path(__file__).resolve().parents[2]
KIND = f"trial-of-{os.getpid()}"


def claims_elsewhere(count: int, among: int) -> set[int]:
    """What another process is given, which has ended by now."""
    program = f"from tests import claimed\nprint(*[claimed.claim({KIND!r}, {among}) for _ in range({count})])"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(map(int, told.stdout.split()))


def test_a_process_is_given_what_no_other_has_until_that_has_ended() -> None:
    ours = {claimed.claim(KIND, 12) for _ in range(5)}
    assert len(ours) == 5
    for _ in range(2):
        assert claims_elsewhere(7, 12) == set(range(12)) - ours
    for _ in range(7):
        claimed.claim(KIND, 12)
    with pytest.raises(AssertionError, match=f"all 12 {KIND}"):
        claimed.claim(KIND, 12)


def test_no_port_is_given_twice() -> None:
    many = claimed.BLOCK + 20
    ports = {claimed.free_port() for _ in range(many)}
    assert len(ports) == many
    assert ports <= set(claimed.PORTS)


def test_each_network_is_another() -> None:
    assert claimed.network() != claimed.network()
