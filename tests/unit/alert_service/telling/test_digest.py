"""One party's flood is gathered, and never hides another's letter."""

from hypothesis import given
from hypothesis import strategies as st

from alert_service.telling import digest
from alert_service.telling.digest import FIRST_SECONDS, PARTIES, WINDOW_SECONDS, Ready

ALLOWED = 5
sources = st.sampled_from(["hall", "garage", "gateway", "auth"])
lists = st.lists(st.tuples(sources, st.sampled_from(["user u1", "user u2", "place hall"])), max_size=60)


@given(lists, st.dictionaries(st.tuples(sources, st.just("user u1")), st.integers(0, 9)), st.booleans())
def test_every_letter_leaves_alone_or_gathered_and_none_twice(
    told: list[tuple[str, str]], left: dict[tuple[str, str], int], proven: bool
) -> None:
    ready = [Ready(number, *one, proven=proven) for number, one in enumerate(told)]
    plan = digest.plan(ready, left, ALLOWED)
    gathered = [letter for letters in plan.gathered.values() for letter in letters]
    assert sorted(plan.alone + gathered) == list(range(len(told)))


@given(lists)
def test_a_flood_from_one_source_gathers_only_its_own(others: list[tuple[str, str]]) -> None:
    flood = [Ready(number, "flood", "user u1") for number in range(1000)]
    rest = [Ready(1000 + number, *one) for number, one in enumerate(others)]
    plan = digest.plan([*flood, *rest], {}, ALLOWED)
    assert len(plan.gathered["flood"]) == 1000 - ALLOWED
    assert [x for x in plan.alone if x >= 1000] == digest.plan(rest, {}, ALLOWED).alone


def test_what_left_before_counts() -> None:
    plan = digest.plan([Ready(1, "hall", "user u1")], {("hall", "user u1"): ALLOWED}, ALLOWED)
    assert plan == ([], {"hall": [1]})


def test_one_users_flood_gathers_no_other_users_letter_of_the_same_source() -> None:
    flood = [Ready(number, "gateway", "user guest") for number in range(24)]
    plan = digest.plan([*flood, Ready(99, "gateway", "user ada")], {}, ALLOWED)
    assert plan.alone == [*range(ALLOWED), 99]


def test_a_source_that_invents_parties_is_gathered_all_the_same() -> None:
    plan = digest.plan([Ready(number, "hall", f"user u{number}") for number in range(1000)], {}, ALLOWED)
    assert len(plan.alone) == ALLOWED * PARTIES


@given(lists)
def test_a_proven_command_always_leaves_alone_and_counts_against_nobody(others: list[tuple[str, str]]) -> None:
    proven = [Ready(1000 + number, "gateway", "user u1", proven=True) for number in range(50)]
    rest = [Ready(number, *one) for number, one in enumerate(others)]
    plan = digest.plan([*proven, *rest], {}, ALLOWED)
    assert plan.alone == [one.letter for one in proven] + digest.plan(rest, {}, ALLOWED).alone


def test_a_party_is_the_user_or_else_the_place_or_the_issuer() -> None:
    assert digest.party("u1", "hall/door", "gateway") == "user u1"
    assert digest.party(None, "hall/door", "gateway") == "place hall/door"
    assert digest.party(None, "", "gateway") == "issuer gateway"


def test_the_first_digest_leaves_soon_and_the_next_a_window_later() -> None:
    assert digest.due_at(None, 1000.0) == 1000.0 + FIRST_SECONDS
    assert digest.due_at(900.0, 1000.0) == 900.0 + WINDOW_SECONDS
    assert digest.due_at(1000.0 - 2 * WINDOW_SECONDS, 1000.0) == 1000.0 + FIRST_SECONDS
