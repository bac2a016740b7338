"""Programs that begin in an interpreter which has imported the libraries: half of what a home's start costs is that.

`Popen` is that of `subprocess`, for commands of the form `[sys.executable, "-m", MODULE, …]`. What begins is a process
of its own with the command line, the environment, the folder, the umask and the files that it would have had. It runs
the module's `__main__` from its first line, and imports all that is ours anew, in its own order; only libraries lie in
memory already. The same holds for whatever program it becomes, as `homesystem up` becomes the supervisor, and for the
programs that the supervisor starts. Any other command is executed as ever.

Whoever asks for how a program begins, what it has in memory, or which libraries it imports, starts the real one: so do
chaos tests of beginnings and of files that are torn, and `make bench`, `make house` and their like (`Demo` is warm only
where it is told to be).

A process per process that runs tests waits for orders (`python -m tests.warm`): it has one thread, and only forks.
"""

import array
import atexit
import contextlib
import ctypes
import gc
import importlib
import inspect
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, TypeAlias

from shared.keeping.lean import without_orm

ROOT = Path(__file__).resolve().parent.parent
_PROGRAMS = (
    *(
        "deploy.__main__",
        "deploy.archives.present",
        "deploy.running.ready",
        "deploy.running.mailbox",
        "deploy.signer.__main__",
    ),
    *("supervisor.supervisord", "supervisor.supervisorctl", "gateway.__main__", "auth_service.__main__"),
    *("alert_service.__main__", "alert_service.readings.__main__", "device_agents.__main__"),
    *("device_agents.joining.__main__", "tests.thrifty_home"),
)
_LATER = (
    "deploy.signer.service",
    "auth_service.hub.restored",
    "auth_service.app",
    "alert_service.app",
    "alert_service.readings.app",
    # Libraries of what brings a database up to date, judges a password, or serves.
    *("alembic.command", "zxcvbn", "uvloop", "encodings.idna"),
)
"""What programs import once they know that they will need it."""
_OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"tests", "supervisor"}
_before: list[ModuleType] = []
_ROOM = "-" * 4000
"""Place for command lines: /proc shows that of who became another program only if it fits where the first one was."""
_SETTABLE = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
_ADOPT = 36
"""PR_SET_CHILD_SUBREAPER (prctl(2))."""

Ended: TypeAlias = "subprocess.CompletedProcess[str]"


class Popen(subprocess.Popen[Any]):
    """As `subprocess.Popen`; what it starts is warm if it can be."""

    def _execute_child(self, *given: Any, **named: Any) -> None:
        real = super()._execute_child  # type: ignore[misc]  # its only hook, and no type knows it
        asked = inspect.signature(real).bind(*given, **named).arguments
        program = list(map(str, asked["args"])) if isinstance(asked["args"], (list, tuple)) else []
        others = asked["preexec_fn"] or asked["pass_fds"] or asked["shell"] or not _is_ours(asked)
        if program[:2] != [sys.executable, "-m"] or others:
            real(*given, **named)
            return
        pipes = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        order = {
            "program": program,
            "environment": dict(os.environ if asked["env"] is None else asked["env"]),
            "folder": os.fspath(asked["cwd"] or Path.cwd()),
            "umask": _umask(),
            "session": asked["start_new_session"],
            # Of this process, and not of the one that waits: whoever tests signals puts them back in another way.
            "ignored": [known for known in _SETTABLE if signal.getsignal(known) == signal.SIG_IGN],
        }
        self.pid = _Interpreter.mine().begin(order, [number if fd == -1 else fd for number, fd in enumerate(pipes)])
        self._child_created = True
        names = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[name] for name in names))  # type: ignore[attr-defined]  # as above


def _is_ours(asked: Mapping[str, Any]) -> bool:
    """Whether what is to begin has the user and groups that we have, and is begun by who may have a warm one: a fork
    of ours cannot wait for what the interpreter that is ours begins.
    """
    mine = {"uid": os.geteuid(), "gid": os.getegid(), "gids": sorted(os.getgroups())}
    wanted = {name: asked[name] for name in mine if asked[name] is not None}
    wanted |= {"gids": sorted(wanted["gids"])} if "gids" in wanted else {}
    return all(mine[name] == value for name, value in wanted.items()) and _Interpreter.of in (None, os.getpid())


def run(command: Sequence[Any], *, begin: Callable[..., "subprocess.Popen[Any]"] = Popen, **named: Any) -> Ended:
    """What became of a command, and what it said, as text."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with begin(command, text=True, **pipes, **named) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def close() -> None:
    """End the interpreter that waits, if there is one."""
    if _Interpreter.one is not None:
        _Interpreter.one.close()
        _Interpreter.one = _Interpreter.of = None


class _Interpreter:
    """The process that waits, from this one's side."""

    one: "_Interpreter | None" = None
    of: int | None = None
    """The process whose it is."""

    def __init__(self) -> None:
        # Whoever is orphaned becomes ours, so that those who begin can be waited for as any child.
        if ctypes.CDLL(None, use_errno=True).prctl(_ADOPT, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "this process cannot adopt orphans")
        self._orders, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno()), _ROOM],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @classmethod
    def mine(cls) -> "_Interpreter":
        if cls.one is None:
            cls.one, cls.of = cls(), os.getpid()
        return cls.one

    def begin(self, order: Mapping[str, Any], files: Sequence[int]) -> int:
        """The process's id."""
        text = json.dumps(order).encode()
        with self._lock:
            fds = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
            self._orders.sendmsg([len(text).to_bytes(4, "big")], fds)
            self._orders.sendall(text)
            answer = self._orders.recv(4)
        assert answer, "the interpreter that waits has ended"
        return int.from_bytes(answer, "big")

    def close(self) -> None:
        self._orders.close()
        self._process.wait()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _wait(orders: socket.socket) -> None:
    """Fork as ordered until nobody can order any more."""
    while True:
        size, files, _, _ = socket.recv_fds(orders, 4, 3)
        if not size:
            return
        order = json.loads(_exactly(orders, int.from_bytes(size, "big")))
        reader, writer = os.pipe()
        between = os.fork()
        if between == 0:
            pid = os.fork()
            if pid == 0:
                _begin(order, files)
            os.write(writer, pid.to_bytes(4, "big"))
            os._exit(0)
        os.waitpid(between, 0)  # so that who ordered it has adopted it before it is told
        os.close(writer)
        orders.sendall(os.read(reader, 4))
        for fd in (reader, *files):
            os.close(fd)


def _exactly(orders: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += orders.recv(size - len(found))
    return found


def _begin(order: Mapping[str, Any], files: Sequence[int]) -> NoReturn:
    try:
        if order["session"]:
            os.setsid()
        for number, fd in enumerate(files):
            os.dup2(fd, number)
            os.close(fd)
        os.chdir(order["folder"])
        os.umask(order["umask"])
        for known in _SETTABLE:
            signal.signal(known, signal.SIG_IGN if known in order["ignored"] else signal.SIG_DFL)
        os.execv, os.execve = _execv, _execve  # type: ignore[assignment]  # for what we run ourselves
        _become(order["program"], order["environment"])
    except BaseException:  # noqa: BLE001 - a process of its own: it is told, and the exit code
        traceback.print_exc()
        os._exit(127)


_really = os.execve


def _execv(path: Any, arguments: Any) -> NoReturn:
    _execve(path, arguments, os.environ)


def _execve(path: Any, arguments: Any, environment: Any) -> NoReturn:
    program, variables = list(map(os.fsdecode, arguments)), dict(environment)
    if program[:2] == [sys.executable, "-m"] and threading.active_count() == 1:
        _become(program, variables)
    _really(path, arguments, variables)


def _become(program: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Be `python -m …`, as after execve(2): never to return, so that nothing of who we were comes to its end."""
    gc.freeze()
    signal.set_wakeup_fd(-1)
    for known in _SETTABLE:
        if signal.getsignal(known) != signal.SIG_IGN:  # what is ignored remains so
            signal.signal(known, signal.default_int_handler if known == signal.SIGINT else signal.SIG_DFL)
    for known in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(known, signal.SIG_IGN)  # as Python does when it begins
    for open_file in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one by which we looked
            if not os.get_inheritable(int(open_file.name)):
                os.close(int(open_file.name))
    os.environ.clear()
    os.environ.update(environment)
    zoneinfo.reset_tzpath()
    sys.path[0] = str(Path.cwd())
    _forget()
    _show(program)
    sys.argv = ["-m", *program[3:]]
    at_once = bool(environment.get("PYTHONUNBUFFERED"))
    for name, fd, mode in (("stdin", 0, "rb"), ("stdout", 1, "wb"), ("stderr", 2, "wb")):
        raw = open(fd, mode, closefd=False, buffering=0 if at_once and fd else -1)  # noqa: SIM115 - a file by number
        text = io.TextIOWrapper(raw, write_through=at_once, line_buffering=fd == 2 or raw.isatty())
        setattr(sys, name, text)
    code = _ended(program[2])
    threading._shutdown()  # type: ignore[attr-defined]  # as Python itself does it
    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            file.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _forget() -> None:
    """Import what is ours anew, and the supervisor with it; what was imported before lives on, so that nothing ends."""
    ours = [name for name in sys.modules if name.partition(".")[0] in _OURS]
    _before.extend(sys.modules.pop(name) for name in ours)


def _ended(module: str) -> int:
    """Run it; the exit code, or the negative signal that ends it."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as leave:
        if leave.code is None or isinstance(leave.code, int):
            return (leave.code or 0) & 0xFF
        print(leave.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return -signal.SIGINT
    except BaseException:  # noqa: BLE001 - as Python itself ends a program
        traceback.print_exc()
        return 1
    return 0


def _show(program: Sequence[str]) -> None:
    """Let /proc/PID/cmdline be this program's."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    text = "\0".join(program).encode() + b"\0"
    assert len(text) < end - begin, "a command line that is too long to be shown"
    ctypes.memmove(begin, text.ljust(end - begin, b"\0"), end - begin)


def main() -> None:
    """Import all, and wait for orders."""
    gc.disable()
    with without_orm():
        for name in (*_PROGRAMS, *_LATER):
            importlib.import_module(name)
    _forget()
    gc.freeze()
    gc.enable()
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        orders.set_inheritable(False)
        _wait(orders)


if __name__ == "__main__":
    main()
