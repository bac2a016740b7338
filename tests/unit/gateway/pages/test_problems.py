"""Problems as pages, and the static files."""

import pytest

from gateway.pages.static_files import StaticFiles
from shared.words.names import Role
from shared.words.problem import CATALOGUE
from tests.unit.gateway.pages.house import open_house


async def test_every_problem_is_explained_to_anybody() -> None:
    async with open_house() as house:
        for slug, entry in CATALOGUE.items():
            page = await house.get(f"/problems/{slug}")
            assert page.status == 200
            assert entry.title in page.text
            assert entry.advice in page.text


async def test_an_address_that_is_not_there_is_a_page_for_people_and_a_document_for_programs() -> None:
    async with open_house() as house:
        page = await house.get("/nowhere")
        assert page.status == 404
        assert page.headers["Content-Type"].startswith("text/html")
        assert page.has("a", href="/login")
        document = await house.get("/nowhere", Accept="application/json")
        assert document.headers["Content-Type"] == "application/problem+json"


async def test_a_wrong_method_is_a_page_too() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        assert (await house.get("/rooms/hall/lamp")).status == 405


async def test_problems_of_unknown_names_are_not_found() -> None:
    async with open_house() as house:
        page = await house.get("/problems/<script>alert(1)</script>")
        assert page.status == 404
        assert "<script>alert" not in page.body


async def test_static_files_may_be_kept_for_a_year_and_former_versions_not_at_all() -> None:
    files = StaticFiles()
    async with open_house() as house:
        fresh = await house.get(files.url("home.css"))
        assert fresh.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "immutable" in fresh.headers["Cache-Control"]
        former = await house.get("/static/0123456789abcdef/home.css")
        assert (former.status, former.headers["Cache-Control"]) == (200, "no-cache")
        again = await house.get("/static/0123456789abcdef/home.css", **{"If-None-Match": former.headers["ETag"]})
        assert again.status == 304


async def test_static_files_travel_packed_where_the_browser_can_unpack_them_each_under_its_own_tag() -> None:
    files = StaticFiles()
    async with open_house() as house:
        packed = await house.get(files.url("home.css"), **{"Accept-Encoding": "gzip"})
        bare = await house.get(files.url("home.css"), **{"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in bare.headers
        assert packed.body == bare.body  # the tests' browser unpacks
        assert int(packed.headers["Content-Length"]) < int(bare.headers["Content-Length"]) / 2
        assert packed.headers["ETag"] != bare.headers["ETag"]
        assert {packed.headers["Vary"], bare.headers["Vary"]} == {"Accept-Encoding"}
        tags = {"Accept-Encoding": "identity", "If-None-Match": packed.headers["ETag"]}
        assert (await house.get(files.url("home.css"), **tags)).status == 200
        tags["Accept-Encoding"] = "gzip"
        assert (await house.get(files.url("home.css"), **tags)).status == 304


async def test_nothing_else_is_served() -> None:
    async with open_house() as house:
        for name in ("nothing.css", "..%2Fconfig.py", "%2e%2e%2fhome.py"):
            assert (await house.get(f"/static/{StaticFiles().version}/{name}")).status == 404


def test_a_template_cannot_name_a_file_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        StaticFiles().url("nothing.css")
