"""The report of `make house` says ok only of what was looked at."""

import io

from tests.booted.report import Report
from tests.booted.terminal import Said


def test_a_phase_is_ok_where_something_was_seen() -> None:
    out = io.StringIO()
    report = Report(out)
    with report.phase("Debian 12", "install"):
        report.typed("hub", "sudo apt install x", Said(0, "", ("y",)), 12.0)
        report.saw("x is there")
    assert report.end() == 0
    text = out.getvalue()
    assert "hub$ sudo apt install x    (12 s)" in text
    assert "answered: y" in text
    assert "house: ok       Debian 12  install" in text
    assert "1 ok, 0 failed, 0 skipped; 1 commands typed, 1 answers" in text


def test_a_phase_that_looked_at_nothing_is_failed() -> None:
    report = Report(io.StringIO())
    with report.phase("Debian 12", "doctor"):
        pass
    assert report.end() == 1
    assert report.phases[0].reason == "nothing was looked at"


def test_a_phase_that_raises_is_failed_with_its_first_line_even_if_something_was_seen() -> None:
    out = io.StringIO()
    report = Report(out)
    with report.phase("Debian 12", "enrol"):
        report.saw("the hub is there")
        raise AssertionError("the hall never came\nits journal says why")
    assert report.end() == 1
    assert "failed   Debian 12  enrol" in out.getvalue()
    assert report.phases[0].reason == "the hall never came"
    assert "! its journal says why" in out.getvalue()


def test_a_phase_may_say_why_it_cannot_be_done_here() -> None:
    report = Report(io.StringIO())
    with report.phase("Debian 12", "timers") as phase:
        phase.reason = "there is no QEMU here"
    assert (report.phases[0].outcome, report.end()) == ("skipped", 0)


def test_what_is_skipped_is_named_with_its_reason() -> None:
    out = io.StringIO()
    report = Report(out)
    report.skip("Debian 13", "update", "because install failed")
    assert report.end() == 0
    assert "house: skipped  Debian 13  update" in out.getvalue()
    assert "because install failed" in out.getvalue()
