"""Hashes of the packages and their signature, as whoever gets them checks them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.debs import release

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs OpenSSH")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def checked(sums: Path, key: Path) -> int:
    """As docs/packages.md has it."""
    allowed = sums.parent / "allowed_signers"
    allowed.write_text(f"home-system {key.with_suffix('.pub').read_text()}")
    words: list[str | Path] = [
        "-Y",
        "verify",
        "-f",
        allowed,
        "-I",
        "home-system",
        "-n",
        release.NAMESPACE,
        "-s",
        release.signature(sums),
    ]
    with sums.open("rb") as said:
        return subprocess.run(["ssh-keygen", *words], stdin=said, capture_output=True, check=False).returncode


def test_what_is_signed_is_taken_and_what_was_changed_is_not(tmp_path: Path, key: Path) -> None:
    for name in ("b.deb", "a.deb", "a.cdx.json"):
        (tmp_path / name).write_text(name)
    sums = release.sum_up(tmp_path, [tmp_path / "b.deb", tmp_path / "a.deb", tmp_path / "a.cdx.json"])
    assert [line.split("  ")[1] for line in sums.read_text().splitlines()] == ["a.cdx.json", "a.deb", "b.deb"]
    subprocess.run(["sha256sum", "--check", "--quiet", sums.name], cwd=tmp_path, check=True)
    release.sign(sums, key)
    assert checked(sums, key) == 0
    (tmp_path / "a.deb").write_text("another")
    assert subprocess.run(["sha256sum", "--check", "--quiet", sums.name], cwd=tmp_path, check=False).returncode != 0
    sums.write_text(sums.read_text().replace("a.deb", "c.deb"))
    assert checked(sums, key) != 0


def test_new_hashes_have_no_signature_of_old_ones(tmp_path: Path, key: Path) -> None:
    (tmp_path / "a.deb").write_text("a")
    sums = release.sum_up(tmp_path, [tmp_path / "a.deb"])
    release.sign(sums, key)
    release.sum_up(tmp_path, [tmp_path / "a.deb"])
    assert not release.signature(sums).exists()


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_text("a")
    sums = release.sum_up(tmp_path, [tmp_path / "a.deb"])
    with pytest.raises(release.SigningError, match="is not signed with"):
        release.sign(sums, tmp_path / "nokey")
    assert not release.signature(sums).exists()
