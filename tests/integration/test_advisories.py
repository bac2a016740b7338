"""The real pip-audit against an advisory service of ours: strict where one answers, loud where none does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import advisories
from tests.claimed import free_port


class Service:
    """Speaks OSV on loopback: `known` says what it knows against which package and version."""

    def __init__(self) -> None:
        self.known = {("jinja2", "2.10"): "TEST-2026-1"}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name, version = query["package"]["name"], query["version"]
                service.asked.append(name)
                self.send_response(500 if name in service.broken else 200)
                self.end_headers()
                self.wfile.write(json.dumps(service.answer(name, version)).encode())

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.arguments = service_at(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, name: str, version: str) -> dict[str, Any]:
        if (found := self.known.get((name, version))) is None:
            return {}
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}]
        affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}]
        return {"vulns": [{"id": found, "summary": "something", "affected": affected}]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def service_at(port: int) -> tuple[str, ...]:
    return ("--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{port}/v1/query")


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(
        "aiohttp==3.14.5 \\\n    --hash=sha256:" + "0" * 64 + "\nyarl==1.25.1 \\\n    --hash=sha256:" + "1" * 64
    )
    return path


def test_where_a_service_answers_everything_is_looked_at(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advisories.check([lock], service.arguments) == 0
    assert capsys.readouterr().out == "advisories: some.lock: 2 packages checked\n"
    assert service.asked == ["jinja2", "aiohttp", "yarl"]


def test_what_is_known_against_a_package_is_no_success(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.known["yarl", "1.25.1"] = "TEST-2026-2"
    assert advisories.check([lock], service.arguments) == 1
    assert "some.lock: yarl 1.25.1: TEST-2026-2, mended in 9.9" in capsys.readouterr().out


def test_a_package_that_was_not_looked_at_is_no_success(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.broken.add("yarl")
    assert advisories.check([lock], service.arguments) == 1
    assert "no answer" in capsys.readouterr().out


def test_a_package_that_the_service_does_not_have_is_no_success(
    lock: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(file: Path, _service: object) -> advisories.Found:
        return advisories.Found((), ("yarl",), 1) if file == lock else advisories.Found(("jinja2",), (), 1)

    monkeypatch.setattr(advisories, "audit", asked)
    assert advisories.check([lock]) == 1
    assert "some.lock: yarl: was not looked at" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["nobody is there", "it knows nothing", "it is broken"])
def test_where_none_answers_it_says_that_nothing_was_checked(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    service.known.clear()
    if kind == "it is broken":
        service.broken.add("jinja2")
    arguments = service_at(free_port()) if kind == "nobody is there" else service.arguments
    assert advisories.check([lock], arguments) == 0
    told = capsys.readouterr().out
    assert "NOT CHECKED" in told
    assert "some.lock" in told
    assert "packages checked" not in told


def test_every_lock_file_is_looked_at() -> None:
    locks = {path.name for path in advisories.ROOT.glob("*.lock")}
    assert locks - set(advisories.LOCKS) <= {"requirements-room.lock"}  # a part of requirements-room-lgpio.lock
