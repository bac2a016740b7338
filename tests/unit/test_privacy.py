"""docs/privacy.md: whatever table may tell of a person is named there, with what for and how long."""

import re
from pathlib import Path

from sqlalchemy import MetaData

from alert_service import tables as alerts
from alert_service.readings import tables as readings
from auth_service.factors import demand_rows
from auth_service.home import pending_rows, window_rows
from auth_service.people import email_rows, erasure_rows, invitation_rows
from auth_service.tables import metadata as accounts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
OF_NOBODY = {
    *("identities", "rooms", "devices", "loosenings", "refused_loosenings", "demands", "lockdown"),
    *("days", "passed", "settings"),
    "missed_invitations",  # one number for the home
}
"""Tables of the house, its rooms and its keeping."""
CELLS = 5


def rows() -> list[list[str]]:
    """Every line of the tables."""
    lines = [
        line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| what |")
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def kept() -> set[str]:
    """Every table of every database."""
    every: list[MetaData] = [accounts, alerts.metadata, readings.metadata]
    beside = (
        *(demand_rows.demands, pending_rows.table, pending_rows.presses),
        *(email_rows.email_changes, erasure_rows.erasures, invitation_rows.table, invitation_rows.missed),
        window_rows.table,
    )
    assert {table.name for table in beside} <= set(accounts.tables)
    return {name for one in every for name in one.tables}


def test_every_table_is_told_of_or_tells_of_nobody() -> None:
    told = {name for row in rows() for name in re.findall(r"`(\w+)`", row[-1])}
    assert told - kept() == set(), "and none that is not there"
    assert kept() - told == OF_NOBODY


def test_of_each_it_is_said_what_for_how_long_and_who_sees_it() -> None:
    found = rows()
    assert len(found) > 20
    assert all(len(row) == CELLS and all(row) for row in found)
