"""The broker as deployed: who gets in, who may say and hear what. Seen from the receiver's side."""

import asyncio
import subprocess

import pytest

from shared.broker import mqtt
from shared.broker.bus import Bus, Delivery
from shared.words import topics
from tests.house import DEADLINE, Broker


@pytest.fixture(scope="module")
def broker(each_broker: Broker) -> Broker:
    """Every test here is run on each Mosquitto."""
    return each_broker


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)


def test_granted_command_arrives_with_its_issuer(broker: Broker) -> None:
    with subprocess.Popen(
        # Line-buffered, or the acknowledged subscription would be seen only when it is over.
        [
            "stdbuf",
            "-oL",
            *broker.tool("mosquitto_sub", "hall", "-t", topics.commands_for("hall"), "-C", "1", "-v", "-d"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as listener:
        assert listener.stdout is not None
        for line in listener.stdout:
            if "SUBACK" in line:
                break
        sent = broker.publish("phone", "-t", "home/hall/lamp/set/phone", "-m", '{"action":"on"}')
        assert sent.returncode == 0, sent.stderr
        assert 'home/hall/lamp/set/phone {"action":"on"}' in listener.stdout.read()


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        ("phone", "home/hall/lamp/set/gateway"),
        ("phone", "home/hall/lamp/set/tablet"),
        ("phone", "home/kitchen/lamp/set/phone"),
        ("tablet", "home/hall/lamp/set/tablet"),
        ("phone", "home/hall/lamp/state"),
        ("phone", "system/gateway/availability"),
        ("hall", "home/kitchen/lamp/state"),
        ("hall", "home/kitchen/lamp/set/hall"),
        ("hall", "audit/garage"),
        ("hall", "audit/hall/receipt"),
        ("gateway", "audit/hall"),
        ("gateway", "system/revoked"),
        ("gateway", "system/lockdown"),
        ("phone", "system/lockdown"),
        ("hall", "system/lockdown"),
        ("admin", "system/lockdown"),
        ("gateway-2", "home/hall/lamp/set/gateway"),
        ("auth", "home/hall/lamp/set/auth"),
        ("gateway", "$CONTROL/dynamic-security/v1"),
    ],
)
def test_publishing_beyond_ones_rights_is_refused_with_135(broker: Broker, who: str, topic: str) -> None:
    sent = broker.publish(who, "-t", topic, "-m", "x")
    assert "Not authorized" in sent.stderr


@pytest.mark.parametrize("filter_", ["#", "home/#", "home/+/+/state", "$CONTROL/#", "audit/+", "home/+/+/set/+", "+/+"])
def test_a_trusted_client_cannot_listen_in(broker: Broker, filter_: str) -> None:
    listener = run(*broker.tool("mosquitto_sub", "phone", "-t", filter_, "-d", "-W", "2", "-E"))
    assert "All subscription requests were denied" in listener.stderr + listener.stdout


def test_without_certificate_nobody_gets_in(broker: Broker) -> None:
    ca = f"{broker.home.pki}/device-ca.crt"
    tried = run(
        "mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "--cafile", ca, "-t", "x", "-m", "x", "-V", "5"
    )
    assert tried.returncode != 0


def test_without_tls_nobody_gets_in(broker: Broker) -> None:
    tried = run("mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "x", "-m", "x", "-V", "5")
    assert tried.returncode != 0


async def test_nobody_listening_is_told_by_reason_code_16(broker: Broker) -> None:
    up = asyncio.Event()

    async def on_up() -> None:
        up.set()

    def ignore(_: Delivery) -> None:
        pass

    bus = Bus(broker.config("gateway"), subscriptions=(), on_message=ignore, on_up=on_up)
    task = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await up.wait()
            code = await bus.send(topics.command("garage", "light", "gateway"), b"{}", expiry=5)
        assert code == mqtt.NO_MATCHING_SUBSCRIBERS
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
