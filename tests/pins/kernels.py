"""Debian's kernels, each with simulated chips and buses beside it: made once in a folder of the user's cache, and kept.

Debian builds gpio-sim into no kernel before 7.2, and drivers of a Pi's own parts into none for this kind of machine. So
they are built here, from the source that Debian gives with the same kernel, against the headers of that kernel.
"""

import hashlib
import lzma
import shutil
import subprocess
import tarfile
from pathlib import Path

import msgspec

from tests.booted.trees import mirror
from tests.pins.making import alone, cache, forget_others, run

SUITES = {"6.1": "bookworm", "6.12": "trixie", "7.2": "forky"}
"""The kernels that are tried, by their source's version, and the Debian that has them."""
SOURCES = Path(__file__).parent / "modules"
LOADED = ("virtio_pci", "9p", "9pnet_virtio", "configfs")
"""What the guest needs before it sees any file."""
OFFERED = ("w1_therm", "i2c-stub", "i2c-dev", "bmp280-i2c", "softdog", "loop")
"""What a test may load: Debian's own modules."""
BORROWED = (
    "drivers/gpio/gpio-sim.c",
    "drivers/gpio/gpiolib.h",
    "drivers/gpio/dev-sync-probe.c",
    "drivers/gpio/dev-sync-probe.h",
    "kernel/irq/irq_sim.c",
    "drivers/watchdog/bcm2835_wdt.c",
    "drivers/gpio/gpio-pca953x.c",
)
"""Of the kernel's source, what Debian did not build; what a version does not have is left out."""


class Kernel(msgspec.Struct, frozen=True):
    """One kernel, ready to start."""

    version: str
    """As its packages call it, such as 6.1.0-50-amd64."""
    image: Path
    initrd: Path
    modules: Path
    """NAME.ko of all that a guest may load, and NAME.needs: a name a line in the order of loading, itself the last."""


def kernel(name: str) -> Kernel:
    """The kernel of that source version, made where it is missing (minutes). Raises UnavailableError."""
    suite = SUITES[name]
    recipe = [Path(__file__), *sorted(SOURCES.iterdir())]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()[:12]
    kept = cache() / f"{name}-{key}"
    with alone(cache() / f"{name}.lock"):
        if not kept.exists():
            part = cache() / f"{name}.part"
            _make(_tree(name, suite), part)
            part.rename(kept)
        forget_others(name, kept)
    version = (kept / "version").read_text()
    return Kernel(version=version, image=kept / "vmlinuz", initrd=kept / "initrd.gz", modules=kept / "modules")


def _tree(name: str, suite: str) -> Path:
    """A Debian with the kernel, its headers, its source and a compiler; kept, since it is large and changes seldom."""
    tree = cache() / suite
    if tree.exists():
        return tree
    part = cache() / f"{suite}.part"
    shutil.rmtree(part, ignore_errors=True)
    packages = ["linux-image-amd64", "linux-headers-amd64", f"linux-source-{name}", "make", "gcc", "xz-utils", "kmod"]
    script = Path("/usr/share/debootstrap/scripts") / suite
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(part), mirror()]
    if not script.exists():  # a debootstrap older than the suite: they have all been alike for years
        command.append(str(script.with_name("sid")))
    run(command, f"debootstrap {suite}")
    shutil.rmtree(part / "var/cache/apt/archives", ignore_errors=True)
    part.rename(tree)
    return tree


def _make(tree: Path, kept: Path) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    (kept / "modules").mkdir(parents=True)
    version = next((tree / "lib/modules").iterdir()).name
    built = _built(tree, version)
    for path in built:
        _keep(tree, version, path, {other.stem for other in built}, kept / "modules")
    for name in (*LOADED, *OFFERED, *(() if any(p.stem == "gpio-sim" for p in built) else ("gpio-sim",))):
        _offer(tree, version, name, kept / "modules")
    shutil.copy(tree / "boot" / f"vmlinuz-{version}", kept / "vmlinuz")
    _pack(kept)
    (kept / "version").write_text(version)


def _built(tree: Path, version: str) -> list[Path]:
    """Ours, and of the kernel's own sources what Debian left out, compiled within the tree."""
    folder = tree / "root/modules"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCES, folder)
    archive = next((tree / "usr/src").glob("linux-source-*.tar.xz"))
    with tarfile.open(archive) as packed:
        top = archive.name.removesuffix(".tar.xz")
        wanted = {f"{top}/{path}" for path in BORROWED}
        for member in packed:
            if member.name in wanted and (content := packed.extractfile(member)) is not None:
                (folder / Path(member.name).name).write_bytes(content.read())
    if (tree / "lib/modules" / version / "kernel/drivers/gpio").joinpath("gpio-sim.ko.xz").exists():
        (folder / "gpio-sim.c").unlink()
        (folder / "irq_sim.c").unlink()
    # The kernel's own tools look into /proc: one of these processes alone, gone with them.
    apart = ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={tree}/proc"]
    run([*apart, "chroot", str(tree), "sh", "/root/modules/build.sh", version], "building modules")
    return sorted(folder.glob("*.ko"))


def _keep(tree: Path, version: str, path: Path, built: set[str], into: Path) -> None:
    """A module that was built here, and what it needs, be it Debian's or built here as well."""
    said = subprocess.run(["modinfo", "-F", "depends", str(path)], capture_output=True, text=True, check=True).stdout
    needs: dict[str, None] = {}
    for name in filter(None, said.strip().split(",")):
        if name not in built:
            _offer(tree, version, name, into)
            needs |= dict.fromkeys((into / f"{_dashed(name)}.needs").read_text().split())
        else:
            needs[_dashed(name)] = None
    needs[_dashed(path.stem)] = None
    shutil.copy(path, into / f"{_dashed(path.stem)}.ko")
    (into / f"{_dashed(path.stem)}.needs").write_text("".join(f"{name}\n" for name in needs))


def _offer(tree: Path, version: str, name: str, into: Path) -> None:
    """Debian's module `name` and all that it needs, unpacked."""
    said = run(["modprobe", "-d", str(tree), "-S", version, "--show-depends", name], f"looking for {name}")
    files = [Path(line.split()[1]) for line in said.splitlines() if line.startswith("insmod ")]
    names = []
    for path in files:
        stem = _dashed(path.name.partition(".")[0])
        names.append(stem)
        content = path.read_bytes()
        (into / f"{stem}.ko").write_bytes(lzma.decompress(content) if path.suffix == ".xz" else content)
    (into / f"{_dashed(name)}.needs").write_text("".join(f"{one}\n" for one in names))


def _pack(kept: Path) -> None:
    """The first files that the kernel sees: busybox, the modules of the shared folder, and what to do with them."""
    root = kept / "first"
    for folder in ("bin", "m", "proc", "sys", "dev", "newroot"):
        (root / folder).mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox is not None  # tests.pins.needs has looked
    shutil.copy(busybox, root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    order: dict[str, None] = {}
    for name in LOADED:
        order |= dict.fromkeys((kept / "modules" / f"{_dashed(name)}.needs").read_text().split())
    for name in order:
        shutil.copy(kept / "modules" / f"{name}.ko", root / "m" / f"{name}.ko")
    (root / "order").write_text("".join(f"{name}\n" for name in order))
    shutil.copy(SOURCES / "first.sh", root / "init")
    (root / "init").chmod(0o755)
    run(["sh", "-c", f"cd {root} && find . | cpio -o -H newc --quiet | gzip -1 > ../initrd.gz"], "packing")
    shutil.rmtree(root)


def _dashed(name: str) -> str:
    """One way to write a module's name, where the kernel takes two."""
    return name.replace("_", "-")
