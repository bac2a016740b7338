"""A hub's name that no rename gave it: found, and told with what to do; one that is being given is none."""

import datetime as dt
from pathlib import Path

import pytest

from deploy.folder import naming
from deploy.pki.pairs import Pki
from shared.running.config import ConfigError


@pytest.fixture
def var(tmp_path: Path) -> Path:
    made = Pki(tmp_path / "pki", vault=tmp_path / "pki" / "ca", demo=False, now=dt.datetime.now(dt.UTC))
    made.ensure_authorities(["hub.local", "localhost", "127.0.0.1"])
    return tmp_path


@pytest.mark.parametrize(
    ("name", "former"), [("hub.local", ()), ("new.local", ("hub.local",)), ("new.local", ("x.local", "hub.local"))]
)
def test_a_known_name_or_one_that_is_being_given_is_fine(var: Path, name: str, former: tuple[str, ...]) -> None:
    assert naming.unannounced(var / "pki", name, former) is None
    naming.check(var, name, former)


@pytest.mark.parametrize("former", [(), ("x.local",)])
def test_another_is_told_with_what_to_do(var: Path, former: tuple[str, ...]) -> None:
    assert naming.unannounced(var / "pki", "new.local", former) == "hub.local"
    with pytest.raises(
        ConfigError, match=r'write name = "hub\.local" there again, then run `homesystem rename new\.local`'
    ):
        naming.check(var, "new.local", former)


def test_a_home_in_the_making_has_no_name_yet(tmp_path: Path) -> None:
    assert naming.unannounced(tmp_path, "new.local", ()) is None
