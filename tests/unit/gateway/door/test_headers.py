"""What every answer carries, by what was asked and how it ended."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.door.headers import harden


@pytest.mark.parametrize(("status", "told"), [(401, "Bearer"), (200, None), (403, None), (404, None)])
async def test_whoever_must_sign_in_is_told_by_which_scheme_a_program_does(status: int, told: str | None) -> None:
    response = web.Response(status=status)
    await harden(make_mocked_request("GET", "/api/v1/devices"), response)
    assert response.headers.get("WWW-Authenticate") == told
