"""How commands in other containers see the broker, and have it read its files."""

import threading
from pathlib import Path

import pytest

from deploy.broker_watch import hold
from shared.running.config import ConfigError
from tests.house import until


def test_it_is_held_for_as_long_as_the_watch_lives(tmp_path: Path) -> None:
    assert not hold.is_held(tmp_path)
    with hold.held(tmp_path):
        assert hold.is_held(tmp_path)
        with pytest.raises(ConfigError, match="another broker"), hold.held(tmp_path):
            pass
        assert hold.is_held(tmp_path)
    assert not hold.is_held(tmp_path)


def test_who_asks_waits_until_it_was_passed_on(tmp_path: Path) -> None:
    with hold.held(tmp_path) as held:
        assert held.wish() is None
        said: list[bool] = []
        asker = threading.Thread(target=lambda: said.append(hold.ask(tmp_path, 30.0)))
        asker.start()
        wish = until(held.wish, "somebody asks")
        assert said == []
        held.done(wish)
        asker.join()
        assert said == [True]
        assert held.wish() is None


def test_who_asks_of_a_watch_that_is_gone_hears_so(tmp_path: Path) -> None:
    with hold.held(tmp_path):
        pass
    assert not hold.ask(tmp_path, 0.1)


def test_a_wish_that_came_meanwhile_stays(tmp_path: Path) -> None:
    with hold.held(tmp_path) as held:
        hold.ask(tmp_path, 0.0)
        first = held.wish()
        assert first is not None
        hold.ask(tmp_path, 0.0)
        held.done(first)
        assert held.wish() not in (None, first)


def test_no_link_is_followed_to_another_place(tmp_path: Path) -> None:
    (tmp_path / hold.NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError), hold.held(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
