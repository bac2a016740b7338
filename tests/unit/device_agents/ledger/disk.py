"""What SQLite really asks of the disk, recorded; and what a disk may hold after the power failed.

The recorder stands between SQLite and its own Unix files (a VFS, as https://www.sqlite.org/vfs.html calls it), so
that nobody has to guess in which order the file, its log and its journal are written and synced.
"""

import contextlib
import ctypes
import functools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

Files = Mapping[str, bytes]
Fate = Literal["lost", "first half", "second half"]
_OPEN_CREATE = 0x4
_OPEN_JOURNALS = 0x800 | 0x4000 | 0x80000  # the main, the super-journal, the write-ahead log
_CLOSE, _WRITE, _TRUNCATE, _SYNC = 0, 2, 3, 4
_OPEN, _DELETE = 0, 1


class Event(NamedTuple):
    """One request to the disk. `at` is where it writes or what it truncates to."""

    kind: Literal["create", "write", "truncate", "sync", "delete", "sync folder"]
    name: str
    at: int = 0
    data: bytes = b""


class _Methods(ctypes.Structure):
    _fields_ = (("version", ctypes.c_int), ("call", ctypes.c_void_p * 18))


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("path_size", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("call", ctypes.c_void_p * 16),
    )


_C = ctypes.CFUNCTYPE
_Open = _C(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_Delete = _C(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_Close = _C(ctypes.c_int, ctypes.c_void_p)
_Write = _C(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_Truncate = _C(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_Sync = _C(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class Recorder:
    """Notes what SQLite asks of the disk, then lets it happen. One for the whole process: SQLite keeps pointers."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self._real = library.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(self._real.contents)
        self._vfs.name = b"recorder"
        self._kept = (_Open(self._open), _Delete(self._delete))
        for slot, call in zip((_OPEN, _DELETE), self._kept, strict=True):
            self._vfs.call[slot] = ctypes.cast(call, ctypes.c_void_p).value
        self._methods: dict[int, tuple[_Methods, Sequence[object]]] = {}
        self._names: dict[int, str] = {}
        self._owe_folder_sync: set[int] = set()
        self._events: list[Event] = []

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[Event]]:
        """The events of every database opened and closed inside, as they happen."""
        self._events = []
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        try:
            yield self._events
        finally:
            self._library.sqlite3_vfs_register(self._real, 1)
            self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))

    def _open(self, vfs: int, path: int, file: int, flags: int, out: int) -> int:
        name = Path(os.fsdecode(ctypes.string_at(path)))
        existed = name.exists()
        code: int = _Open(self._real.contents.call[_OPEN])(vfs, path, file, flags, out)
        if code == 0:
            self._names[file] = name.name
            if not existed:
                self._events.append(Event("create", name.name))
            if flags & _OPEN_CREATE and flags & _OPEN_JOURNALS:
                self._owe_folder_sync.add(file)
            methods = ctypes.c_void_p.from_address(file)
            assert methods.value is not None
            methods.value = self._watched(methods.value)
        return code

    def _delete(self, vfs: int, path: int, sync_folder: int) -> int:
        name = Path(os.fsdecode(ctypes.string_at(path))).name
        code: int = _Delete(self._real.contents.call[_DELETE])(vfs, path, sync_folder)
        if code == 0:
            self._events.append(Event("delete", name))
            if sync_folder:
                self._events.append(Event("sync folder", name))
        return code

    def _watched(self, real: int) -> int:
        if real not in self._methods:
            methods = _Methods.from_buffer_copy(_Methods.from_address(real))
            calls = self._calls(_Methods.from_address(real))
            for slot, call in calls.items():
                methods.call[slot] = ctypes.cast(call, ctypes.c_void_p).value
            self._methods[real] = methods, tuple(calls.values())
        return ctypes.addressof(self._methods[real][0])

    def _calls(self, real: _Methods) -> dict[int, Any]:
        def close(file: int) -> int:
            self._names.pop(file)
            self._owe_folder_sync.discard(file)
            return int(_Close(real.call[_CLOSE])(file))

        def write(file: int, data: int, size: int, at: int) -> int:
            self._events.append(Event("write", self._names[file], at, ctypes.string_at(data, size)))
            return int(_Write(real.call[_WRITE])(file, data, size, at))

        def truncate(file: int, size: int) -> int:
            self._events.append(Event("truncate", self._names[file], size))
            return int(_Truncate(real.call[_TRUNCATE])(file, size))

        def sync(file: int, flags: int) -> int:
            self._events.append(Event("sync", self._names[file]))
            if file in self._owe_folder_sync:
                # SQLite's Unix files sync the folder too, the first time that a journal or a log is synced.
                self._owe_folder_sync.discard(file)
                self._events.append(Event("sync folder", self._names[file]))
            return int(_Sync(real.call[_SYNC])(file, flags))

        return {_CLOSE: _Close(close), _WRITE: _Write(write), _TRUNCATE: _Truncate(truncate), _SYNC: _Sync(sync)}


@functools.cache
def recorder() -> Recorder:
    """The process's recorder. Skips the test where Python has an SQLite of its own that shows nothing."""
    import _sqlite3  # its file knows the library that sqlite3 uses

    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    if sys.platform != "linux" or not hasattr(library, "sqlite3_vfs_find"):
        pytest.skip("this Python's SQLite does not let its writes be watched")
    return Recorder(library)


def after(base: Files, events: Sequence[Event], fates: Mapping[int, Fate] | None = None) -> dict[str, bytes]:
    """The files once `events` happened to `base`, but for those (by index) whose fate was another.

    A write beyond the end leaves zeros before it. What is done to the folder has only the fate of being lost.
    """
    fates = fates or {}
    contents = [bytearray(body) for body in base.values()]
    meant = {name: number for number, name in enumerate(base)}
    found = dict(meant)
    for index, event in enumerate(events):
        fate = fates.get(index)
        if event.kind == "create":
            meant[event.name] = len(contents)
            contents.append(bytearray())
        if event.kind == "delete":
            del meant[event.name]
        if event.kind in ("create", "delete"):
            if fate is None:
                found = dict(meant)
        elif event.kind == "truncate" and fate is None:
            del contents[meant[event.name]][event.at :]
        elif event.kind == "write" and fate != "lost":
            half = len(event.data) // 2
            start, stop = {"first half": (0, half), "second half": (half, None)}.get(fate or "", (0, None))
            _put(contents[meant[event.name]], event.at + start, event.data[start:stop])
    return {name: bytes(contents[number]) for name, number in found.items()}


def at_stake(events: Sequence[Event]) -> tuple[list[int], list[int]]:
    """Which events the disk may not hold yet, as no sync came after them: those of files, and those of the folder.

    A file's may be missing in any combination; the folder's only from some one on, as file systems keep a journal.
    """
    files: dict[str, list[int]] = {}
    folder: list[int] = []
    for index, event in enumerate(events):
        if event.kind == "sync":
            files.pop(event.name, None)
        elif event.kind == "sync folder":
            folder = []
        elif event.kind in ("create", "delete"):
            folder.append(index)
        else:
            files.setdefault(event.name, []).append(index)
    return sorted(index for pending in files.values() for index in pending), folder


def put(folder: Path, files: Files) -> None:
    """Write the files into an empty folder."""
    folder.mkdir()
    for name, body in files.items():
        (folder / name).write_bytes(body)


def _put(content: bytearray, at: int, data: bytes) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data
