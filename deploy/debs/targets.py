"""What packages are built for: a Debian, whose Python decides which wheels run there, and a processor. Pure."""

from typing import NamedTuple


class Suite(NamedTuple):
    """A release of Debian: its name and number, its Python, short and in full, and the minor of its glibc 2."""

    name: str
    release: int
    python: str
    python_full: str
    glibc: int


class Architecture(NamedTuple):
    """A processor: as dpkg and as the kernel call it, the oldest glibc that wheels for it name, its library folder."""

    name: str
    machine: str
    oldest_glibc: int
    triplet: str


SUITES = (
    Suite("bookworm", 12, "3.11", "3.11.2", 36),
    Suite("trixie", 13, "3.13", "3.13.5", 41),
)
ARCHITECTURES = (
    Architecture("amd64", "x86_64", 5, "x86_64-linux-gnu"),
    Architecture("arm64", "aarch64", 17, "aarch64-linux-gnu"),
)
NOT_BUILT = {
    "armhf": (
        "nobody publishes wheels of msgspec and gpiod for it, and a package brings what others built. Raspberry Pi OS "
        "of 64 bits runs on every board from the Pi 3 and the Zero 2 on; older ones are set up from git: docs/setup.md"
    )
}
"""Processors that somebody may ask for, and why they get nothing."""
_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


class Target(NamedTuple):
    """One Debian on one processor."""

    suite: Suite
    architecture: Architecture

    @property
    def markers(self) -> dict[str, str]:
        """What the markers of a lock file are judged by (PEP 508): the target's Python, and not the one that builds."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.suite.python_full,
            "os_name": "posix",
            "platform_machine": self.architecture.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.suite.python_full,
            "python_version": self.suite.python,
            "sys_platform": "linux",
            "extra": "",
        }

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there (PEP 600), newest first: no newer glibc than the target has."""
        found: list[str] = []
        for minor in range(self.suite.glibc, self.architecture.oldest_glibc - 1, -1):
            found.append(f"manylinux_2_{minor}_{self.architecture.machine}")
            if minor in _LEGACY:
                found.append(f"{_LEGACY[minor]}_{self.architecture.machine}")
        return tuple(found)

    @property
    def interpreter(self) -> str:
        """The Python that the package's environment is for: the name of the program, and of Debian's package."""
        return f"python{self.suite.python}"

    def version(self, upstream: str) -> str:
        """The package's version: a source for two Debians has two, and the newer Debian's counts as newer."""
        return f"{upstream}+deb{self.suite.release}"


def targets(suite: str, architecture: str) -> tuple[Target, ...]:
    """Those asked for; `both` stands for every Debian."""
    return tuple(
        Target(one, processor)
        for one in SUITES
        for processor in ARCHITECTURES
        if suite in (one.name, "both") and processor.name == architecture
    )
