"""What `make pins` needs of this machine; installs what is missing where there is apt."""

import os
import shutil
import subprocess

TOOLS = {
    "debootstrap": "debootstrap",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "unshare": "util-linux",
}
"""A program, and the package that has it."""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing() -> str:
    """Why no kernel can be started here; empty where one can."""
    if os.uname().machine != "x86_64":
        return "the kernels that are built here are for x86_64"
    if os.geteuid() != 0:
        return "making a kernel's modules in a Debian tree needs root"
    lacking = sorted({package for tool, package in TOOLS.items() if shutil.which(tool, path=_PATH) is None})
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
