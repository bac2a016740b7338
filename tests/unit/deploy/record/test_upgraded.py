"""What the record is told of an upgrade: once, and by letter where it went back."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alert_service.telling import happened
from auth_service import config as auth_config
from deploy.folder import home as homes
from deploy.record import upgraded
from shared.proof.spool import Spool
from shared.words.names import Outcome, Severity
from tests import house

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("why", "outcome", "severity"),
    [("", Outcome.EXECUTED, Severity.INFO), ("no lamp", Outcome.FAILED, Severity.CRITICAL)],
)
def test_it_is_in_the_spool_once_however_often_it_is_told(
    tmp_path: Path, why: str, outcome: Outcome, severity: Severity
) -> None:
    home = house.make_home(tmp_path)
    homes.render(home, "auth", home.config("auth"))
    config = auth_config.read(home.config("auth"))
    for _ in range(2):
        upgraded.tell(config, upgraded.event("id-1", AT, "1", "2", why))
    with contextlib.closing(Spool(config.spool, source=config.broker.identity)) as spool:
        (told,) = spool.pending(10)
    assert (told.what, told.outcome, told.severity) == ("home:upgraded", outcome, severity)
    assert told.what in happened.HOME
    assert told.detail == {"was": "1", "wanted": "2"} | ({"because": why} if why else {})
