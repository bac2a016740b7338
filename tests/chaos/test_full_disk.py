"""A full disk under the gateway's spool: critical actions are refused, ordinary and safe ones go on, and it heals."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import LIMITS
from tests.demo import Demo
from tests.house import until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 1 MiB, where one may be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_proof_no_critical_action_until_there_is_space_again(small_disk: Path, tmp_path: Path) -> None:
    demo = Demo(tmp_path / "var")
    assert demo.command("init", "--demo").returncode == 0
    demo.lift_limits(*LIMITS)
    config = demo.var / "gateway.toml"
    text = config.read_text()
    spool = f'spool = "{demo.var}/data/gateway-spool.sqlite3"'
    assert spool in text
    config.write_text(text.replace(spool, f'spool = "{small_disk}/gateway-spool.sqlite3"'))
    demo.start()
    try:
        member = demo.client("member")
        assert member.act("hall/front-door", "unlock", confirm=True).status == 200
        assert member.act("hall/front-door", "lock").status == 200
        edges = demo.edges("hall", "front-door")
        filler = small_disk / "filler"
        _fill(filler)
        refused = member.act("hall/front-door", "unlock", confirm=True)
        assert refused.status == 503
        assert refused.body["type"].endswith("no-proof")
        assert demo.edges("hall", "front-door") == edges
        assert member.act("hall/lamp", "on").status == 200, "ordinary commands go on"
        assert member.act("hall/front-door", "lock").status == 200, "safe ones too"
        filler.unlink()
        until(lambda: member.act("hall/front-door", "unlock", confirm=True).status == 200, "it heals by itself")
    finally:
        demo.stop()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue  # this size fits no more
