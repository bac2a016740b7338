"""Whether the home is well: asked of the code that lies there, before and after."""

import json
import os
import subprocess
from collections.abc import Collection
from typing import Any

from deploy.upgrading import services
from deploy.upgrading.place import Place, as_owner, last_words

_START_SECONDS = 60.0
_ONLINE_SECONDS = 90.0
_SETTLED_SECONDS = 90
_MOST_SECONDS = 900.0
"""A machine on which all of it takes longer is taken for one on which it does not go."""


def look(place: Place, running: Collection[str], *, before: bool = False) -> dict[str, str]:
    """What is wrong, by what it is called: a sentence. `before`: as it stands now, without waiting for anything."""
    wait = not before
    found = {}
    for told in services.away(running, _START_SECONDS if wait else 0):
        found[told.split()[0]] = told
    for told in services.offline(running, _ONLINE_SECONDS if wait else 0):
        found[f"{told.partition(':')[0]} online"] = f"a room's agent does not reach the hub: {told}"
    if place.kind == "hub" and place.has_home and any("gateway" in unit for unit in running):
        found |= _of_the_hub(place, _SETTLED_SECONDS if wait else 5)
    return found


def _of_the_hub(place: Place, seconds: int) -> dict[str, str]:
    try:
        done = _ask(place, "deploy.examining.fit", "--seconds", str(seconds))
        said: dict[str, str] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"looking": f"looking at it did not end in {_MOST_SECONDS:.0f} s"}
    except OSError as error:
        return {"looking": f"it cannot be looked at: {error}"}
    except ValueError:
        return {"looking": f"it cannot be looked at: {last_words(done.stderr)}"}
    return said


def tell(place: Place, words: Collection[str]) -> str:
    """Have the home record what became of it, and write to its master users; why not, where it cannot."""
    try:
        done = _ask(place, "deploy.record.upgraded", *words)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else last_words(done.stderr)


def _ask(place: Place, module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a module of the code that lies there, as the home's own user. Raises OSError, subprocess.TimeoutExpired."""
    command = [str(place.code / ".venv/bin/python"), "-P", "-m", module, *words]
    return subprocess.run(  # noqa: S603 - our own
        command,
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
        env=environment(place),
        **whose(place),
    )


def environment(place: Place) -> dict[str, str]:
    """As the units have it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    mine = {"HOMESYSTEM_VAR": str(place.home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONTZPATH": ""}
    return kept | mine


def whose(place: Place) -> dict[str, Any]:
    """As the home's own user."""
    return as_owner(place.home)
