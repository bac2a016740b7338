"""What a package is made of, as a CycloneDX bill of materials: for whoever asks which of their machines has what.

Of the wheels that are packed, by their own words. Written here, since building needs nothing but what the hub's lock
file has; a test holds it against the published schema.
"""

import datetime as dt
import hashlib
import json
import re
import uuid
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from pathlib import Path
from typing import Any

from deploy.debs.packages import Package
from deploy.debs.targets import Target

_NAMESPACE = uuid.UUID("4f4e0c52-6a3f-5a3c-9a0e-6d1a3c0b7f11")
"""Ours, for numbers that the same package gets at every build."""


def bill(
    package: Package, version: str, target: Target, commit: str, at: dt.datetime, wheels: Iterable[Path]
) -> dict[str, Any]:
    """CycloneDX 1.6 as JSON: the package itself and each program of others in it, with hashes and licences."""
    distro = f"{target.suite.name}-{target.suite.release}"
    own = f"pkg:deb/home-system/{package.name}@{_quoted(version)}?arch={target.architecture.name}&distro={distro}"
    components = [component(wheel) for wheel in sorted(wheels)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{own} {commit}')}",
        "version": 1,
        "metadata": {
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": package.name,
                "version": version,
                "description": package.title,
                "licenses": [{"license": {"id": "MIT"}}],
                "purl": own,
                "properties": [{"name": "home-system:commit", "value": commit}],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": own, "dependsOn": [one["bom-ref"] for one in components]},
            *({"ref": one["bom-ref"]} for one in components),
        ],
    }


def component(wheel: Path) -> dict[str, Any]:
    """One program of others, by the file of its wheel. Raises ValueError where it does not say what it is."""
    with zipfile.ZipFile(wheel) as archive:
        name = next((one for one in archive.namelist() if one.endswith(".dist-info/METADATA")), None)
        if name is None:
            raise ValueError(f"{wheel.name} says nowhere what it is")
        said = Parser().parsestr(archive.read(name).decode())
    named = re.sub(r"[-_.]+", "-", said["Name"]).lower()
    purl = f"pkg:pypi/{named}@{_quoted(said['Version'])}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": said["Name"],
        "version": said["Version"],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
        "purl": purl,
    }
    if licences := _licences(said.get("License-Expression"), said.get_all("Classifier") or [], said.get("License")):
        found["licenses"] = licences
    return found


def written(told: dict[str, Any]) -> str:
    """As the file has it."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _licences(expression: str | None, classifiers: Iterable[str], free: str | None) -> list[dict[str, Any]]:
    """Its licences as it names them: an expression where there is one, else names; none where it says nothing."""
    if expression:
        return [{"expression": expression}]
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    if not names and free:
        names = [free.strip().splitlines()[0][:80]]
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _quoted(version: str) -> str:
    """In a package URL, whose version has no plus sign and no tilde's."""
    return version.replace("+", "%2B")
