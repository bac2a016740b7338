"""Configuration: one TOML file per service into one frozen struct; the environment may override single values.

Whatever is wrong with a file is told at once, a line each, with its place.

A field takes an override by naming its variable: `Annotated[int, env("HOMESYSTEM_HTTPS_PORT")]`.
"""

import enum
import os
import re
import sys
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

EX_CONFIG = 78
"""The exit code for a configuration that cannot be used (sysexits.h)."""
EX_TEMPFAIL = 75
"""The exit code for what may be right the next time: whoever runs the service should start it again (sysexits.h)."""

C = TypeVar("C", bound=msgspec.Struct)

_STEP = re.compile(r"\[(\d+)\]|\.([\w-]+)")
"""One step of a path as msgspec writes it."""


class ConfigError(Exception):
    """A configuration that cannot be used; the text names file, path, what is wrong and what would be right."""

    exit_code = EX_CONFIG


class UnfitError(ConfigError):
    """A file that is TOML and does not fit; `raw` is what stands in it, for those who can tell more."""

    def __init__(self, text: str, raw: dict[str, Any]) -> None:
        super().__init__(text)
        self.raw = raw


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every configuration struct: a typo is refused."""


def env(variable: str) -> msgspec.Meta:
    """Marks a field as overridable by an environment variable."""
    return msgspec.Meta(extra={"env": variable})


def load(kind: type[C], path: Path, environment: Mapping[str, str] = os.environ) -> C:
    """Read `path` as `kind`. Raises ConfigError where the file is missing or no TOML, UnfitError where it does not fit.

    The latter names everything that does not, sorted by place, a line each.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `homesystem init` writes one") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check its owner and mode") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    wrong = list(_override(kind, raw, environment))
    try:
        config = convert(raw, kind)
    except msgspec.ValidationError:
        wrong += [f"{path}: {complaint}" for complaint in sorted(_complaints(kind, raw, ()))]
    if wrong:
        raise UnfitError("\n".join(dict.fromkeys(wrong)), raw)
    return config


def convert(raw: Any, kind: type[C]) -> C:
    """What was read, as `kind`. Raises msgspec.ValidationError with the first thing that does not fit."""
    return msgspec.convert(raw, kind, strict=True, dec_hook=_read_path)


def fail(error: ConfigError) -> int:
    """Say on standard error, a line for each thing, why the program cannot start; the exit code for it."""
    for line in str(error).splitlines():
        print(f"configuration: {line}", file=sys.stderr)
    return error.exit_code


def file_of(service: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where a service's configuration is looked for when nobody says otherwise: in the home's folder."""
    return Path(environment.get("HOMESYSTEM_VAR") or "var") / f"{service}.toml"


def check_database(url: str) -> None:
    """Raises ConfigError unless `url` names a database, and its asynchronous driver, that a service can use."""
    scheme = url.partition("://")[0]
    if scheme not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise ConfigError(
            f'database: begins with "{scheme}"; write sqlite+aiosqlite:////path/to/file or '
            "postgresql+asyncpg://user:password@host/name"
        )


def read_secret(path: Path) -> bytes:
    """A secret from its own file, without the line's end.

    Raises ConfigError if it is missing, empty or readable by all.
    """
    try:
        if path.stat().st_mode & 0o007:
            raise ConfigError(f"{path}: other users may read this secret; run: chmod 600 {path}")
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError(
            f"{path}: the secret cannot be read ({error.strerror}); `homesystem init` makes it"
        ) from error
    if not secret:
        raise ConfigError(f"{path}: the secret is empty; delete the file and run `homesystem init`")
    return secret


def _read_path(kind: type[Any], value: Any) -> Any:
    """A path is text in TOML; msgspec asks here for types that it does not know."""
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(f"Expected a path, got {value!r}")


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:
    """The struct inside a field's type, through Annotated and `| None`."""
    for part in (hint, *get_args(hint)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
        if get_origin(part) is not None and part is not hint and (found := _struct_in(part)) is not None:
            return found
    return None


def _override(kind: type[msgspec.Struct], raw: dict[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Put what the environment says into `raw`; yields what it says that cannot be."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for meta in getattr(hint, "__metadata__", ()):
            variable = (getattr(meta, "extra", None) or {}).get("env")
            if variable and (text := environment.get(variable)):
                wanted = get_args(hint)[0]
                try:
                    raw[name] = text if wanted is Path else msgspec.convert(text, wanted, strict=False)
                except msgspec.ValidationError as error:
                    yield f"environment: {variable}={text!r}: {error}"
        inner = _struct_in(hint)
        if inner is not None and isinstance(raw.get(name, {}), dict):
            nested = raw.get(name, {})
            yield from _override(inner, nested, environment)
            if nested:
                raw[name] = nested


class _Complaint(NamedTuple):
    """Where (names of tables and settings, numbers in arrays) and what."""

    place: tuple[str | int, ...]
    what: str

    def __str__(self) -> str:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)
        return f"{where.removeprefix('.') or 'top level'}: {self.what}"


def _complaints(hint: Any, raw: Any, place: tuple[str | int, ...]) -> Iterator[_Complaint]:
    """Everything in `raw` that does not fit the type `hint`.

    msgspec ends at its first complaint, so every part is converted alone; what has no wrong part, as a whole.
    """
    inside = list(_inside(_bare(hint), raw, place))
    yield from inside
    try:
        convert(raw, hint)
    except msgspec.ValidationError as error:
        text, _, deeper = str(error).partition(" - at `$")
        # Of what has parts, only what is said of none of them is news, such as an array that is too long.
        if not inside or (isinstance(raw, list) and not deeper):
            text = text.replace(" | null", "")  # TOML has none
            steps = (int(number) if number else name for number, name in _STEP.findall(deeper))
            yield _Complaint((*place, *steps), text + _choices(_bare(hint)))


def _inside(kind: Any, raw: Any, place: tuple[str | int, ...]) -> Iterator[_Complaint]:
    if isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _in_table(kind, raw, place)
    elif isinstance(raw, dict) and get_origin(kind) is dict:
        key_kind, value_kind = get_args(kind)
        for name, value in raw.items():
            yield from _complaints(key_kind, name, (*place, name))
            yield from _complaints(value_kind, value, (*place, name))
    elif isinstance(raw, list) and get_origin(kind) in {list, tuple, set, frozenset}:
        parts = [part for part in get_args(kind) if part is not ...]
        for index, value in enumerate(raw):
            yield from _complaints(parts[min(index, len(parts) - 1)], value, (*place, index))


def _in_table(kind: type[msgspec.Struct], raw: dict[str, Any], place: tuple[str | int, ...]) -> Iterator[_Complaint]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in raw.items():
        if name in fields:
            yield from _complaints(fields[name].type, value, (*place, name))
        elif kind.__struct_config__.forbid_unknown_fields:
            yield _Complaint((*place, name), f"there is no such setting{_nearest(name, fields)}")
    for name, field in fields.items():
        if field.required and name not in raw:
            yield _Complaint(place, f"Object missing required field `{name}`")


def _bare(hint: Any) -> Any:
    """A type without what annotates it and without `| None`, which no TOML can say."""
    while get_origin(hint) in {Annotated, Union, types.UnionType}:
        some = [part for part in get_args(hint) if part is not types.NoneType]
        if get_origin(hint) is not Annotated and len(some) != 1:
            break
        hint = some[0]
    return hint


def _nearest(name: str, names: Mapping[str, Any]) -> str:
    import difflib  # costs memory that an agent may not need: only a file that is wrong asks for it

    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _choices(kind: Any) -> str:
    """What would be right, where there are words to choose from."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        words = [str(member.value) for member in kind]
    elif get_origin(kind) is Literal:
        words = [str(word) for word in get_args(kind)]
    else:
        return ""
    return f"; it may be {', '.join(words)}"
