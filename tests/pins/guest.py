"""One start of a kernel: a machine without disk or network that sees our files, and may write to one folder."""

import shlex
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.pins.kernels import Kernel

ROOT = Path(__file__).parents[2]
BEGIN = Path(__file__).parent / "inside" / "begin.sh"
MEMORY_MB = 1024


class Outcome(msgspec.Struct, frozen=True):
    """How a guest ended."""

    code: int | None
    """The command's exit code; None where the guest ended, or was ended, before the command did."""
    console: str
    """All that was said on the console, the kernel's own words included."""
    files: Mapping[str, bytes]
    """What was written to /mnt/out."""


def run(
    kernel: Kernel,
    command: Sequence[str],
    *,
    modules: Sequence[str] = (),
    parameters: str = "",
    seconds: float = 900.0,
    said: Callable[[str], None] | None = None,
) -> Outcome:
    """Start `kernel`, load `modules` (each "NAME" or "NAME parameter=value"), run `command` in this project, and end.

    `parameters` are the kernel's own. `said` is told each line of the console as it comes.
    """
    with tempfile.TemporaryDirectory(prefix="home-pins-") as folder:
        out = Path(folder)
        (out / "modules").write_text("".join(f"{module}\n" for module in modules))
        words = {"MODULES": str(kernel.modules), "PROJECT": str(ROOT), "COMMAND": shlex.join(command)}
        settings = "".join(f"{name}={shlex.quote(value)}\n" for name, value in words.items())
        (out / "begin.sh").write_text(settings + BEGIN.read_text())
        machine = subprocess.Popen(
            _machine(kernel, out, parameters),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        too_long = threading.Timer(seconds, machine.kill)
        too_long.start()
        lines = []
        try:
            assert machine.stdout is not None
            for raw in machine.stdout:
                lines.append(raw.decode(errors="replace").rstrip())
                if said is not None:
                    said(lines[-1])
        finally:
            too_long.cancel()
            machine.kill()
            machine.wait()
        files = {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.is_file()}
        code = files.get("code")
        return Outcome(code=int(code) if code else None, console="\n".join(lines), files=files)


def _machine(kernel: Kernel, out: Path, parameters: str) -> list[str]:
    share = "security_model=none,multidevs=remap"
    return [
        "qemu-system-x86_64",
        *("-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MB)),
        *("-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *("-kernel", str(kernel.image), "-initrd", str(kernel.initrd)),
        # On a busy machine the kernel's own look at the timer comes too late, and it would give up.
        *("-append", f"console=ttyS0 quiet panic=-1 no_timer_check {parameters}".rstrip()),
        *("-virtfs", f"local,path=/,mount_tag=root0,readonly=on,{share}"),
        *("-virtfs", f"local,path={out},mount_tag=out0,{share}"),
    ]
