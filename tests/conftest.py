"""Fixtures of real parts, shared by integration, end-to-end and chaos tests; and how tests run side by side."""

import gc
import os
from collections.abc import Generator, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from aiohttp import web_app
from hypothesis import settings

from deploy.folder.home import Home
from tests import brokers, house, orphans, warm

_CHAOS, _PAGES = Path(__file__).parent / "chaos", Path(__file__).parent / "e2e"
_APART = 5
"""So many files that compute come between two that wait."""
_NEW_OBJECTS = 50_000
"""After so many the collector looks for circles; a test makes few, and lets most of them go by itself."""

_OPEN_FILES = 256
"""More in one process than any module needs: whoever keeps so many forgot to close them."""

settings.register_profile("house", deadline=None)
settings.load_profile("house")  # no test asserts a duration: a machine may be busy


def pytest_configure(config: pytest.Config) -> None:
    """No run leaves a process behind."""
    orphans.watch(config)


def pytest_sessionfinish() -> None:
    """Nobody begins anything any more."""
    warm.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: side by side, whoever begins one at the very end keeps all others waiting.

    Chaos is mostly waited for: told one after the other its files leave the machine idle, so each is begun among others
    that compute.
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    at = next((at for at, item in enumerate(items) if item.get_closest_marker("long") is None), len(items))
    files = [list(of) for _, of in groupby(items[at:], key=lambda item: item.path)]
    chaos = [file for file in files if file[0].path.parent == _CHAOS]
    pages = [file for file in files if file[0].path.is_relative_to(_PAGES)]  # one after the other: they share a home
    others = [file for file in files if file not in chaos and file not in pages]
    for number, file in enumerate(chaos):
        others.insert(number * (_APART + 1), file)
    items[at:] = [item for file in (*pages, *others) for item in file]


def pytest_collection_finish() -> None:
    """What was imported and gathered lies there to the end: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


@pytest.fixture(scope="module", autouse=True)
def nothing_of_former_modules() -> Iterator[None]:
    """What one module left behind is gone before the next begins.

    aiohttp remembers the last 1,024 applications, with all that belongs to them: half a gigabyte of gateways. And
    paho's clients are circles with two sockets each, for which the collector comes too late: past 1,023 open files
    paho's own loop connects anew once a second for ever and hears nothing, since `select` cannot wait for those.
    """
    yield
    web_app._cached_build_middleware.cache_clear()
    gc.collect()
    held = sum(1 for _ in Path("/proc/self/fd").iterdir())
    assert held < _OPEN_FILES, f"{held} files are open after this module: close what its tests open"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Commands that run in this very process, and fixtures like them, shut their files to others: the next test
    begins as this one.
    """
    before = os.umask(0o077)
    os.umask(before)
    try:
        return (yield)
    finally:
        os.umask(before)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo home's certificates, made once for the whole run: identities of the hub, three rooms, two clients."""
    home = house.make_home(tmp_path_factory.mktemp("pki"))
    house.make_pki(home)
    return home.pki


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, pki: Path) -> Home:
    """A home's folder with free ports and its own copy of nothing but the certificates."""
    made = house.make_home(tmp_path_factory.mktemp("home"))
    house.share_pki(made, pki)
    return made


@pytest.fixture(scope="module")
def broker(home: Home) -> Iterator[house.Broker]:
    """A real broker; `home` is its home. Tests may kill and start it; it is stopped in the end."""
    made = house.Broker(home)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module", params=[brokers.INSTALLED, *brokers.SUITES])
def each_broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pki: Path
) -> Iterator[house.Broker]:
    """A real broker of each Mosquitto that Debian's suites have; skipped, by name, where it was not fetched."""
    release = brokers.find(request.param)
    if release is None:
        pytest.skip(f"Mosquitto of {request.param} is not here: python -m tests.brokers {request.param}")
    made = house.make_home(tmp_path_factory.mktemp(request.param))
    house.share_pki(made, pki)
    broker = house.Broker(made, release)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def smtp_sink() -> Iterator[house.SmtpSink]:
    """A real SMTP server on a free port."""
    sink = house.SmtpSink()
    sink.start()
    yield sink
    sink.stop()
