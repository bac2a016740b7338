"""Imported before all else: keeps out of memory what libraries import and no agent needs, over 3 of its 30 MB.

Nothing is replaced. What is postponed runs when somebody first uses it; what is passed over is optional to the library
that looks for it, and anybody else may import it later.
"""

import contextlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def _postponed(name: str) -> Iterator[None]:
    """If `name` is imported for the first time in here, it runs at its first use."""

    class Finder:
        def find_spec(self, wanted: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
            spec = importlib.machinery.PathFinder.find_spec(wanted, path, target) if wanted == name else None
            if spec is not None and spec.loader is not None:
                spec.loader = importlib.util.LazyLoader(spec.loader)
            return spec

    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextlib.contextmanager
def _passed_over(name: str) -> Iterator[None]:
    """To what is imported in here, `name` is not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system's own sign for it
    try:
        yield
    finally:
        del sys.modules[name]


with _postponed("urllib.request"):  # for proxies of websockets
    importlib.import_module("paho.mqtt.client")
with _passed_over("typing_extensions"):  # for older Pythons: without it, msgspec takes the same from typing
    importlib.import_module("msgspec")
