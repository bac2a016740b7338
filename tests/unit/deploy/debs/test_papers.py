"""What dpkg reads: the fields, the scripts, the question in both languages, and the manual page."""

import datetime as dt
import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.debs import papers
from deploy.debs.packages import AGENT, HUB, PACKAGES, Package
from deploy.debs.targets import ARCHITECTURES, SUITES, Target
from tests import manual

TARGET = Target(SUITES[0], ARCHITECTURES[1])
TEXTS = Path(papers.__file__).parent / "papers"


def fields(package: Package) -> dict[str, str]:
    text = papers.control(package, "0.1.0+deb12", TARGET, ["libc6 (>= 2.34)"], 1000)
    return dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_very_python_of_the_environment_is_asked_for_and_no_upper_bound(package: Package) -> None:
    needs = fields(package)["Depends"].split(", ")
    assert "python3.11" in needs
    assert "libc6 (>= 2.34)" in needs
    assert not any("<" in need.replace("(>=", "") for need in needs)


def test_the_hub_takes_the_place_of_the_agent_and_the_agent_of_nothing() -> None:
    hub, agent = fields(HUB), fields(AGENT)
    assert hub["Provides"] == "home-system-agent (= 0.1.0+deb12)"
    assert hub["Conflicts"] == hub["Replaces"] == AGENT.name
    assert "Provides" not in agent
    assert "mosquitto (>= 2.0.11)" in hub["Depends"]
    assert "mosquitto" not in agent["Depends"]


def test_every_line_of_the_description_is_one_that_dpkg_takes() -> None:
    for package in PACKAGES:
        assert all(line and len(line) < 80 for line in (package.title, *package.description))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
@pytest.mark.parametrize("name", ["preinst", "postinst", "prerm", "postrm"])
def test_every_script_knows_its_package_and_is_one_for_the_shell(name: str, package: Package, tmp_path: Path) -> None:
    text = papers.script((TEXTS / name).read_text(), package)
    assert f"\npackage={package.name}\nkind={package.kind}\n" in text
    (path := tmp_path / name).write_text(text)
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_a_python_that_does_not_go_is_told_before_anything_is_touched(tmp_path: Path) -> None:
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 'ModuleNotFoundError: msgspec' >&2\nexit 1\n")
    python.chmod(0o755)
    (tmp_path / "confmodule").write_text("db_stop() { :; }\n")
    text = papers.script((TEXTS / "postinst").read_text(), HUB).replace("/usr/lib/homesystem", str(tmp_path))
    text = text.replace("/usr/share/debconf", str(tmp_path))
    done = subprocess.run(["sh", "-c", text, "postinst", "configure"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is for another Debian or processor: ModuleNotFoundError: msgspec" in done.stderr


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_hub_from_git_does_not_take_the_agents_package(package: Package, tmp_path: Path) -> None:
    (tmp_path / "homesystem-gateway.service").write_text("")
    text = papers.script((TEXTS / "preinst").read_text(), package).replace("/etc/systemd/system", str(tmp_path))
    done = subprocess.run(["sh", "-c", text, "preinst", "install"], capture_output=True, text=True, check=False)
    assert done.returncode == (package is AGENT)
    assert ("the package for it is home-system" in done.stderr) is (package is AGENT)


def test_the_changelog_is_debians_and_the_same_at_every_build() -> None:
    at = dt.datetime(2026, 11, 29, 7, 45, tzinfo=dt.UTC)
    made = papers.changelog(HUB, "0.1.0+deb12", TARGET, "f" * 40, at, "")
    assert made == papers.changelog(HUB, "0.1.0+deb12", TARGET, "f" * 40, at, "")
    text = gzip.decompress(made).decode()
    assert text.startswith("home-system (0.1.0+deb12) bookworm; urgency=medium\n\n  * ")
    assert text.endswith(">  Sun, 29 Nov 2026 07:45:00 +0000\n")


@pytest.mark.parametrize(
    ("version", "first", "others"),
    [
        ("0.2.0~git20260501120000+deb12", "Added: what comes.", ["0.1.1+deb12", "0.1.0+deb12"]),
        ("0.1.1+deb12", "Fixed: a fault.", ["0.1.0+deb12"]),
    ],
)
def test_the_changelog_says_what_this_version_mends_and_what_those_before_did(
    version: str, first: str, others: list[str]
) -> None:
    told = "## [Unreleased]\n\n### Added\n\n- what comes.\n\n## [0.1.1] - 2026-02-03\n\n### Fixed\n\n- a fault.\n\n"
    told += "## [0.1.0] - 2026-01-02\n\n### Added\n\n- the beginning.\n"
    at = dt.datetime(2026, 11, 29, 7, 45, tzinfo=dt.UTC)
    text = gzip.decompress(papers.changelog(HUB, version, TARGET, "f" * 40, at, told)).decode()
    heads = [line.split()[1].strip("()") for line in text.splitlines() if line.startswith("home-system (")]
    assert heads == [version, *others]
    assert f"  * {first}" in text.split(" -- ")[0]
    assert "Fri, 02 Jan 2026 00:00:00 +0000" in text


@pytest.mark.skipif(shutil.which("po2debconf") is None, reason="needs po-debconf")
def test_the_question_is_asked_in_both_languages_under_the_packages_name() -> None:
    for package in PACKAGES:
        text = papers.question(package)
        assert f"Template: {package.name}/erase-home\n" in text
        assert "Default: false\n" in text
        assert "\nDescription-de.UTF-8: Auch das Zuhause" in text


def test_each_program_of_others_is_named_with_its_licence(tmp_path: Path) -> None:
    for name, line in (("a", "License-Expression: MIT"), ("b", "Classifier: License :: OSI Approved :: BSD License")):
        (folder := tmp_path / f"{name}-1.dist-info").mkdir()
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: 1\n{line}\n\nLicense: not this\n")
    (tmp_path / "LICENSE").write_text("ours")
    said = papers.rights(tmp_path, tmp_path, "/usr/lib/homesystem/.venv")
    assert "ours" in said
    assert [line.split() for line in said.splitlines()[-2:]] == [["a", "1", "MIT"], ["b", "1", "BSD", "License"]]


def test_the_manual_page_has_every_command_as_it_is() -> None:
    assert manual.PAGE.read_text() == manual.render(), "run: make manual"
    assert ".B room add NAME\n" in manual.render()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
@pytest.mark.parametrize("answer", ["RET=false", "RET=true", "return 10"], ids=["no", "yes", "not known"])
def test_a_purge_leaves_what_was_enabled_as_long_as_the_home(package: Package, answer: str, tmp_path: Path) -> None:
    (tmp_path / "homesystem/agents").mkdir(parents=True)
    (tmp_path / "homesystem-upgrade").mkdir()
    for name in ("homesystem.enabled", "homesystem.closed"):
        (tmp_path / name).write_text("")
    (tmp_path / "confmodule").write_text(
        f"db_input() {{ :; }}\ndb_go() {{ :; }}\ndb_purge() {{ :; }}\ndb_get() {{ {answer}; }}\n"
    )
    text = papers.script((TEXTS / "postrm").read_text(), package)
    for one, other in (
        ("/var/lib/", tmp_path),
        ("/usr/share/debconf/", tmp_path),
        ("/usr/", tmp_path / "usr"),
        ("/run/", tmp_path),
    ):
        text = text.replace(one, f"{other}/")
    subprocess.run(["sh", "-c", text, "postrm", "purge"], check=True)
    left = {path.name for path in tmp_path.iterdir()} - {"confmodule"}
    assert left == (set() if answer == "RET=true" else {"homesystem", "homesystem.enabled"})


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
@pytest.mark.parametrize("hub", [True, False])
def test_a_room_in_a_hubs_place_says_how_the_hub_comes_back(package: Package, hub: bool, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "confmodule").write_text("db_stop() { :; }\n")
    for name in (".venv/bin/python", *(f"deploy/{one}.sh" for one in ("from-git", "settle", "resume"))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to("/bin/true")
    for name in ("systemd-sysusers", "systemd-tmpfiles"):
        (tmp_path / "bin" / name).symlink_to("/bin/true")
    (tmp_path / "homesystem").mkdir()
    if hub:
        (tmp_path / "homesystem/home.toml").touch()
    text = papers.script((TEXTS / "postinst").read_text(), package)
    for one in ("/usr/lib/homesystem", "/usr/lib/sysusers.d", "/var/lib", "/usr/share/debconf"):
        text = text.replace(one, str(tmp_path))
    words = ["sh", "-c", f"PATH={tmp_path}/bin:$PATH\n{text}", "postinst", "configure"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert ("sudo apt-get install ./home-system_*.deb" in done.stderr) is (hub and package is AGENT)
