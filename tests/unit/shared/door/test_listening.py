"""Which addresses are taken, and what is said of one that cannot be."""

import errno
import socket
from collections.abc import Callable

import pytest

from shared.door import listening
from shared.door.listening import AbsentError, Hosts
from shared.running.config import ConfigError


class Sockets:
    """What a service asks of the system; `absent` and `taken` are refused as the kernel would."""

    def __init__(self) -> None:
        self.bound: list[tuple[int, str]] = []
        self.options: list[tuple[int, int, int]] = []
        self.closed = 0
        self.refuses: dict[str, int] = {}
        self.no_ipv6 = False


class FakeSocket:
    def __init__(self, system: Sockets, family: int) -> None:
        if system.no_ipv6 and family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        self._system, self._family = system, family

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self._system.options.append((level, option, value))

    def bind(self, target: tuple[str, int]) -> None:
        if (number := self._system.refuses.get(target[0])) is not None:
            raise OSError(number, "refused")
        self._system.bound.append((self._family, target[0]))

    def listen(self, _backlog: int) -> None:
        pass

    def setblocking(self, blocking: bool) -> None:
        assert not blocking

    def close(self) -> None:
        self._system.closed += 1


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    made = Sockets()
    make: Callable[..., FakeSocket] = lambda family, _kind: FakeSocket(made, family)  # noqa: E731 - replaces a class
    monkeypatch.setattr(socket, "socket", make)
    return made


@pytest.mark.parametrize(
    ("hosts", "each"),
    [
        ("127.0.0.1", ("127.0.0.1",)),
        ("::", ("0.0.0.0", "::")),
        (("::", "0.0.0.0"), ("0.0.0.0", "::")),
        (("0.0.0.0",), ("0.0.0.0",)),
        (("192.0.2.7", "2001:db8::7", "192.0.2.7"), ("192.0.2.7", "2001:db8::7")),
    ],
)
def test_every_address_is_listened_on_once(system: Sockets, hosts: Hosts, each: tuple[str, ...]) -> None:
    assert listening.addresses(hosts) == each
    assert len(listening.open_sockets(hosts, 8443)) == len(each)
    assert [host for _, host in system.bound] == list(each)
    v6 = sum(":" in host for host in each)
    assert system.options.count((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)) == v6


@pytest.mark.parametrize(
    ("hosts", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        (("127.0.0.1", "::1"), True),
        ("::", False),
        ("0.0.0.0", False),
        ("", False),
        ("hub.local", False),
        (("127.0.0.1", "::"), False),
        (("127.0.0.1", "192.0.2.7"), False),
        ("::ffff:192.0.2.7", False),
    ],
)
def test_what_only_this_machine_reaches(hosts: Hosts, local: bool) -> None:
    assert listening.is_local(hosts) is local


def test_a_machine_without_ipv6_serves_ipv4(system: Sockets, caplog: pytest.LogCaptureFixture) -> None:
    system.no_ipv6 = True
    assert len(listening.open_sockets("::", 8443)) == 1
    assert [host for _, host in system.bound] == ["0.0.0.0"]
    assert "no IPv6" in caplog.text
    with pytest.raises(AbsentError, match="does not have the address ::1"):
        listening.open_sockets(("127.0.0.1", "::1"), 8443)


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.EADDRINUSE, ConfigError, "port 443 on 192.0.2.7 cannot be taken .*stop what listens there"),
        (errno.EACCES, ConfigError, "port 443 on 192.0.2.7 cannot be taken .*CAP_NET_BIND_SERVICE"),
        (errno.EADDRNOTAVAIL, AbsentError, "this machine does not have the address 192.0.2.7"),
    ],
)
def test_the_address_that_cannot_be_taken_is_named_and_none_is_kept(
    system: Sockets, number: int, kind: type[Exception], says: str
) -> None:
    system.refuses["192.0.2.7"] = number
    with pytest.raises(kind, match=says):
        listening.open_sockets(("127.0.0.1", "192.0.2.7"), 443)
    assert system.closed == 2


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.300", "a b", "\udcff"])
def test_what_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match="is no address"):
        listening.open_sockets(host, 8443)
