"""Changes single values in a TOML file that a person may have edited, and leaves every other character as it was."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from deploy.pki.files import write
from shared.running.config import ConfigError

Value = str | list[str]
_TABLE = re.compile(r"\s*\[+\s*([^\[\]]+?)\s*\]+\s*(#.*)?")


def replace(path: Path, place: str, old: str, new: str) -> bool:
    """Write `new` where `place` (`key`, or `table.key`) says `old`; False where it says anything else.

    Raises ConfigError where it says `old` in a way that cannot be changed without touching something else.
    """
    table, _, key = place.rpartition(".")
    before = _read(path)
    inside = before.get(table, {}) if table else before
    if not isinstance(inside, dict) or inside.get(key) != old:
        return False
    _change(path, table, {key: new})
    return True


def change(path: Path, values: dict[str, Value]) -> None:
    """Give these keys of a file without tables these values, all at once; those that it does not have come at its end.

    Raises ConfigError as `replace` does.
    """
    _change(path, "", values)


def _change(path: Path, table: str, values: dict[str, Value]) -> None:
    text, before = path.read_text(encoding="utf-8"), _read(path)
    after = _written(text, table, values)
    inside = {**before.get(table, {}), **values} if table else values
    wanted = {**before, table: inside} if table else {**before, **values}
    try:
        fits = tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        fits = False
    if not fits:
        lines = ", ".join(f"{key} = {_toml(value)}" for key, value in values.items())
        raise ConfigError(f"{path}: write {lines} yourself{f' under [{table}]' if table else ''}, then try again")
    mode = stat.S_IMODE(path.stat().st_mode)
    write(path, after.encode(), mode)
    path.chmod(mode)  # whatever our umask is: who may read it is the owner's to say


def _written(text: str, table: str, values: dict[str, Value]) -> str:
    lines, here, left = text.splitlines(keepends=True), "", dict(values)
    for number, line in enumerate(lines):
        if (found := _TABLE.fullmatch(line.rstrip("\r\n"))) is not None:
            here = found[1]
        for key in [*left] if here == table else []:
            # The value is one line's, as it stands before a comment; whatever is written otherwise is found out above.
            said = re.match(rf"(\s*{re.escape(key)}\s*=\s*)(\"[^\"\\]*\"|\[[^\]]*\])(.*)", line, re.DOTALL)
            if said is not None:
                lines[number] = f"{said[1]}{_toml(left.pop(key))}{said[3]}"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines, *(f"{key} = {_toml(value)}\n" for key, value in left.items())])


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check its owner and mode") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def _toml(value: Value) -> str:
    """JSON's strings and lists are TOML's as well."""
    return msgspec.json.encode(value).decode()
