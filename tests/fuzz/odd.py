"""Odd values: what no program of ours sends. Every text carries a canary, which must not turn up in any log."""

import json
import random
from typing import Any

CANARY = "Qx7CaNaRy"
"""Looked for, in any case, in every file of the home after a run. Shaped like no name, code or token of ours."""
TEXTS = (
    "\x00",
    "\ud800",
    "\u202e\u2066",
    "é" * 40,
    "\U0001f600" * 20,
    "a" * 5000,
    "\r\nX-Injected: yes",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "../../etc/passwd",
    "%00%ff",
    "' OR 1=1 --",
    "\ufeff",
    "İıſK",
)
NUMBERS = (
    "1e400",
    "-1",
    "0",
    "9" * 400,
    "-0.0",
    "1e-400",
    "2147483648",
    "9223372036854775808",
    "0.1",
    "1" + "0" * 5000,
)


KINDS = {"id": "id", "command_id": "id", "name": "name"}
"""What a field's text counts as, where it is not just a body's."""


class Odd:
    """A seeded source of odd values; `used` counts canaries, so that each is known by its number."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.used = 0

    def canary(self, kind: str) -> str:
        """A word that is found again, and says what kind of field it stood in."""
        self.used += 1
        return f"{CANARY}-{kind}-{self.used}"

    def text(self, kind: str, oddity: float = 0.4) -> str:
        """A canary, and so often something odd behind it."""
        tail = self.random.choice(TEXTS) if self.random.random() < oddity else ""
        return self.canary(kind) + tail

    def raw(self, count: int) -> bytes:
        """Bytes of any kind."""
        return self.random.randbytes(self.random.randrange(count))

    def json(self, depth: int = 0, kind: str = "body") -> str:
        """A JSON value as text, so that it may hold what no encoder writes: huge numbers, NaN, the same name twice."""
        roll = self.random.random()
        if roll < 0.35 or depth > 3:
            return json.dumps(self.text(kind))
        if roll < 0.5:
            return self.random.choice(NUMBERS)
        if roll < 0.65:
            return self.random.choice(("null", "true", "false", "NaN", "Infinity", '"\\ud800"', '""', "[]", "{}"))
        if roll < 0.7:
            deep = self.random.choice((50, 500, 5000))
            return "[" * deep + "]" * deep
        if roll < 0.85:
            return f"[{','.join(self.json(depth + 1) for _ in range(self.random.randrange(4)))}]"
        names = ("id", "id", "name", self.canary("body"), "value", "at")
        parts = (f"{json.dumps(self.random.choice(names))}:{self.json(depth + 1)}" for _ in range(3))
        return f"{{{','.join(parts)}}}"

    def shape(self, fields: dict[str, Any]) -> str:
        """A JSON object with some of `fields` as they should be, some wrong, some missing, some that nobody knows."""
        parts = []
        oddity = self.random.choice((0.0, 0.0, 0.05, 0.4))
        for name, right in fields.items():
            if self.random.random() >= oddity:
                parts.append(f"{json.dumps(name)}:{json.dumps(right)}")
            elif self.random.random() < 0.75:
                parts.append(f"{json.dumps(name)}:{self.json(kind=KINDS.get(name, 'body'))}")
        if self.random.random() < 0.3:
            parts.append(f"{json.dumps(self.canary('body'))}:{self.json()}")
        self.random.shuffle(parts)
        return f"{{{','.join(parts)}}}"

    def spoil(self, given: bytes) -> bytes:
        """A few bytes flipped, cut, doubled or put in."""
        made = bytearray(given)
        for _ in range(self.random.randrange(1, 5)):
            at = self.random.randrange(len(made) + 1)
            match self.random.randrange(5):
                case 0 if made:
                    made[at % len(made)] ^= 1 << self.random.randrange(8)
                case 1:
                    del made[at : at + self.random.randrange(1, 9)]
                case 2:
                    made[at:at] = made[at : at + self.random.randrange(1, 30)]
                case 3:
                    made[at:at] = self.random.choice(
                        (b"\0", b"\r\n", b"\n", b"\xff", b"\r", b" ", b"\t", b":", b"\x80")
                    )
                case _:
                    made[at:at] = self.raw(8)
        return bytes(made)
