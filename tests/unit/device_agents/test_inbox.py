"""The inbox: whatever is put wakes the loop, in order, from any thread; so does the connection."""

import socket
import threading
from collections.abc import Iterator

import pytest

from device_agents.inbox import Changed, Inbox

LONG = 20.0


class Wire:
    """A connection that the loop waits for."""

    def __init__(self, sock: socket.socket | None = None, *, writing: bool = False) -> None:
        self.sock = sock
        self.writing = writing
        self.readied = 0

    def fileno(self) -> int | None:
        return None if self.sock is None else self.sock.fileno()

    def wants_write(self) -> bool:
        return self.writing

    def ready(self) -> None:
        self.readied += 1


@pytest.fixture
def inbox() -> Iterator[Inbox[int]]:
    made: Inbox[int] = Inbox()
    yield made
    made.close()


def test_what_hums_lies_there_once(inbox: Inbox[int | Changed]) -> None:
    for _ in range(10_000):
        inbox.stir(Changed())
    inbox.put(1)
    assert [inbox.take(), inbox.take(), inbox.take()] == [Changed(), 1, None]
    inbox.stir(Changed())
    assert (inbox.take(), inbox.take()) == (Changed(), None), "what is noted after the loop took it stirs it again"


def test_items_come_in_order(inbox: Inbox[int]) -> None:
    for number in range(3):
        inbox.put(number)
    inbox.wait(LONG, Wire())
    assert [inbox.take() for _ in range(4)] == [0, 1, 2, None]


def test_an_item_from_another_thread_wakes_the_loop(inbox: Inbox[int]) -> None:
    thread = threading.Thread(target=inbox.put, args=(7,))
    thread.start()
    inbox.wait(LONG, Wire())
    thread.join()
    assert inbox.take() == 7


def test_what_the_loop_leaves_itself_is_not_waited_for(inbox: Inbox[int]) -> None:
    inbox.leave(1)
    inbox.put(2)
    inbox.leave(3)
    inbox.wait(LONG, Wire())
    assert [inbox.take() for _ in range(4)] == [1, 2, 3, None]


def test_the_bell_does_not_ring_twice(inbox: Inbox[int]) -> None:
    inbox.put(1)
    inbox.wait(LONG, Wire())
    assert inbox.take() == 1
    inbox.wait(0.0, Wire())
    assert inbox.take() is None


def test_bytes_on_the_connection_wake_the_loop(inbox: Inbox[int]) -> None:
    near, far = socket.socketpair()
    with near, far:
        wire = Wire(near)
        far.send(b"x")
        inbox.wait(LONG, wire)
        assert wire.readied == 1


def test_room_to_write_wakes_the_loop_only_where_something_waits(inbox: Inbox[int]) -> None:
    near, far = socket.socketpair()
    with near, far:
        idle, busy = Wire(near), Wire(near, writing=True)
        inbox.wait(0.0, idle)
        inbox.wait(LONG, busy)
        assert (idle.readied, busy.readied) == (0, 1)
