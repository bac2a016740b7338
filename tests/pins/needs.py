"""What `make pins` needs of this machine; installs what is missing where there is apt."""

import os
import shutil
import subprocess
from collections.abc import Mapping

TOOLS = {
    "debootstrap": "debootstrap",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "unshare": "util-linux",
}
"""A program, and the packages that have it."""
BOARD = TOOLS | {
    "qemu-system-aarch64": "qemu-system-arm",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "fdtput": "device-tree-compiler",
    "dpkg-deb": "dpkg",
}
"""And what the emulated Pi 3 needs."""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing(tools: Mapping[str, str] = TOOLS) -> str:
    """Why no kernel can be started here; empty where one can, with `tools` at hand."""
    if os.uname().machine != "x86_64":
        return "the kernels that are built here are for x86_64"
    if os.geteuid() != 0:
        return "making a kernel's modules in a Debian tree needs root"
    absent = [packages for tool, packages in tools.items() if shutil.which(tool, path=_PATH) is None]
    lacking = sorted({package for packages in absent for package in packages.split()})
    if not lacking:
        return ""
    if shutil.which("apt-get", path=_PATH) is None:
        return f"please install {', '.join(lacking)}; this program knows only apt-get"
    print(f"installing from the distribution (once): {' '.join(lacking)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *lacking]):
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return f"apt-get {command[0]} failed: {(done.stderr.strip().splitlines() or ['no word why'])[-1]}"
    return ""
