"""The moments that a stream's words bear, wherever the network cuts it."""

from hypothesis import given
from hypothesis import strategies as st

from tests.bench.streams import stamped

WORD = b'event: state\r\ndata: {"by":{"source":"command","issuer":"gateway","command_id":"bench-%d"}}\r\n\r\n'
OTHER = b'event: command\r\ndata: {"id":"bench-77","outcome":"executed"}\r\n\r\n' * 5


@given(
    st.lists(st.tuples(st.integers(0, 2**63), st.booleans()), max_size=8),
    st.lists(st.integers(1, 300), min_size=1, max_size=50),
)
def test_each_word_counts_once_however_it_comes(said: list[tuple[int, bool]], sizes: list[int]) -> None:
    wire = b"".join((OTHER if other else b"") + WORD % moment for moment, other in said)
    found: list[int] = []
    tail, at, number = b"", 0, 0
    while at < len(wire):
        size = sizes[number % len(sizes)]
        moments, tail = stamped(tail + wire[at : at + size])
        found += moments
        at, number = at + size, number + 1
    assert found == [moment for moment, _ in said]
