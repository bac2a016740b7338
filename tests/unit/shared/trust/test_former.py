"""The pairs of former names: shown to whoever asks for that name, and no name leads out of their folder."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.pki.pairs import Pki
from shared.trust.former import FormerNames


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pki")
    pki = Pki(made, vault=made / "ca", demo=False, now=dt.datetime.now(dt.UTC))
    for names in (["old.local"], ["new.local"]):
        pki.ensure_authorities(names)
        pki.ensure_web(names)
    pki.ensure_former(["old.local"])
    return made


def former(folder: Path) -> FormerNames:
    return FormerNames(folder / "web.crt", folder / "web.key")


def test_a_former_name_has_a_context_of_its_own(folder: Path) -> None:
    found = former(folder)
    assert found.names() == {"old.local"}
    context = found.shown_to("OLD.local")
    assert isinstance(context, ssl.SSLContext)
    assert found.shown_to("old.local") is context


@pytest.mark.parametrize(
    "name", [None, "", "new.local", "elsewhere", "..", ".", "old.local/../old.local", "/etc", "a..b"]
)
def test_nobody_else_has_one(folder: Path, name: str | None) -> None:
    assert former(folder).shown_to(name) is None


@settings(deadline=None)
@given(st.text(alphabet="./aold", max_size=12))
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    assert (former(folder).shown_to(name) is not None) == (name == "old.local")


def test_half_a_pair_is_looked_at_again(tmp_path: Path, folder: Path) -> None:
    pair = tmp_path / "former" / "old.local"
    pair.mkdir(parents=True)
    (pair / "web.crt").write_bytes((folder / "former" / "old.local" / "web.crt").read_bytes())
    found = FormerNames(tmp_path / "web.crt", tmp_path / "web.key")
    assert found.shown_to("old.local") is None
    (pair / "web.key").write_bytes((folder / "former" / "old.local" / "web.key").read_bytes())
    assert found.shown_to("old.local") is not None
    (pair / "web.crt").unlink()
    assert found.shown_to("old.local") is None
