"""A request arrives with its first byte, whatever it waits for after that."""

from shared.door.arrival import Arrivals


def test_a_head_that_trickles_in_began_with_its_first_byte() -> None:
    arrivals = Arrivals()
    for now, heads in ((1.0, 0), (2.0, 0), (3.0, 1)):
        arrivals.hear(now, in_body=False)
        arrivals.complete(heads)
    assert arrivals.next(9.0) == 1.0


def test_requests_that_follow_without_waiting_came_with_their_bytes() -> None:
    arrivals = Arrivals()
    arrivals.hear(1.0, in_body=False)
    arrivals.complete(2)
    arrivals.hear(2.0, in_body=False)
    arrivals.complete(1)
    arrivals.complete(1)  # what was kept back came with the same bytes
    assert [arrivals.next(9.0) for _ in range(5)] == [1.0, 1.0, 2.0, 2.0, 9.0]


def test_a_body_begins_no_request() -> None:
    arrivals = Arrivals()
    arrivals.hear(1.0, in_body=False)
    arrivals.complete(1)
    arrivals.hear(2.0, in_body=True)
    arrivals.complete(0)
    arrivals.hear(60.0, in_body=False)
    arrivals.complete(1)
    assert [arrivals.next(99.0), arrivals.next(99.0)] == [1.0, 60.0]
