"""Messages as topics and bytes: right ones of every shape and identity, and then everything wrong with them."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.fuzz.odd import Odd
from tests.fuzz.requests import DEVICES, ROOMS

ACTIONS = ("on", "off", "set", "lock", "unlock", "open", "close", "stop", "press", "toggle")
Make = Callable[[], tuple[str, dict[str, Any]]]


class Message(NamedTuple):
    """What is published."""

    topic: str
    payload: bytes
    retain: bool
    qos: int


class Messages:
    """Makes them in the name of `identity`; `kinds` say what it has to say."""

    def __init__(self, odd: Odd, identity: str, kinds: tuple[str, ...]) -> None:
        self._odd = odd
        self._identity = identity
        self._kinds: list[Make] = [getattr(self, f"_{kind}") for kind in kinds]

    def next(self) -> Message:
        """One more."""
        odd, roll = self._odd, self._odd.random
        topic, fields = roll.choice(self._kinds)()
        if roll.random() < 0.06:
            topic = self._wrong_topic(topic)
        chance = roll.random()
        if chance < 0.25:
            payload = json.dumps(fields).encode()
        elif chance < 0.7:
            payload = odd.shape(fields).encode("utf-8", "surrogatepass")
        elif chance < 0.8:
            payload = odd.json().encode("utf-8", "surrogatepass")
        elif chance < 0.95:
            payload = odd.spoil(json.dumps(fields).encode())
        else:
            payload = odd.raw(400) + odd.canary("said").encode()
        if topic.startswith("audit/") and roll.random() < 0.3:
            others = [json.dumps(self._audit()[1]).encode() for _ in range(roll.choice((0, 1, 5, 70)))]
            payload = b"[%b]" % b",".join([*others, payload])
        return Message(topic, payload[:60_000], roll.random() < 0.05, roll.choice((0, 1, 1, 1)))

    def _command(self) -> tuple[str, dict[str, Any]]:
        odd, roll = self._odd, self._odd.random
        room, device = roll.choice(ROOMS), roll.choice(DEVICES)
        at = datetime.now(UTC) - timedelta(seconds=roll.choice((0, 0, 0, 4, 6, 3600, -3600)))
        fields: dict[str, Any] = {
            "action": roll.choice(ACTIONS),
            "value": roll.choice((None, 0, 50, 100, 101, -1, 2**63)),
            "id": roll.choice((str(uuid.UUID(int=roll.getrandbits(128))), odd.canary("id"), "again")),
            "issued_at": roll.choice((at.isoformat(), at.timestamp(), time.time())),
            "user": {"id": "u1", "name": odd.canary("said")},
            "origin": odd.canary("said"),
            "authorization": odd.canary("token"),
        }
        return f"home/{room}/{device}/set/{self._identity}", fields

    def _state(self) -> tuple[str, dict[str, Any]]:
        odd, roll = self._odd, self._odd.random
        value = roll.choice(
            ("on", "off", "locked", 50, None, 21.5, {"position": 5, "moving": None}, odd.canary("said"))
        )
        by = {"source": roll.choice(("command", "input", "boot")), "command_id": odd.canary("id")}
        fields = {"value": value, "since": _now(), "by": by, "fault": odd.canary("said")}
        return f"home/{self._identity}/{roll.choice(DEVICES)}/state", fields

    def _ack(self) -> tuple[str, dict[str, Any]]:
        odd, roll = self._odd, self._odd.random
        outcome = roll.choice(("executed", "rejected", "expired", "failed"))
        fields = {"id": odd.canary("id"), "outcome": outcome, "at": _now(), "reason": odd.canary("said")}
        return f"home/{self._identity}/{roll.choice(DEVICES)}/ack", fields

    def _event(self) -> tuple[str, dict[str, Any]]:
        return f"home/{self._identity}/doorbell/event", {"event": "press", "at": _now()}

    def _availability(self) -> tuple[str, dict[str, Any]]:
        fields = {"status": "online", "at": _now(), "session": self._odd.canary("said")}
        return f"home/{self._identity}/availability", fields

    def _service(self) -> tuple[str, dict[str, Any]]:
        fields = {"status": "online", "at": _now(), "session": self._odd.canary("said")}
        return f"system/{self._identity}/availability", fields

    def _description(self) -> tuple[str, dict[str, Any]]:
        odd, roll = self._odd, self._odd.random
        devices = [
            {
                "id": device,
                "name": odd.text("name"),
                "kind": roll.choice(("switch", "dimmer", "lock", "cover", "pulse", "contact", "button", "temperature")),
                "critical": roll.random() < 0.3,
                "confirm": roll.random() < 0.3,
                "actions": roll.sample(ACTIONS[:9], 2),
                "safe_actions": roll.sample(ACTIONS[:9], 1),
                "max_on": roll.choice((None, 1.5, -1, 1e300)),
                "unit": odd.canary("name"),
            }
            for device in roll.sample(DEVICES, 3)
        ]
        fields = {
            "room": self._identity,
            "name": odd.text("name"),
            "agent_version": odd.canary("said"),
            "devices": devices,
        }
        return f"home/{self._identity}/description", fields

    def _audit(self) -> tuple[str, dict[str, Any]]:
        odd, roll = self._odd, self._odd.random
        severity = roll.choice(("info",) * 20 + ("critical", "security"))
        who = {
            "issuer": self._identity,
            "user": {"id": "u1", "name": odd.canary("said")},
            "address": odd.canary("said"),
        }
        fields = {
            "id": odd.canary("id"),
            "seq": roll.choice((0, 1, odd.used, 2**53, -1)),
            "at": _now(),
            "what": roll.choice(("device:on", "device:unlock", "room:offline", odd.canary("said"))),
            "where": roll.choice(("attic/lamp", odd.canary("said"))),
            "who": who,
            "outcome": "executed",
            "severity": severity,
            "command_id": odd.canary("id"),
            "detail": {odd.canary("said"): odd.canary("said")},
        }
        return f"audit/{self._identity}", fields

    def _csr(self) -> tuple[str, dict[str, Any]]:
        fields = {"csr": f"-----BEGIN CERTIFICATE REQUEST-----\n{self._odd.canary('said')}\n"}
        return f"home/{self._identity}/csr", fields

    def _wrong_topic(self, topic: str) -> str:
        odd, roll = self._odd, self._odd.random
        levels = topic.split("/")
        levels[roll.randrange(len(levels))] = roll.choice(
            (odd.canary("topic"), "", "é", "\u202e", "hall", "gateway", "a" * 300)
        )
        others = (
            "system/lockdown",
            "system/revoked",
            "audit/hall",
            "audit/hall/receipt",
            "$CONTROL/dynamic-security/v1",
            "$SYS/x",
        )
        return "/".join(levels) if roll.random() < 0.7 else roll.choice(others)


def _now() -> str:
    return datetime.now(UTC).isoformat()
