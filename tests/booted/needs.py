"""What `make house` needs of this machine; installs what is missing where there is apt, as deploy/setup.sh does."""

import os
import shutil
import subprocess

TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "git": "git",
    "nsenter": "util-linux",
}
"""A program, and the package that has it."""
PACKERS = {"dpkg-deb": "dpkg", "readelf": "binutils", "po2debconf": "po-debconf"}
"""What building packages needs besides."""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing(*, packaged: bool = False) -> str:
    """Why no home can be booted here; empty where it can."""
    if os.geteuid() != 0:
        return "booting Debian systems needs root"
    if shutil.which("apt-get", path=_PATH) is None:
        return "there is no apt here"
    wanted = TOOLS | PACKERS if packaged else TOOLS
    lacking = {package for tool, package in wanted.items() if shutil.which(tool, path=_PATH) is None}
    if lacking:
        print(f"installing from the distribution (once): {' '.join(sorted(lacking))}", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *sorted(lacking)]):
            done = subprocess.run(
                ["apt-get", "-qq", *command], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                return f"apt-get {command[0]} failed: {(done.stderr.strip().splitlines() or ['no word why'])[-1]}"
    made = subprocess.run(
        ["ip", "netns", "add", f"house-{os.getpid()}-try"], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", f"house-{os.getpid()}-try"], check=False)
    return ""
