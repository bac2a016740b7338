"""What the broker says, taken to where it belongs: home, commands, sessions, streams, registry, courier.

Called on the loop for every message, so nothing here blocks. A message that cannot be used is logged and left.
"""

import asyncio
import logging
from collections.abc import Iterable

from gateway.acting.commands import Commands
from gateway.acting.room_files import RoomFiles
from gateway.door.sessions import Sessions
from gateway.inside.registry import Registrar
from gateway.picture.changes import Born, Change, LockdownChanged, StateChanged, StatusChanged
from gateway.picture.home import Home
from gateway.streams.events import Hub
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.proof.courier import Courier
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.internal import LockdownState
from shared.words.problem import HomeError
from shared.words.room_file import RoomFile
from shared.words.topics import Topic, TopicKind

log = logging.getLogger(__name__)

_TICK_SECONDS = 1.0


def subscriptions(identity: str) -> tuple[Subscription, ...]:
    """What a gateway listens to."""
    return (
        Subscription(topics.ALL_DESCRIPTIONS),
        Subscription(topics.ALL_STATES),
        Subscription(topics.ALL_AVAILABILITY),
        Subscription(topics.ALL_ACKS),
        Subscription(topics.ALL_FILES, optional=True),
        Subscription(topics.REVOKED),
        Subscription(topics.LOCKOUTS),
        Subscription(topics.LOCKDOWN),
        Subscription(topics.receipt(identity)),
        Subscription(topics.resend(identity)),
    )


class Link:
    """The gateway's ears; its parts are given to `listen` once they exist, before the bus runs."""

    def __init__(self, home: Home, room_files: RoomFiles) -> None:
        self._home = home
        self._room_files = room_files
        self._beat_due = False

    def listen(
        self, *, bus: Bus, commands: Commands, sessions: Sessions, hub: Hub, registrar: Registrar, courier: Courier
    ) -> None:
        """Whom to tell."""
        self._bus, self._commands, self._sessions = bus, commands, sessions
        self._hub, self._registrar, self._courier = hub, registrar, courier

    def beat_if_due(self) -> None:
        """A room that was just born must hear our heartbeat before our first command: it learns our clock from it."""
        if self._beat_due:
            self._beat_due = False
            self._bus.beat()

    async def up(self) -> None:
        """The broker is reached. What changed meanwhile is asked for, whatever it has retained."""
        self._courier.link_up()
        self._registrar.outdated()

    def down(self) -> None:
        """The broker is lost: we know nothing more, and hear of no session's end."""
        self._commands.lose_all("link-lost")
        self._sessions.forget_all()
        self._room_files.forget_all()
        self.apply(self._home.link_down())

    def hear(self, delivery: Delivery) -> None:
        """Take one message."""
        topic = topics.parse(delivery.topic)
        if topic is None:
            return
        try:
            self._take(topic, delivery)
        except HomeError as error:
            log.warning("Message cannot be used", extra=facts(topic=delivery.topic, reason=error))
        except Exception:
            log.exception("Message failed", extra={"quoting": False, **facts(topic=delivery.topic)})

    def apply(self, changes: Iterable[Change]) -> None:
        """Let everyone know what changed."""
        changes = list(changes)
        for change in changes:
            match change:
                case StateChanged():
                    pass  # by far the most, and of concern to the streams alone
                case Born(room):
                    self._commands.lose_room(room)
                    if not self._beat_due:
                        self._beat_due = True
                        asyncio.get_running_loop().call_soon(self.beat_if_due)
                    log.info("Room was born", extra=facts(room=room))
                case StatusChanged(room, status):
                    if status != "online":
                        self._commands.lose_room(room)
                    log.info("Room changed", extra=facts(room=room, status=status))
                case LockdownChanged(now):
                    self._sessions.forget_all()  # those of before have ended: believe none without asking
                    log.warning("Lockdown", extra=facts(active=now.active))
        self._hub.tell(changes)

    async def run(self) -> None:
        """Notice silence."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self.apply(self._home.tick(loop.time()))

    def _take(self, topic: Topic, delivery: Delivery) -> None:
        match topic.kind:
            case TopicKind.STATE:
                self._take_state(topic, delivery)
            case TopicKind.ACK:
                if not delivery.retained:  # a retained one answers nothing that is under way now
                    self._take_acknowledgement(topic, delivery)
            case TopicKind.AVAILABILITY:
                self._take_availability(topic, delivery)
            case TopicKind.DESCRIPTION:
                self._take_description(topic, delivery)
            case TopicKind.FILE:
                self._take_file(topic, delivery)
            case TopicKind.RECEIPT | TopicKind.RESEND:
                self._courier.hear(delivery)
            case _:
                self._take_of_hub(topic, delivery)

    def _take_of_hub(self, topic: Topic, delivery: Delivery) -> None:
        match topic.kind:
            case TopicKind.REVOKED:
                self._take_revoked(messages.decode(messages.Revoked, delivery.payload))
            case TopicKind.LOCKOUTS:
                # A retained list may be an older one; the registry is what holds.
                self._registrar.outdated()
            case TopicKind.LOCKDOWN:
                self._take_lockdown(delivery)
            case _:
                pass

    def _take_revoked(self, told: messages.Revoked) -> None:
        self._sessions.forget(told.sessions)
        self._hub.end_sessions(told.sessions)
        if told.users:
            self._sessions.outdate(told.users)
            self._hub.begin_anew(told.users)
        if told.registry:
            self._registrar.outdated()

    def _take_state(self, topic: Topic, delivery: Delivery) -> None:
        if delivery.payload:
            state = messages.decode(messages.State, delivery.payload)
            self.apply(self._home.hear_state(topic.room, topic.device, state))
        else:
            self.apply(self._home.forget_state(topic.room, topic.device))

    def _take_availability(self, topic: Topic, delivery: Delivery) -> None:
        if delivery.payload:
            said = messages.decode(messages.Availability, delivery.payload)
            now = asyncio.get_running_loop().time()
            self.apply(self._home.hear_availability(topic.room, said, retained=delivery.retained, now=now))

    def _take_lockdown(self, delivery: Delivery) -> None:
        """A word that it began counts at once; that it is over is believed of the auth service alone."""
        told = messages.decode(messages.Lockdown, delivery.payload) if delivery.payload else None
        if told is not None and told.active:
            self.apply(self._home.set_lockdown(LockdownState(active=True, at=told.at)))
        self._registrar.outdated()

    def _take_acknowledgement(self, topic: Topic, delivery: Delivery) -> None:
        said = messages.decode(messages.Acknowledgement, delivery.payload)
        self._commands.hear(topic.room, topic.device, said)
        self._hub.tell_command(
            command_id=said.id, room=topic.room, device=topic.device, outcome=said.outcome, reason=said.reason
        )

    def _take_file(self, topic: Topic, delivery: Delivery) -> None:
        if not delivery.payload:
            self._room_files.forget(topic.room)
            return
        told = messages.decode(RoomFile, delivery.payload)
        if told.room != topic.room:
            raise HomeError("malformed", "the room in the body is not the room of the topic")
        self._room_files.hear(told)

    def _take_description(self, topic: Topic, delivery: Delivery) -> None:
        if not delivery.payload:
            self._registrar.forget(topic.room)
            self.apply(self._home.forget_room(topic.room))
            return
        description = messages.decode(messages.Description, delivery.payload)
        if description.room != topic.room:
            raise HomeError("malformed", "the room in the body is not the room of the topic")
        self.apply(self._home.hear_description(topic.room, description))
        self._registrar.seen(description)
