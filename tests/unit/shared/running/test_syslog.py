"""The copy for syslog: sent where it is wanted, and never in the way."""

import logging
import socket
from pathlib import Path

import msgspec
import pytest

from shared.running.log import Formatter
from shared.running.syslog import SyslogConfig, copier
from tests.house import DEADLINE


def line(text: str) -> logging.LogRecord:
    record = logging.LogRecord("security", logging.WARNING, "", 0, text, (), None)
    record.created, record.msecs = 1795466718.123, 123.0
    return record


def handler(address: str) -> logging.Handler:
    made = copier(SyslogConfig(address=address), "gateway")
    made.setFormatter(Formatter())
    return made


EXPECTED = b"<28>homesystem-gateway: 2026-11-23T20:45:18.123Z WARNING security One"


def test_lines_reach_another_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(DEADLINE)
        copy = handler(f"127.0.0.1:{server.getsockname()[1]}")
        copy.handle(line("One"))
        assert server.recv(4096) == EXPECTED
        copy.close()


def test_a_syslog_that_comes_late_goes_and_comes_again_costs_only_its_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    copy = handler(str(path))
    copy.handle(line("Nobody hears this"))
    for _ in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(str(path))
            server.settimeout(DEADLINE)
            copy.handle(line("One"))
            assert server.recv(4096) == EXPECTED
        path.unlink()
        for _ in range(3):
            copy.handle(line("Nor this"))
    copy.close()
    assert capsys.readouterr().err == ""


def test_a_syslog_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        copy = handler(str(tmp_path / "log"))
        for _ in range(5000):  # far more than any socket's buffer takes
            copy.handle(line("x" * 1000))
        copy.close()


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/dev/log", "/dev/log"),
        ("192.0.2.1", ("192.0.2.1", 514)),
        ("192.0.2.1:1514", ("192.0.2.1", 1514)),
        ("2001:db8::1", ("2001:db8::1", 514)),
        ("[2001:db8::1]:1514", ("2001:db8::1", 1514)),
    ],
)
def test_an_address_is_a_socket_or_an_ip_address(address: str, target: object) -> None:
    assert SyslogConfig(address=address).target == target


@pytest.mark.parametrize(
    "address", ["", "log.example.org", "log.example.org:514", "192.0.2.1:x", "192.0.2.1:0", "dev/log"]
)
def test_anything_else_is_refused_with_what_would_do(address: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r'write "/dev/log" or an IP address'):
        msgspec.convert({"address": address}, SyslogConfig)
