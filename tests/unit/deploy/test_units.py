"""The systemd units: valid, hardened, and each starts what exists."""

import importlib.util
import itertools
import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deploy.folder import owning, parts
from deploy.folder.home import ROOT
from shared.running import systemd
from tests import exposure

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
TIMERS = sorted((ROOT / "deploy" / "systemd").glob("*.timer"))
CALENDARS = [path for path in TIMERS if "OnCalendar=" in path.read_text()]
EXPOSURE_MOST = 2.0
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units with programs that exist on this machine, so that only the units themselves are judged."""
    made = tmp_path_factory.mktemp("units")
    for path in (ROOT / "deploy" / "systemd").iterdir():
        text = re.sub(r"/opt/homesystem/\.venv/bin/\w+|/usr/sbin/mosquitto", "/bin/true", path.read_text())
        text = text.replace("Documentation=file:/opt/homesystem/docs/setup.md\n", "")
        (made / path.name.replace("@.", "@hall.")).write_text(text)
    return made


@needs_systemd
def test_every_unit_is_valid(folder: Path) -> None:
    paths = [str(path) for path in sorted(folder.iterdir())]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=yes", "--man=no", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in checked.stderr.splitlines() if "homesystem" in line]
    assert complaints == []


@needs_systemd
@pytest.mark.parametrize("name", [path.name.replace("@.", "@hall.") for path in UNITS])
def test_every_unit_has_few_rights(folder: Path, name: str) -> None:
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(folder / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", judged.stdout)
    assert found is not None
    assert float(found[1]) <= exposure.AS_ROOT.get(name, EXPOSURE_MOST)


@needs_systemd
@pytest.mark.parametrize("path", CALENDARS, ids=lambda path: path.name)
def test_no_timer_is_silent_for_longer_when_the_clock_is_put_back(path: Path) -> None:
    calendar = re.findall(r"^OnCalendar=(.+)", path.read_text(), re.MULTILINE)
    # In Berlin the hour from two o'clock came twice on 2026-10-25, which had 25 hours.
    berlin = os.environ | {"TZ": "Europe/Berlin"}
    asked = ["systemd-analyze", "calendar", "--base-time=2026-10-24 20:10 UTC", "--iterations=12", *calendar]
    said = subprocess.run(asked, env=berlin, capture_output=True, text=True, check=True).stdout
    moments = [datetime.fromisoformat(moment) for moment in re.findall(r"\(in UTC\): \S+ (.+) UTC", said)]
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(moments) == 12
    usual = pauses[-1]
    assert max(pauses) <= (timedelta(hours=25) if usual == timedelta(days=1) else usual)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_starts_a_module_that_exists(path: Path) -> None:
    text = path.read_text()
    for module in re.findall(r"python -m (\w+)", text):
        assert importlib.util.find_spec(module) is not None
    assert ("\nUser=root\n" if path.name in exposure.AS_ROOT else "\nUser=homesystem") in text


def unit(part: str) -> str:
    return (ROOT / "deploy" / "systemd" / f"homesystem-{part}.service").read_text()


def given(text: str, name: str) -> list[str]:
    """What a unit says under a name, word by word."""
    return [word for line in re.findall(rf"(?m)^{name}=(.*)$", text) for word in line.split()]


@pytest.mark.parametrize("part", parts.KEYS)
def test_every_service_is_a_user_of_its_own_who_sees_its_own_part_of_the_home(part: str) -> None:
    text, place = unit(part), f"/var/lib/homesystem/services/{part}"
    assert given(text, "User") == given(text, "Group") == [owning.user(part)]
    assert given(text, "TemporaryFileSystem") == ["/var/lib/homesystem:ro"]
    assert given(text, "BindReadOnlyPaths") == [place]
    logs = [] if part == "broker" else [f"/var/lib/homesystem/log/{part}"]
    assert given(text, "BindPaths") == [f"{place}/{parts.state(part)}", *logs]
    assert given(text, "ReadWritePaths") == []
    assert given(text, "UMask") == ["0007"]
    assert f" {place}/" in text.partition("ExecStart=")[2].partition("\n")[0]


def test_the_users_are_made_and_the_commands_user_is_in_their_groups_alone() -> None:
    text = (ROOT / "deploy" / "sysusers.d" / "homesystem-signer.conf").read_text()
    made = set(re.findall(r"(?m)^u (\S+) ", text))
    assert made == {"homesystem-signer", *map(owning.user, parts.KEYS)}
    assert re.findall(r"(?m)^m (.+)$", text) == [f"homesystem {owning.user(part)}" for part in _in_order(text)]


def _in_order(text: str) -> list[str]:
    return [name for name in re.findall(r"(?m)^u homesystem-(\S+) ", text) if name in parts.KEYS]


def test_only_who_has_business_with_the_signer_is_heard_there_and_most_do_not_see_it() -> None:
    assert re.findall(r"--for (\S+)", unit("signer")) == ["homesystem", owning.user("auth")]
    hidden = [part for part in parts.KEYS if given(unit(part), "InaccessiblePaths") == ["-/run/homesystem-signer"]]
    assert hidden == ["broker", "readings", "gateway"], "alerts reads there how the signer ended"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_takes_its_time_zones_from_the_package_alone(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"(?m)^Environment=(.* )?PYTHONTZPATH=$", text) or "/python " not in text


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_that_stays_has_one_heap_for_all_threads(path: Path) -> None:
    text = path.read_text()
    assert "\nEnvironment=MALLOC_ARENA_MAX=1\n" in text or "Type=notify" not in text or "/python " not in text


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_what_a_unit_forbids_is_an_error_and_not_the_end(path: Path) -> None:
    assert "\nSystemCallErrorNumber=EPERM\n" in path.read_text()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_that_stays_is_replaced_when_it_is_frozen(path: Path) -> None:
    """Within 30 s: the silence that is borne, and a second or two for the new one."""
    text = path.read_text()
    if "Type=oneshot" in text:
        return
    assert "\nType=notify\nNotifyAccess=main\n" in text
    seconds = re.search(r"(?m)^WatchdogSec=(\d+)$", text)
    assert seconds is not None
    assert 2 * systemd.FEED_SECONDS < int(seconds[1]) <= 20
    assert "\nRestart=always\n" in text


@pytest.mark.skipif(
    not exposure.is_possible(), reason="needs systemd-analyze, and the history back to the units before"
)
def test_no_unit_is_more_exposed_than_before_it_was_watched() -> None:
    found = exposure.compare()
    assert len(found) == len(UNITS)
    assert exposure.worse(found) == []


def test_a_unit_that_is_more_exposed_is_found() -> None:
    found = [exposure.Exposure("a", 1.2, 1.3), exposure.Exposure("b", 1.5, 1.5), exposure.Exposure("new", None, 1.6)]
    assert [one.unit for one in exposure.worse(found)] == ["a", "new"]
