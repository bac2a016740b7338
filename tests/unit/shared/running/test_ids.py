"""Random names: none twice, and shaped as they should be."""

import itertools
import re
import threading
import uuid

import pytest

from shared.running import ids
from shared.running.ids import Names


def test_no_byte_is_given_out_twice() -> None:
    drawn = bytearray()
    numbers = itertools.count()

    def draw(size: int) -> bytes:
        made = b"".join(next(numbers).to_bytes(4, "big") for _ in range(size // 4))
        drawn.extend(made)
        return made

    names = Names(draw)
    taken = [names.take() for _ in range(4_000)]
    assert len(set(taken)) == len(taken)
    for one in taken:  # whole, and never a part of two
        assert drawn.index(bytes.fromhex(one)) % 8 == 0


def test_threads_share_without_sharing_a_name() -> None:
    found: list[str] = []

    def take() -> None:
        mine = [ids.long() for _ in range(5_000)]
        found.extend(mine)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 20_000


def test_each_has_its_shape() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", ids.short())
    assert re.fullmatch(r"[0-9a-f]{32}", ids.long())
    for _ in range(200):
        text = ids.uuid7()
        read = uuid.UUID(text)
        assert (str(read), read.version, read.variant) == (text, 7, uuid.RFC_4122)


def test_what_databases_keep_begins_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [1_795_000_000_000_000_000 + step for step in (0, 1, 999_999, 1_000_000, 10**15)]
    clock = iter(moment for moment in moments for _ in range(2))
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    made = [(ids.long(), ids.uuid7()) for _ in moments]
    assert [int(event[:16], 16) for event, _ in made] == moments
    assert [uuid.UUID(command).int >> 80 for _, command in made] == [moment // 1_000_000 for moment in moments]
    assert len({name[16:] for name, _ in made}) == len(made)
    assert len({command[14:] for _, command in made}) == len(made)
