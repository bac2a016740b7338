"""What commands print stays what it is: of the pairs `:AB:` and `:CD:` of a fingerprint the library makes pictures."""

import importlib
import pkgutil

import pytest
from rich.console import Console

import deploy

PRINTING = sorted(
    module.name
    for module in pkgutil.walk_packages(deploy.__path__, "deploy.")
    if not module.name.endswith("__main__") or module.name == "deploy.__main__"
)


def consoles() -> list[tuple[str, Console]]:
    """Each console that a module of the commands has for itself."""
    found = {}
    for name in PRINTING:
        own = getattr(importlib.import_module(name), "console", None)
        if isinstance(own, Console):
            found[id(own)] = (name, own)
    return list(found.values())


@pytest.mark.parametrize(("name", "console"), consoles())
def test_a_fingerprint_is_printed_as_it_is(name: str, console: Console) -> None:
    with console.capture() as printed:
        console.print("12:AB:CD:EF", highlight=False)
    assert printed.get() == "12:AB:CD:EF\n", name
