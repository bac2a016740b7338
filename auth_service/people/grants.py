"""What may stand in a guest's grants, pure. Every complaint names the field as a program wrote it."""

from collections.abc import Sequence

import msgspec

from shared.words.grant_times import DAY
from shared.words.internal import Grant
from shared.words.names import is_identity
from shared.words.problem import HomeError

MOST = 50
"""Of one guest: all of them travel with every word on a session."""


def checked_grants(grants: Sequence[Grant]) -> tuple[Grant, ...]:
    """Grants as they are kept, each once. Raises invalid-value, with the `field` as a fact: "grants[0].until"."""
    kept = []
    for number, grant in enumerate(grants):
        if (fault := _fault(grant)) is not None:
            field, detail = fault
            raise invalid(number, field, detail)
        weekdays = tuple(sorted(set(grant.weekdays)))
        actions = None if grant.actions is None else tuple(dict.fromkeys(grant.actions))
        to_minute = grant.to_minute or DAY  # midnight is written either way
        kept.append(msgspec.structs.replace(grant, weekdays=weekdays, actions=actions, to_minute=to_minute))
    distinct = tuple(dict.fromkeys(kept))
    if len(distinct) > MOST:
        raise HomeError("invalid-value", f"A guest has {MOST} grants at the most.", field="grants")
    return distinct


def invalid(number: int, field: str, detail: str) -> HomeError:
    """The problem of one field of one grant."""
    return HomeError("invalid-value", detail, field=f"grants[{number}].{field}")


def _fault(grant: Grant) -> tuple[str, str] | None:
    """The field that cannot be meant, and why; None where it can."""
    if not is_identity(grant.room):
        return "room", "A grant names a room and a device, such as hall/lamp."
    if not is_identity(grant.device):
        return "device", "A grant names a room and a device, such as hall/lamp."
    if not grant.weekdays:
        return "weekdays", "Choose at least one weekday."
    if any(not 0 <= day <= 6 for day in grant.weekdays):
        return "weekdays", "A grant's weekdays are 0 (Monday) to 6 (Sunday)."
    if not 0 <= grant.from_minute < DAY:
        return "from_minute", "A grant's hours begin between minute 0 and 1439 of the day."
    if not 0 <= grant.to_minute <= DAY:
        return "to_minute", "A grant's hours end between minute 0 and 1440 of the day."
    if grant.from_minute == grant.to_minute:
        return "to_minute", "A grant's hours end at another time than they begin; a whole day is 00:00 to 24:00."
    return _fault_of_moments(grant)


def _fault_of_moments(grant: Grant) -> tuple[str, str] | None:
    for field, moment in (("since", grant.since), ("until", grant.until)):
        if moment is not None and moment.utcoffset() is None:
            return field, "A moment needs a time zone, such as 2026-12-24T18:00:00+01:00."
    if grant.since is not None and grant.until is not None and grant.since >= grant.until:
        return "until", "A grant ends after it begins."
    return None
