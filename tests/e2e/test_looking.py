"""What looks at every page finds what is wrong with one: axe, and tests/measuring.js."""

import pytest

from tests import looking
from tests.e2e.conftest import Open

PHONE = (looking.SIZES[0]["width"], looking.SIZES[0]["height"])


def test_axe_is_there_and_finds_what_is_wrong(open_page: Open) -> None:
    page = open_page("/login")
    page.evaluate("document.querySelector('label').remove()")
    assert [one.partition(":")[0] for one in looking.complaints(page)] == ["label"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("it.style.width = '500px'", "sideways"),
        ("it.style.cssText = 'width: 3rem; white-space: nowrap'", "cut"),
        ("it.style.cssText = 'width: 4rem; padding: 0; font-size: 1.5rem'; it.textContent = 'Anmelden'", "broken"),
        ("it.style.marginTop = '-3rem'", "overlap"),
        ("it.textContent = 'Code per E-Mail {when}'", "gap"),
        ("it.textContent = 'Mail me a code'", "English"),
        (
            "const p = document.createElement('p'); p.className = 'said'; p.textContent = 'so'; it.before(p);"
            " p.style.marginBottom = '-2rem'",
            "covered",
        ),
        (
            "for (const text of 'ab') { const a = document.createElement('a'); a.href = '/'; a.textContent = text;"
            " it.before(a); a.style.cssText = 'display: block; font: 8px serif; margin-bottom: -1rem'; }",
            "small",
        ),
    ],
)
def test_what_is_wrong_is_found(open_page: Open, harm: str, said: str) -> None:
    page = open_page("/login", locale="de", size=PHONE)
    assert looking.findings(page, "de") == []
    page.evaluate(f"() => {{ const it = document.getElementById('submit'); {harm}; }}")
    assert said in {one.partition(":")[0] for one in looking.findings(page, "de")}
