"""Odd requests and odd messages, a few of them, to a whole running home; `make fuzz` sends 100,000 of each."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import Demo
from tests.fuzz import over_http, over_mqtt
from tests.fuzz.home import fuzzed_home
from tests.fuzz.odd import CANARY
from tests.fuzz.over_http import Answer, is_expected
from tests.fuzz.report import Report, found_in

REQUESTS, MESSAGES = 1500, 3000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with fuzzed_home(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def silent(_text: str) -> None:
    """What a long run says on the way."""


def test_odd_requests_are_answered_and_leave_nothing_behind(demo: Demo) -> None:
    report, pids = Report(), demo.pids()
    asyncio.run(over_http.run(demo, REQUESTS, 1, report, silent))
    report.look(demo, pids)
    assert (report.faults, report.deaths, report.secrets) == ([], [], [])
    for service in ("gateway", "auth", "alerts"):
        assert report.counts[f"{service} 200"] > 0, report.summary()
        assert report.counts[f"{service} 400"] > 0, report.summary()


def test_odd_messages_are_survived_and_leave_nothing_in_logs(demo: Demo) -> None:
    report, pids = Report(logs_only=True), demo.pids()
    over_mqtt.run(demo, MESSAGES, 1, report, silent)
    report.look(demo, pids)
    assert (report.faults, report.deaths, report.secrets) == ([], [], [])
    for room in ("hall", "kitchen", "garage"):
        assert report.counts[f"lines of agent-{room}.log"] > 10, "what nobody hears proves nothing"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200), True),
        (Answer(400), True),
        (Answer(500), False),
        (Answer(500, "application/problem+json", b'{"type":"/problems/internal"}'), False),
        (Answer(503, "application/problem+json", b'{"type":"/problems/room-offline"}'), True),
        (Answer(504, "application/problem+json", b'{"type":"/problems/room-offline"}'), False),
        (Answer(502, "text/html", b"<html>"), False),
    ],
)
def test_of_our_own_faults_only_the_catalogues_are_expected(answer: Answer, expected: bool) -> None:
    assert is_expected(answer) is expected


def test_a_canary_is_found_where_it_has_no_business(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(f"a {CANARY}-cookie-7 b {CANARY}-id-8 c command_id={CANARY}-id-9".lower())
    assert [one.split(": ")[1] for one in found_in(path, Path("log/file"))] == ["cookie, 1 times", "id, 1 times"]
    assert [one.split(": ")[1] for one in found_in(path, Path("data/file"))] == ["cookie, 1 times"]
