"""What dpkg reads of a package: its control file, the scripts around an installation, the question, the papers."""

import datetime as dt
import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

from deploy.debs import history
from deploy.debs.packages import Package
from deploy.debs.targets import Target

_TEXTS = Path(__file__).parent / "papers"
_SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
MAINTAINER = "Home System <home-system@users.noreply.example.org>"
_WIDTH = 24


def control(package: Package, version: str, target: Target, libraries: list[str], kib: int) -> str:
    """The control file: `kib` is what an installation takes."""
    fields = {
        "Package": package.name,
        "Version": version,
        "Architecture": target.architecture.name,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(kib),
        "Depends": ", ".join(package.depends(target, libraries)),
        "Recommends": ", ".join(package.recommends),
        "Suggests": ", ".join(package.suggests),
        "Provides": f"{package.replaces} (= {version})" if package.replaces else "",
        "Conflicts": package.replaces,
        "Replaces": package.replaces,
        "Section": "misc",
        "Priority": "optional",
        "Description": "\n ".join((package.title, *package.description)),
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def write(root: Path, package: Package, control_file: str) -> None:
    """Put everything into the folder DEBIAN of the tree; last, as it counts what is there."""
    sums, folder = _sums(root), root / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(control_file)
    (folder / "md5sums").write_text(sums)
    for name in _SCRIPTS:
        path = folder / name
        path.write_text(script((_TEXTS / name).read_text(), package))
        path.chmod(0o755)
    (folder / "templates").write_text(question(package))


def script(text: str, package: Package) -> str:
    """A script around an installation, told which package it is."""
    return text.replace("\npackage=\n", f"\npackage={package.name}\n").replace("\nkind=\n", f"\nkind={package.kind}\n")


def question(package: Package) -> str:
    """The question at a purge in every language, under the package's name. Raises CalledProcessError."""
    command = ["po2debconf", "--encoding=utf8", str(_TEXTS / "templates")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return said.stdout.replace("Template: home-system/", f"Template: {package.name}/")


def changelog(package: Package, version: str, target: Target, commit: str, at: dt.datetime, told: str) -> bytes:
    """Debian's changelog, as dpkg wants one: which commit this is, and what each version mends, as CHANGELOG.md, whose
    text is `told`, has it.
    """
    versions = history.read(told)
    number = version.removesuffix(target.version(""))
    own = next((one for one in versions if one.number == number), None)
    ahead = own or next((one for one in versions if one.number == history.UNRELEASED), None)
    built = f"Built from commit {commit[:12]}."
    changes = (built, *(ahead.changes if ahead is not None else ()))
    stanzas = [history.stanza(package.name, version, target.suite.name, changes, _signed(at))]
    for one in versions:
        if one.day is not None and one is not own:
            day = dt.datetime.combine(one.day, dt.time(), dt.UTC)
            full = target.version(one.number)
            stanzas.append(history.stanza(package.name, full, target.suite.name, one.changes, _signed(day)))
    return gzip.compress("\n".join(stanzas).encode(), 9, mtime=0)


def _signed(at: dt.datetime) -> str:
    return f"{MAINTAINER}  {at:%a, %d %b %Y %H:%M:%S +0000}"


def rights(source: Path, site: Path, place: str) -> str:
    """Debian's file `copyright`: our own licence, and whose programs the package brings under which."""
    lines = ["Home System: home control that a careful household can trust.", "", (source / "LICENSE").read_text()]
    lines += [
        "On Debian systems the texts of the Apache License 2.0 and of the GNU Lesser General Public License lie in",
        *(f"/usr/share/common-licenses/{name}" for name in ("Apache-2.0", "LGPL-2.1", "LGPL-3")),
        "",
    ]
    lines += [f"Programs of others in {place}, each with its licence in the folder *.dist-info beside it:", ""]
    for path in sorted(site.glob("*.dist-info/METADATA")):
        said = dict(
            line.split(": ", 1) for line in path.read_text().split("\n\n", 1)[0].splitlines()[::-1] if ": " in line
        )
        licence = said.get("License-Expression") or _classified(path) or said.get("License") or "see its folder"
        lines.append(f"  {said['Name'] + ' ' + said['Version']:<{_WIDTH}} {licence}")
    return "\n".join(lines) + "\n"


def _classified(path: Path) -> str:
    """The licences that a program's classifiers name."""
    marks = [line for line in path.read_text().splitlines() if line.startswith("Classifier: License :: ")]
    return ", ".join(line.rpartition(" :: ")[2] for line in marks)


def put(root: Path, source: Path, package: Package, rights_text: str, log: bytes) -> None:
    """The papers that are installed, beside the pages."""
    folder = root / "usr/share/doc" / package.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "copyright").write_text(rights_text)
    (folder / "changelog.gz").write_bytes(log)
    shutil.copy(source / "CHANGELOG.md", folder)
    overrides = root / "usr/share/lintian/overrides" / package.name
    overrides.parent.mkdir(parents=True)
    kinds = ("all", package.kind)
    texts = [path.read_text() for kind in kinds if (path := _TEXTS / f"lintian-overrides-{kind}").exists()]
    overrides.write_text("".join(texts))
    page = root / "usr/share/man/man1/homesystem.1.gz"
    page.parent.mkdir(parents=True)
    page.write_bytes(gzip.compress((_TEXTS / "homesystem.1").read_bytes(), 9, mtime=0))


def _sums(root: Path) -> str:
    """What dpkg --verify compares with."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    return "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)  # noqa: S324 - dpkg's own
