"""GET /api/v1/openapi.json: every route stands there, with what its handler really reads."""

import ast
import inspect
import json
import re
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.api import openapi
from gateway.api.routes import add_api
from gateway.door import routes


@pytest.fixture
def app() -> web.Application:
    made = web.Application()
    made[routes.ROUTE_LIMITS] = {}
    made[routes.BY_TOKEN] = set()
    add_api(made)
    return made


@pytest.fixture
def document(app: web.Application) -> Any:
    return json.loads(json.dumps(openapi.document(openapi.listed(app))))


def operation(document: Any, method: str, path: str) -> Any:
    return document["paths"][path][method]


def body(document: Any, method: str, path: str) -> Any:
    schema = operation(document, method, path)["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def test_every_route_of_the_api_stands_in_it_once(app: web.Application, document: Any) -> None:
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    there = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/") and route.method != "HEAD"
    }
    assert told == there | {("GET", "/healthz"), ("GET", "/readyz")}
    assert len(there) > 60


async def test_an_address_takes_the_methods_of_its_own_route_and_names_these_in_allow(app: web.Application) -> None:
    own: dict[str, set[str]] = {}
    for route in app.router.routes():
        assert route.resource is not None
        own.setdefault(route.resource.canonical, set()).add(route.method)
    for path, methods in own.items():
        found = await app.router.resolve(make_mocked_request("BREW", re.sub(r"\{\w+\}", "f00", path)))
        assert isinstance(found.http_exception, web.HTTPMethodNotAllowed)
        assert (path, found.http_exception.allowed_methods) == (path, methods)


def test_it_tells_of_each_handler_what_that_reads(app: web.Application) -> None:
    wrong = []
    for route in openapi.listed(app):
        module = inspect.getmodule(route.handler)
        calls = (node for node in ast.walk(ast.parse(inspect.getsource(route.handler))) if isinstance(node, ast.Call))
        read = [ast.unparse(call.args[1]) for call in calls if ast.unparse(call.func) == "read_json"]
        told = openapi.TAKES.get(route.handler)
        if [getattr(module, name) for name in read] != ([] if told is None else [told]):
            wrong.append(f"{route.method} {route.path} reads {read}, and is told to read {told}")
    assert wrong == []


def test_every_parameter_of_a_path_is_declared(document: Any) -> None:
    for path, methods in document["paths"].items():
        for told in methods.values():
            declared = [given["name"] for given in told.get("parameters", ()) if given["in"] == "path"]
            assert declared == re.findall(r"\{(\w+)\}", path)


def test_every_reference_leads_somewhere(document: Any) -> None:
    found = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))
    assert found
    assert found <= set(document["components"]["schemas"])


def test_a_moment_is_told_as_one_so_that_a_generated_client_reads_a_date(document: Any) -> None:
    fields = {
        f"{name}.{field}": json.dumps(told)
        for name, schema in document["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if re.search(r"(^|_)(at|until|since|due|now|begun)$", field)
    }
    assert len(fields) > 40
    assert [field for field, told in fields.items() if '"format": "date-time"' not in told] == []


def test_what_may_stand_in_a_query_is_told_in_its_own_form(document: Any) -> None:
    told = {
        (path, one["name"]): one["schema"]
        for path, methods in document["paths"].items()
        for one in methods.get("get", {}).get("parameters", ())
    }
    assert told["/api/v1/audit", "limit"] == {"type": "integer", "minimum": 1, "maximum": 200}
    assert told["/api/v1/audit/export", "format"] == {"type": "string", "enum": ["csv", "jsonl"]}
    assert told["/api/v1/audit", "happenings"] == {"type": "string", "enum": ["none", "too", "only"]}
    assert told["/api/v1/readings/{room}/{device}", "step"]["type"] == "integer"
    assert told["/api/v1/events", "sums"] == told["/api/v1/events", "audit"] == {"type": "boolean"}
    assert told["/api/v1/audit", "since"] == {"type": "string"}, "a day alone is no date-time"
    export = operation(document, "get", "/api/v1/audit/export")["parameters"]
    assert [one["name"] for one in export if one["required"]] == ["format"]


def test_names_are_such_as_generators_of_clients_take(document: Any) -> None:
    schemas = document["components"]["schemas"]
    # Two structs of one name would bear their modules' names, and what is made of both cuts these off again.
    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z]*", name)] == []
    told = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(set(told)) == len(told)
    assert [name for name in told if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name)] == []
    assert "post_devices_room_device_commands" in told


def test_an_answer_may_gain_fields(document: Any) -> None:
    answer = operation(document, "get", "/api/v1/me")["responses"]["200"]["content"]["application/json"]["schema"]
    told = document["components"]["schemas"][answer["$ref"].rpartition("/")[2]]
    assert set(told["required"]) == {"user", "grants", "expires_at"}
    assert told["properties"].keys() - told["required"] == {"proved_until"}
    assert "additionalProperties" not in told


def test_what_may_be_left_out_has_no_default(document: Any) -> None:
    # openapi-typescript 7.13 has "default" mean that the field is always there.
    view = document["components"]["schemas"]["DeviceView"]
    assert {"hidden", "pending"} <= view["properties"].keys() - view["required"]
    assert '"default": {"description": "A problem' in json.dumps(document)
    assert not [name for name, one in view["properties"].items() if "default" in one]
    assert set(body(document, "post", "/api/v1/devices/{room}/{device}/commands")["properties"]["confirm"]) == {"type"}


def test_a_hub_that_is_not_ready_says_so_in_text(document: Any) -> None:
    assert set(operation(document, "get", "/readyz")["responses"]["503"]["content"]) == {"text/plain"}


def test_patterns_are_those_of_every_language(document: Any) -> None:
    identifier = body(document, "post", "/api/v1/devices/{room}/{device}/commands")["properties"]["id"]["anyOf"][0]
    assert identifier["pattern"].endswith("$")
    assert r"\\Z" not in json.dumps(document)


def test_a_command_is_told_whole(document: Any) -> None:
    path = "/api/v1/devices/{room}/{device}/commands"
    asked = body(document, "post", path)
    assert asked["required"] == ["action"]
    assert asked["additionalProperties"] is False
    told = operation(document, "post", path)
    assert set(told["responses"]) == {"200", "202", "default"}
    assert told["security"] == [{"session": [], "csrf": []}, {"token": []}]


def test_what_nobody_need_sign_in_for_says_so(document: Any) -> None:
    assert operation(document, "get", "/api/v1/csrf")["security"] == [{}]
    assert operation(document, "get", "/api/v1/me")["security"] == [{"session": []}]


def test_a_query_is_told(document: Any) -> None:
    asked = operation(document, "get", "/api/v1/audit")["parameters"]
    assert {"limit", "after", "since", "happenings"} <= {given["name"] for given in asked}
    assert "text/event-stream" in operation(document, "get", "/api/v1/events")["responses"]["200"]["content"]
