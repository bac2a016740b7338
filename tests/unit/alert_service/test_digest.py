"""One source's flood is gathered, and never hides another's letter."""

from hypothesis import given
from hypothesis import strategies as st

from alert_service import digest
from alert_service.digest import FIRST_SECONDS, WINDOW_SECONDS, Ready

ALLOWED = 5
lists = st.lists(st.sampled_from(["hall", "garage", "gateway", "auth"]), max_size=60)


@given(lists, st.dictionaries(st.sampled_from(["hall", "garage"]), st.integers(0, 9)))
def test_every_letter_leaves_alone_or_gathered_and_none_twice(sources: list[str], left: dict[str, int]) -> None:
    ready = [Ready(number, source) for number, source in enumerate(sources)]
    plan = digest.plan(ready, left, ALLOWED)
    gathered = [letter for letters in plan.gathered.values() for letter in letters]
    assert sorted(plan.alone + gathered) == list(range(len(sources)))


@given(lists)
def test_a_flood_from_one_source_gathers_only_its_own(others: list[str]) -> None:
    flood = [Ready(number, "flood") for number in range(1000)]
    rest = [Ready(1000 + number, source) for number, source in enumerate(others)]
    plan = digest.plan([*flood, *rest], {}, ALLOWED)
    assert len(plan.gathered["flood"]) == 1000 - ALLOWED
    assert [x for x in plan.alone if x >= 1000] == digest.plan(rest, {}, ALLOWED).alone


def test_what_left_before_counts() -> None:
    plan = digest.plan([Ready(1, "hall")], {"hall": ALLOWED}, ALLOWED)
    assert plan == ([], {"hall": [1]})


def test_the_first_digest_leaves_soon_and_the_next_a_window_later() -> None:
    assert digest.due_at(None, 1000.0) == 1000.0 + FIRST_SECONDS
    assert digest.due_at(900.0, 1000.0) == 900.0 + WINDOW_SECONDS
    assert digest.due_at(1000.0 - 2 * WINDOW_SECONDS, 1000.0) == 1000.0 + FIRST_SECONDS
