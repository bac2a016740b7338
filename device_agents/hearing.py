"""What the room hears, taken to whom it is for: commands, the hub's word, receipts, certificates, and its own file."""

import logging

from device_agents.ledger.proof import Proof
from device_agents.link.announcing import Announcer
from device_agents.link.link import Heard, Link
from device_agents.link.renewal import Renewal
from device_agents.obeying.clock import Clocks
from device_agents.obeying.commands import Commands
from device_agents.obeying.restrictions import Restrictions
from device_agents.own_file.trying import OwnFile
from device_agents.upkeep import Upkeep
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.names import is_gateway
from shared.words.problem import HomeError
from shared.words.topics import Topic, TopicKind

log = logging.getLogger(__name__)


class Hearing:
    """One message after the other; called by the loop. `now` is monotonic seconds."""

    def __init__(
        self,
        commands: Commands,
        restrictions: Restrictions,
        proof: Proof,
        renewal: Renewal,
        announcer: Announcer,
        upkeep: Upkeep,
        clocks: Clocks,
        link: Link,
        own_file: OwnFile | None,
    ) -> None:
        self._commands = commands
        self._restrictions = restrictions
        self._proof = proof
        self._renewal = renewal
        self._own_file = own_file
        self._clocks = clocks
        self._announcer = announcer
        self._upkeep = upkeep
        self._link = link

    def hear(self, heard: Heard, now: float) -> None:
        """Take one. What cannot be used is logged and left."""
        topic = topics.parse(heard.topic)
        if topic is None:
            return
        try:
            match topic.kind:
                case TopicKind.SET:
                    self._upkeep.busy(now)
                    self._commands.obey(topic, heard.payload, retained=heard.retained, now=now)
                case TopicKind.SERVICE:
                    self._hear_service(topic, heard, now)
                case TopicKind.LOCKDOWN | TopicKind.LOCKOUTS:
                    self._restrictions.hear(topic.kind, heard.payload)
                case TopicKind.RECEIPT:
                    self._proof.receipted(heard.payload)
                case TopicKind.CERTIFICATE | TopicKind.AUTHORITIES:
                    self._renewal.hear(topic.kind, heard.payload)
                case TopicKind.RESEND:
                    self._proof.resend(heard.payload)
                case TopicKind.SETTINGS if self._own_file is not None:
                    self._own_file.hear(heard.payload)
        except HomeError as error:
            log.warning("Message cannot be used", extra=facts(topic=heard.topic, reason=error))

    def _hear_service(self, topic: Topic, heard: Heard, now: float) -> None:
        """Learn a gateway's clock from what it says live; a gateway that is new has not heard us yet."""
        if heard.retained or not heard.payload or not is_gateway(topic.who):
            return
        there = messages.decode(messages.Availability, heard.payload)
        slow = self._link.is_slow(now)
        if there.status == "online" and self._clocks.learn(topic.who, there, heard.at, slow=slow):
            self._announcer.announce()
