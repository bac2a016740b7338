"""Orders: whatever is moved, comes and goes, all are shown once, and the list that is kept says what was wanted."""

from hypothesis import given
from hypothesis import strategies as st

from shared.words import arranging
from shared.words.names import ACTIONS, Kind

IDS = [f"d{number}" for number in range(8)]
SOME = st.lists(st.sampled_from(IDS), unique=True)
ANY = st.lists(st.sampled_from([*IDS, "gone", "gone-too"]))


@given(SOME, ANY)
def test_all_that_is_there_stands_once_and_what_is_named_stands_first(ids: list[str], first: list[str]) -> None:
    shown = arranging.arranged(ids, first)
    assert sorted(shown) == sorted(ids)
    named = [one for one in dict.fromkeys(first) if one in ids]
    assert list(shown[: len(named)]) == named
    assert [one for one in shown if one not in named] == [one for one in ids if one not in named]


@given(SOME.flatmap(lambda ids: st.tuples(st.just(ids), st.permutations(ids))))
def test_the_shortest_list_says_what_was_wanted_and_none_is_shorter(both: tuple[list[str], list[str]]) -> None:
    ids, wanted = both
    kept = arranging.shortest(ids, wanted)
    assert arranging.arranged(ids, kept) == tuple(wanted)
    assert all(arranging.arranged(ids, wanted[:fewer]) != tuple(wanted) for fewer in range(len(kept)))


MOVES = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.booleans()), max_size=12)


@given(MOVES, st.lists(st.sets(st.sampled_from(IDS)), max_size=12))
def test_moves_are_as_on_paper_while_devices_come_and_go(
    moves: list[tuple[str, str, bool]], away: list[set[str]]
) -> None:
    kept: tuple[str, ...] = ()
    for step, (one, other, before) in enumerate(moves):
        gone = away[step] if step < len(away) else set[str]()
        here = [found for found in IDS if found not in gone]
        shown = list(arranging.arranged(here, kept))
        if one == other or one in gone or other in gone:
            continue
        paper = [found for found in shown if found != one]
        place = next(index for index, found in enumerate(paper) if found == other)
        paper.insert(place if before else place + 1, one)
        moved = arranging.moved(shown, one, before=other if before else None, after=None if before else other)
        assert list(moved) == paper
        again = arranging.moved(moved, one, before=other if before else None, after=None if before else other)
        assert again == moved, "a form that is sent twice changes nothing more"
        kept = arranging.shortest(here, moved)
        assert list(arranging.arranged(here, kept)) == paper


@given(st.dictionaries(st.sampled_from(IDS), st.sampled_from(list(Kind))), ANY, ANY)
def test_what_only_tells_stands_behind_what_can_be_told_something(
    kinds: dict[str, Kind], home: list[str], own: list[str]
) -> None:
    shown = arranging.in_order(list(kinds.items()), home, own)
    assert sorted(shown) == sorted(kinds)
    tells = [kinds[one] not in ACTIONS for one in shown]
    assert tells == sorted(tells)


def test_doors_stand_first_where_nobody_moved_anything() -> None:
    devices = [("lamp", Kind.SWITCH), ("warm", Kind.TEMPERATURE), ("gate", Kind.PULSE), ("door", Kind.LOCK)]
    assert arranging.usual(devices) == ("door", "gate", "lamp", "warm")
