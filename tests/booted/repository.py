"""Where the guide's `git clone` gets the code from: a bare copy of this checkout, served on the bridge."""

import shutil
import subprocess
from pathlib import Path

from tests.booted import lan

URL = f"git://{lan.ROUTER}/homesystem"


class Repository:
    """A bare clone whose only branch stands where it is told to."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self._folder = folder / "homesystem"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _git("clone", "--quiet", "--bare", str(checkout), str(self._folder))
        self.newest = _git("-C", str(checkout), "rev-parse", "HEAD")
        self.edited = bool(_git("-C", str(checkout), "status", "--porcelain"))
        """Whether the checkout has changes that are in no commit, and so are not tried."""
        for name in _git("-C", str(self._folder), "for-each-ref", "--format=%(refname)", "refs/heads").split():
            if name != "refs/heads/main":
                _git("-C", str(self._folder), "update-ref", "-d", name)
        _git("-C", str(self._folder), "symbolic-ref", "HEAD", "refs/heads/main")
        self.offer(self.newest)
        command = ["git", "daemon", "--reuseaddr", "--export-all", f"--listen={lan.ROUTER}", f"--base-path={folder}"]
        self._daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def offer(self, commit: str) -> None:
        """What a clone or a pull gets from now on."""
        _git("-C", str(self._folder), "update-ref", "refs/heads/main", commit)

    def full(self, commit: str) -> str:
        """The whole name of a commit."""
        return _git("-C", str(self._folder), "rev-parse", commit)

    def knows(self, commit: str) -> bool:
        """Whether the checkout has that commit."""
        asked = ["git", "-C", str(self._folder), "cat-file", "-e", f"{commit}^{{commit}}"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def text(self, commit: str, path: str) -> str:
        """A file as it was at a commit."""
        return _git("-C", str(self._folder), "show", f"{commit}:{path}")

    def newer(self) -> str:
        """A commit after the newest one, with nothing changed, so that there is something to fetch."""
        who = ("-c", "user.name=House", "-c", "user.email=house@home.arpa")
        message = "deploy: Change nothing"
        return _git(
            "-C", str(self._folder), *who, "commit-tree", "-p", self.newest, "-m", message, f"{self.newest}^{{tree}}"
        )

    def close(self) -> None:
        """Stop serving."""
        self._daemon.terminate()
        self._daemon.wait()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()
