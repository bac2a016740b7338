"""Configuration: one TOML file per service into one frozen struct; the environment may override single values.

A field takes an override by naming its variable: `Annotated[int, env("HOMESYSTEM_HTTPS_PORT")]`.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

EX_CONFIG = 78
"""The exit code for a configuration that cannot be used (sysexits.h)."""

C = TypeVar("C", bound=msgspec.Struct)


class ConfigError(Exception):
    """A configuration that cannot be used; the text names file, path, what is wrong and what would be right."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every configuration struct: a typo is refused."""


def env(variable: str) -> msgspec.Meta:
    """Marks a field as overridable by an environment variable."""
    return msgspec.Meta(extra={"env": variable})


def load(kind: type[C], path: Path, environment: Mapping[str, str] = os.environ) -> C:
    """Read `path` as `kind`. Raises ConfigError where the file is missing, is no TOML or does not fit."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `homesystem init` writes one") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check its owner and mode") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    _override(kind, raw, environment)
    try:
        return msgspec.convert(raw, kind, strict=True, dec_hook=_read_path)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(kind, str(error))}") from error


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


def _override(kind: type[msgspec.Struct], raw: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for meta in getattr(hint, "__metadata__", ()):
            variable = (getattr(meta, "extra", None) or {}).get("env")
            if variable and (text := environment.get(variable)):
                wanted = get_args(hint)[0]
                try:
                    raw[name] = msgspec.convert(text, wanted, strict=False)
                except msgspec.ValidationError as error:
                    raise ConfigError(f"environment: {variable}={text!r}: {error}") from error
        inner = _struct_in(hint)
        if inner is not None and isinstance(raw.get(name, {}), dict):
            nested = raw.get(name, {})
            _override(inner, nested, environment)
            if nested:
                raw[name] = nested


def _explain(kind: type[msgspec.Struct], message: str) -> str:
    """msgspec's sentence with the path in front and, for an unknown key, the nearest right one."""
    text, _, where = message.partition(" - at `$")
    path = where.strip("`.")
    unknown = re.search(r"unknown field `(.+?)`", text)
    if unknown is None:
        return f"{path or 'top level'}: {text}"
    name = unknown.group(1)
    place: type[msgspec.Struct] | None = kind
    for step in re.split(r"[.\[]", path):
        if place is not None and step and not step.endswith("]"):
            place = _struct_in(get_type_hints(place, include_extras=True).get(step))
    near = difflib.get_close_matches(name, place.__struct_fields__ if place else (), n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"{f'{path}.' if path else ''}{name}: there is no such setting{hint}"
