"""What an emulated Pi starts from: Debian's own arm64 kernel, and a Python with the libraries that a room installs.

Made once in the cache of `make pins`, and kept. Nothing arm64 runs while it is made: packages are unpacked, wheels as
well, and the one library that PyPI has as source only is compiled for the board.
"""

import hashlib
import lzma
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import msgspec

from tests.booted.trees import UnavailableError, mirror
from tests.pins.kernels import SUITES
from tests.pins.making import alone, cache, forget_others, run

KERNELS = ("6.1", "6.12", "7.2")
"""Of tests.pins.kernels.SUITES, those that are tried on the board."""
USERLAND = "bookworm"
"""Whose Python runs on the board under each kernel, so that nothing but the kernel differs."""
PYTHON = "3.11"
ROOT = Path(__file__).parents[3]
ABOARD = Path(__file__).parent / "aboard"
PROJECT = ("shared", "device_agents")
LOCKS = {"requirements-room.lock": "packages", "requirements-room-lgpio.lock": "lgpio"}
"""What deploy/install.sh installs for a room, and where on the board it is."""
RPI_GPIO = "RPi.GPIO==0.7.1 --hash=sha256:cd61c4b03c37b62bba4a5acfea9862749c33c618e0295e7e90aa4713fb373b70"
"""The original, of which PyPI has the source only."""
REVISION = "a02082"
"""A Pi 3B's. A Pi's firmware writes it into the tree of devices, and RPi.GPIO looks for it there."""
UNPACKED = (
    *("busybox-static", "libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libssl3", "libffi8", "libbz2-1.0"),
    *("liblzma5", "libuuid1", "libcrypt1", "libsqlite3-0"),
    *(f"python{PYTHON}-minimal", f"libpython{PYTHON}-minimal", f"libpython{PYTHON}-stdlib"),
)
_HEADERS = (f"libpython{PYTHON}-dev", "libexpat1-dev")


class Image(msgspec.Struct, frozen=True):
    """What one board starts from."""

    version: str
    """As the kernel's package calls it, such as 6.1.0-50-arm64."""
    kernel: Path
    tree: Path
    """The kernel package's description of a Pi 3B, with the revision that a firmware would have added."""
    root: Path
    """The board's files, for the first part of its initial RAM disk."""


def image(name: str) -> Image:
    """What a board of that kernel starts from, made where it is missing (minutes). Raises UnavailableError."""
    recipe = [Path(__file__), *(ROOT / lock for lock in LOCKS)]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()[:12]
    kept = cache() / f"board-{name}-{key}"
    with alone(cache() / "board.lock"):
        if not kept.exists():
            part = cache() / f"board-{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            _make(name, part)
            part.rename(kept)
        forget_others(f"board-{name}", kept)
    return Image(
        version=(kept / "version").read_text(),
        kernel=kept / "vmlinuz",
        tree=kept / "board.dtb",
        root=kept / "root.gz",
    )


def packed(folder: Path, into: Path) -> None:
    """A folder as a (part of an) initial RAM disk."""
    run(["sh", "-c", f"cd {folder} && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1 > {into}"], "packing")


def aboard(into: Path) -> None:
    """What changes with the project, packed anew for each start: itself, and what answers on the board."""
    with tempfile.TemporaryDirectory(prefix="home-aboard-") as name:
        folder = Path(name)
        leaving = shutil.ignore_patterns("__pycache__")
        for package in PROJECT:
            shutil.copytree(ROOT / package, folder / "project" / package, ignore=leaving)
        shutil.copytree(ABOARD, folder / "aboard", ignore=leaving)
        (folder / "init").write_bytes((ABOARD / "init.sh").read_bytes())
        (folder / "init").chmod(0o755)
        packed(folder, into)


def _make(name: str, kept: Path) -> None:
    _kernel(_packages(SUITES[name]), kept)
    root = kept / "root"
    for path in ("bin", "dev", "proc", "sys"):
        (root / path).mkdir(parents=True)
    found = _packages(USERLAND)
    for package in UNPACKED:
        _unpack(found, package, root)
    (root / "bin/sh").symlink_to("busybox")
    (root / "usr/bin/python3").symlink_to(f"python{PYTHON}")
    for unwanted in ("usr/share/doc", f"usr/lib/python{PYTHON}/ensurepip", "usr/share/man"):
        shutil.rmtree(root / unwanted, ignore_errors=True)
    for lock, folder in LOCKS.items():
        _wheels(lock, root / folder)
    _rpi(found, root / "rpi")
    watchdog = _one(kept / "kernel-package", "bcm2835_wdt.ko*")
    content = watchdog.read_bytes()
    (root / "bcm2835_wdt.ko").write_bytes(lzma.decompress(content) if watchdog.suffix == ".xz" else content)
    packed(root, kept / "root.gz")
    shutil.rmtree(root)
    shutil.rmtree(kept / "kernel-package")


def _packages(suite: str) -> Path:
    """A folder of a suite's arm64 packages; kept, since they are large and change seldom."""
    kept = cache() / f"{suite}-arm64"
    if kept.exists():
        return kept
    part = cache() / f"{suite}-arm64.part"
    shutil.rmtree(part, ignore_errors=True)
    wanted = ["linux-image-arm64", *([f"python{PYTHON}", *_HEADERS, *UNPACKED] if suite == USERLAND else [])]
    script = Path("/usr/share/debootstrap/scripts") / suite
    command = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", f"--include={','.join(wanted)}"]
    command += [suite, str(part), mirror()]
    if not script.exists():
        command.append(str(script.with_name("sid")))
    run(command, f"debootstrap --arch=arm64 {suite}")
    (part / "var/cache/apt/archives").rename(kept)
    shutil.rmtree(part)
    return kept


def _unpack(packages: Path, name: str, into: Path) -> None:
    run(["dpkg-deb", "-x", str(_one(packages, f"{name}_*.deb")), str(into)], f"unpacking {name}")


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.rglob(pattern))
    if len(found) != 1:
        raise UnavailableError(f"{len(found)} times {pattern} in {folder}, where one was looked for")
    return found[0]


def _kernel(packages: Path, kept: Path) -> None:
    """Debian's kernel and its description of a Pi 3B, to which is added what each Pi's own firmware adds."""
    unpacked = kept / "kernel-package"
    for part in ("image", "base", "binary", "modules"):  # one package until 6.12, four in 7.2
        for package in packages.glob(f"linux-{part}-[0-9]*.deb"):
            run(["dpkg-deb", "-x", str(package), str(unpacked)], "unpacking the kernel")
    shutil.copy(_one(unpacked, "vmlinuz*"), kept / "vmlinuz")
    (kept / "version").write_text(_one(unpacked, "modules/*/kernel").parent.name)
    shutil.copy(_one(unpacked, "bcm2837-rpi-3-b.dtb"), kept / "board.dtb")
    run(["fdtput", "-p", "-t", "x", str(kept / "board.dtb"), "/system", "linux,revision", REVISION], "fdtput")


def _wheels(lock: str, into: Path) -> None:
    """What deploy/install.sh installs for a room, as built for the board."""
    machines = [f"--platform=manylinux{what}_aarch64" for what in ("2014", "_2_17", "_2_28", "_2_34")]
    with tempfile.TemporaryDirectory(prefix="home-wheels-") as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={folder}"]
        pip += ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *machines]
        run([*pip, "--require-hashes", "-r", str(ROOT / lock)], f"pip download -r {lock}")
        for wheel in Path(folder).glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed_:
                packed_.extractall(into)


def _rpi(packages: Path, into: Path) -> None:
    """The original RPi.GPIO, compiled for the board."""
    with tempfile.TemporaryDirectory(prefix="home-rpi-") as name:
        folder = Path(name)
        (folder / "wanted").write_text(RPI_GPIO)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={folder}", "--no-binary=:all:"]
        run([*pip, "--require-hashes", "-r", str(folder / "wanted")], "pip download RPi.GPIO")
        shutil.unpack_archive(next(folder.glob("*.tar.gz")), folder)
        [source] = folder.glob("RPi.GPIO-*/")
        shutil.copytree(source / "RPi", into / "RPi")
        for package in _HEADERS:
            _unpack(packages, package, folder)
        includes = [f"-I{folder}/usr/include/python{PYTHON}", f"-I{folder}/usr/include"]
        files = [str(path) for path in sorted((source / "source").glob("*.c"))]
        built = ["-shared", "-fPIC", "-O2", "-fcommon", "-w", *includes, *files, "-o", str(into / "RPi/_GPIO.so")]
        run(["aarch64-linux-gnu-gcc", *built], "compiling RPi.GPIO")
