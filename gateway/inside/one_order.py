"""Acts and happenings of a page in the one order that they have: newest first, as the alert service merged them."""

from collections import deque
from datetime import datetime

from shared.words.internal_alerts import AuditPage, AuditRecord, Happening

Thing = AuditRecord | Happening


def merged(page: AuditPage) -> list[Thing]:
    """Acts by when they were recorded, which never falls from row to row, happenings by when they happened."""
    clocks: list[datetime] = []
    for act in reversed(page.events):
        clocks.append(max(clocks[-1], act.received_at) if clocks else act.received_at)
    things: list[Thing] = []
    happenings = deque(page.happenings)
    for act, clock in zip(page.events, reversed(clocks), strict=True):
        while happenings and happenings[0].at > clock:
            things.append(happenings.popleft())
        things.append(act)
    return [*things, *happenings]
