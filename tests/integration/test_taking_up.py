"""The running broker, of each version, takes up what was renewed; what does not fit never reaches it."""

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.live_broker import taking_up
from deploy.pki import served
from deploy.pki.pairs import Pki
from shared.running.config import ConfigError
from shared.words import topics
from shared.words.problem import HomeError
from tests import brokers, house
from tests.house import Broker
from tests.integration.agent_parts import Client


@pytest.fixture(scope="module", params=[brokers.INSTALLED, *brokers.SUITES])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """With authorities of its own, which its tests use up."""
    release = brokers.find(request.param)
    if release is None:
        pytest.skip(f"Mosquitto of {request.param} is not here: python -m tests.brokers {request.param}")
    home = house.make_home(tmp_path_factory.mktemp(request.param))
    house.make_pki(home)
    made = Broker(home, release)
    made.start()
    # It listens before it has read its files, which the first test would replace under its eyes.
    house.until(lambda: made.publish("phone", "-t", "x", "-m", "x").returncode == 0, "the broker lets somebody in")
    yield made
    made.stop()


def authority(home: Home, days: float = 0) -> Pki:
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return Pki(home.pki, vault=home.vault, demo=True, now=now)


def age(home: Home, stem: str) -> None:
    """A broker's certificate that is due: signed some time ago."""
    (home.pki / f"{stem}.key").unlink()
    authority(home, -70).ensure_server(stem, "broker", "service", home.settings.hosts)


def shown(broker: Broker) -> served.Served:
    return served.look("127.0.0.1", broker.port, broker.identity("admin"))


def test_a_renewed_certificate_is_served_and_whoever_is_connected_stays(broker: Broker) -> None:
    age(broker.home, "broker")
    assert taking_up.reload(broker.home)
    before = shown(broker)
    with Client(broker, "hall", topics.ALL_SYSTEM) as hall:
        assert homes.renew(broker.home) == ["broker"]
        assert shown(broker) == before
        assert taking_up.reload(broker.home)
        after = shown(broker)
        assert after.serial != before.serial
        assert after.is_of(broker.home.pki / "broker.crt")
        hall.publish(topics.description("hall"), b"{}")
        assert broker.log.count(" as hall (") == 1


def test_a_revoked_certificate_is_refused_after_it(broker: Broker) -> None:
    assert broker.publish("tablet", "-t", "x", "-m", "x").returncode == 0
    authority(broker.home).revoke("tablet")
    assert taking_up.reload(broker.home)
    assert broker.publish("tablet", "-t", "x", "-m", "x").returncode != 0
    assert broker.publish("phone", "-t", "x", "-m", "x").returncode == 0


def half_a_pair(home: Home) -> None:
    certificate = (home.pki / "broker.crt").read_bytes()
    age(home, "broker")
    (home.pki / "broker.crt").write_bytes(certificate)


def empty_list(home: Home) -> None:
    (home.pki / "crl.pem").write_bytes(b"")


def ended_list(home: Home) -> None:
    authority(home, -40).write_crl()


def strange_list(home: Home) -> None:
    other = Pki(home.var / "other", vault=home.var / "other-vault", demo=True, now=dt.datetime.now(dt.UTC))
    other.ensure_authorities(["localhost"])
    (home.pki / "crl.pem").write_bytes((other.folder / "crl.pem").read_bytes())


def ended_certificate(home: Home) -> None:
    (home.pki / "broker.key").unlink()
    authority(home, -100).ensure_server("broker", "broker", "service", home.settings.hosts)


@pytest.mark.parametrize(
    "spoil",
    [half_a_pair, empty_list, ended_list, strange_list, ended_certificate],
    ids=lambda spoil: spoil.__name__,
)
def test_what_does_not_fit_is_not_signalled_and_renew_mends_it(broker: Broker, spoil: Callable[[Home], None]) -> None:
    before = shown(broker)
    spoil(broker.home)
    with pytest.raises(ConfigError, match="homesystem renew"):
        taking_up.reload(broker.home)
    assert shown(broker) == before
    assert broker.publish("phone", "-t", "x", "-m", "x").returncode == 0
    homes.renew(broker.home)
    assert taking_up.reload(broker.home)
    assert shown(broker).is_of(broker.home.pki / "broker.crt")
    assert broker.publish("phone", "-t", "x", "-m", "x").returncode == 0


def test_a_broker_that_does_not_take_it_up_is_told(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    age(broker.home, "broker")
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", lambda _pid, _number: None)
        patch.setattr(taking_up, "PATIENCE_SECONDS", 0.2)
        with pytest.raises(HomeError, match="still serves a certificate that ends on"):
            taking_up.reload(broker.home)
    assert taking_up.reload(broker.home)


def test_where_no_broker_runs_there_is_nobody_to_tell(tmp_path: Path) -> None:
    home = house.make_home(tmp_path)
    house.make_pki(home)
    assert not taking_up.reload(home)
    with pytest.raises(HomeError, match="nothing listens there"):
        served.look("127.0.0.1", home.settings.mqtt_port)
