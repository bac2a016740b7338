"""Keeps SQLAlchemy's ORM out of memory while a service or a command is imported: 6 of 55 MB, a tenth of a second and
more, and none of us speaks by it.

`sqlalchemy.ext.asyncio` takes the ORM in for sessions that we never open. Whoever asks for one all the same is told so.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NoReturn

_PACKAGE = "sqlalchemy.ext.asyncio"
_OF_SESSIONS = ("scoping", "session")


class _LeftOut(ModuleType):
    """Stands for a module of sessions while the package that offers them is imported."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_arguments: object, **_options: object) -> NoReturn:
            raise ImportError(f"{self.__name__}.{name} is left out of this process: see {__name__}")

        return refuse


@contextlib.contextmanager
def without_orm() -> Iterator[None]:
    """What is imported in here for the first time does without the ORM. Anybody may import it later."""
    if _PACKAGE in sys.modules:
        yield
        return
    names = [f"{_PACKAGE}.{name}" for name in _OF_SESSIONS]
    sys.modules |= {name: _LeftOut(name) for name in names}
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
