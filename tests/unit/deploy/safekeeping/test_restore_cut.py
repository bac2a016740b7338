"""A power cut at any write of a restore: done again, the home is there, settled, and nothing half lies about."""

import asyncio
import datetime as dt
import shutil
from pathlib import Path

import pytest

from deploy.archives import backup, present, sealing
from deploy.archives.plan import Plan
from deploy.running import demo
from deploy.safekeeping import opening, restore, settling
from tests import killed
from tests.unit.deploy.safekeeping.test_settling import refused

NOW = dt.datetime.now(dt.UTC)
KEY = sealing.new_key()
CUTS = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home, its sealed backup, and the key of that."""
    folder = tmp_path_factory.mktemp("cut")
    asyncio.run(demo.create(folder / "home"))
    backup.write(folder / "home", folder / "b.age", NOW, KEY.recipient)
    (folder / "key").write_bytes(KEY.written())
    return folder


def bring_back(made: Path) -> None:
    """As the command does it: opened, unpacked, settled, put in its place."""
    var, now = made / "home", dt.datetime.now(dt.UTC)

    def settle(work: dict[str, Path], label: backup.Label) -> settling.Settled:
        return settling.settle(work, var, label, present.look(var, now), lambda _standing: ["kitchen"], now)

    with opening.opened(made / "b.age", var, made / "key", Plan()) as opened:
        restore.put_back(opened.archive, var, now, settle)


@pytest.mark.parametrize("there", [True, False], ids=["over a home", "where there is none"])
def test_after_a_power_cut_the_next_try_brings_it_back(made: Path, tmp_path: Path, there: bool) -> None:
    def clear() -> None:
        for path in made.glob("home*"):
            shutil.rmtree(path)

    def begin() -> None:
        clear()
        if there:
            shutil.copytree(brought, made / "home", symlinks=True)

    clear()
    bring_back(made)
    shutil.copytree(made / "home", brought := tmp_path / "home", symlinks=True)
    begin()
    code, writes = killed.at_write(lambda: bring_back(made), made, 0)
    assert (code, writes > 100) == (0, True)
    # The last ones are those at which one home takes another's place: each of them is tried.
    for die_at in [*range(1, writes, writes // CUTS), *range(writes - 4, writes + 1)]:
        begin()
        assert killed.at_write(lambda: bring_back(made), made, die_at)[0] == -9
        bring_back(made)
        assert refused(made) == {"kitchen"}
        assert not list(made.glob(".*")), die_at
        asides = list(made.glob("home.before-*"))
        assert all((aside / "home.toml").exists() for aside in asides), "what was there is whole"
        assert asides or not there
