"""The bill of materials: valid by the published schema, and what it says of each wheel."""

import datetime as dt
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deploy.debs import bill
from deploy.debs.packages import PACKAGES, Package
from deploy.debs.targets import ARCHITECTURES, SUITES, Target

AT = dt.datetime(2026, 5, 1, 12, 0, 0, tzinfo=dt.UTC)
TARGET = Target(SUITES[0], ARCHITECTURES[0])


def wheel(folder: Path, name: str, version: str, more: str = "") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n{more}\nText.\n")
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    return [
        wheel(tmp_path, "Some_Thing", "1.2+local", "License-Expression: Apache-2.0 OR MIT\n"),
        wheel(tmp_path, "other", "2.0", "Classifier: License :: OSI Approved :: BSD License\nLicense: BSD-3-Clause\n"),
        wheel(tmp_path, "third", "3.0", "License: Do what you like\n"),
        wheel(tmp_path, "silent", "4.0"),
    ]


def told(package: Package, wheels: list[Path]) -> dict[str, Any]:
    return bill.bill(package, "0.1.0~git1+deb12", TARGET, "abc123", AT, wheels)


def complaint(document: dict[str, Any]) -> object:
    # Not above: every process that runs tests imports them all, and this takes a fifth of what all of that does.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_it_is_valid_by_the_published_schema(package: Package, wheels: list[Path]) -> None:
    assert complaint(told(package, wheels)) is None
    assert complaint(told(package, [])) is None
    assert complaint(told(package, wheels) | {"specVersion": 7}) is not None


def test_every_program_is_named_with_its_hash_and_licence(wheels: list[Path]) -> None:
    document = told(PACKAGES[0], wheels)
    found = {one["name"]: one for one in document["components"]}
    assert found["Some_Thing"]["purl"] == "pkg:pypi/some-thing@1.2%2Blocal"
    assert found["Some_Thing"]["licenses"] == [{"expression": "Apache-2.0 OR MIT"}]
    assert found["other"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert found["third"]["licenses"] == [{"license": {"name": "Do what you like"}}]
    assert "licenses" not in found["silent"]
    assert found["other"]["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(wheels[1].read_bytes()).hexdigest()}
    ]
    assert set(document["dependencies"][0]["dependsOn"]) == {one["bom-ref"] for one in document["components"]}


def test_the_same_package_has_the_same_bill(wheels: list[Path]) -> None:
    first, second = (bill.written(told(PACKAGES[0], order)) for order in (wheels, wheels[::-1]))
    assert first == second
    assert bill.written(told(PACKAGES[1], wheels)) != first
