"""The gateway's link to the broker stalls while people act: nothing acts after its time, and nobody is lied to."""

import json
import threading
import time
from collections.abc import Iterator

import pytest

from shared.words.messages import COMMAND_SECONDS
from tests.chaos.conftest import LIMITS
from tests.demo import Answer, Client, Demo
from tests.house import DEADLINE, until
from tests.proxy import HoldingProxy


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, HoldingProxy]]:
    """A demo home whose gateway reaches the broker through a proxy on ::1 (the broker itself listens on 127.0.0.1)."""
    demo = Demo(tmp_path_factory.mktemp("held"), warm=True)
    assert demo.command("init", "--demo").returncode == 0
    demo.lift_limits(*LIMITS)
    path = demo.var / "gateway.toml"
    text = path.read_text()
    before, section, after = text.partition("[broker]")
    path.write_text(before + section + after.replace('host = "127.0.0.1"', 'host = "::1"', 1))
    assert path.read_text() != text
    proxy = HoldingProxy("::1", demo.ports["MQTT"], demo.ports["MQTT"])
    demo.start()
    yield demo, proxy
    demo.stop()
    proxy.close()


def test_commands_posted_into_a_held_link_never_act_late(link: tuple[Demo, HoldingProxy]) -> None:
    demo, proxy = link
    member = demo.client("member")
    assert member.act("hall/lamp", "off").status == 200
    posted: list[tuple[float, Answer]] = []

    def post(client: Client, action: str) -> None:
        at = time.time()
        posted.append((at, client.act("hall/lamp", action)))

    proxy.hold()
    callers = [threading.Thread(target=post, args=(member, action)) for action in ("on", "off", "on")]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(DEADLINE)
    assert [answer.status for _, answer in posted if answer.status not in {503, 504}] == []
    assert all(answer.body.get("outcome") != "executed" for _, answer in posted)
    first = min(at for at, _ in posted)
    until(lambda: time.time() > first + COMMAND_SECONDS + 1, "their time is over")
    proxy.release()
    until(lambda: member.device("hall/lamp")["available"], "the gateway is back in touch")
    assert member.act("hall/lamp", "on").status == 200
    lines = [json.loads(line) for line in (demo.var / "sim" / "hall.jsonl").read_text().splitlines()]
    lamp = [line["level"] for line in lines if line["device"] == "lamp"]
    assert lamp[-1] == 1
    assert lamp.count(1) == 1, "only the command after the release switched it on"
