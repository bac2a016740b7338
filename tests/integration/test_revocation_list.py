"""The revocation list alone keeps a certificate out: taken in while the broker runs, kept over restarts and renewals.

Rights are left as they are here: what `homesystem client revoke` takes besides hides a list that nobody looks at.
"""

from collections.abc import Iterator

import pytest

from deploy.folder import home as homes
from deploy.live_broker import taking_up
from tests.house import Broker, make_home, make_pki, until

LAMP = ("-t", "home/hall/lamp/set/phone", "-m", '{"action":"on"}')


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """With authorities of its own: what is revoked here is another test's good certificate."""
    home = make_home(tmp_path_factory.mktemp("revoked"))
    make_pki(home)
    made = Broker(home)
    made.start()
    yield made
    made.stop()


def is_let_in(broker: Broker, who: str) -> bool:
    """Whether the broker speaks with whoever shows this certificate; without it nothing but the handshake fails."""
    sent = broker.publish(who, *LAMP)
    assert "Connection refused" not in sent.stderr
    return sent.returncode == 0 or "Not authorized" in sent.stderr


def test_a_certificate_on_the_list_is_refused_whatever_rights_its_name_has(broker: Broker) -> None:
    assert broker.publish("phone", *LAMP).returncode == 0
    assert is_let_in(broker, "tablet")
    broker.home.authority().revoke("phone")
    assert is_let_in(broker, "phone"), "the broker has not been told yet"
    assert taking_up.reload(broker.home)
    until(lambda: not is_let_in(broker, "phone"), "the list is taken in")
    assert is_let_in(broker, "tablet"), "it is about one name"
    broker.kill()
    broker.start()
    assert not is_let_in(broker, "phone"), "the list is read at the start"
    homes.renew(broker.home)
    assert taking_up.reload(broker.home)
    assert is_let_in(broker, "tablet")
    assert not is_let_in(broker, "phone"), "a renewed list still names it"
