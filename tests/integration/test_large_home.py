"""A home of ten thousand devices: what the broker retains of them comes whole to whoever asks for all at once."""

import asyncio
import contextlib

from gateway import link
from shared.broker.bus import Bus, Delivery
from shared.words import messages, topics
from tests.house import DEADLINE, Broker
from tests.integration import mqtt_parts
from tests.unit.gateway.parts import state

DEVICES = 10_000


def test_a_gateway_that_comes_up_hears_the_state_of_every_device(broker: Broker) -> None:
    said = [topics.state("hall", f"device-{number}") for number in range(DEVICES)]
    room = mqtt_parts.Client(broker, "hall")
    try:
        for topic in said:
            room.publish(topic, messages.encode(state()), retain=True)
        assert {room.pubacks.get(timeout=DEADLINE) for _ in said} <= {0, 16}  # 16: nobody listens yet
    finally:
        room.close()
    assert asyncio.run(_heard(broker)) == set(said)


async def _heard(broker: Broker) -> set[str]:
    """What a gateway is told of states once it has subscribed, until all of it came."""
    heard: set[str] = set()
    whole = asyncio.Event()

    def take(delivery: Delivery) -> None:
        heard.add(delivery.topic)
        if len(heard) == DEVICES:
            whole.set()

    states = [one for one in link.subscriptions("gateway") if one.topic == topics.ALL_STATES]
    bus = Bus(broker.config("gateway"), subscriptions=tuple(states), on_message=take)
    running = asyncio.create_task(bus.run())
    try:
        with contextlib.suppress(TimeoutError):  # what is missing is said by what was heard
            await asyncio.wait_for(whole.wait(), DEADLINE)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return heard
