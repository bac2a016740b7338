"""What systemd is told, over a real socket as it gives one."""

import socket
from pathlib import Path

import pytest

from shared.running import systemd


def test_states_reach_the_service_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.notify("READY=1", "STATUS=serving")
        assert manager.recv(1024) == b"READY=1\nSTATUS=serving"


def test_an_abstract_socket_is_reached_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0home-system-test")
        monkeypatch.setenv("NOTIFY_SOCKET", "@home-system-test")
        systemd.notify("STOPPING=1")
        assert manager.recv(1024) == b"STOPPING=1"


def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")


def test_a_service_manager_that_is_gone_ends_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    systemd.notify("READY=1")


def test_a_line_end_in_a_state_begins_no_other_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.notify("STATUS=550 no\r\nMAINPID=1", "WATCHDOG=1")
        assert manager.recv(1024) == b"STATUS=550 no MAINPID=1\nWATCHDOG=1"


def test_a_loop_that_goes_round_says_so_when_it_is_due_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        pulse = systemd.Pulse()
        for tenth in range(121):
            pulse.tick(1000 + tenth / 10)
        assert [manager.recv(1024) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        with pytest.raises(BlockingIOError):
            manager.recv(1024)
        assert pulse.deadline() == 1015
