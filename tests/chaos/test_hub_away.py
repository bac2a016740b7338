"""The hub is away: every output obeys its policy in its time, buttons go on working, and nothing acts late."""

import contextlib
import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from device_agents.pins.simulated import Edge
from shared.words import messages, topics
from shared.words.messages import (
    Acknowledgement,
    AuditEvent,
    Description,
    Lockdown,
    Lockouts,
    Receipt,
    ReceiptLine,
    State,
    utc,
)
from shared.words.problem import HomeError
from tests.cable import Cable, UnavailableError
from tests.chaos.away_parts import (
    DEAD_TIME,
    LONG,
    MAX_ON,
    MIN_OFF,
    WAYS,
    Scene,
    Way,
    births,
    button_events,
    level_of,
    states,
)
from tests.house import until
from tests.integration.agent_parts import Client

ONCE = "switched-on-once"
POLICIES = {
    "heater": (0, 16.0),
    "gate": (0, 16.0),
    "hot-valve": (0, 16.0),
    "pump": (1, 17.0),
    "ceiling": (0, 18.0),
    "hatch": (1, 19.0),
    "cold-valve": (1, 16.0),
    "compressor": (1, 16.0),
}
"""What each is set to once the hub has been away for so many seconds; fan, front door and siren stay as they are."""
IN_TURN = ("heater", "pump", "ceiling", "hatch")
LATE = (("heater", "on"), ("gate", "unlock"), ("ceiling", "on"))


class Story(NamedTuple):
    """What was seen of one absence: edges before and during it, and what moved afterwards, one command included."""

    way: Way
    started: float
    heard: float
    earlier: list[Edge]
    away: list[Edge]
    after: list[tuple[str, int]]
    births: set[str]
    connections: int
    descriptions: int
    states: dict[str, State]
    last: dict[str, int]
    late: list[str | None]
    once: Acknowledgement
    again: Acknowledgement
    presses: list[AuditEvent]
    presses_after_the_receipt: list[AuditEvent]


# --- how it goes -----------------------------------------------------------------------------------------------------


def settle(scene: Scene, gateway: Client) -> None:
    """Start the room, and set every output to where its policy will show."""
    with scene.client("auth", topics.receipt("auth")) as auth:
        locked_out = Lockouts(devices=("hall/siren",), at=utc(time.time()))
        auth.publish(topics.LOCKOUTS, messages.encode(locked_out), retain=True)
    scene.room.online(gateway)
    gateway.heartbeat()
    for device in ("fan", "ceiling"):
        assert gateway.command(device, "on") == ("executed", None)
    for device in ("front-door", "gate"):
        assert gateway.command(device, "unlock") == ("executed", None)
    assert gateway.command("siren", "on") == ("rejected", "locked-out")
    until(lambda: gateway.command("hot-valve", "on") == ("executed", None), "the valves have rested since the start")
    assert gateway.command("compressor", "on") == ("rejected", "too-soon")


def speak_while_away(scene: Scene, way: Way, gateway: Client, phone: Client) -> dict[str, float]:
    """Commands that nobody may hear in time: each id, and when it was issued."""
    age = 0.0 if way.cuts else 6.0
    if way.deaf:
        return {str(uuid.uuid4()): time.time() for _ in LATE}
    gateway.patience = phone.patience = 0.0
    issued = {gateway.ask(device, action, age=age): time.time() - age for device, action in LATE}
    if way.cuts:
        phone.publish(topics.command("hall", "lamp", "phone"), b'{"action":"on"}')
    phone.publish(topics.command("hall", "lamp", "phone"), b'{"action":"on"}', retain=True)
    return issued


def live_through(way: Way, scene: Scene) -> Story:
    """One absence from beginning to end."""
    with contextlib.ExitStack() as stack:
        stack.callback(scene.close)
        scene.broker.start()
        gateway = stack.enter_context(scene.gateway())
        phone = stack.enter_context(scene.client("phone", topics.acknowledgement("hall", "lamp")))
        started = time.time()
        settle(scene, gateway)
        assert gateway.command("blower", "on") == ("executed", None)
        heard = time.time()
        gateway.heartbeat()
        gateway.ask("heater", "on", id=ONCE)
        once = gateway.answer(ONCE)
        known, connections, lost = births(gateway), scene.said("Broker reached"), scene.said("Broker cannot be reached")
        before = len(scene.edges)

        way.leave(scene)
        scene.press()
        scene.moved("lamp", 1, before)
        issued = speak_while_away(scene, way, gateway, phone)
        for device, (level, _) in POLICIES.items():
            scene.moved(device, level, before)
        scene.press()
        scene.moved("lamp", 0, before)
        if way.cuts:
            scene.says_again("Broker cannot be reached", lost)
        edges = scene.edges
        way.back(scene)

        hub = stack.enter_context(scene.gateway())
        alerts = stack.enter_context(scene.client("alerts", topics.ALL_AUDIT))
        if way.cuts:
            scene.says_again("Broker reached", connections)
        hub.heartbeat()
        scene.room.there(hub)
        hub.heartbeat()
        for (device, action), (id_, at) in zip(LATE, issued.items(), strict=True):
            hub.ask(device, action, id=id_, issued_at=at)
        late = [hub.answer(id_).reason for id_ in issued]
        hub.ask("heater", "on", id=ONCE)
        again = hub.answer(ONCE)
        assert hub.command("pump", "off") == ("executed", None)
        after = scene.moves(len(edges))
        told = states(scene)
        # Now: until the room tells of its button again, its hub may have been silent for long enough once more.
        last = {edge.device: edge.level for edge in scene.edges}
        # Where the link stayed up, an event without a receipt is sent again once a minute in the end.
        until(lambda: len(button_events(alerts)) >= 2 or None, "what the button did is told", seconds=2 * LONG)
        presses = button_events(alerts)
        return Story(
            way=way,
            started=started,
            heard=heard,
            earlier=edges[:before],
            away=edges[before:],
            after=after,
            births=births(hub) - known,
            connections=scene.said("Broker reached") - connections,
            descriptions=sum(s.topic == topics.description("hall") and not s.retained for s in hub.said),
            states=told,
            last=last,
            late=late,
            once=once,
            again=again,
            presses=presses,
            presses_after_the_receipt=press_once_more(scene, hub, alerts),
        )


def press_once_more(scene: Scene, hub: Client, alerts: Client) -> list[AuditEvent]:
    """Receipt everything, then press: what is told from then on."""
    everything = tuple(ReceiptLine(id=event.id, row=1, hash="h") for event in button_events(alerts))
    alerts.publish(topics.receipt("hall"), messages.encode(Receipt(events=everything)))
    hub.command("pump", "off")  # by now the receipt was heard
    alerts.forget()
    scene.press()
    until(lambda: button_events(alerts) or None, "the press is told")
    return button_events(alerts)


@pytest.fixture(scope="module")
def cables() -> Iterator[list[Cable]]:
    with contextlib.ExitStack() as stack:
        try:
            yield [stack.enter_context(Cable(number)) for number in range(len(WAYS))]
        except UnavailableError as reason:
            pytest.skip(str(reason))


@pytest.fixture(scope="module")
def stories(cables: list[Cable], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Story]]]:
    """All absences at once: they mostly wait."""
    with ThreadPoolExecutor(len(WAYS)) as pool:
        yield {
            name: pool.submit(live_through, way, Scene(tmp_path_factory.mktemp(name), cable))
            for (name, way), cable in zip(WAYS.items(), cables, strict=True)
        }


@pytest.fixture(params=WAYS)
def story(stories: dict[str, Future[Story]], request: pytest.FixtureRequest) -> Story:
    told: Story = stories[request.param].result()
    return told


# --- while it is away ------------------------------------------------------------------------------------------------


def at(story: Story, device: str) -> float:
    """When a device moved while the hub was away, in seconds since 1970.

    The waveform rounds them, and the machine's clock may be slewed meanwhile, while agents count monotonic seconds.
    """
    (moment,) = [edge.at.timestamp() for edge in story.away if edge.device == device]
    return moment + 0.02


def test_every_policy_is_obeyed_not_before_its_time(story: Story) -> None:
    print("\nseconds after the last heartbeat, device, level")
    for edge in story.away:
        print(f"{edge.at.timestamp() - story.heard:8.3f}  {edge.device:12} {edge.level}")
    fell = {edge.device: edge.level for edge in story.away}
    assert {device: fell.get(device) for device in POLICIES} == {d: level for d, (level, _) in POLICIES.items()}
    early = {d: at(story, d) - story.heard for d, (_, after) in POLICIES.items() if at(story, d) < story.heard + after}
    assert early == {}
    moments = [at(story, device) for device in IN_TURN]
    assert moments == sorted(moments)


def test_what_holds_an_output_back_holds_its_policy_back(story: Story) -> None:
    assert at(story, "cold-valve") >= at(story, "hot-valve") - 0.02 + DEAD_TIME
    assert at(story, "compressor") >= story.started + MIN_OFF
    (on,) = [edge.at.timestamp() for edge in story.earlier if edge.device == "blower"]
    assert at(story, "blower") >= on + MAX_ON


def test_nothing_else_moves(story: Story) -> None:
    moved = sorted((edge.device, edge.level) for edge in story.away)
    policies = [(device, level) for device, (level, _) in POLICIES.items()]
    assert moved == sorted([*policies, ("blower", 0), ("lamp", 1), ("lamp", 0)])


# --- on return -------------------------------------------------------------------------------------------------------


def test_on_return_there_is_one_birth(story: Story) -> None:
    assert (len(story.births), story.connections) == (story.way.cuts, story.way.cuts)
    assert story.descriptions <= story.connections


def test_on_return_every_state_is_what_its_pin_is(story: Story) -> None:
    levels = {device: story.last.get(device, 0) for device in story.states}
    assert {device: level_of(state) for device, state in story.states.items()} == levels
    by = {device: story.states[device].by.source for device in POLICIES if device != "pump"}
    assert by == dict.fromkeys(by, "failsafe")
    assert (story.states["fan"].value, story.states["front-door"].value) == ("on", "unlocked")


def test_nothing_that_was_said_meanwhile_acts_late(story: Story) -> None:
    assert story.after == [("pump", 0)]
    assert story.late == ["expired"] * len(LATE)


def test_a_repeat_from_before_is_answered_alike(story: Story) -> None:
    assert story.once.outcome == "executed"
    assert story.again == msgspec.structs.replace(story.once, repeated=True)


def test_what_the_button_did_is_told_once_per_press(story: Story) -> None:
    assert [(event.what, event.outcome) for event in sorted(story.presses, key=lambda event: event.seq)] == [
        ("device:on", "executed"),
        ("device:off", "executed"),
    ]
    (later,) = story.presses_after_the_receipt
    assert later.seq > max(event.seq for event in story.presses)


# --- other absences --------------------------------------------------------------------------------------------------


@pytest.fixture
def scene(cables: list[Cable], tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, cables[0])
    yield made
    made.cable.mend()
    made.close()


def test_a_cable_that_is_back_before_anybody_noticed_brings_nothing_that_acts(scene: Scene) -> None:
    scene.broker.start()
    with scene.gateway() as gateway:
        settle(scene, gateway)
        lost, before = scene.said("Broker cannot be reached"), len(scene.edges)
        scene.cable.cut()
        id_, issued = gateway.ask("heater", "on"), time.time()
        until(lambda: time.time() > issued + messages.COMMAND_SECONDS + 1 or None, "its time is over")
        scene.cable.mend()
        assert gateway.answer(id_).reason == "expired"
        assert scene.said("Broker cannot be reached") == lost, "it came over the connection that was held up"
        assert gateway.command("fan", "off") == ("executed", None)
        assert scene.moves(before) == [("fan", 0)]


def restart_in_the_dark(scene: Scene) -> tuple[int, float]:
    """Kill the agent and start it, while the cable is cut; how many edges there were, and when it was started."""
    scene.cable.cut()
    before, started, starts = len(scene.edges), time.time(), scene.said("Agent started")
    scene.room.stop(signal.SIGKILL)
    scene.room.start()
    scene.says_again("Agent started", starts)

    def pressed() -> bool:
        try:
            scene.press()
        except HomeError:  # it does not listen to its inputs yet
            return False
        return True

    until(pressed, "the button can be pressed")
    return before, started


def test_a_lock_out_holds_and_a_button_works_when_the_agent_starts_without_its_hub(scene: Scene) -> None:
    scene.broker.start()
    with scene.gateway() as gateway:
        settle(scene, gateway)
        before, started = restart_in_the_dark(scene)
        scene.moved("lamp", 1, before)
        scene.press("long")
        scene.moved("pump", 1, before)
        ups = [edge for edge in scene.edges[before:] if edge.level]
        assert "siren" not in {edge.device for edge in ups}
        assert [edge for edge in ups if edge.device != "lamp" and edge.at.timestamp() + 0.001 < started + 16] == []
        scene.cable.mend()
        with scene.client("alerts", topics.ALL_AUDIT) as alerts:
            told = until(lambda: tale(alerts) if len(tale(alerts)) >= 2 else None, "both presses are told")
        assert told == [("hall/lamp", "device:on", None), ("hall/siren", "device:on", "locked-out")]


def test_a_lockdown_holds_when_the_agent_starts_without_its_hub(scene: Scene) -> None:
    scene.broker.start()
    with scene.gateway() as gateway:
        settle(scene, gateway)
        assert gateway.command("lamp", "on") == ("executed", None)
        with scene.client("auth", topics.receipt("auth")) as auth:
            locked_down = Lockdown(active=True, at=utc(time.time()))
            auth.publish(topics.LOCKDOWN, messages.encode(locked_down), retain=True)
        assert gateway.command("heater", "on") == ("rejected", "lockdown")
        before, _ = restart_in_the_dark(scene)
        scene.moved("lamp", 0, before)
        scene.press()
        scene.cable.mend()
        with scene.client("alerts", topics.ALL_AUDIT) as alerts:
            told = until(lambda: tale(alerts) if len(tale(alerts)) >= 2 else None, "both presses are told")
        assert told == [("hall/lamp", "device:off", None), ("hall/lamp", "device:on", "lockdown")]
        assert [move for move in scene.moves(before) if move[1]] == []


def tale(alerts: Client) -> list[tuple[str, str, str | None]]:
    """What was told of the button, in its order: where, what, and why not."""
    events = sorted(button_events(alerts), key=lambda event: event.seq)
    return [(event.where, event.what, event.detail.get("reason")) for event in events]


def test_a_device_that_went_from_the_file_is_cleared_from_the_broker(scene: Scene) -> None:
    scene.broker.start()
    with scene.gateway() as gateway:
        settle(scene, gateway)
        assert "fan" in states(scene)
        scene.room.stop()
        scene.furnish(without="fan")
        scene.room.online(gateway)
    with scene.client("gateway-2", topics.ALL_STATES, topics.ALL_DESCRIPTIONS) as late:
        payload = late.wait_for(
            "the description", lambda s: s.payload if s.topic == topics.description("hall") else None
        )
        until(lambda: [s for s in late.said if s.topic == topics.state("hall", "wall")], "every state is told")
        told = {said.topic for said in late.said}
    described = {device.id for device in messages.decode(Description, payload).devices}
    assert "fan" not in described
    assert topics.state("hall", "fan") not in told
    assert topics.state("hall", "lamp") in told
