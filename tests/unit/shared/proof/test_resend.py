"""What is due again: at once when new, ever later while unanswered, at once after a new connection."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from shared.proof.resend import Resender

ONE = (1,)


def test_what_is_new_is_due_at_once() -> None:
    assert Resender().due((1, 2), 5.0).seq == (1, 2)


def test_what_was_just_sent_is_not_due() -> None:
    resender = Resender()
    resender.due(ONE, 0.0)
    assert resender.due(ONE, 0.9).seq == ()
    assert resender.due((1, 2), 0.9).seq == (2,)


def test_waits_grow_to_a_minute_and_never_end() -> None:
    resender = Resender()
    now, sent = 0.0, []
    while now < 3600:
        if resender.due(ONE, now).seq:
            sent.append(now)
        now += 0.5
    gaps = [late - early for early, late in itertools.pairwise(sent)]
    assert gaps[0] <= 2.5
    assert max(gaps) <= 60.5
    assert min(gaps[6:]) >= 29.5


def test_a_new_connection_makes_everything_due() -> None:
    resender = Resender()
    resender.due(ONE, 0.0)
    resender.reset()
    assert resender.due(ONE, 0.1).seq == ONE


def test_what_was_receipted_is_forgotten() -> None:
    resender = Resender()
    resender.due(ONE, 0.0)
    resender.due((), 0.1)
    assert resender.due(ONE, 0.2).seq == ONE


@given(st.lists(st.tuples(st.sets(st.integers(1, 9)), st.floats(0.0, 100.0)), max_size=30))
def test_only_what_is_pending_is_ever_due_and_everything_pending_within_a_minute(
    steps: list[tuple[set[int], float]],
) -> None:
    resender = Resender()
    now, asked = 0.0, {1: 0.0}
    for pending, wait in steps:
        now += wait
        due = resender.due(sorted(pending), now).seq
        chosen = set(due)
        assert chosen <= pending
        assert len(chosen) == len(due)
        for seq in pending:
            if seq in chosen or seq not in asked:
                asked[seq] = now
            assert now - asked[seq] <= 60.0
        asked = {seq: at for seq, at in asked.items() if seq in pending}
