"""The guides name what there is: a test that a guide counts on cannot go, or change its name, without a word."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"\btests/[\w/]+\.py(?:::(\w+))?")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
GUIDES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_test_that_a_guide_names_is_there(guide: Path) -> None:
    for match in _NAMED.finditer(guide.read_text()):
        path = ROOT / match[0].partition("::")[0]
        assert path.is_file(), match[0]
        if match[1] is not None:
            assert re.search(rf"^(async )?def {match[1]}\(", path.read_text(), re.MULTILINE), match[0]


@pytest.mark.parametrize("guide", [*GUIDES, ROOT / "README.md"], ids=lambda path: path.name)
def test_every_page_that_a_guide_leads_to_is_there(guide: Path) -> None:
    for match in _LINK.finditer(guide.read_text()):
        assert (guide.parent / match[1]).exists(), match[1]


def test_every_row_of_the_versions_names_what_would_notice() -> None:
    rows = [line for line in (ROOT / "docs/compatibility.md").read_text().splitlines() if line.startswith("| ")]
    told = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    told = [row for row in told if row[0] != "version"]
    assert len(told) > 20
    for row in told:
        assert len(row) == 4, row
        assert _NAMED.search(row[3]) or row[3].startswith("`make "), row


PACKAGES = ("shared", "gateway", "auth_service", "device_agents", "alert_service", "deploy")
HOUSE = (ROOT / "docs/house.md").read_text()
_PATH = re.compile(r"`((?:shared|gateway|auth_service|alert_service|device_agents|deploy|tests)/[^`\s]*)`")


def layers(package: str) -> list[str]:
    """A package's lines in the import contract, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    (one,) = [made for made in contracts if made.get("containers") == [package]]
    assert one["exhaustive"] is True
    return list(one["layers"])


def test_every_file_that_the_page_of_the_house_names_is_there() -> None:
    named = _PATH.findall(HOUSE)
    assert len(named) > 150
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_wing_stands_in_the_page_of_the_house_and_on_its_line_of_the_contract(package: str) -> None:
    _, _, section = HOUSE.partition(f"\n## {package}: ")
    section, _, _ = section.partition("\n## ")
    assert section.split("```")[1].strip().splitlines() == layers(package)
    wings = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert wings
    assert {wing for wing in wings if f"| `{package}/{wing}/` |" not in section} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_unit_tests_lie_in_wings_that_there_are(package: str) -> None:
    tests = ROOT / "tests/unit" / package
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert len(folders) > 3
    assert {str(folder) for folder in folders if not (ROOT / package / folder / "__init__.py").is_file()} == set()
