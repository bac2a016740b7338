"""The chain: every edit, deletion, insertion and swap is found and named; an erased person breaks nothing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.chain import chain
from shared.words.messages import UserRef, utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import START, event

PERSONAL = {"user": "Ada", "email": "ada@example.org", "browser": "Firefox", "count": "5"}


def a_chain(count: int) -> list[chain.Row]:
    rows: list[chain.Row] = []
    for number in range(1, count + 1):
        rows.append(
            chain.append(
                "hall",
                event(id=f"e{number}", seq=number, at=START + number),
                received_at=utc(START + number + 1),
                salt=bytes([number % 256]) * chain.SALT_BYTES,
                row=number,
                previous=rows[-1].hash if rows else chain.GENESIS,
            )
        )
    return rows


def test_an_untouched_chain_is_sound() -> None:
    rows = a_chain(7)
    assert chain.verify(rows) == chain.Verdict(row=7, head=rows[-1].hash)
    assert chain.verify([]) == chain.Verdict(row=0, head=chain.GENESIS)


def test_verifying_goes_on_from_a_row_known_to_be_sound() -> None:
    rows = a_chain(7)
    assert chain.verify(rows[3:], after=3, head=rows[2].hash).broken is None


@pytest.mark.parametrize(
    ("form", "told", "expected"),
    [
        (1, None, "3a0fb6b41283c3e37ca6055754e3b7140b95df5f32d24625720a9bd51d9213ba"),
        (2, None, "3714cb767fd03f42c6c6e2d565e0d86059d5b077d47ebc40c1a4bb35e3b719f0"),
        (2, PERSONAL, "af0b639d3f9c0f5e46e0e53921e7f04752352e5bad2efc6ada7e6c57c0c3a5a4"),
    ],
)
def test_a_canonical_form_never_changes_by_accident(form: int, told: dict[str, str] | None, expected: str) -> None:
    row = chain.append("hall", event(id="e1", detail=told), received_at=utc(START), salt=b"s" * 16, form=form)
    assert row.hash == expected


def test_a_personal_field_enters_the_hash_by_its_salted_digest_alone() -> None:
    one = chain.append("auth", event(id="e1", detail=PERSONAL), received_at=utc(START), salt=b"s" * 16)
    erased = chain.erase(one)
    assert erased.event.detail == {"count": "5"}
    assert (erased.event.who.user, erased.event.who.address) == (None, None)
    assert chain.verify([erased]).broken is None
    for changed in (
        {**PERSONAL, "user": "Eve"},
        {**PERSONAL, "email": "e@example.org"},
        {"count": "5"},
        {"count": "6"},
    ):
        forged = msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, detail=changed))
        assert chain.verify([forged]).broken is not None


def test_the_address_in_the_place_of_a_failed_sign_in_is_personal_too() -> None:
    row = chain.append("auth", event(where="address/192.0.2.9"), received_at=utc(START), salt=b"s" * 16)
    erased = chain.erase(row)
    assert erased.event.where == "address/"
    assert chain.verify([erased]).broken is None
    other = msgspec.structs.replace(row, event=msgspec.structs.replace(row.event, where="address/192.0.2.8"))
    assert chain.verify([other]).broken is not None


def test_rows_of_the_first_form_verify_beside_those_of_the_second() -> None:
    rows: list[chain.Row] = []
    for number, form in enumerate((1, 1, 2, 2), start=1):
        head = rows[-1].hash if rows else chain.GENESIS
        one = event(id=f"e{number}", detail=PERSONAL)
        rows.append(
            chain.append("auth", one, received_at=utc(START), salt=b"s" * 16, row=number, previous=head, form=form)
        )
    rows[1], rows[2] = chain.erase(rows[1]), chain.erase(rows[2])
    assert chain.verify(rows) == chain.Verdict(row=4, head=rows[-1].hash)
    assert rows[1].event.detail == PERSONAL  # in the first form it is part of the hash
    for number in range(4):
        relabelled = [*rows]
        relabelled[number] = msgspec.structs.replace(rows[number], form=3 - rows[number].form)
        broken = chain.verify(relabelled).broken
        assert broken is not None
        assert broken.row == number + 1


def test_a_subject_can_be_erased_while_who_acted_stays_and_is_still_vouched_for() -> None:
    row = chain.append("auth", event(where="user/u2", detail=PERSONAL), received_at=utc(START), salt=b"s" * 16)
    left = chain.erase(row, "u2")
    assert left.event.who == row.event.who
    assert left.event.detail == {"count": "5"}
    assert chain.verify([left]).broken is None
    assert chain.same_content(left, row.event)
    assert not chain.same_content(left, msgspec.structs.replace(row.event, who=event(address="192.0.2.8").who))
    for forged in (event(user=UserRef(id="u3", name="Eve")).who, event(user=None).who, event(address=None).who):
        other = msgspec.structs.replace(left, event=msgspec.structs.replace(left.event, who=forged))
        assert chain.verify([other]).broken is not None
    told_again = msgspec.structs.replace(left, event=msgspec.structs.replace(left.event, detail=PERSONAL))
    assert chain.verify([told_again]).broken is not None
    gone = chain.erase(left, "u1")
    assert gone.event.who.user is None
    assert gone.salt is None
    assert chain.verify([gone]).broken is None


def test_what_comes_again_of_an_erased_person_is_the_same_event() -> None:
    told = event(id="e1", where="user/u1", detail=PERSONAL)
    row = chain.append("auth", told, received_at=utc(START), salt=b"s" * 16)
    assert chain.same_content(chain.erase(row), told)
    assert not chain.same_content(chain.erase(row), event(id="e1", where="user/u1", detail={**PERSONAL, "count": "6"}))


@given(st.integers(2, 9), st.data())
def test_a_deleted_row_is_found(count: int, data: st.DataObject) -> None:
    rows = a_chain(count)
    gone = data.draw(st.integers(0, count - 2))
    broken = chain.verify(rows[:gone] + rows[gone + 1 :]).broken
    assert broken == chain.Broken(row=gone + 2, reason=f"row {gone + 1} is missing")


@given(st.integers(2, 9), st.data())
def test_two_swapped_rows_are_found(count: int, data: st.DataObject) -> None:
    rows = a_chain(count)
    first, second = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=2, max_size=2)))
    swapped = list(rows)
    # as SQL would do it: each keeps its place in the table and gets the other's content
    swapped[first] = msgspec.structs.replace(rows[second], row=first + 1)
    swapped[second] = msgspec.structs.replace(rows[first], row=second + 1)
    broken = chain.verify(swapped).broken
    assert broken is not None
    assert broken.row == first + 1


def test_an_inserted_row_is_found_even_when_it_is_well_made() -> None:
    rows = a_chain(4)
    planted = chain.append("hall", event(id="x"), received_at=utc(START), salt=b"x" * 16, row=3, previous=rows[1].hash)
    broken = chain.verify([*rows[:2], planted, *rows[2:]]).broken
    assert broken == chain.Broken(row=3, reason="stands where another row belongs")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"seq": 99},
        {"at": utc(START + 99)},
        {"what": "device:lock"},
        {"where": "garage/door"},
        {"command_id": "c2"},
        {"command_id": None},
        {"outcome": Outcome.REJECTED},
        {"severity": Severity.INFO},
        {"detail": {"a": "b"}},
        {"who": event(user=None).who},
        {"who": event(user=UserRef(id="u2", name="Ada")).who},
        {"who": event(user=UserRef(id="u1", name="Eve")).who},
        {"who": event(address="192.0.2.8").who},
        {"who": event(issuer="phone").who},
    ],
)
def test_any_changed_field_is_found(change: dict[str, object]) -> None:
    rows = a_chain(4)
    rows[2] = msgspec.structs.replace(rows[2], event=msgspec.structs.replace(rows[2].event, **change))
    broken = chain.verify(rows).broken
    assert broken is not None
    assert broken.row == 3


@pytest.mark.parametrize(
    "change",
    [
        {"source": "garage"},
        {"received_at": utc(START)},
        {"hash": "0" * 64},
        {"previous": "0" * 64},
        {"people": "0" * 64},
    ],
)
def test_any_changed_part_of_the_row_is_found(change: dict[str, object]) -> None:
    rows = a_chain(4)
    rows[2] = msgspec.structs.replace(rows[2], **change)
    broken = chain.verify(rows).broken
    assert broken is not None
    assert broken.row == 3


def test_a_row_made_anew_with_all_its_hashes_is_found_at_the_next() -> None:
    rows = a_chain(4)
    rows[1] = chain.append(
        "hall", event(id="forged"), received_at=utc(START), salt=b"x" * 16, row=2, previous=rows[0].hash
    )
    broken = chain.verify(rows).broken
    assert broken == chain.Broken(row=3, reason="does not follow the row before it")


def test_a_person_can_be_erased_and_the_chain_holds() -> None:
    rows = a_chain(5)
    rows[2] = chain.erase(rows[2])
    assert rows[2].event.who.user is None
    assert rows[2].event.who.address is None
    assert chain.verify(rows).broken is None


def test_no_other_person_can_be_put_where_one_was_erased() -> None:
    rows = a_chain(5)
    erased = chain.erase(rows[2])
    rows[2] = msgspec.structs.replace(erased, event=event(id="e3", seq=3, at=START + 3, address=None))
    broken = chain.verify(rows).broken
    assert broken is not None
    assert broken.row == 3


def test_the_same_person_has_another_digest_in_another_row() -> None:
    assert len({row.people for row in a_chain(5)}) == 5


def test_content_is_compared_without_the_person_once_erased() -> None:
    row = a_chain(1)[0]
    same, other = row.event, msgspec.structs.replace(row.event, what="device:lock")
    nobody = msgspec.structs.replace(row.event, who=event(user=None).who)
    assert chain.same_content(row, same)
    assert not chain.same_content(row, other)
    assert not chain.same_content(row, nobody)
    assert chain.same_content(chain.erase(row), same)
    assert chain.same_content(chain.erase(row), nobody)
    assert not chain.same_content(chain.erase(row), other)


@given(st.datetimes(timezones=st.just(utc(0).tzinfo)))
def test_times_survive_to_the_microsecond(moment: object) -> None:
    assert chain.from_microseconds(chain.microseconds(moment)) == moment  # type: ignore[arg-type]  # hypothesis types it loosely
