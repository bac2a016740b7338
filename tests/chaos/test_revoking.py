"""Revoked while it talks: dropped at once, refused at the next handshake, gone from the house."""

import subprocess
from pathlib import Path

from tests.demo import Demo
from tests.house import DEADLINE, until


def tool(demo: Demo, files: Path, name: str, *arguments: str) -> list[str]:
    """mosquitto_pub or mosquitto_sub with an enrolled client's files."""
    tls = ["--cafile", f"{files}/ca.crt", "--cert", f"{files}/client.crt", "--key", f"{files}/client.key"]
    return [name, "-V", "5", "-h", "localhost", "-p", str(demo.ports["MQTT"]), *tls, *arguments]


def publish(demo: Demo, files: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """mosquitto_pub by hand."""
    command = tool(demo, files, "mosquitto_pub", "-q", "1", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)


def test_a_client_switches_by_hand_until_it_is_revoked(chaos_home: Demo, tmp_path: Path) -> None:
    added = chaos_home.command("client", "add", "phone", "--may", "hall/lamp", "--out", str(tmp_path / "phone"))
    assert added.returncode == 0, added.stderr
    assert sorted(path.name for path in (tmp_path / "phone").iterdir()) == ["ca.crt", "client.crt", "client.key"]
    before = len(chaos_home.edges("hall", "lamp"))
    lamp = "home/hall/lamp/set/phone"
    publish(chaos_home, tmp_path / "phone", "-t", lamp, "-m", '{"action":"on"}')
    publish(chaos_home, tmp_path / "phone", "-t", lamp, "-m", '{"action":"off"}')
    until(lambda: chaos_home.edges("hall", "lamp")[before:][-2:] == [1, 0], "the lamp went on and off")
    listener = subprocess.Popen(
        tool(chaos_home, tmp_path / "phone", "mosquitto_sub", "-t", "home/hall/lamp/state", "-W", "60"),
        stdout=subprocess.PIPE,
    )
    assert listener.stdout is not None
    assert listener.stdout.readline().startswith(b"{")
    assert chaos_home.command("client", "revoke", "phone").returncode == 0
    listener.communicate(timeout=DEADLINE)
    after = len(chaos_home.edges("hall", "lamp"))
    until(
        lambda: publish(chaos_home, tmp_path / "phone", "-t", lamp, "-m", '{"action":"on"}').returncode != 0,
        "the next handshake is refused",
    )
    assert len(chaos_home.edges("hall", "lamp")) == after
    again = chaos_home.command("client", "add", "phone", "--may", "hall/lamp", "--out", str(tmp_path / "again"))
    assert again.returncode == 1
    assert "revoked" in again.stderr


def test_names_that_are_kept_or_unfit_are_refused_with_the_reason(chaos_home: Demo, tmp_path: Path) -> None:
    for name in ("gateway", "admin-2", "Phone", "hall"):
        refused = chaos_home.command("client", "add", name, "--may", "hall/lamp", "--out", str(tmp_path / name))
        assert refused.returncode == 1, name
        assert refused.stderr.startswith("homesystem: ")


def test_a_revoked_room_is_dropped_and_gone_from_the_house(chaos_home: Demo) -> None:
    member = chaos_home.client("member")
    assert member.device("garage/light")["available"]
    assert chaos_home.command("room", "revoke", "garage").returncode == 0
    until(lambda: member.call("GET", "/api/v1/devices/garage/light").status == 404, "the room is gone")
    log = chaos_home.var / "log" / "broker.console.log"
    until(lambda: "certificate verify failed" in log.read_text(), "its next handshake is refused")
    assert member.act("garage/light", "on").status == 404
    assert member.act("hall/lamp", "on").status == 200
